"""A small Vault: key-value engines of both versions, logins by token, name and role, as Vault answers."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "hvs.root-token"


class Api(BaseHTTPRequestHandler):
    """Answers for the `Vault` of its server."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        vault = self.server.vault
        vault.asked.append((self.path, self.headers.get("x-vault-namespace")))
        if self.headers.get("x-vault-token") not in vault.tokens:
            return self.answer(403, {"errors": ["permission denied"]})
        if self.path == "/v1/broken/data/x":
            return self.answer(200, None)
        found = vault.secrets.get(self.path)
        if found is None:
            return self.answer(404, {"errors": []})
        return self.answer(200, {"request_id": "r", "data": found})

    def do_POST(self):
        vault = self.server.vault
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if vault.logins.get(self.path) != body:
            return self.answer(400, {"errors": ["invalid username or password"]})
        vault.tokens.add("hvs.of-a-login")
        return self.answer(200, {"auth": {"client_token": "hvs.of-a-login"}})

    def answer(self, status, body):
        content = b"<html>" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Vault:
    """What is in it, by the path of the API, and who logs in."""

    def __init__(self, server):
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.tokens, self.asked = {TOKEN}, []
        self.secrets = {
            "/v1/secret/data/app/db": {
                "data": {"password": "v2-s3cret", "port": 5432},
                "metadata": {"version": 3},
            },
            "/v1/old/app": {"password": "v1-s3cret"},
        }
        self.logins = {
            "/v1/auth/userpass/login/ada": {"password": "pw"},
            "/v1/auth/ci/login": {"role_id": "r", "secret_id": "s"},
        }

    def context(self, name="vault", **auth):
        """The document of a context for it."""
        auth = auth or {"type": "token", "token": TOKEN}
        data = {"apiUrl": self.url, "auth": auth}
        return {"metadata": {"name": name}, "spec": {"type": "secret-store.hashicorp-vault", "data": data}}


@contextmanager
def small_vault():
    """Start the server on loopback; gives a `Vault`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.vault = Vault(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.vault
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
