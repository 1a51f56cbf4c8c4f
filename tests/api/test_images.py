from datetime import UTC, datetime

import pytest
from sqlalchemy import event, insert

from headrace.execution.ports import MadeImage
from headrace.resources.annotations.model import annotations
from headrace.resources.images import repository, service
from headrace.resources.images.model import images

ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
ROUTES = [
    ("GET", "/api/images"),
    ("POST", "/api/images/external"),
    ("GET", f"/api/images/{ONE}"),
    ("GET", f"/api/images/{ONE}/tags"),
    ("DELETE", f"/api/images/{ONE}/tag/1"),
    ("POST", f"/api/images/{ONE}/tag/2"),
    ("GET", f"/api/images/{ONE}/metadata"),
    ("POST", f"/api/images/{ONE}/metadata"),
    ("DELETE", f"/api/images/{ONE}/metadata/k"),
]
EXTERNAL = {"imageId": ONE, "imageName": "r.example.org/acme/app", "tag": "1"}


@pytest.fixture
def make(database, people):
    """Keep an image as a build does."""

    def kept(image_id=ONE, name="acme/app", tags=("1",), *, registry="main", pipeline=None, **facts):
        made = MadeImage(
            id=image_id,
            display_name=name,
            names=tuple(f"r.example.org/{name}:{tag}" for tag in tags),
            registry=registry,
            digest="sha256:d",
            size_bytes=7,
            created_at=facts.get("created_at", datetime(2026, 1, 2, tzinfo=UTC)),
            branch=facts.get("branch", "main"),
            revision=facts.get("revision", "abc"),
            step="build",
        )
        with database.transaction() as db:
            service.keep(db, people["admin"].active_account_id, made, build_id="b" * 24, pipeline_id=pipeline)

    return kept


def ids(client, query=""):
    return [image["internalImageId"] for image in client.get(f"/api/images{query}").json()["docs"]]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_request_without_a_key_is_401(client, method, path):
    assert client.with_key(None).call(method, path, json=EXTERNAL).status == 401


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_key_without_the_scope_is_403(client, key_of, method, path):
    assert client.with_key(key_of("admin", "pipeline")).call(method, path, json=EXTERNAL).status == 403


@pytest.mark.parametrize(("method", "path"), ROUTES[2:])
def test_an_image_of_another_account_is_404(client, stranger, make, method, path):
    make()
    assert stranger.call(method, path, json={"k": "v"}).status == 404
    assert ids(client) == [ONE]
    assert ids(stranger) == []


def test_an_image_is_shown_with_its_names(client, make):
    make(tags=("1", "2"))
    [image] = client.get("/api/images").json()["docs"]
    tags = image.pop("tags")
    assert image == {
        "_id": image["_id"],
        "internalImageId": ONE,
        "imageDisplayName": "acme/app",
        "imageName": "acme/app",
        "internalName": "acme/app",
        "created": "2026-01-02T00:00:00.000Z",
        "size": 7,
        "sha": "abc",
        "branch": "main",
        "repoDigest": "sha256:d",
        "metadata": {},
    }
    assert {(tag["registry"], tag["repository"], tag["tag"]) for tag in tags} == {
        ("r.example.org", "acme/app", "1"),
        ("r.example.org", "acme/app", "2"),
    }
    assert client.get(f"/api/images/{ONE}/tags").json() == tags


@pytest.mark.parametrize("wanted", [ONE, "1" * 12, f"sha256:{'1' * 12}", "r.example.org/acme/app:1"])
def test_an_image_is_found_by_each_of_its_names(client, make, wanted):
    make()
    assert client.get(f"/api/images/{wanted.replace('/', '%2F')}").json()["internalImageId"] == ONE


def test_a_name_belongs_to_the_newest_image(client, make):
    make(ONE)
    make(TWO)
    tags = {image["internalImageId"]: image["tags"] for image in client.get("/api/images").json()["docs"]}
    assert (len(tags[ONE]), len(tags[TWO])) == (0, 1)


