import json

import pytest
import yaml

PATH = "/api/pipelines/analyze"
ASK = {"repo": {"repoOwner": "acme", "repoName": "shop", "git": "host"}, "type": "git", "source": "api"}
FILES = {"go.mod": "module shop\n\ngo 1.22\n", "Dockerfile": "FROM scratch\n"}


def entries(kind):
    """The root of the repository as a host lists it."""
    folder, file = {
        "git.github": ("dir", "file"),
        "git.gitlab": ("tree", "blob"),
        "git.stash": ("DIRECTORY", "FILE"),
    }[kind]
    names = [*((name, file) for name in FILES), ("cmd", folder)]
    if kind == "git.stash":
        return {"children": {"values": [{"path": {"toString": name}, "type": what} for name, what in names]}}
    return [{"name": name, "type": what} for name, what in names]


SHOPS = {
    "git.github": (
        {"full_name": "acme/shop", "default_branch": "main"},
        "/api/v3/repos/acme/shop",
        "/api/v3/repos/acme/shop/contents/",
        "/api/v3/repos/acme/shop/contents/{}",
    ),
    "git.gitlab": (
        {"path_with_namespace": "acme/shop", "default_branch": "main"},
        "/api/v4/projects/acme%2Fshop",
        "/api/v4/projects/acme%2Fshop/repository/tree",
        "/api/v4/projects/acme%2Fshop/repository/files/{}/raw",
    ),
    "git.stash": (
        {"slug": "shop", "project": {"key": "acme"}},
        "/rest/api/1.0/projects/acme/repos/shop",
        "/rest/api/1.0/projects/acme/repos/shop/browse",
        "/rest/api/1.0/projects/acme/repos/shop/raw/{}",
    ),
}


@pytest.fixture
def integrate(client, git_host, host_answers):
    """Make a git context of a kind of host that has the repository, with these files."""

    def make(kind="git.github", files=FILES):
        auth = {"type": "basic", "username": "u", "password": "good", "apiHost": git_host}
        body = {
            "kind": "context",
            "metadata": {"name": "host"},
            "spec": {"type": kind, "data": {"auth": auth}},
        }
        assert client.post("/api/contexts", body).status == 200
        shop, one, root, file = SHOPS[kind]
        host_answers.update({one: json.dumps(shop), root: json.dumps(entries(kind))})
        host_answers.update({file.format(name): text for name, text in files.items()})

    return make


def test_a_request_without_a_key_is_401_and_without_the_scope_403(client, key_of):
    assert client.with_key(None).post(PATH, ASK).status == 401
    assert client.with_key(key_of("admin", "pipeline:read")).post(PATH, ASK).status == 403


@pytest.mark.enable_socket
@pytest.mark.parametrize("kind", SHOPS)
def test_a_pipeline_is_proposed_from_what_the_host_shows(client, integrate, kind):
    integrate(kind)
    answer = client.post(PATH, ASK)
    assert answer.status == 200, answer.text
    text = answer.json()
    assert text.startswith(
        "# A first pipeline for acme/shop, made from go.mod, Dockerfile. Run it with a branch"
    )
    steps = yaml.safe_load(text)["steps"]
    assert list(steps) == ["main_clone", "go_tests", "build_image"]
    assert steps["go_tests"]["image"] == "golang:1.22"
    assert steps["build_image"]["disable_push"] is True
    checked = client.post("/api/pipelines/yaml/validator", {"yaml": text, "outputFormat": "lint"})
    assert checked.json()["valid"] is True
    assert client.get("/api/pipelines").json()["count"] == 0


@pytest.mark.enable_socket
def test_a_repository_that_has_a_pipeline_keeps_it(client, integrate, host_answers):
    integrate()
    own = "version: '1.0'\nsteps:\n  one:\n    image: alpine\n"
    listed = [*entries("git.github"), {"name": "codefresh.yml", "type": "file"}]
    host_answers["/api/v3/repos/acme/shop/contents/"] = json.dumps(listed)
    host_answers["/api/v3/repos/acme/shop/contents/codefresh.yml"] = own
    assert client.post(PATH, ASK).json() == own


@pytest.mark.enable_socket
def test_what_the_host_does_not_show_is_404_and_an_unknown_context_400(client, integrate, stranger):
    integrate()
    other = {**ASK, "repo": {**ASK["repo"], "repoName": "none"}}
    assert client.post(PATH, other).status == 404
    assert stranger.post(PATH, ASK).status == 400
    assert "could not find a git context 'host'" in stranger.post(PATH, ASK).json()["message"]
    injected = {**ASK, "repo": {**ASK["repo"], "repoName": "shop\nsteps: {}"}}
    assert client.post(PATH, injected).status == 400


@pytest.mark.parametrize("allowed", [""])
def test_a_host_on_the_machine_of_the_server_is_not_asked(client, integrate):
    integrate()
    answer = client.post(PATH, ASK)
    assert answer.status == 400
    assert "where nobody is called" in answer.json()["message"]
