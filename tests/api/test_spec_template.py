"""Pipelines whose YAML is kept in a repository or at an address: fetched at run and at plan."""

import base64
import json
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select

from headrace.resources.builds.model import builds

pytestmark = pytest.mark.enable_socket
YAML = "version: '1.0'\nsteps:\n  hello:\n    image: alpine\n    commands: [echo from the repository]\n"
TOKEN = "token-of-the-repository"
BROKEN = b"version: '1.0'\nsteps: {a: {tpye: x}}\n"
FILE = "/api/v3/repos/acme/shop/contents/ci/codefresh.yml?ref="
NAME = "p/remote"
RUN = "/api/pipelines/run/p%2Fremote"
PLAN = "/api/pipelines/plan/p%2Fremote"


@pytest.fixture
def engine_name():
    """What is fetched does not depend on the database."""
    return "sqlite"


class Host(BaseHTTPRequestHandler):
    """A Git host: the REST API of GitHub for one private repository, and files below ``/static``."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        server.asked.append(self.path)
        path = self.path.partition("?")[0]
        if path.startswith("/static/"):
            self.static(server.root / path.removeprefix("/static/"))
        elif path == "/moved.yml":
            self.answer(302, b"", location="/static/codefresh.yml")
        elif self.headers.get("authorization") != f"Bearer {TOKEN}":
            self.answer(404, b'{"message": "Not Found"}')
        elif path == "/limited" or "exhausted" in path:
            self.answer(403, b"{}", **{"x-ratelimit-remaining": "0"})
        else:
            found = server.files.get(self.path)
            self.answer(404 if found is None else 200, found or b"{}")

    def static(self, file):
        if self.server.login and self.headers.get("authorization") != self.server.login:
            self.answer(401, b"", **{"www-authenticate": "Basic realm=git"})
        elif file.is_file():
            self.answer(200, file.read_bytes())
        else:
            self.answer(404, b"")

    def answer(self, status, content, **headers):
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving(root):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    server.asked, server.files, server.root, server.login = [], {}, root, ""
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def host(tmp_path, client):
    """A host, and a git context of its login that is the account's default."""
    root = tmp_path / "static"
    root.mkdir()
    with serving(root) as server:
        auth = {"type": "basic", "apiURL": server.url, "password": TOKEN}
        spec = {"type": "git.github", "data": {"auth": auth}}
        body = {"metadata": {"name": "my-git", "default": True}, "spec": spec}
        assert client.post("/api/contexts", body).status == 200
        server.files[FILE + "main"] = YAML.encode()
        yield server


def repository(folder):
    """A repository that plain HTTP serves."""
    work = folder.parent / "work"

    def git(*arguments, at=work):
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
        subprocess.run(command, cwd=at, check=True, capture_output=True)

    work.mkdir()
    git("init", "-q", "-b", "main")
    (work / "ci").mkdir()
    (work / "ci" / "codefresh.yml").write_text(YAML)
    git("add", ".")
    git("commit", "-q", "-m", "first")
    git("clone", "-q", "--bare", str(work), str(folder / "shop.git"))
    git("update-server-info", at=folder / "shop.git")


def make(client, **template):
    template = {"location": "git", "repo": "acme/shop", "path": "./ci/codefresh.yml", **template}
    template = {key: value for key, value in template.items() if value is not None}
    body = {"metadata": {"name": NAME}, "spec": {"specTemplate": template}}
    answer = client.post("/api/pipelines", body)
    assert answer.status == 200, answer.text


def run(client, **body):
    return client.post(RUN, {"branch": "main", **body})


def refusal(answer):
    assert answer.status == 400, answer.text
    return answer.json()["message"]


@pytest.mark.usefixtures("host")
def test_a_build_runs_and_keeps_the_yaml_that_the_repository_has(client, database):
    make(client)
    started = run(client)
    assert started.status == 200, started.text
    with database.reading() as db:
        row = db.execute(select(builds)).mappings().one()
    assert (row["id"], row["yaml"]) == (started.json(), YAML)
    assert [step["name"] for step in json.loads(row["plan"])["steps"]] == ["hello"]


