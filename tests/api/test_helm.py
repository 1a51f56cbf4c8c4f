import pytest

PATHS = [
    ("GET", "/api/helm/boards"),
    ("POST", "/api/helm/boards"),
    ("DELETE", "/api/helm/boards"),
    ("PATCH", "/api/helm/boards/{board}"),
    ("GET", "/api/helm/boards/{board}/sections"),
    ("POST", "/api/helm/boards/sections"),
    ("PATCH", "/api/helm/boards/sections/{section}"),
    ("GET", "/api/helm/repos"),
    ("PUT", "/api/helm/repos/charts"),
    ("DELETE", "/api/helm/repos/charts"),
]


@pytest.fixture
def board(client):
    return client.post("/api/helm/boards", {"name": "prod", "filter": {"cluster": "a"}}).json()


@pytest.fixture
def section(client, board):
    fields = {"boardId": board["_id"], "name": "main", "section": "a/default", "index": 5}
    return client.post("/api/helm/boards/sections", fields).json()


@pytest.fixture
def charts(client):
    return client.post("/api/helm/repos", {"name": "charts", "public": False}).json()


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_request_without_a_key_is_401_and_without_the_scope_403(client, key_of, method, path):
    assert client.with_key(None).call(method, path).status == 401
    assert client.with_key(key_of("admin", "general")).call(method, path).status == 403


@pytest.mark.usefixtures("charts")
@pytest.mark.parametrize(("method", "path"), [one for one in PATHS if "{" in one[1] or "charts" in one[1]])
def test_what_is_another_accounts_is_404(stranger, board, section, method, path):
    place = path.format(board=board["_id"], section=section["_id"])
    assert stranger.call(method, place, json={}).status == 404


def test_no_section_goes_to_the_board_of_another_account(stranger, board):
    refused = stranger.post("/api/helm/boards/sections", {"boardId": board["_id"], "name": "x"})
    assert refused.status == 404
    mine = stranger.post("/api/helm/boards", {"name": "mine"}).json()
    moved = stranger.post("/api/helm/boards/sections", {"boardId": mine["_id"], "name": "x"}).json()
    place = f"/api/helm/boards/sections/{moved['_id']}"
    assert stranger.call("PATCH", place, json={"boardId": board["_id"]}).status == 404


def test_a_board_is_found_by_id_and_name_and_changed(client, board):
    place = f"/api/helm/boards/{board['_id']}"
    assert client.get(place).json() == client.get("/api/helm/boards/name/prod").json() == board
    assert client.call("PATCH", place, json={"name": "live"}).json() == {**board, "name": "live"}
    assert client.get("/api/helm/boards/name/prod").status == 404
    assert client.delete(place).json() == {}
    assert client.get("/api/helm/boards").json() == []


@pytest.mark.parametrize(
    ("index", "status"), [("3", 200), ("x", 400), ("-1", 400), ("", 400), ("1234567", 400)]
)
def test_a_place_may_be_a_text_of_digits_as_the_official_client_sends_it(client, board, index, status):
    body = {"boardId": board["_id"], "name": "s", "index": index}
    answer = client.post("/api/helm/boards/sections", body)
    assert answer.status == status
    if status == 200:
        assert answer.json()["index"] == 3


def test_sections_stand_in_the_order_of_their_places(client, board, section):
    first = client.post(
        "/api/helm/boards/sections", {"boardId": board["_id"], "name": "early", "index": 1}
    ).json()
    place = f"/api/helm/boards/{board['_id']}/sections"
    assert [one["name"] for one in client.get(place).json()] == ["early", "main"]
    client.post("/api/helm/boards/sections/reorder", {first["_id"]: 9})
    assert [one["name"] for one in client.get(place).json()] == ["main", "early"]
    assert client.get(f"{place}/name/main").json() == section
    assert client.delete(place).json() == {}
    assert client.get(place).json() == []


def test_sections_go_with_their_board(client, board, section):
    client.delete(f"/api/helm/boards/{board['_id']}")
    assert client.get(f"/api/helm/boards/sections/{section['_id']}").status == 404


def test_a_name_is_taken_once_in_its_place(client, board, section, charts):
    assert client.post("/api/helm/boards", {"name": board["name"]}).status == 409
    taken = {"boardId": board["_id"], "name": section["name"]}
    assert client.post("/api/helm/boards/sections", taken).status == 409
    assert client.post("/api/helm/repos", {"name": charts["Name"]}).status == 409
    for path in ("boards", "boards/sections", "repos"):
        assert client.post(f"/api/helm/{path}", {}).status == 400


def test_a_repository_is_changed_and_found_by_part_of_its_name(client, charts):
    changed = client.call("PUT", "/api/helm/repos/charts", json={"public": True}).json()
    assert (changed["Name"], changed["Public"], changed["CreatedAt"]) == (
        "charts",
        True,
        charts["CreatedAt"],
    )
    assert client.get("/api/helm/repos?query=har").json() == [changed]
    assert client.get("/api/helm/repos?query=other").json() == []
    assert client.delete("/api/helm/repos/charts").json() == {}
    assert client.get("/api/helm/repos/charts").status == 404
