"""From a push at a Git host to a finished build, and back: the host is told what became of it."""

import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from e2e.server import Server, prepare, until

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

REPO, SHA, SECRET = "my-team/my-app", "a" * 40, "between-the-two"
STEPS = {"unit": {"image": "alpine", "commands": ["echo ${{CF_BRANCH}} ${{CF_SHORT_REVISION}}"]}}


class GitHost:
    """The part of GitHub's API that is told and asked; remembers what it was told."""

    def __init__(self):
        self.told, self.logins, self.answer_status = [], set(), 201
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                host.logins.add(self.headers["Authorization"])
                host.told.append((self.path, body["state"], body["context"]))
                self._answer(host.answer_status, {})

            def do_GET(self):
                if self.path.endswith("/pulls/7"):
                    repo = {"full_name": REPO}
                    head = {"ref": "feature", "sha": SHA, "repo": repo}
                    self._answer(200, {"id": 1, "head": head, "base": {"ref": "main", "repo": repo}})
                else:
                    files = [{"filename": "src/a.py"}] if self.path.endswith("page=1") else []
                    self._answer(200, files)

            def _answer(self, status, value):
                content = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *words):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def host():
    found = GitHost()
    yield found
    found.close()


@pytest.fixture
def server(tmp_path, migrated_sqlite, host):
    data = tmp_path / "data"
    key = prepare(data, migrated_sqlite)
    with Server(data, "--runtime", "fake", "--cluster-networks", "127.0.0.0/8", key=key) as found:
        auth = {"type": "basic", "password": "tok-1", "apiURL": f"{host.url}/api/v3"}
        context = {
            "kind": "context",
            "metadata": {"name": "hub", "default": True},
            "spec": {"type": "git.github", "data": {"auth": auth}},
        }
        assert found.call("POST", "/api/contexts", context)[0] == 200
        yield found


def make(server, **more):
    trigger = {"name": "push", "repo": REPO, "events": ["push"], "secret": SECRET, **more}
    document = {"metadata": {"name": "demo/ci"}, "spec": {"triggers": [trigger], "steps": STEPS}}
    status, answer = server.call("POST", "/api/pipelines", document)
    assert status == 200, answer
    return answer["spec"]["triggers"][0]["endpoint"].removeprefix(server.url)


def send(server, path, event, payload):
    mark = hmac.new(SECRET.encode(), json.dumps(payload).encode(), hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": event, "X-Hub-Signature-256": f"sha256={mark}", "Authorization": ""}
    status, answer = server.call("POST", path, payload, headers)
    assert status == 200, answer
    return answer


def push():
    return {
        "ref": "refs/heads/main",
        "after": SHA,
        "before": "b" * 40,
        "repository": {"full_name": REPO},
        "sender": {"login": "octo"},
    }


def test_a_push_becomes_a_build_and_the_host_hears_of_its_end(server, host):
    (build_id,) = send(server, make(server), "push", push())["builds"]
    assert server.ended(build_id)["status"] == "success"
    until(lambda: "success" in [state for _, state, _ in host.told], "the host to be told")
    path, _, title = host.told[-1]
    assert (path, title) == (f"/api/v3/repos/{REPO}/statuses/{SHA}", "demo/ci")
    assert host.logins == {"Bearer tok-1"}
    assert "tok-1" not in server.said


def test_a_host_that_fails_fails_no_build(server, host):
    host.answer_status = 500
    (build_id,) = send(server, make(server), "push", push())["builds"]
    assert server.ended(build_id)["status"] == "success"
    until(lambda: host.told, "the host to be asked")
    assert server.get("/readyz") == {"status": "ready"}


def test_a_comment_of_a_collaborator_builds_the_pull_request(server, host):  # noqa: ARG001 - it is asked
    more = {"events": ["pullrequest.commentAdded"], "commentRegex": "/^test/", "modifiedFilesGlob": "src/**"}
    path = make(server, **more)
    comment = {"body": "test this", "author_association": "MEMBER", "user": {"login": "mel"}}
    payload = {
        "action": "created",
        "issue": {"number": 7, "title": "Better", "pull_request": {"url": "x"}, "labels": []},
        "comment": comment,
        "repository": {"full_name": REPO},
        "sender": {"login": "mel"},
    }
    (build_id,) = send(server, path, "issue_comment", payload)["builds"]
    build = server.ended(build_id)
    assert (build["branchName"], build["revision"]) == ("feature", SHA)
    stranger = payload | {"comment": comment | {"author_association": "NONE"}}
    assert send(server, path, "issue_comment", stranger)["builds"] == []
