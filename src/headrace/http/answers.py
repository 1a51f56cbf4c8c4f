"""From what a handler returned to the bytes that are sent: headers, ETag, gzip, streams."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from typing import Any

import msgspec

from headrace.http import documents, idempotency
from headrace.http.errors import ApiError
from headrace.http.idempotency import FirstAnswer
from headrace.http.routing import Reply
from headrace.http.sse import Stream

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]

_NOT_KEPT = (b"cache-control", b"no-store")
_CHECKED = (b"cache-control", b"private, no-cache")  # a browser keeps it, and asks each time
# An answer is what it says it is, and nothing in it runs or is framed, should a browser be led to it.
GUARDS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_VARY = (b"vary", b"Accept-Encoding, Authorization, Cookie, x-access-token")


def encode(result: Any) -> Answer:  # noqa: ANN401 - what a handler returns
    """Turn what a handler returned into an answer: a `Reply`, or any value that is JSON."""
    reply = result if isinstance(result, Reply) else Reply(result)
    if reply.media_type == "application/json":
        content = msgspec.json.encode(reply.value)
    else:
        content = reply.value if isinstance(reply.value, bytes) else str(reply.value).encode()
    return _with_length(reply.status, reply.media_type, encoded(reply.headers), content)


def _with_length(status: int, media_type: str, headers: Headers, content: bytes) -> Answer:
    media = media_type if "charset" in media_type else media_type + "; charset=utf-8"
    headers += [(b"content-type", media.encode()), (b"content-length", str(len(content)).encode())]
    given = {name for name, _ in headers}
    headers += [pair for pair in (_NOT_KEPT, *GUARDS) if pair[0] not in given]
    return status, headers, content


def as_document(answer: Answer, *, seen: str, accepted: str) -> Answer:
    """Give a document its ETag; leave out what the client has, and pack the rest if it may be.

    Args:
        answer: the whole document, status 200.
        seen: the header ``If-None-Match``.
        accepted: the header ``Accept-Encoding``; empty: as it is.
    """
    status, headers, content = answer
    tag = documents.tag_of(content)
    own = {b"content-length", b"content-type"}
    kept = [pair for pair in headers if pair[0] not in own and pair != _NOT_KEPT]
    if not any(name == b"cache-control" for name, _ in kept):
        kept.append(_CHECKED)
    media = next(pair for pair in headers if pair[0] == b"content-type")
    packed = documents.is_worth_packing(content, media[1].decode()) and documents.takes_gzip(accepted)
    kept += [_VARY, (b"etag", (documents.packed_tag(tag) if packed else tag).encode())]
    if seen and documents.names(seen, tag, weakly=True):
        return 304, kept, b""
    if packed:
        content = documents.pack(content)
        kept.append((b"content-encoding", b"gzip"))
    return status, [*kept, media, (b"content-length", str(len(content)).encode())], content


def first_answer(answer: Answer) -> FirstAnswer:
    """Return an answer in the form that is kept for an idempotency key."""
    status, headers, content = answer
    named = [(name.decode(), value.decode("latin-1")) for name, value in headers]
    return FirstAnswer(status, named, content.decode())


def answer_again(first: FirstAnswer) -> Answer:
    """Return the answer that is kept for an idempotency key."""
    headers = [(name.encode(), value.encode("latin-1")) for name, value in first.headers]
    return first.status, [*headers, idempotency.REPLAYED], first.content.encode()


def encoded(headers: Mapping[str, str]) -> Headers:
    """Return headers as ASGI has them."""
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]


def error_answer(error: ApiError) -> Answer:
    """Return the answer of an error."""
    content = msgspec.json.encode(error.body())
    return _with_length(error.status, "application/json", encoded(error.headers), content)


async def send_answer(answer: Answer, send: Send, *, with_body: bool) -> None:
    """Send an answer, or only its head."""
    status, headers, content = answer
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content if with_body else b""})


async def send_stream(
    stream: Stream, receive: Receive, send: Send, more: Headers, until: Coroutine[Any, Any, object] | None
) -> None:
    """Send the pieces until the stream ends, the client goes away, or ``until`` returns."""
    headers = [(b"content-type", stream.media_type.encode()), *encoded(stream.headers)]
    given = {name for name, _ in headers}
    headers += [pair for pair in (_NOT_KEPT, *GUARDS, *more) if pair[0] not in given]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    gone = asyncio.ensure_future(_until_gone(receive))
    pump = asyncio.ensure_future(_pump(stream, send))
    ending = None if until is None else asyncio.ensure_future(until)
    tasks = [one for one in (gone, pump, ending) if one is not None]
    done: set[asyncio.Future[Any]] = set()
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if ending is not None and ending in done and not done & {gone, pump}:
        ending.result()  # a failure of its own is none of the reader's, and is logged
        await send({"type": "http.response.body", "body": b""})


async def _pump(stream: Stream, send: Send) -> None:
    try:
        async for chunk in stream.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    finally:
        close = getattr(stream.chunks, "aclose", None)
        if close is not None:
            await close()
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
