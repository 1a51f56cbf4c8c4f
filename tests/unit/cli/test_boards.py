import pytest

BOARD = {"_id": "6923f0a41c2b9f3a7d0000b0", "name": "prod", "type": "regular", "filter": None}
SECTION = {
    "_id": "6923f0a41c2b9f3a7d0000c0",
    "name": "canary",
    "boardId": BOARD["_id"],
    "section": "east",
    "color": "#CCAA00",
    "index": 1,
}
REPO = {"Name": "charts", "Public": False, "CreatedAt": "2024-01-02T03:04:05Z", "UpdatedAt": None}


@pytest.fixture(autouse=True)
def stored(server):
    boards = "/api/helm/boards"
    server.answers |= {
        f"GET {boards}": [BOARD],
        f"GET {boards}/{BOARD['_id']}": BOARD,
        f"GET {boards}/name/prod": BOARD,
        f"POST {boards}": BOARD,
        f"PATCH {boards}/{BOARD['_id']}": BOARD,
        f"DELETE {boards}/{BOARD['_id']}": {},
        f"GET {boards}/{BOARD['_id']}/sections": [SECTION],
        f"GET {boards}/{BOARD['_id']}/sections/name/canary": SECTION,
        f"GET {boards}/sections/{SECTION['_id']}": SECTION,
        f"POST {boards}/sections": SECTION,
        f"PATCH {boards}/sections/{SECTION['_id']}": SECTION,
        f"DELETE {boards}/sections/{SECTION['_id']}": {},
        "GET /api/helm/repos": [REPO],
        "GET /api/helm/repos/charts": REPO,
        "PUT /api/helm/repos/charts": REPO,
    }


@pytest.mark.parametrize(
    ("words", "out"),
    [
        ("get boards -o id", BOARD["_id"]),
        (f"get boards --id {BOARD['_id']} -o name", "board/prod"),
        ("get boards --name prod -o id", BOARD["_id"]),
        ("get board nope", "no available resources"),
        ("create board prod --filter a", 'Board: "prod" created'),
        (f"patch board {BOARD['_id']} --newName x", f'Board: "{BOARD["_id"]}" patched.'),
        ("patch board --name prod --filter x", 'Board: "prod" patched.'),
        ("delete board --name prod", "Board 'prod' deleted."),
        ("get sections --board-name prod --sc name,cluster", "NAME   CLUSTER\ncanary east   "),
        (f"get section {SECTION['_id']} -o name", "section/canary"),
        (f"get sections --board-id {BOARD['_id']} --name canary -o id", SECTION["_id"]),
        ("create section canary --board-name prod --cluster east", 'Section: "canary" created'),
        (f"patch section {SECTION['_id']} --index 5", f'Section: "{SECTION["_id"]}" patched.'),
        ("delete section --boardName prod --name canary", "Section 'canary' deleted."),
        ("get helm-repo charts --sc name,public", "NAME   PUBLIC\ncharts false "),
        ("patch helm-repo charts -p", "Helm repo: charts patched."),
    ],
)
def test_boards_sections_and_repositories_are_shown_and_changed(codefresh, words, out):
    assert codefresh(*words.split()) == (0, f"{out}\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("get board --id nope", "Board 'nope' was not found"),
        ("get board --name nope", "Board 'nope' was not found"),
        ("get sections", "Neither board-id nor board-name was specified"),
        ("get section nope", "Section 'nope' was not found"),
        ("create section x", "Neither board-id nor board-name was specified"),
        ("patch section", "Neither section-id nor section-name was specified"),
        ("delete board", "Neither board-id nor board-name was specified"),
        ("delete section --name x", "Neither board-id nor board-name was specified"),
        ("get helm-repo nope", "Helm repo 'nope' was not found."),
    ],
)
def test_what_is_not_named_or_not_there_is_said(codefresh, words, said):
    code, out, err = codefresh(*words.split())
    assert (code, out) == (1, "")
    assert said in err


def test_only_what_is_given_is_sent(server, codefresh):
    codefresh("patch", "section", "--name", "canary", "--boardName", "prod", "--newName", "b", "--index", "0")
    changed = server.bodies(f"PATCH /api/helm/boards/sections/{SECTION['_id']}")
    assert changed == [{"name": "b", "index": 0}]
    codefresh("create", "section", "canary", "--board-id", BOARD["_id"])
    assert server.bodies("POST /api/helm/boards/sections") == [
        {"name": "canary", "boardId": BOARD["_id"], "color": "#CCAA00", "index": 1}
    ]


@pytest.mark.parametrize(
    ("words", "body"),
    [
        ("-p", {"public": True}),
        ("-p=false", {"public": False}),
        ("--public false -n x", {"name": "x", "public": False}),
        ("", {}),
    ],
)
def test_a_repository_is_made_public_or_private_only_where_that_is_said(server, codefresh, words, body):
    assert codefresh("patch", "helm-repo", "charts", *words.split())[0] == 0
    assert server.bodies("PUT /api/helm/repos/charts") == [body]
