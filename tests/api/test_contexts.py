import json

import pytest

from headrace.execution.ports import GitCredentials
from headrace.http.errors import NotFound
from headrace.resources.contexts import service
from headrace.resources.contexts.schemas import SealedText

ROUTES = [
    ("GET", "/api/contexts"),
    ("POST", "/api/contexts/"),
    ("GET", "/api/contexts/git/default"),
    ("GET", "/api/contexts/c1"),
    ("GET", "/api/contexts/c1/prepare?forceRefresh=true"),
    ("PUT", "/api/contexts/c1"),
    ("PATCH", "/api/contexts/c1"),
    ("PATCH", "/api/contexts/c1/default"),
    ("DELETE", "/api/contexts/c1"),
]


def document(name="c1", kind="config", data=None, **metadata):
    return {
        "apiVersion": "v1",
        "kind": "context",
        "metadata": {"name": name, **metadata},
        "spec": {"type": kind, "data": {"A": "1"} if data is None else data},
    }


def made(client, *given, **more):
    answer = client.post("/api/contexts/", document(*given, **more))
    assert answer.status == 200, answer.text
    return answer.json()


def git(**auth):
    return {"sharingPolicy": "AccountAdmins", "auth": {"type": "basic", "password": "tok", **auth}}


def account_id(people):
    return people["admin"].active_account_id


def rows(database):
    with database.reading() as db:
        return db.exec_driver_sql("SELECT document FROM contexts").scalars().all()


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_request_without_a_key_is_401(client, method, path):
    assert client.with_key(None).call(method, path, json={}).status == 401


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_key_without_the_scope_is_403(client, key_of, method, path):
    assert client.with_key(key_of("admin", "pipeline")).call(method, path, json={}).status == 403


@pytest.mark.parametrize(("method", "path"), ROUTES[2:])
def test_a_context_of_another_account_is_404(client, stranger, method, path):
    made(client)
    made(client, "gh", "git.github", git())
    answer = stranger.call(method, path, json=document())
    assert answer.status == 404
    assert stranger.get("/api/contexts").json() == []


def test_the_404_holds_the_words_of_both_clients(client):
    message = client.get("/api/contexts/c1").json()["message"]
    assert message == "Context c1 not found (could not find it in account acme)"


def test_a_config_context_is_kept_with_keys_that_are_unknown(client):
    context = made(client, data={"A": "1", "B": "x=y"})
    assert context["spec"] == {"type": "config", "data": {"A": "1", "B": "x=y"}}
    assert context["owner"] == "account"
    body = {**document(), "extra": [1], "metadata": {"name": "c1", "note": "n"}}
    replaced = client.put("/api/contexts/c1", body).json()
    assert (replaced["extra"], replaced["metadata"]["note"]) == ([1], "n")
    assert client.get("/api/contexts/c1").json() == replaced


def test_the_same_name_twice_is_409(client):
    made(client)
    answer = client.post("/api/contexts", document())
    assert answer.status == 409
    assert "'c1'" in answer.json()["message"]


@pytest.mark.parametrize(
    ("kind", "data", "shown"),
    [
        ("secret", {"T": "hidden-1", "N": 5}, {"T": "*****", "N": "*****"}),
        ("secret-yaml", {"a": {"b": ["hidden-1"]}}, "*****"),
        (
            "git.github",
            git(password="hidden-1", username="u"),
            {
                "sharingPolicy": "AccountAdmins",
                "auth": {"type": "basic", "password": "*****", "username": "u"},
            },
        ),
        (
            "helm-repository",
            {"repositoryUrl": "https://x", "variables": {"HELMREPO_PASSWORD": "hidden-1"}},
            {"repositoryUrl": "https://x", "variables": {"HELMREPO_PASSWORD": "*****"}},
        ),
        (
            "storage.gc",
            {"auth": {"type": "basic", "jsonConfig": {"private_key": "hidden-1"}}},
            {"auth": {"type": "basic", "jsonConfig": "*****"}},
        ),
        (
            "storage.azuref",
            {"auth": {"type": "basic", "accountName": "shop", "accountKey": "hidden-1"}},
            {"auth": {"type": "basic", "accountName": "shop", "accountKey": "*****"}},
        ),
    ],
)
def test_secrets_are_sealed_masked_kept_and_opened_for_admins(client, database, kind, data, shown):
    made(client, "s1", kind, data)
    sealed = rows(database)
    assert "hidden-1" not in sealed[0]
    masked = client.get("/api/contexts/s1").json()
    assert masked["spec"]["data"] == shown
    assert client.get("/api/contexts").json() == [masked]
    assert client.get("/api/contexts/s1/prepare").json() == masked
    clear = client.get("/api/contexts/s1?decrypt=true").json()["spec"]["data"]
    assert clear == ({"T": "hidden-1", "N": "5"} if kind == "secret" else data)
    assert client.put("/api/contexts/s1", masked).json() == masked
    assert client.get("/api/contexts/s1?decrypt=true").json()["spec"]["data"] == clear