def test_a_plan_fetches_too_and_the_file_of_the_branch(client, host):
    host.files[FILE + "feature%2Fx"] = YAML.replace("hello", "other").encode()
    make(client, revision="${{CF_BRANCH}}")
    told = client.post(PLAN, {"branch": "feature/x"}).json()
    assert [step["name"] for step in told["steps"]] == ["other"]


def test_a_host_is_asked_once_for_a_run(client, host):
    make(client)
    run(client)
    assert len(host.asked) == 1


def test_a_yaml_of_the_run_goes_before(client, host):
    make(client)
    assert run(client, userYamlDescriptor=YAML).status == 200
    assert host.asked == []


@pytest.mark.usefixtures("host")
def test_without_a_branch_the_place_and_the_cure_are_named(client):
    make(client)
    message = refusal(client.post(RUN, {}))
    assert message == (
        "Failed to retrieve pipeline: spec.specTemplate.revision: CF_BRANCH has no value; "
        "run with a branch, or write a revision"
    )


@pytest.mark.usefixtures("host")
def test_what_the_host_does_not_have_starts_nothing(client):
    make(client, path="none.yml")
    message = refusal(run(client))
    assert message.startswith(
        "Failed to retrieve pipeline from acme/shop, main, none.yml (spec.specTemplate)"
    )
    assert "answers 404" in message
    assert "specTemplate.context" in message
    assert TOKEN not in message
    assert client.get("/api/workflow").json()["workflows"]["docs"] == []


@pytest.mark.usefixtures("host")
def test_a_limit_of_the_host_is_told(client):
    make(client, path="exhausted.yml")
    assert "API rate limit exceeded" in refusal(run(client))


def test_a_file_that_is_wrong_is_refused_with_its_problems(client, host):
    host.files[FILE + "main"] = BROKEN
    make(client)
    answer = run(client)
    assert 'line 2, steps.a.image: "image" is required' in refusal(answer)
    host.files[FILE + "main"] = b"a: [\n"
    assert "External specTemplate is not a valid yaml" in refusal(run(client))
    host.files[FILE + "main"] = b"\xff\xfe\x00"
    assert "is no UTF-8 text" in refusal(run(client))


@pytest.mark.usefixtures("host")
def test_a_context_that_is_not_there_is_named(client):
    make(client, context="nowhere")
    assert "could not find a git context 'nowhere'" in refusal(run(client))


def test_any_repository_by_its_url_is_fetched_with_git(client, host):
    repository(host.root)
    make(client, repo=f"{host.url}/static/shop.git")
    assert run(client).status == 200
    message = refusal(run(client, branch="nope"))
    assert "couldn't find remote ref nope" in message


def test_git_gets_the_login_of_the_context_for_its_own_host(client, host):
    repository(host.root)
    host.login = "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    make(client, repo=f"{host.url}/static/shop.git", context="my-git")
    assert run(client).status == 200


@pytest.mark.usefixtures("host")
def test_another_host_than_the_contexts_does_not_see_the_login(client, tmp_path):
    root = tmp_path / "other"
    root.mkdir()
    repository(root)
    with serving(root) as other:
        other.login = "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
        make(client, repo=f"{other.url}/static/shop.git", context="my-git")
        assert "specTemplate.context" in refusal(run(client))


def test_a_file_of_the_web(client, host):
    (host.root / "codefresh.yml").write_text(YAML)
    url = f"{host.url}/static/codefresh.yml"
    make(client, location=None, url=url, repo=None, path=None)
    assert run(client).status == 200


@pytest.mark.parametrize(
    ("path", "complaint"),
    [("/moved.yml", "leads elsewhere, to '/static/codefresh.yml'"), ("/static/none", "answers 404")],
)
def test_a_file_of_the_web_that_is_not_there(client, host, path, complaint):
    make(client, location="url", url=host.url + path, repo=None, path=None)
    assert complaint in refusal(run(client))


