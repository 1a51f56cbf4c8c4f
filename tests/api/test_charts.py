"""The charts of a Helm repository."""

import base64

import pytest

from headrace.integrations import web

pytestmark = pytest.mark.enable_socket
PATH = "/api/charts/charts"
INDEX = """
apiVersion: v1
entries:
  web: [{name: web, version: 2.0.0, appVersion: 1.27, description: Serves}, {version: 1.0.0}]
  api: [{version: 1.0.0}]
  empty: []
"""


@pytest.fixture(params=["sqlite"])
def engine_name(request):
    """One context is read."""
    return request.param


@pytest.fixture
def repository(client, git_host):
    """A context of a repository on this machine."""

    def make(url=None, **more):
        data = {"repositoryUrl": url or f"{git_host}/stable/", **more}
        body = {"metadata": {"name": "charts"}, "spec": {"type": "helm-repository", "data": data}}
        assert client.post("/api/contexts", body).status == 200

    return make


def test_without_a_key_it_is_401_without_the_scope_403_and_of_others_404(
    client, stranger, key_of, repository
):
    repository()
    assert client.with_key(None).get(PATH).status == 401
    assert client.with_key(key_of("admin", "general")).get(PATH).status == 403
    assert stranger.get(PATH).status == 404


def test_charts_are_listed_by_name_with_their_versions(client, repository, host_answers):
    repository()
    host_answers["/stable/index.yaml"] = INDEX
    assert client.get(PATH).json() == [
        {"name": "api", "version": "1.0.0", "appVersion": "", "description": "", "versions": ["1.0.0"]},
        {
            "name": "web",
            "version": "2.0.0",
            "appVersion": "1.27",
            "description": "Serves",
            "versions": ["2.0.0", "1.0.0"],
        },
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "answers 404"),
        ("entries: [", "has no index"),
        ("[]", "has no index"),
        ("entries: []", "has no index"),
        ("x" * 2_100_000, "has an index of more than"),
    ],
)
def test_what_is_no_index_is_told(client, repository, host_answers, text, words):
    repository()
    if text is not None:
        host_answers["/stable/index.yaml"] = text
    answer = client.get(PATH)
    assert (answer.status, words in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize(
    ("url", "status", "words"),
    [
        ("oci://registry.example.org", 400, "is a registry"),
        ("s3://bucket", 404, "is not at http"),
        ("http://127.0.0.1:1", 400, "does not answer"),
    ],
)
def test_a_repository_that_has_no_list_is_told(client, repository, url, status, words):
    repository(url)
    answer = client.get(PATH)
    assert (answer.status, words in answer.json()["message"]) == (status, True)


def test_the_login_of_a_repository_is_sent_and_not_shown(client, repository, monkeypatch):
    seen = []

    def call(_method, url, _networks, *, headers, most_bytes):
        seen.append((url, headers["Authorization"], most_bytes > 0))
        raise web.NoAnswer("nobody is there")

    monkeypatch.setattr(web, "call", call)
    login = {"HELMREPO_USERNAME": "ci", "HELMREPO_PASSWORD": "hidden"}
    repository("https://charts.example.org", variables=login)
    answer = client.get(PATH)
    basic = "Basic " + base64.b64encode(b"ci:hidden").decode()
    assert seen == [("https://charts.example.org/index.yaml", basic, True)]
    assert (answer.status, "hidden" in answer.text) == (400, False)
