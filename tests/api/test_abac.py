"""Rules of teams: who makes them, and that nothing goes past them."""

import itertools
from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import event

from asgi import Client
from factories import make_build, make_environment
from headrace.app.installation import routes
from headrace.http.rights import ACTIONS, EVERYBODY
from headrace.http.server import Api
from headrace.resources.builds import repository as builds

UNKNOWN = "6923f0a41c2b9f3a7d0000b0"
RULE = {"team": UNKNOWN, "resource": "pipeline", "action": "read", "tags": ["dev"]}
ROUTES = [
    ("GET", "/api/abac", None),
    ("POST", "/api/abac", RULE),
    ("POST", "/api/abac/batch", {"create": [RULE]}),
    ("GET", "/api/abac/resource/pipeline", None),
    ("GET", f"/api/abac/team/{UNKNOWN}", None),
    ("POST", "/api/abac/teamRules", {"teams": [UNKNOWN], "actions": ["read"], "resource": "pipeline"}),
    ("POST", f"/api/abac/tags/rule/{UNKNOWN}", {"tags": ["dev"]}),
    ("POST", "/api/abac/tags/rules", {"tags": ["dev"], "rules": [UNKNOWN]}),
    ("GET", f"/api/abac/{UNKNOWN}", None),
    ("DELETE", f"/api/abac/{UNKNOWN}", None),
]
LISTS = {("GET", "/api/abac"), ("GET", "/api/abac/resource/pipeline")}


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_only_an_admin_with_the_scope_makes_rules(client, key_of, method, path, body):
    ask = {"method": method, "path": path, "json": body}
    assert client.with_key(None).call(**ask).status == 401
    assert client.with_key(key_of("admin", "pipeline")).call(**ask).status == 403
    assert client.with_key(key_of("member")).call(**ask).status == 403
    if (method, path) not in LISTS:
        assert client.call(**ask).status == 404


@pytest.fixture(params=["sqlite"])
def engine_name(request):
    """Only lists ask the database about tags."""
    return request.param


BOTH_ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def ops(client, people):
    """A team with the member in it."""
    return client.post("/api/team", {"name": "ops", "users": [people["member"].id]}).json()["_id"]


@pytest.fixture
def closed(client):
    """The account, whose team of all users may do nothing any more."""
    before = [one["id"] for one in client.get("/api/abac").json()]
    assert client.post("/api/abac/batch", {"delete": before}).json() == []


@pytest.fixture
def allow(client, ops):
    """Let the member's team do something: actions, resource, tags."""

    def make(*actions, resource="pipeline", tags=(), **more):
        body = {"teams": [ops], "actions": actions, "resource": resource, "tags": list(tags), **more}
        answer = client.post("/api/abac/teamRules", body)
        assert answer.status == 200, answer.text
        return answer.json()

    return make


@pytest.fixture
def member(client, key_of):
    return client.with_key(key_of("member"))


def pipeline(name, *tags):
    metadata = {"name": name, "labels": {"tags": list(tags)}} if tags else {"name": name}
    steps = {"unit": {"image": "alpine", "commands": ["true"]}}
    return {"kind": "pipeline", "version": "1.0", "metadata": metadata, "spec": {"steps": steps}}


# How rules are made


def test_a_rule_is_made_shown_changed_and_deleted(client, ops, people):
    [made] = client.post("/api/abac", {**RULE, "team": ops}).json()
    assert made == {
        "id": made["id"],
        "role": ops,
        "account": people["admin"].active_account_id,
        "resource": "pipeline",
        "action": "read",
        "attributes": ["dev"],
        "relatedResource": None,
        "ruleType": "any",
    }
    assert client.get(f"/api/abac/{made['id']}").json() == made
    assert client.post("/api/abac", {**RULE, "team": ops}).json() == [made]
    changed = client.post(f"/api/abac/tags/rule/{made['id']}", {"tags": ["test", "prod"]}).json()
    assert changed == {**made, "attributes": ["prod", "test"]}
    [more] = client.post("/api/abac/tags/rules", {"tags": ["dev"], "rules": [made["id"]]}).json()
    assert more["attributes"] == ["dev", "prod", "test"]
    assert client.get(f"/api/abac/team/{ops}").json() == [more]
    assert more in client.get("/api/abac/resource/pipeline").json()
    assert more not in client.get("/api/abac/resource/cluster").json()
    assert client.delete(f"/api/abac/{made['id']}").json() == {}
    assert client.get(f"/api/abac/{made['id']}").status == 404