def test_the_same_image_again_is_one_image(client, make):
    make(ONE)
    make(ONE, tags=("2",), branch="next")
    [image] = client.get("/api/images").json()["docs"]
    assert (image["branch"], len(image["tags"])) == ("next", 2)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?tag=one", [ONE]),
        ("?tag=one&tag=two", [TWO, ONE]),
        ("?branch=next", [TWO]),
        ("?sha=r1", [ONE]),
        ("?imageDisplayNameRegex=^acme/o", [TWO]),
        ("?filter%5BinternalImageId%5D=" + ONE, [ONE]),
        ("?metadata%5Bquality%5D=good", [TWO]),
        ("?metadata%5Bquality%5D=bad", []),
        ("?limit=1", [TWO]),
        ("?limit=1&offset=1", [ONE]),
        ("?imageRepo=CFCR&type=any", [TWO, ONE]),
    ],
)
def test_images_are_chosen(client, make, query, found):
    make(ONE, tags=("one",), revision="r1")
    make(TWO, "acme/other", tags=("two",), branch="next", created_at=datetime(2026, 1, 3, tzinfo=UTC))
    client.post(f"/api/images/{TWO}/metadata", {"quality": "good"})
    assert ids(client, query) == found


def test_a_count_says_how_many_there_are(client, make):
    make(ONE)
    make(TWO, "acme/other")
    assert client.get("/api/images?limit=1").json()["count"] == 2


def test_a_bad_expression_is_400(client):
    assert client.get("/api/images?imageDisplayNameRegex=(").status == 400


def test_only_the_selected_fields_come(client, make):
    make()
    [image] = client.get("/api/images?select=internalImageId%20size").json()["docs"]
    assert set(image) == {"_id", "internalImageId", "size"}


def test_metadata_is_set_changed_and_removed(client, make):
    make()
    path = f"/api/images/{ONE}/metadata"
    assert client.post(path, {"CF_QUALITY": True, "coverage": "60%"}).json() == {
        "CF_QUALITY": "true",
        "coverage": "60%",
    }
    client.post(path, {"coverage": "70%"})
    assert client.get(path).json() == {"CF_QUALITY": "true", "coverage": "70%"}
    assert client.delete(f"{path}/coverage").json() == {"CF_QUALITY": "true"}
    assert client.delete(f"{path}/coverage").status == 404


def test_annotations_of_an_image_are_its_metadata(client, make):
    make()
    client.post("/api/annotations", {"entityType": "image", "entityId": ONE, "key": "a", "value": "b"})
    assert client.get(f"/api/images/{ONE}").json()["metadata"] == {"a": "b"}


def test_a_tag_is_forgotten(client, make):
    make(tags=("1", "2"))
    left = client.delete(f"/api/images/{ONE}/tag/1").json()["tags"]
    assert [tag["tag"] for tag in left] == ["2"]
    assert client.delete(f"/api/images/{ONE}/tag/1").status == 404
    assert client.delete(f"/api/images/{ONE}/tag/2?registry=other").status == 404


def test_an_image_from_elsewhere_is_put_on_record(client):
    image = client.post("/api/images/external", EXTERNAL).json()
    assert (image["imageName"], image["tags"][0]["registry"]) == ("acme/app", "r.example.org")
    assert ids(client) == [ONE]


def test_the_last_image_of_a_pipeline_is_one_that_a_registry_has(database, people, make):
    account, pipeline = people["admin"].active_account_id, "c" * 24
    make(ONE, pipeline=pipeline)
    make(TWO, tags=("local",), registry=None, pipeline=pipeline)
    with database.reading() as db:
        assert service.last_pushed(db, account, pipeline, "acme/app") == "r.example.org/acme/app:1"
        assert service.last_pushed(db, account, "d" * 24, "acme/app") is None
        assert service.last_pushed(db, account, None, "acme/app") is None


def test_a_tag_needs_a_registry_that_has_the_image(client, make):
    make(registry=None)
    answer = client.post(f"/api/images/{ONE}/tag/2", {})
    assert answer.status == 400
    assert "push it there first" in answer.json()["message"]
    assert client.post(f"/api/images/{ONE}/tag/a%20b", {}).status == 400


def test_an_image_is_tagged_and_untagged(client, make, monkeypatch):
    make()
    asked = []
    # The registry itself is played in tests/unit/integrations.
    monkeypatch.setattr(service, "add_tag", lambda *words: asked.append(words))
    body = {"name": "main", "domain": "r.example.org", "username": "ci", "password": "pw"}
    client.post("/api/registries", body)
    tags = client.post(f"/api/images/{ONE}/tag/2?registry=main", {}).json()["tags"]
    assert [tag["tag"] for tag in tags] == ["2", "1"]
    assert asked == [("r.example.org", "ci", "pw", "acme/app", "1", "2")]
    tags = client.delete(f"/api/images/{ONE}/tag/2?registry=main").json()["tags"]
    assert [tag["tag"] for tag in tags] == ["1"]