def test_a_document_cannot_imitate_a_sealed_value(client):
    trick = {"auth": {"type": "basic", "token": {"$sealed": "v1.test.AAAA"}}, "x": {"$sealed": "y"}}
    made(client, "s1", "storage.s3", trick)
    assert client.get("/api/contexts/s1?decrypt=true").json()["spec"]["data"] == trick


@pytest.mark.parametrize("path", ["/api/contexts?decrypt=true", "/api/contexts/s1?decrypt=true"])
def test_only_admins_see_secrets_in_clear(client, key_of, path):
    made(client, "s1", "secret", {"T": "top"})
    member = client.with_key(key_of("member"))
    assert member.get(path).status == 403
    assert member.get("/api/contexts/s1").json()["spec"]["data"] == {"T": "*****"}


def test_a_list_is_filtered_by_types(client):
    made(client, "b")
    made(client, "a", "secret")
    made(client, "c", "git.github", git())
    listed = client.get("/api/contexts?type=secret&type=git.github").json()
    assert [one["metadata"]["name"] for one in listed] == ["a", "c"]
    assert len(client.get("/api/contexts").json()) == 3


def test_a_patch_changes_only_what_it_names(client):
    made(client, "s1", "secret", {"T": "top"}, note="n")
    patched = client.patch("/api/contexts/s1", {"spec": {"data": {"T": "*****", "U": "2"}}}).json()
    assert patched["metadata"] == {"name": "s1", "note": "n"}
    assert client.get("/api/contexts/s1?decrypt=true").json()["spec"]["data"] == {"T": "top", "U": "2"}


def test_a_context_is_renamed_and_deleted(client):
    made(client)
    made(client, "taken")
    assert client.put("/api/contexts/c1", document("taken")).status == 409
    assert client.put("/api/contexts/c1", document("team/c2")).json()["metadata"]["name"] == "team/c2"
    assert client.get("/api/contexts/c1").status == 404
    assert client.delete("/api/contexts/team%2Fc2").json() == {}
    assert client.get("/api/contexts/team%2Fc2").status == 404


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "metadata"),
        ({"metadata": {}, "spec": {}}, "metadata.name"),
        ({"metadata": {"name": [5]}, "spec": {}}, "metadata.name"),
        ({"metadata": {"name": True}, "spec": {}}, "metadata.name"),
        ({"metadata": {"name": "x" * 256}, "spec": {"type": "config"}}, "metadata.name"),
        ({"metadata": {"name": "x"}, "spec": {"type": "nope"}}, "spec.type"),
        ({"metadata": {"name": "x"}, "spec": {"type": "config", "data": []}}, "spec.data"),
        ({"metadata": {"name": "x"}, "spec": {"type": "secret", "data": {"A": {}}}}, "spec.data.A"),
        ({"metadata": {"name": "x", "default": True}, "spec": {"type": "config"}}, "metadata.default"),
        ({"kind": "pipeline", "metadata": {"name": "x"}, "spec": {"type": "config"}}, "kind"),
    ],
)
def test_a_wrong_document_names_its_place(client, body, place):
    answer = client.post("/api/contexts", body)
    assert answer.status == 400
    assert place in answer.json()["message"]


def test_the_default_git_context_is_the_marked_one_else_the_oldest(client):
    made(client)
    assert client.get("/api/contexts/git/default").status == 404
    made(client, "first", "git.github", git())
    made(client, "second", "git.gitlab", git())
    assert client.get("/api/contexts/git/default").json()["metadata"]["name"] == "first"
    made(client, "third", "git.gitlab", git(), default=True)
    assert client.get("/api/contexts/git/default").json()["metadata"] == {"name": "third", "default": True}
    assert client.patch("/api/contexts/second/default").json()["metadata"]["default"] is True
    assert client.get("/api/contexts/git/default").json()["metadata"]["name"] == "second"
    assert "default" not in client.get("/api/contexts/third").json()["metadata"]
    assert client.patch("/api/contexts/c1/default").status == 400


def test_layers_come_in_the_order_of_their_names_and_secrets_stay_sealed(client, database, people, box):
    made(client, "c1", data={"A": 1, "B": True})
    made(client, "s1", "secret", {"T": "top"})
    made(client, "y1", "yaml", {"a": {"b": 1}})
    with database.reading() as db:
        layers = service.variables_of(db, account_id(people), ["s1", "y1", "c1"], account_name="acme")
        with pytest.raises(NotFound, match="Context nope not found"):
            service.variables_of(db, account_id(people), ["c1", "nope"], account_name="acme")
    assert layers[1:] == [{}, {"A": "1", "B": "true"}]
    assert isinstance(layers[0]["T"], SealedText)
    assert box.open(layers[0]["T"].text, account_id(people)) == "top"


