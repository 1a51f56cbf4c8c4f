import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

ADD = {"serviceDetails": {"name": "acme/shop", "scm": {"name": "shop", "owner": {"name": "acme"}}}}
SHOP = {
    "full_name": "acme/shop",
    "private": True,
    "ssh_url": "git@host:acme/shop.git",
    "clone_url": "https://host/acme/shop.git",
    "default_branch": "main",
}
ROUTES = [
    ("GET", "/api/repos"),
    ("GET", "/api/repos/existing"),
    ("GET", "/api/repos/acme/shop"),
    ("GET", "/api/repos/settings/acme/shop"),
    ("POST", "/api/services"),
    ("GET", "/api/services/acme%2Fshop"),
    ("DELETE", "/api/services/acme%2Fshop"),
]


class GitHubLike(BaseHTTPRequestHandler):
    """Shows 100 repositories on the first page and one on the second, to who brings the token."""

    def do_GET(self):
        status, answer = 200, SHOP
        if self.headers["Authorization"] != "Bearer good":
            status, answer = 401, {}
        elif self.path.startswith("/api/v3/user/repos"):
            more = [{**SHOP, "full_name": f"acme/r{number:03}"} for number in range(100)]
            answer = more if "page=1&" in self.path else [SHOP] if "page=2&" in self.path else []
        elif self.path != "/api/v3/repos/acme/shop":
            status, answer = 404, {}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def integrate(client):
    """Make a git context of a host that speaks like GitHub."""
    with ThreadingHTTPServer(("127.0.0.1", 0), GitHubLike) as host:
        thread = threading.Thread(target=host.serve_forever)
        thread.start()

        def make(name="github", login="good"):
            auth = {"type": "basic", "password": login, "apiHost": f"http://127.0.0.1:{host.server_port}"}
            spec = {"type": "git.github", "data": {"auth": auth}}
            body = {"kind": "context", "metadata": {"name": name}, "spec": spec}
            assert client.post("/api/contexts", body).status == 200

        yield make
        host.shutdown()
        thread.join()


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_request_without_a_key_is_401_and_without_the_scope_403(client, key_of, method, path):
    assert client.with_key(None).call(method, path, json=ADD).status == 401
    assert client.with_key(key_of("admin", "general")).call(method, path, json=ADD).status == 403


def test_a_repository_is_added_once_found_and_forgotten(client, stranger, integrate):
    integrate()
    added = client.post("/api/services?context=github", ADD).json()
    assert (added["serviceName"], added["provider"], added["owner"]) == (
        "acme/shop",
        "github",
        {"login": "acme"},
    )
    assert client.post("/api/services", ADD).status == 409
    assert client.get("/api/repos/existing?context=github&thin=").json() == [added]
    assert client.get("/api/repos/existing?context=other").json() == []
    assert client.get("/api/services/acme%2Fshop").json() == added
    for method in ("GET", "DELETE"):
        assert stranger.call(method, "/api/services/acme%2Fshop").status == 404
    assert client.delete("/api/services/acme/shop").json() == {}
    assert client.get("/api/services/acme%2Fshop").status == 404


def test_nothing_is_added_without_a_git_context(client):
    assert client.post("/api/services", ADD).status == 400
    assert client.post("/api/services?context=nope", ADD).status == 404


@pytest.mark.enable_socket
def test_the_host_is_asked_page_by_page(client, integrate):
    integrate()
    found = client.get("/api/repos").json()
    assert len(found) == 101
    assert found[-1] == client.get("/api/repos/acme/shop?context=github").json()
    assert found[-1] == {
        "provider": "github",
        "owner": {"login": "acme"},
        "name": "shop",
        "private": True,
        "ssh_url": "git@host:acme/shop.git",
        "https_url": "https://host/acme/shop.git",
        "default_branch": "main",
    }
    assert client.get("/api/repos/acme/none").status == 404


@pytest.mark.enable_socket
def test_a_host_that_refuses_is_named(client, integrate):
    integrate(login="bad")
    answer = client.get("/api/repos")
    assert answer.status == 400
    assert "'github'" in answer.json()["message"]
    assert "401" in answer.json()["message"]


@pytest.mark.parametrize("allowed", [""])
@pytest.mark.parametrize("path", ["/api/repos", "/api/repos/acme/shop"])
def test_a_host_on_the_machine_of_the_server_is_not_asked(client, integrate, path):
    integrate()
    answer = client.get(path)
    assert answer.status == 400
    assert "127.0.0.1, where nobody is called; see HEADRACE_CLUSTER_NETWORKS" in answer.json()["message"]


def test_the_settings_of_a_repository_are_found_by_its_place(client, integrate):
    integrate()
    added = client.post("/api/services?context=github", ADD).json()
    assert client.get("/api/repos/settings/acme/shop").json() == added
    assert client.get("/api/repos/settings/acme/other").status == 404