def test_more_images_than_a_statement_takes_values_are_found_by_their_metadata(client, database, people):
    account = people["admin"].active_account_id
    now, count = datetime(2026, 1, 1, tzinfo=UTC), 33_000  # SQLite takes 32,766 values
    known = {"account_id": account, "created_at": now}
    image = {"branch": "", "revision": "", "digest": "", "size_bytes": 1, "updated_at": now, **known}
    note = {"entity_type": "image", "key": "tested", "value": "yes", "begins": "yes", **known}
    note |= {"type": "text", "display": False}
    ids = [f"{number:024x}" for number in range(count)]
    with database.transaction() as db:
        db.execute(
            insert(images),
            [image | {"id": i, "internal_id": f"sha256:{i}", "display_name": "a"} for i in ids],
        )
        db.execute(insert(annotations), [note | {"id": i, "entity_id": f"sha256:{i}"} for i in ids])
    answer = client.get("/api/images?metadata[tested]=yes&limit=1").json()
    assert (answer["count"], answer["docs"][0]["_id"]) == (count, ids[-1])
    assert client.get("/api/images?metadata[tested]=no").json()["count"] == 0


@pytest.mark.parametrize("few", [1, 2000])
@pytest.mark.parametrize(
    ("query", "is_in"),
    [
        ("metadata[even]=true", lambda n: n % 2 == 0),
        ("metadata[even]=true&metadata[third]=true", lambda n: n % 6 == 0),
        ("metadata[third]=true&branch=dev", lambda n: n % 3 == 0 and n > 4),
        ("metadata[even]=true&tag=v4&tag=v5", lambda n: n == 4),
        ("metadata[even]=false", lambda _: False),
    ],
)
def test_pages_are_the_same_whether_few_or_many_images_have_a_value(
    client, stranger, make, monkeypatch, few, query, is_in
):
    monkeypatch.setattr(repository, "_FEW", few)
    names = [f"sha256:{number:064x}" for number in range(9)]
    for number, name in enumerate(names):
        moment = datetime(2026, 1, 2 + number // 2, tzinfo=UTC)  # some at the same time
        make(name, tags=[f"v{number}"], branch="dev" if number > 4 else "main", created_at=moment)
        values = {"even": number % 2 == 0 or "no", "third": number % 3 == 0 or "no"}
        client.post(f"/api/images/{name}/metadata", values)
    wanted = [name for number, name in enumerate(names) if is_in(number)][::-1]
    assert ids(client, f"?{query}") == wanted
    for offset in range(len(wanted) + 1):
        assert ids(client, f"?{query}&limit=1&offset={offset}") == wanted[offset : offset + 1]
    assert client.get(f"/api/images?{query}&limit=1").json()["count"] == len(wanted)
    assert ids(stranger, f"?{query}") == []


@pytest.mark.parametrize("query", ["tag=v7", "metadata[quality]=good"])
def test_images_with_a_rare_tag_or_value_are_looked_up_and_not_searched(client, database, make, query):
    if not database.is_sqlite:
        return  # which knows what is rare when there are many
    make(tags=["v7"])
    client.post(f"/api/images/{ONE}/metadata", {"quality": "good"})
    said = []

    def explain(connection, _cursor, statement, parameters, *_):
        raw = connection.connection.driver_connection
        said.extend(row[-1] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    event.listen(database.engine, "before_cursor_execute", explain)
    try:
        assert ids(client, f"?{query}") == [ONE]
    finally:
        event.remove(database.engine, "before_cursor_execute", explain)
    searched = [line for line in said if "images" in line and "image_tags" not in line]
    assert searched
    assert all("(id=?)" in line or "internal_id=?" in line for line in searched)


@pytest.mark.parametrize("short", ["abcdef012345", "sha256:abcdef0123456"])
def test_an_image_is_found_by_the_beginning_of_its_engine_s_id(client, short):
    body = {"imageId": "sha256:" + "abcdef0123456789" * 4, "imageName": "acme/app"}
    assert client.post("/api/images/external", body).status == 200
    assert client.get(f"/api/images/{short}").json()["internalImageId"] == body["imageId"]
    assert client.get(f"/api/images/{short[:-1]}f").status == 404