@pytest.mark.parametrize(
    ("kind", "auth", "expected"),
    [
        ("git.github", {}, GitCredentials("https://github.com", "x-access-token", "tok")),
        (
            "git.github",
            {"apiHost": "git.example.org", "apiPathPrefix": "/api/v3"},
            GitCredentials("https://git.example.org", "x-access-token", "tok"),
        ),
        ("git.gitlab", {}, GitCredentials("https://gitlab.com", "oauth2", "tok")),
        (
            "git.gitlab",
            {"apiURL": "http://127.0.0.1:9000/api/v4/"},
            GitCredentials("http://127.0.0.1:9000", "oauth2", "tok"),
        ),
        ("git.bitbucket", {"username": "u"}, GitCredentials("https://bitbucket.org", "u", "tok")),
        (
            "git.stash",
            {"apiURL": "https://stash.example.org/rest/api/1.0", "username": "u"},
            GitCredentials("https://stash.example.org/scm", "u", "tok"),
        ),
    ],
)
def test_a_git_context_says_how_to_reach_its_host(client, database, people, box, kind, auth, expected):
    made(client, "g", kind, git(**auth))
    with database.reading() as db:
        for name in ("g", None, "CF-default"):
            assert service.git_credentials(db, box, account_id(people), name) == expected


def test_an_account_without_git_contexts_reads_github_without_a_login(database, people, box):
    with database.reading() as db:
        found = service.git_credentials(db, box, account_id(people), None)
    assert found == GitCredentials("https://github.com")


@pytest.mark.parametrize(
    ("name", "words"),
    [("nope", "could not find"), ("c1", "cannot clone"), ("bare", "names no host")],
)
def test_credentials_that_there_are_not_are_a_lookup_error(client, database, people, box, name, words):
    made(client)
    made(client, "bare", "git.stash", git())
    with database.reading() as db, pytest.raises(LookupError, match=words):
        service.git_credentials(db, box, account_id(people), name)


def test_a_name_that_looks_like_a_number_is_a_text(client):
    assert made(client, 12)["metadata"]["name"] == "12"
    assert client.put("/api/contexts/12", document(13)).json()["metadata"]["name"] == "13"
    assert client.patch("/api/contexts/13", {"metadata": {"name": 14}}).json()["metadata"]["name"] == "14"


NOTHING_KEPT = "keeps a stored secret, and there is none here"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (document("s1", "secret", {"T": "*****"}), "spec.data.T"),
        (document("s1", "secret-yaml", "*****"), "spec.data"),
        (document("gh", "git.github", git(password="*****")), "spec.data.auth.password"),
    ],
)
def test_a_mask_becomes_no_secret_of_a_new_context(client, body, place):
    answer = client.post("/api/contexts", body)
    assert (answer.status, NOTHING_KEPT in answer.text) == (400, True), answer.text
    assert answer.json()["message"].startswith(f"{place}: ")


def test_a_mask_under_a_new_key_of_a_context_is_refused_and_changes_nothing(client):
    made(client, "s1", "secret", {"T": "top"})
    answer = client.put("/api/contexts/s1", document("s1", "secret", {"T": "*****", "U": "*****"}))
    assert (answer.status, "spec.data.U" in answer.json()["message"]) == (400, True)
    other = client.put("/api/contexts/s1", document("s1", "secret-yaml", "*****"))
    assert (other.status, NOTHING_KEPT in other.text) == (400, True)
    assert client.get("/api/contexts/s1?decrypt=true").json()["spec"]["data"] == {"T": "top"}


MOVES = [
    ("git.github", git(apiURL="https://git.example.org"), git(apiURL="https://evil.example.org")),
    ("git.github", git(), git(apiHost="evil.example.org")),
    (
        "helm-repository",
        {"repositoryUrl": "https://x", "variables": {"P": "tok"}},
        {"repositoryUrl": "https://evil", "variables": {"P": "tok"}},
    ),
    (
        "storage.azuref",
        {"auth": {"type": "basic", "accountName": "ours", "accountKey": "tok"}},
        {"auth": {"type": "basic", "accountName": "evil", "accountKey": "tok"}},
    ),
    (
        "secret-store.hashicorp-vault",
        {"apiUrl": "https://x", "auth": {"token": "tok"}},
        {"apiUrl": "https://evil", "auth": {"token": "tok"}},
    ),
]


def hidden(data):
    """The same with the secret as its readers see it."""
    return json.loads(json.dumps(data).replace('"tok"', '"*****"'))


@pytest.mark.parametrize(("kind", "before", "after"), MOVES)
def test_who_may_not_see_a_secret_cannot_have_it_sent_elsewhere(client, key_of, kind, before, after):
    made(client, "one", kind, before)
    member = client.with_key(key_of("member"))
    for ask, body in (
        (member.put, document("one", kind, hidden(after))),
        (member.patch, {"spec": {"data": hidden(after)}}),
    ):
        answer = ask("/api/contexts/one", body)
        assert (answer.status, "another address" in answer.json()["message"]) == (403, True)
    assert member.put("/api/contexts/one", document("one", kind, hidden(before))).status == 200
    assert client.get("/api/contexts/one?decrypt=true").json()["spec"]["data"] == before
    assert member.put("/api/contexts/one", document("one", kind, after)).status == 200
    assert client.put("/api/contexts/one", document("one", kind, hidden(before))).status == 200
    assert client.get("/api/contexts/one?decrypt=true").json()["spec"]["data"] == before
