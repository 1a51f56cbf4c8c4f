"""What a connection says before a request is known to be one."""

import json

import pytest
import uvicorn
from uvicorn.server import ServerState

from headrace.app.protocol import MOST_HEADER_BYTES, MOST_URL_BYTES, Protocol

PIECE = 16 * 1024


class Line:
    """The transport of one connection: keeps what is written."""

    def __init__(self):
        self.written, self.is_closed = b"", False

    def write(self, data):
        self.written += data

    def close(self):
        self.is_closed = True

    def is_closing(self):
        return self.is_closed

    def get_extra_info(self, _name, default=None):
        return default

    def pause_reading(self):
        """A body waits for who reads it."""

    resume_reading = pause_reading

    def answer(self):
        head, _, body = self.written.partition(b"\r\n\r\n")
        first, *headers = head.decode().split("\r\n")
        assert first.startswith("HTTP/1.1 ")
        return int(first.split(" ")[1]), dict(one.lower().split(": ", 1) for one in headers), json.loads(body)


@pytest.fixture
def asked():
    """The requests that were heard."""
    return []


@pytest.fixture
def line():
    return Line()


@pytest.fixture
async def say(asked, line):
    """Say bytes to a connection, in pieces as they come over a wire."""

    async def app(scope, _receive, _send):
        asked.append(scope["path"])

    config = uvicorn.Config(app, lifespan="off", log_config=None, ws="none")
    connection = Protocol(config, ServerState(), {})
    connection.connection_made(line)

    def say(data):
        for start in range(0, len(data), PIECE):
            if line.is_closed:
                return
            connection.data_received(data[start : start + PIECE])

    return say


HOST = b"Host: x\r\n"
POST = b"POST /api/projects HTTP/1.1\r\n" + HOST
WRONG = {
    "bytes": (b"\x00\x01\r\n\r\n", 400),
    "another protocol": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "no method": (b"FOO /api/user HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a blank in the path": (b"GET /api/a b HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a control sign": (b"GET /api/user HTTP/1.1\r\nAuthorization: a\x00b\r\n\r\n", 400),
    "no length": (POST + b"Content-Length: -5\r\n\r\n", 400),
    "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
    "a length of nothing": (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "no chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", 400),
    "a long address": (b"GET /" + b"a" * MOST_URL_BYTES + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "an address without an end": (b"GET /" + b"a" * 10_000_000, 414),
    "many headers": (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * MOST_HEADER_BYTES, 431),
    "a long header": (b"GET / HTTP/1.1\r\nX: " + b"a" * MOST_HEADER_BYTES + b"\r\n\r\n", 431),
    "a header without an end": (b"GET / HTTP/1.1\r\nX: " + b"a" * 10_000_000, 431),
    "one after the body": (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"a" * 10_000_000, 431),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_no_request_or_too_long_is_told_in_json_and_ends_the_connection(say, line, name):
    sent, status = WRONG[name]
    say(sent)
    found, headers, body = line.answer()
    assert (found, body["status"], line.is_closed) == (status, status, True)
    assert body["message"]
    assert headers["content-type"].startswith("application/json")
    assert (headers["connection"], headers["x-content-type-options"]) == ("close", "nosniff")


async def test_what_is_just_short_enough_is_heard(say, line):
    say(
        b"GET /"
        + b"a" * (MOST_URL_BYTES - 1)
        + b" HTTP/1.1\r\nX: "
        + b"a" * (MOST_HEADER_BYTES - 1)
        + b"\r\n\r\n"
    )
    assert line.written == b""


async def test_a_long_body_is_no_long_header(say, line):
    say(POST + b"Content-Length: 1000000\r\n\r\n" + b"a" * 1_000_000)
    assert not line.is_closed
