"""A server on loopback that records requests and answers from a table; for both clients."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "60d7bc98dabf78f109a24e97.8c1f0a"
USER = {
    "_id": "5c1658d1736122ee1114c841",
    "userName": "dev",
    "roles": ["User"],
    "activeAccountName": "acme",
    "account": [{"_id": "5c1658d1736122ee1114c842", "name": "acme", "runtimeEnvironment": "default/local"}],
}


@dataclass(frozen=True)
class Request:
    """One request as it came: ``line`` is ``GET /api/user``, with the query string."""

    line: str
    headers: dict
    body: object


@dataclass
class Stub:
    """Answers by ``METHOD /path`` (with the query string, or without); the rest is 404.

    An answer is a body, a pair of status and body, a triple with headers, a list of those (one a
    request, the last repeated), or a function of the request that gives one of them.
    """

    url: str = ""
    answers: dict = field(default_factory=lambda: {"GET /api/user": USER})
    requests: list = field(default_factory=list)

    @property
    def lines(self) -> list:
        """The request lines so far, in order."""
        return [request.line for request in self.requests]

    def bodies(self, line: str) -> list:
        """The bodies of the requests with this line, without their query string."""
        return [request.body for request in self.requests if request.line.partition("?")[0] == line]

    def answer(self, request: Request) -> tuple:
        """Record a request and find its status, body and kind."""
        self.requests.append(request)
        bare = request.line.partition("?")[0]
        key = request.line if request.line in self.answers else bare
        if key not in self.answers:
            return 404, {"status": 404, "message": f"could not find {bare}"}
        found = self.answers[key]
        if isinstance(found, list) and found and isinstance(found[0], tuple):
            found = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(found, Callable):
            found = found(request)
        return found if isinstance(found, tuple) else (200, found)


def _handler(stub: Stub) -> type:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length).decode()
            request = Request(
                f"{self.command} {self.path}", dict(self.headers), json.loads(text) if text else None
            )
            status, body, *more = stub.answer(request)
            headers = {"Content-Type": "application/json"} | (more[0] if more else {})
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 — the library's names

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def running_stub() -> Iterator[Stub]:
    """A stub that answers while the block runs."""
    stub = Stub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stub))
    server.daemon_threads = True
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
