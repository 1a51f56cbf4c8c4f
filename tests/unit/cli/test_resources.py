import pytest

PIPELINE_FILE = """version: '1.0'
kind: pipeline
metadata:
  name: demo/ci
spec:
  steps:
    unit:
      image: alpine
  triggers: []
"""

ANNOTATED = "kind: annotation\nmetadata:\n  entityId: a\n  entityType: image\n"


@pytest.fixture
def spec(codefresh):
    (codefresh.home / "p.yml").write_text(PIPELINE_FILE)


@pytest.mark.usefixtures("spec")
def test_a_pipeline_is_checked_then_stored(server, codefresh):
    server.answers |= {"POST /api/pipelines/yaml/validator": {"valid": True}, "POST /api/pipelines": {}}
    assert codefresh("create", "pipeline", "-f", "p.yml") == (0, "Pipeline demo/ci created\n", "")
    sent = server.bodies("POST /api/pipelines/yaml/validator")[0]
    assert sent == {"yaml": "version: '1.0'\nsteps:\n  unit:\n    image: alpine\n", "outputFormat": "lint"}
    assert server.bodies("POST /api/pipelines")[0]["metadata"] == {"name": "demo/ci"}


@pytest.mark.usefixtures("spec")
@pytest.mark.parametrize("verb", ["create", "replace"])
def test_a_pipeline_that_is_not_valid_is_not_stored_and_not_called_created(server, codefresh, verb):
    server.answers["POST /api/pipelines/yaml/validator"] = {
        "valid": False,
        "message": "no image",
        "summarize": "1 problem",
    }
    code, out, err = codefresh(verb, "-f", "p.yml")
    assert (code, out) == (1, "")
    assert err.startswith("no image\n1 problem\nError: the pipeline was not stored")
    assert server.lines == ["POST /api/pipelines/yaml/validator"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.txt", "a", "Failed to read file; caused by Error: 'x.txt' must end in"),
        ("x.yml", "a: [", "Failed to read file; caused by Error: x.yml: while parsing"),
        ("x.json", "{", "Failed to read file; caused by Error: x.json: Expecting"),
        ("x.yml", "- a", "x.yml: expected a mapping with 'kind' and 'metadata', found list"),
        ("x.yml", "kind: pipeline", "x.yml: 'metadata' is missing"),
        ("x.yml", "kind: pipeline\nmetadata: {}", "Name is missing"),
        ("x.yml", "kind: pipeline\nmetadata: {name: a}", "'spec' is missing"),
        ("x.yml", "kind: annotation\nmetadata: {entityId: a}", "x.yml: metadata.entityType is missing"),
        ("x.yml", ANNOTATED, "x.yml: metadata.labels must be a list"),
        ("x.yml", ANNOTATED + "  labels: [{key: a, value: 1}, {key: b}]", "x.yml: metadata.labels.1 needs"),
        ("x.yml", "metadata: {name: a}", "Entity: undefined not supported; x.yml needs a 'kind'"),
        ("x.yml", "kind: odd\nmetadata: {name: a}", "Entity: odd not supported"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(server, codefresh, name, text, message):
    (codefresh.home / name).write_text(text)
    code, out, err = codefresh("create", "-f", name)
    assert (code, out, server.lines) == (1, "", [])
    assert err.startswith(f"Error: {message}")


def test_a_missing_pipeline_comes_after_those_that_were_found(server, codefresh):
    server.answers["GET /api/pipelines/a%2Fb"] = {"metadata": {"id": "1", "name": "a/b"}}
    server.answers["GET /api/pipelines/c%2Fd"] = (404, {"message": "could not find pipeline c/d"})
    code, out, err = codefresh("get", "pipelines", "a/b", "c/d", "-o", "name")
    assert (code, out) == (1, "pipeline/a/b\n")
    assert err == "Error: Pipeline 'c/d' was not found.; caused by Error: could not find pipeline c/d\n"


@pytest.mark.parametrize(
    ("form", "printed"),
    [
        ("json", "[]\n"),
        ("jsonArray", "[]\n"),
        ("yamlArray", "[]\n\n"),
        ("wide", "no available resources\n"),
        ("id", "\n"),
    ],
)
def test_nothing_is_printed_as_nothing(server, codefresh, form, printed):
    server.answers["GET /api/contexts"] = []
    assert codefresh("get", "contexts", "-o", form)[:2] == (0, printed)


def test_tables_are_aligned_and_their_columns_can_be_chosen(server, codefresh):
    server.answers["GET /api/auth/keys"] = [
        {"_id": "1", "name": "a", "tokenPrefix": "8c", "scopes": ["x", "y"]},
        {"_id": "2", "name": "longer"},
    ]
    assert codefresh("get", "tokens", "--sc", "name,scopes")[1] == (
        "NAME   SCOPES\na      x,y   \nlonger any   \n"
    )


def test_dates_take_a_pattern(server, codefresh):
    server.answers["GET /api/auth/keys"] = [{"_id": "1", "created": "2024-01-02T13:04:05.678Z"}]
    words = ("get", "tokens", "--sc", "created", "--df", "YYYY [year] M SSS")
    assert codefresh(*words)[1].splitlines()[1].strip() == "2024 year 1 678"


def test_a_project_that_exists_is_not_created_again(server, codefresh):
    server.answers["GET /api/projects/name/demo"] = {"id": "1", "projectName": "demo"}
    assert codefresh("create", "project", "demo") == (1, "", 'Error: Project already exists: "demo"\n')


def test_an_encrypted_variable_must_be_given(server, codefresh):
    code, _, err = codefresh("create", "project", "demo", "-e", "B")
    assert (code, server.lines) == (1, [])
    assert 'Variable is not provided: "B"' in err


def test_no_permission_is_told_as_the_official_client_tells_it(server, codefresh):
    server.answers["GET /api/projects/name/demo"] = (403, {"message": "scope project:read"})
    code, _, err = codefresh("create", "project", "demo")
    assert code == 1
    assert err.startswith("Error: You do not have permissions to perform this action; caused by Error: ")


def test_a_context_that_is_missing_is_created_by_patch(server, codefresh):
    (codefresh.home / "c.yml").write_text(
        "kind: context\nmetadata: {name: c1}\nspec: {type: config, data: {}}\n"
    )
    server.answers["POST /api/contexts/"] = {}
    assert codefresh("patch", "context", "-f", "c.yml")[0] == 0
    assert server.lines == ["GET /api/contexts/c1", "POST /api/contexts/"]


def test_a_revoked_key_that_is_missing_is_no_failure(server, codefresh):
    server.answers["DELETE /api/auth/key/A"] = {}
    code, out, _ = codefresh("delete", "tokens", "A", "B")
    assert code == 0
    assert out.startswith("Deleted token: 'A'\nNot deleted: 'B' -- Error: ")


def test_images_are_shown_one_line_a_tag(server, codefresh):
    image = {"internalImageId": "sha256:1234567890", "imageDisplayName": "i", "size": 1230000}
    tags = [{"tag": "1", "registry": "r", "repository": "o/i"}, {"tag": "2"}]
    server.answers["GET /api/images"] = {"docs": [image | {"tags": tags}]}
    out = codefresh("get", "images")[1]
    assert [line.split()[:3] for line in out.splitlines()[1:]] == [
        ["sha256:12345", "i", "1"],
        ["sha256:12345", "i", "2"],
    ]
    assert "1.17 MB" in out


@pytest.mark.parametrize(
    ("component", "line"),
    [
        ("client", "client version: 1.2.7\n"),
        ("api", "api version: abc\n"),
        ("hermes", "hermes version: h1\n"),
        ("nomios", "nomios version: n1\n"),
        ("openapi", "openapi version: 9\n"),
    ],
)
def test_versions_of_all_parts(server, codefresh, component, line):
    server.answers |= {
        "GET /api/version": {"current_commit": "abc"},
        "GET /api/hermes/version": b"h1",
        "GET /nomios/version": {"version": "n1"},
        "GET /api/openapi.json": {"info": {"version": "9"}},
    }
    assert codefresh("version", "-c", component)[:2] == (0, line)


def test_a_proposed_pipeline_is_printed_as_it_is(server, codefresh):
    server.answers["POST /api/pipelines/analyze"] = "version: '1.0'\nsteps: {}"
    assert codefresh("analyze", "acme", "shop", "github") == (0, "version: '1.0'\nsteps: {}\n", "")
    assert codefresh("analyze", "acme", "shop")[0] == 0
    repo = {"repoOwner": "acme", "repoName": "shop"}
    assert [sent["repo"] for sent in server.bodies("POST /api/pipelines/analyze")] == [
        {**repo, "git": "github"},
        repo,
    ]


def test_a_synchronisation_of_teams_says_what_has_changed(server, codefresh):
    place = "/api/team/group/synchronize/name/gh/type/github"
    made = {
        "teams": [{}, {}],
        "created": ["acme/web"],
        "deleted": ["acme/old"],
        "skipped": [],
        "unknownUsers": [],
    }
    server.answers[f"GET {place}"] = made
    said = "Team: acme/web created\nTeam: acme/old deleted, its group is gone\nSynchronized 2 teams with gh\n"
    assert codefresh("synchronize", "teams", "gh", "-t", "github", "--tk", "x") == (0, said, "")
    assert server.lines == [f"GET {place}?access_token=x"]


def test_the_audit_log_is_saved_where_it_is_wanted(server, codefresh):
    server.answers["GET /api/audit/download"] = (200, b"id,action\r\n1,x\r\n", {"Content-Type": "text/csv"})
    code, out, err = codefresh(
        "download", "audit", "--userName", "ada", "--from", "2026-01-01", "--file", "a.csv"
    )
    assert (code, out, err) == (0, "Audit log saved to a.csv\n", "")
    assert (codefresh.home / "a.csv").read_bytes() == b"id,action\r\n1,x\r\n"
    assert server.lines == ["GET /api/audit/download?userName=ada&from=2026-01-01"]
    assert codefresh("download", "audit", "--file", "none/a.csv")[0] == 1


@pytest.mark.parametrize(
    ("form", "printed"),
    [
        ("json", '[\n\t"2.0.0",\n\t"1.0.0"\n]\n'),
        ("yamlArray", "- 2.0.0\n- 1.0.0\n\n"),
        ("yaml", "items:\n  - 2.0.0\n  - 1.0.0\n\n"),
    ],
)
def test_versions_of_a_step_type_are_texts_in_every_form(server, codefresh, form, printed):
    server.answers["GET /api/step-types/a%2Fb/versions"] = ["2.0.0", "1.0.0"]
    code, out, err = codefresh("get", "step-type", "a/b", "--versions", "-o", form)
    assert (code, out, err) == (0, printed, "")