@pytest.mark.parametrize(
    "template", [{"location": "url", "url": "{}/static/large.yml", "repo": None, "path": None}, {}]
)
def test_a_file_has_at_most_a_mebibyte(client, host, template):
    large = b"# " + b"x" * (1024 * 1024)
    (host.root / "large.yml").write_bytes(large)
    host.files[FILE + "main"] = large
    make(client, **{key: value and value.format(host.url) for key, value in template.items()})
    assert "it has more than 1048576 bytes" in refusal(run(client))


@pytest.mark.parametrize("allowed", [""])
@pytest.mark.parametrize(
    "template",
    [{"location": "url", "url": "{}/x", "repo": None, "path": None}, {"repo": "{}/a.git"}, {"repo": "a/b"}],
)
def test_this_machine_is_not_called_unless_a_setting_says_so(client, host, template):
    make(client, **{key: value and value.format(host.url) for key, value in template.items()})
    assert "HEADRACE_CLUSTER_NETWORKS" in refusal(run(client))
    assert host.asked == []


@pytest.mark.parametrize(
    ("template", "place"),
    [
        ({"location": "svn"}, "spec.specTemplate.location: must be 'git' or 'url'"),
        ({"path": None}, "spec.specTemplate.path: is required where the location is git"),
        ({"url": "https://x"}, "spec.specTemplate.url: is not allowed where the location is git"),
        ({"location": "url"}, "spec.specTemplate.url: is required where the location is url"),
        ({"revision": 5}, "spec.specTemplate.revision: must be a text"),
    ],
)
def test_a_template_that_cannot_be_is_not_stored(client, template, place):
    spec = {"location": "git", "repo": "acme/shop", "path": "x.yml", **template}
    spec = {key: value for key, value in spec.items() if value is not None}
    answer = client.post("/api/pipelines", {"metadata": {"name": NAME}, "spec": {"specTemplate": spec}})
    assert place in refusal(answer)


@pytest.mark.parametrize(
    "template",
    [
        {"path": "../../x"},
        {"revision": "--upload-pack=x"},
        {"repo": "acme"},
        {"repo": "acme/../x"},
        {"repo": "ssh://h/x"},
    ],
)
def test_what_leads_out_of_a_repository_is_refused_before_anything_is_asked(client, host, template):
    make(client, **template)
    assert "Failed to retrieve pipeline" in refusal(run(client))
    assert host.asked == []


@pytest.mark.parametrize(
    "template",
    [
        {"repo": "https://ada:s3cret@git.example.org/a/b"},
        {"location": "url", "url": "https://ada:s3cret@x.example.org/a.yml", "repo": None, "path": None},
    ],
)
def test_a_login_within_an_address_is_refused_and_not_repeated(client, template):
    make(client, **template)
    message = refusal(run(client))
    assert "holds a login; give it by a git context" in message
    assert "s3cret" not in message


def test_a_webhook_runs_what_the_pushed_branch_has(client, host, database):
    host.files[FILE + "feature"] = YAML.encode()
    template = {"location": "git", "repo": "acme/shop", "path": "ci/codefresh.yml"}
    trigger = {"type": "git", "name": "t", "repo": "acme/shop", "events": ["push"], "secret": "s"}
    body = {"metadata": {"name": NAME}, "spec": {"triggers": [trigger], "specTemplate": template}}
    made = client.post("/api/pipelines", body).json()
    push = {"event": "push.heads", "repo": "acme/shop", "branch": "feature", "revision": "a1"}
    place = made["spec"]["triggers"][0]["endpoint"].removeprefix("http://testserver")
    answer = client.post(place, push, headers={"x-headrace-token": "s"}).json()
    assert len(answer["builds"]) == 1
    gone = client.post(place, {**push, "branch": "gone"}, headers={"x-headrace-token": "s"}).json()
    assert gone["builds"] == []
    assert "Failed to retrieve pipeline" in gone["triggers"][0]["reason"]
    with database.reading() as db:
        assert [row["yaml"] for row in db.execute(select(builds)).mappings()] == [YAML]
