"""Files that the server fetches for others."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from headrace.integrations.clusters import Networks
from headrace.integrations.web import NoAnswer, call, download

pytestmark = pytest.mark.enable_socket
stopped = threading.Event()  # nobody sets it: `wait` is a pause between two bytes
HERE = Networks.read("127.0.0.0/8")


class _Host(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/loop"):
            self._answer(302, b"", Location="/loop")
        elif self.path == "/moved":
            self._answer(301, b"", Location="/file")
        elif self.path == "/inside":
            self._answer(302, b"", Location="http://169.254.169.254/latest/meta-data")
        elif self.path == "/local":
            self._answer(302, b"", Location="file:///etc/passwd")
        elif self.path == "/short":
            self._answer(200, b"abc", length=10)
        elif self.path.startswith("/drip"):
            self._drip(b"HTTP/1.1 200 OK\r\n" + (b"\r\n" if self.path == "/drip/body" else b"X: "))
        elif self.path.startswith("/file"):
            self._answer(200, self.path.encode())
        else:
            self._answer(404, b"no")

    def _answer(self, status, body, *, length=None, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, head):
        self.close_connection = True
        with contextlib.suppress(OSError):  # until the other side has had enough
            self.wfile.write(head)
            while not stopped.wait(0.01):
                self.wfile.write(b"x")

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def host():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Host) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("path", "content"), [("/file?a=1", b"/file?a=1"), ("/moved", b"/file")])
def test_a_file_comes_whole_also_by_a_redirect(host, path, content):
    assert download(host + path, HERE, most_bytes=100) == content


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/gone", "answers 404"),
        ("/loop", "more than 5 redirects"),
        ("/local", "is no address to call"),
        ("/short", "has broken off|does not answer"),
    ],
)
def test_what_is_no_file_says_why(host, path, words):
    with pytest.raises(NoAnswer, match=words):
        download(host + path, HERE, most_bytes=100)


def test_a_redirect_is_judged_as_the_first_address(host):
    with pytest.raises(NoAnswer, match=r"is at 169\.254\.169\.254, where nobody is called"):
        download(host + "/inside", HERE, most_bytes=100)


def test_this_machine_is_not_called_unless_that_is_allowed(host):
    with pytest.raises(NoAnswer, match=r"is at 127\.0\.0\.1, where nobody is called"):
        download(host + "/file", Networks(), most_bytes=100)


def test_a_file_may_be_so_long_and_no_longer(host):
    assert download(host + "/file", HERE, most_bytes=5) == b"/file"
    with pytest.raises(NoAnswer, match="sends more than"):
        download(host + "/file", HERE, most_bytes=4)


def test_a_host_may_not_hold_the_caller(host):
    with pytest.raises(NoAnswer, match="takes too long"):
        download(host + "/file", HERE, most_bytes=100, whole_s=-1)


@pytest.mark.parametrize("path", ["/drip/header", "/drip/body"])
def test_a_host_that_sends_a_byte_now_and_then_does_not_hold_a_caller_either(host, path):
    with pytest.raises(NoAnswer, match="takes too long"):
        call("GET", host + path, HERE, whole_s=0.2)
    with pytest.raises(NoAnswer, match="takes too long"):
        download(host + path, HERE, most_bytes=1_000_000, whole_s=0.2)


def test_an_answer_that_breaks_off_is_none(host):
    with pytest.raises(NoAnswer, match="has broken off"):
        call("GET", host + "/short", HERE)
    assert call("GET", host + "/file", HERE).content == b"/file"
    assert call("GET", host + "/file", HERE, most_bytes=2).content == b"/fi"  # one more than is wanted
