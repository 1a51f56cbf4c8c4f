"""The client of registries, against a small one that asks for tokens."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from headrace.integrations.registries import RegistryRefused, add_tag, log_in

pytestmark = pytest.mark.enable_socket
BASIC = "Basic " + base64.b64encode(b"ci:right").decode()
KIND = "application/vnd.oci.image.index.v1+json"


class TokenRegistry(BaseHTTPRequestHandler):
    """Knows the user ``ci``, gives tokens for what they ask, and keeps manifests."""

    def do_GET(self):
        place = urlsplit(self.path)
        if place.path == "/token":
            self.server.asked.append(parse_qs(place.query))
            right = self.headers["Authorization"] == BASIC
            self.answer(200 if right else 401, {"token": "t0k3n"} if right else {})
        elif self.headers["Authorization"] != "Bearer t0k3n":
            realm = self.server.realm or f"http://{self.headers['Host']}/token"
            self.answer(401, {}, {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"'})
        elif place.path == "/v2/":
            self.answer(200, {})
        else:
            found = self.server.manifests.get(place.path)
            self.answer(200 if found else 404, found or {}, {"Content-Type": KIND})

    def do_PUT(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.manifests[self.path] = {**body, "kind": self.headers["Content-Type"]}
        self.answer(201, {})

    def answer(self, status, body, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        """Keep the test's output to itself."""


@pytest.fixture
def registry():
    server = ThreadingHTTPServer(("127.0.0.1", 0), TokenRegistry)
    server.asked, server.manifests, server.realm = [], {"/v2/acme/app/manifests/1": {"layers": []}}, ""
    server.domain = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_token_is_fetched_with_the_credentials(registry):
    log_in(registry.domain, "ci", "right")
    assert registry.asked == [{"account": ["ci"], "service": ["s"]}]


@pytest.mark.parametrize(("username", "password"), [("ci", "wrong"), ("", "")])
def test_who_is_not_known_is_refused(registry, username, password):
    with pytest.raises(RegistryRefused) as refusal:
        log_in(registry.domain, username, password)
    assert "wrong" not in str(refusal.value)


def test_no_password_goes_to_a_token_server_without_https(registry):
    registry.realm = "http://elsewhere.example.org/token"
    with pytest.raises(RegistryRefused, match="HTTPS"):
        log_in(registry.domain, "ci", "right")
    assert registry.asked == []


def test_a_tag_is_the_same_manifest_under_another_name(registry):
    add_tag(registry.domain, "ci", "right", "acme/app", "1", "2")
    assert registry.manifests["/v2/acme/app/manifests/2"] == {"layers": [], "kind": KIND}
    assert registry.asked[0]["scope"] == ["repository:acme/app:pull,push"]


def test_an_image_that_is_not_there_is_named(registry):
    with pytest.raises(RegistryRefused, match="no image acme/app:absent"):
        add_tag(registry.domain, "ci", "right", "acme/app", "absent", "2")
