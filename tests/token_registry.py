"""A small registry of images: it asks for tokens, as Docker Hub does, and knows one login."""

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

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


@contextmanager
def token_registry():
    """Start it on loopback; `asked` holds the questions for a token, `domain` is where it is."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), TokenRegistry)
    server.asked, server.manifests, server.realm = [], {"/v2/acme/app/manifests/1": {"layers": []}}, ""
    server.domain = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
