"""Files that the server fetches for others."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from headrace.integrations.clusters import Networks
from headrace.integrations.web import NoAnswer, download

pytestmark = pytest.mark.enable_socket
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