def test_a_rule_about_tags_of_projects_is_made_as_either_client_writes_it(client, ops):
    for written in ({"relatedResource": "project"}, {"related_resource": "project"}):
        [made] = client.post("/api/abac", {**RULE, "team": ops, "ruleType": "all", **written}).json()
        assert (made["relatedResource"], made["ruleType"]) == ("project", "all")


def test_a_batch_is_carried_out_whole_or_not_at_all(client, ops):
    before = client.get("/api/abac").json()
    bad = {"create": [{**RULE, "team": ops}], "delete": [before[0]["id"], UNKNOWN]}
    assert client.post("/api/abac/batch", bad).status == 404
    assert client.get("/api/abac").json() == before
    [made] = client.post("/api/abac/batch", {**bad, "delete": [before[0]["id"]]}).json()
    assert client.get("/api/abac").json() == [*before[1:], made]


def test_a_team_of_another_account_gets_no_rule(stranger, ops):
    assert stranger.post("/api/abac", {**RULE, "team": ops}).status == 404
    assert stranger.get(f"/api/abac/team/{ops}").status == 404


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"resource": "cloud"}, "resource"),
        ({"resource": "cluster", "action": "run"}, "action"),
        ({"resource": "cluster", "relatedResource": "project"}, "relatedResource"),
        ({"tags": [""]}, "tags"),
        ({"ruleType": "some"}, "ruleType"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(client, ops, wrong, place):
    answer = client.post("/api/abac", {**RULE, "team": ops, **wrong})
    assert answer.status == 400
    assert place in answer.json()["message"]


def test_it_is_told_what_rules_can_be_about(member):
    told = member.get("/api/abac/resources").json()
    assert {one["name"]: tuple(one["actions"]) for one in told} == ACTIONS


# An account begins open


def test_in_a_new_account_the_team_of_all_users_may_do_everything(client, member):
    [team] = [one for one in client.get("/api/team").json() if one["name"] == EVERYBODY]
    assert [user["userName"] for user in team["users"]] == ["ada", "mel"]
    rules = client.get(f"/api/abac/team/{team['_id']}").json()
    assert {(one["resource"], one["action"]) for one in rules} == {
        (resource, action) for resource, actions in ACTIONS.items() for action in actions
    }
    assert all(one["attributes"] == ["*", "untagged"] for one in rules)
    assert member.post("/api/pipelines", pipeline("demo/ci", "prod")).status == 200
    assert member.post("/api/pipelines/run/demo%2Fci").status == 200


def test_the_team_of_all_users_is_neither_deleted_nor_renamed(client):
    [team] = client.get("/api/team").json()
    assert client.delete(f"/api/team/{team['_id']}").status == 409
    assert client.put(f"/api/team/{team['_id']}/renameTeam", {"name": "all"}).status == 409


def test_who_comes_later_is_in_the_team_of_all_users(client, people):
    account = people["admin"].active_account_id
    made = client.post(f"/api/accounts/{account}/adduser", {"userDetails": "kim"}).json()
    assert [one["name"] for one in client.get(f"/api/team/{made['_id']}/findTeamsByUser").json()] == [
        EVERYBODY
    ]


@pytest.mark.usefixtures("closed")
def test_admins_need_no_rule(client):
    assert client.post("/api/pipelines", pipeline("demo/ci", "prod")).status == 200
    assert client.post("/api/pipelines/run/demo%2Fci").status == 200
    assert client.get("/api/pipelines").json()["count"] == 1


# Every operation, every rule, every object

TAGS = [(), ("dev",), ("prod",), ("ci", "dev")]
PROJECTS = {"open": (), "green": ("dev",)}
# What a team is allowed: actions of a pipeline, tags, and how they are meant.
GIVEN = [
    [],
    [(("read",), ("dev",), {})],
    [(("read", "run"), ("dev",), {}), (("read",), ("untagged",), {})],
    [(("read", "approve"), ("*",), {})],
    [(("read", "debug", "delete"), ("*", "untagged"), {})],
    [(("read", "update"), ("ci", "dev"), {"ruleType": "all"})],
    [(("read", "run"), ("dev",), {"relatedResource": "project"})],
    [(("read",), ("untagged",), {"relatedResource": "project"}), (("run",), ("prod",), {})],
    [(("run",), ("*", "untagged"), {})],
]


class Thing(msgspec.Struct, frozen=True):
    """An object of an account, and what rules look at of it; None: nobody knows its tags."""

    kind: str
    name: str
    tags: tuple[str, ...] | None
    project: tuple[str, ...] = ()


def meant(rule_tags, how, thing):
    """Whether a rule is about an object: said again, in other words than those of the code."""
    there = set(thing.project if how.get("relatedResource") else thing.tags)
    each = [(tag == "*" and there) or (tag == "untagged" and not there) or tag in there for tag in rule_tags]
    return bool(all(each) if how.get("ruleType") == "all" else any(each))


def allowed(given, resource, action, thing):
    if resource != "pipeline":
        given = [one for one in given if not one[2].get("relatedResource")]
    fitting = [one for one in given if action in one[0] and action in ACTIONS[resource]]
    if any(set(tags) == {"*", "untagged"} for _, tags, _ in fitting):
        return True
    return thing.tags is not None and any(meant(tags, how, thing) for _, tags, how in fitting)


def expected(given, right, thing):
    if allowed(given, right.resource, right.action, thing):
        return 200
    return 403 if allowed(given, right.resource, "read", thing) else 404


@pytest.fixture
def things(client, database, people):
    """Pipelines with all tags in all projects; builds of them, of none, and of one that is gone; clusters."""
    found = []

    def build(pipeline_id, tags, project):
        made = make_build(database, people["admin"], pipeline_id=pipeline_id)
        found.append(Thing("build", made.id, tags, project))
        found.append(Thing("progress", made.progress_id, tags, project))
        found.append(Thing("environment", make_environment(database, made, made.id), tags, project))

    for name, project_tags in PROJECTS.items():
        client.post("/api/projects", {"projectName": name, "tags": list(project_tags)})
        found.append(Thing("project", name, project_tags))
        for tags in TAGS:
            document = pipeline(f"{name}/{'-'.join(tags) or 'plain'}", *tags)
            made = client.post("/api/pipelines", document).json()["metadata"]
            found.append(Thing("pipeline", made["id"], tags, project_tags))
            found.append(Thing("pipeline", made["name"].replace("/", "%2F"), tags, project_tags))
            build(made["id"], tags, project_tags)
    build(None, (), ())
    build(UNKNOWN, None, None)
    for tags in TAGS:
        name = "-".join(tags) or "plain"
        body = {"selector": name, "host": "https://k8s.test", "serviceAccountToken": "a.b.c"}
        answer = client.post(
            "/api/clusters/local/cluster", {**body, "behindFirewall": True, "tags": list(tags)}
        )
        assert answer.json()["tags"] == list(tags)
        found.append(Thing("cluster", name, tags))
    return found


@pytest.fixture
def doors(installation):
    """The API with its rules and without its rooms: 200 says that the handler was reached."""

    def door(route):
        async def later():
            return {}

        handler = later if route.is_async else dict
        return msgspec.structs.replace(route, handler=handler, wants=())

    made = Api(
        map(door, routes()),
        database=installation.database,
        authenticate=installation.authenticator,
        provide={},
        rules=installation.rules,
    )
    yield made
    made.close()


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("given", GIVEN, ids=lambda given: f"rules-{GIVEN.index(given)}")
def test_no_rule_lets_in_more_or_less_than_it_says(doors, key_of, things, allow, given):
    for actions, tags, how in given:
        allow(*actions, tags=tags, **how)
        if not how.get("relatedResource"):
            for resource in ("project", "cluster"):
                if both := [one for one in actions if one in ACTIONS[resource]]:
                    allow(*both, resource=resource, tags=tags, **how)
    asking, boss = Client(doors, key_of("member")), Client(doors, key_of())
    wrong, cases = [], 0
    for route, thing in itertools.product(routes(), things):
        right = route.right
        if right is None or right.kind != thing.kind or not right.named_by or route.admin:
            continue
        path = "/api" + route.path.replace("{" + right.named_by + ":path}", thing.name)
        path = path.replace("{" + right.named_by + "}", thing.name).replace("{", "").replace("}", "")
        status = asking.call(route.method, path).status
        cases += 1
        if status != expected(given, right, thing):
            wrong.append((route.method, path, thing, status))
        if cases % 50 == 0:
            assert boss.call(route.method, path).status == 200
    assert wrong == []
    assert cases > 300


# Lists


def seen_in(client, path, rows, name):
    return {name(one) for one in rows(client.get(path).json())}


@BOTH_ENGINES
@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("given", GIVEN, ids=lambda given: f"rules-{GIVEN.index(given)}")
def test_a_list_has_what_its_reader_may_read_and_no_more(member, things, allow, given):
    for actions, tags, how in given:
        allow(*actions, tags=tags, **how)
    for kind, path, rows, name in (
        ("pipeline", "/api/pipelines?limit=100", lambda of: of["docs"], lambda one: one["metadata"]["id"]),
        ("pipeline", "/api/pipelines/names", lambda of: of, lambda one: one["metadata"]["id"]),
        ("build", "/api/workflow?limit=100", lambda of: of["workflows"]["docs"], lambda one: one["id"]),
    ):
        of_kind = [one for one in things if one.kind == kind and "%" not in one.name]
        readable = {one.name for one in of_kind if allowed(given, "pipeline", "read", one)}
        assert seen_in(member, path, rows, name) == readable, path
    assert member.get("/api/pipelines?limit=1").json()["count"] == len(
        [
            one
            for one in things
            if one.kind == "pipeline" and "%" in one.name and allowed(given, "pipeline", "read", one)
        ]
    )
    total = member.get("/api/workflow?limit=1").json()["workflows"]["total"]
    assert total == len(
        [one for one in things if one.kind == "build" and allowed(given, "pipeline", "read", one)]
    )


@BOTH_ENGINES
@pytest.mark.usefixtures("closed", "things")
def test_projects_and_clusters_are_listed_by_their_tags(member, allow):
    assert member.get("/api/projects").json()["total"] == 0
    assert member.get("/api/clusters").json() == []
    allow("read", resource="project", tags=["dev"])
    allow("read", resource="cluster", tags=["untagged", "prod"])
    assert [one["projectName"] for one in member.get("/api/projects").json()["projects"]] == ["green"]
    assert [one["selector"] for one in member.get("/api/clusters").json()] == ["plain", "prod"]


@BOTH_ENGINES
@pytest.mark.usefixtures("closed")
def test_pages_of_builds_go_on_where_they_ended(client, member, database, people, allow):
    allow("read", tags=["dev"])
    ids = {
        tag: client.post("/api/pipelines", pipeline(f"demo/{tag}", tag)).json()["metadata"]["id"]
        for tag in ("dev", "prod")
    }
    made = [
        make_build(database, people["admin"], pipeline_id=ids[tag]).id
        for tag in ("dev", "prod", "dev", "dev")
    ]
    shown = [
        member.get(f"/api/workflow?limit=1&page={page}").json()["workflows"]["docs"] for page in (1, 2, 3, 4)
    ]
    assert [[one["id"] for one in page] for page in shown] == [[made[3]], [made[2]], [made[0]], []]
    only = f"/api/workflow?onePerPipeline=true&pipeline={ids['dev']}&pipeline={ids['prod']}"
    assert [one["id"] for one in member.get(only).json()["workflows"]["docs"]] == [made[3]]
    # What was counted is of the pipelines that could be seen then.
    for tags, total in ((("prod", "dev"), 4), (("prod",), 3)):
        client.put(f"/api/pipelines/{ids['prod']}", pipeline("demo/prod", *tags))
        found = member.get("/api/workflow?limit=2&page=2").json()["workflows"]
        assert (found["total"], len(found["docs"])) == (total, total - 2)
    client.delete(f"/api/pipelines/{ids['dev']}")
    assert member.get("/api/workflow").json()["workflows"] == {"docs": [], "total": 0}


@BOTH_ENGINES
@pytest.mark.usefixtures("closed")
def test_a_report_counts_the_builds_that_its_reader_may_read(client, member, database, people, allow):
    allow("read", tags=["dev"])
    day = datetime.now(UTC).date().isoformat()
    report = f"/api/analytics/reports/pipelineAvgDuration?dateRange={day}&dateRange={day}"
    for tag in ("dev", "prod"):
        known = client.post("/api/pipelines", pipeline(f"demo/{tag}", tag)).json()["metadata"]["id"]
        build = make_build(database, people["admin"], pipeline_id=known, status="success")
        with database.transaction() as db:
            builds.change(db, build.id, finished_at=datetime.now(UTC))
    assert len(client.get(report).json()["data"]) == 2
    assert len(member.get(report).json()["data"]) == 1


@pytest.mark.usefixtures("closed")
def test_a_longer_list_takes_no_more_queries(client, member, database, allow):
    allow("read", tags=["dev"])
    counted = []
    event.listen(database.engine, "before_cursor_execute", lambda *_: counted.append(1))

    def queries():
        counted.clear()
        assert member.get("/api/pipelines?limit=100").status == 200
        return len(counted)

    client.post("/api/pipelines", pipeline("demo/first", "dev"))
    one = queries()
    for number in range(5):
        client.post("/api/pipelines", pipeline(f"demo/more-{number}", "dev"))
    assert queries() == one


# What is made anew, or changed


@pytest.mark.usefixtures("closed")
def test_a_pipeline_is_made_with_the_tags_that_a_rule_names_alone(client, member, allow):
    client.post("/api/projects", {"projectName": "demo"})
    allow("create", "read", "update", tags=["dev"])
    assert member.post("/api/pipelines", pipeline("demo/a", "dev")).status == 200
    for document in (pipeline("demo/b"), pipeline("demo/b", "prod")):
        refused = member.post("/api/pipelines", document)
        assert refused.status == 403
        assert "no rule of your teams allows to create a pipeline" in refused.json()["message"]
    assert member.put("/api/pipelines/demo%2Fa", pipeline("demo/a", "prod")).status == 403
    assert member.put("/api/pipelines/demo%2Fa", pipeline("demo/a", "dev", "test")).status == 200
    unknown = member.post("/api/pipelines", pipeline("new/a", "dev"))
    assert (unknown.status, "create a project" in unknown.json()["message"]) == (403, True)
    assert client.get("/api/projects/name/new").status == 404


@pytest.mark.usefixtures("closed")
def test_a_pipeline_does_not_move_to_a_project_whose_pipelines_are_closed(client, member, allow):
    client.post("/api/projects", {"projectName": "vault", "tags": ["prod"]})
    client.post("/api/projects", {"projectName": "demo", "tags": ["dev"]})
    client.post("/api/pipelines", pipeline("demo/a"))
    allow("read", "update", tags=["dev"], relatedResource="project")
    assert member.put("/api/pipelines/demo%2Fa", pipeline("vault/a")).status == 403
    assert member.put("/api/pipelines/demo%2Fa", pipeline("demo/b")).status == 200


@pytest.mark.usefixtures("closed")
def test_a_project_keeps_tags_that_its_editor_may_edit(member, allow):
    allow("create", "read", "update", resource="project", tags=["dev"])
    assert member.post("/api/projects", {"projectName": "demo"}).status == 403
    made = member.post("/api/projects", {"projectName": "demo", "tags": ["dev"]}).json()
    assert member.patch(f"/api/projects/{made['id']}", {"tags": ["prod"]}).status == 403
    assert member.patch(f"/api/projects/{made['id']}", {"tags": ["dev", "x"]}).status == 200


@pytest.mark.usefixtures("closed")
def test_secrets_of_a_pipeline_are_shown_to_who_may_change_it(client, member, allow):
    client.post("/api/pipelines", pipeline("demo/a", "dev"))
    allow("read", tags=["dev"])
    assert member.get("/api/pipelines/demo%2Fa").status == 200
    assert member.get("/api/pipelines/demo%2Fa?decryptVariables=true").status == 403
    allow("update", tags=["dev"])
    assert member.get("/api/pipelines/demo%2Fa?decryptVariables=true").status == 200


@pytest.mark.usefixtures("closed")
def test_a_run_without_a_pipeline_counts_as_one_without_tags(member, allow):
    body = {"userYamlDescriptor": "version: '1.0'\nsteps:\n  a:\n    image: alpine\n    commands: [ls]\n"}
    allow("run", tags=["dev"])
    assert member.post("/api/pipelines/run", body).status == 403
    assert member.post("/api/pipelines/plan", body).status == 403
    allow("run", tags=["untagged"])
    assert member.post("/api/pipelines/run", body).status == 200


@pytest.mark.usefixtures("closed")
def test_a_run_whose_body_names_the_pipeline_needs_its_rule(client, member, allow):
    client.post("/api/pipelines", pipeline("demo/a", "dev"))
    body = {"serviceId": "demo/a", "branch": "master"}
    assert member.post("/api/runtime/testit", body).status == 404
    allow("read", tags=["dev"])
    assert member.post("/api/runtime/testit", body).status == 403
    allow("run", tags=["dev"])
    assert member.post("/api/runtime/testit", body).status == 200


# What is hidden looks as if it were not there


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("kind", ["pipelines", "builds", "progress", "projects/name", "projects"])
def test_what_is_hidden_is_told_as_what_is_not_there(client, member, database, people, kind):
    known = client.post("/api/pipelines", pipeline("demo/a")).json()["metadata"]["id"]
    build = make_build(database, people["admin"], pipeline_id=known)
    names = {"pipelines": known, "builds": build.id, "progress": build.progress_id}
    name = names.get(kind, "demo")
    assert client.get(f"/api/{kind}/{name}").status == 200
    hidden, missing = member.get(f"/api/{kind}/{name}"), client.get(f"/api/{kind}/{UNKNOWN}")
    assert hidden.status == missing.status == 404
    assert hidden.json()["message"] == missing.json()["message"].replace(UNKNOWN, name)


@BOTH_ENGINES
@pytest.mark.usefixtures("closed")
def test_annotations_and_triggers_follow_their_pipeline(client, member, allow):
    known = client.post("/api/pipelines", pipeline("demo/a", "dev")).json()["metadata"]["id"]
    cron = {"type": "cron", "kind": "codefresh", "values": {"expression": "@weekly", "message": "hi"}}
    uri = client.post("/api/hermes/events", cron).json().replace(":", "%3A").replace("/", "%2F")
    link, query = f"/api/hermes/triggers/{uri}/{known}", f"?entityType=pipeline&entityId={known}"
    note = {"entityType": "pipeline", "entityId": known, "key": "a", "value": "1"}
    assert client.post(link, {}).status == 200
    assert client.post("/api/annotations", note).status == 200
    statuses = {"hidden": (404, 404, 404), "read": (200, 403, 403), "update": (200, 200, 200)}
    for rule, status in statuses.items():
        if rule != "hidden":
            allow(rule, tags=["dev"])
        assert len(member.get("/api/hermes/triggers").json()) == (rule != "hidden")
        asked = (
            member.get(f"/api/annotations{query}").status,
            member.post("/api/annotations", note).status,
            member.post(link, {}).status,
        )
        assert asked == status, rule


@BOTH_ENGINES
@pytest.mark.usefixtures("closed")
def test_a_build_shows_of_its_children_those_that_its_reader_may_read(
    client, member, database, people, allow
):
    ids = [
        client.post("/api/pipelines", pipeline(f"demo/{tag}", tag)).json()["metadata"]["id"]
        for tag in ("dev", "prod")
    ]
    parent = make_build(database, people["admin"], pipeline_id=ids[0])
    children = [make_build(database, people["admin"], pipeline_id=one, parent_id=parent.id).id for one in ids]
    allow("read", tags=["dev"])
    address = f"/api/builds/{parent.id}"
    assert [one["id"] for one in client.get(address).json()["children"]] == children
    assert [one["id"] for one in member.get(address).json()["children"]] == children[:1]


# Keys


@pytest.mark.usefixtures("closed")
def test_a_key_needs_its_scope_and_the_rule_of_its_user(client, key_of, allow):
    client.post("/api/pipelines", pipeline("demo/a", "dev"))
    runner, reader = (client.with_key(key_of("member", scope)) for scope in ("pipeline:run", "pipeline:read"))
    run = "/api/pipelines/run/demo%2Fa"
    assert (runner.post(run).status, reader.get("/api/pipelines/demo%2Fa").status) == (404, 404)
    allow("read", tags=["dev"])
    assert (runner.post(run).status, reader.get("/api/pipelines/demo%2Fa").status) == (403, 200)
    allow("run", tags=["dev"])
    assert (runner.post(run).status, reader.post(run).status) == (200, 403)


@pytest.mark.usefixtures("closed")
def test_who_leaves_a_team_leaves_its_rules_at_once(client, member, people, ops, allow):
    client.post("/api/pipelines", pipeline("demo/a", "dev"))
    allow("read", tags=["dev"])
    assert member.get("/api/pipelines/demo%2Fa").status == 200
    client.put(f"/api/team/{ops}/{people['member'].id}/deleteUserFromTeam")
    assert member.get("/api/pipelines/demo%2Fa").status == 404


@pytest.mark.usefixtures("closed")
def test_if_match_tells_nothing_of_what_is_hidden(client, member, allow):
    client.post("/api/pipelines", pipeline("demo/a", "dev"))
    allow("update", tags=["dev"])
    answer = member.put("/api/pipelines/demo%2Fa", pipeline("demo/a", "dev"), headers={"if-match": '"x"'})
    assert answer.status == 404
