"""What a connection may say before its request is heard: limits, and a JSON answer to what is no HTTP.

The parser keeps a header until it has come to its end, which may be never, and nobody knows yet who sends it.
"""

from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from headrace.http.answers import error_answer
from headrace.http.errors import ApiError, BadRequest, HeadersTooLarge, UriTooLong

MOST_URL_BYTES = 65_000  # of one over 65,535 the parser cannot tell the parts
MOST_HEADER_BYTES = 64 * 1024  # of all headers of a request


class Protocol(HttpToolsProtocol):
    """The HTTP of one connection."""

    _refusal: ApiError | None = None
    _header_bytes = 0
    _kept_bytes = 0  # came since the parser told something: it keeps them

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._kept_bytes += len(data)
        super().data_received(data)
        if self._kept_bytes > MOST_HEADER_BYTES:
            self._refuse(_too_large())

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._header_bytes = self._kept_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        super().on_url(url)
        self._kept_bytes = 0
        if len(self.url) > MOST_URL_BYTES:
            self._refusal = UriTooLong(
                f"the address is over {MOST_URL_BYTES} bytes; ask for less in one request"
            )
            raise self._refusal

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, which may also come after a body."""
        super().on_header(name, value)
        self._kept_bytes = 0
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MOST_HEADER_BYTES:
            self._refusal = _too_large()
            raise self._refusal

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        super().on_body(body)
        self._kept_bytes = 0

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - ours says more
        """Refuse what the parser has refused."""
        self._refuse(
            self._refusal or BadRequest("this is no request of HTTP/1.1; see that nothing breaks it")
        )

    def _refuse(self, error: ApiError) -> None:
        """Answer, and hang up: nobody knows where a next request would begin."""
        if self.transport.is_closing():
            return
        status, headers, content = error_answer(error)
        told = (*self.server_state.default_headers, *headers, (b"connection", b"close"))
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode(), *map(b": ".join, told)]
        self.transport.write(b"\r\n".join((*lines, b"", content)))
        self.transport.close()


def _too_large() -> ApiError:
    return HeadersTooLarge(f"the headers are over {MOST_HEADER_BYTES} bytes; send fewer, or shorter ones")
