"""What belongs to an account: contexts, keys, sessions, runtime environments, teams."""

import re
from datetime import UTC, datetime

from e2e.walks.scene import KEY, Walk
from headrace.kit.ids import new_id
from headrace.resources.runtime_environments import service as environments
from headrace.resources.runtime_environments.schemas import Worker


def context(scene):
    data = {"metadata": {"name": "shared"}, "spec": {"type": "config", "data": {}}}
    return scene.call("POST", "/api/contexts", data)


def contexts_of(scene):
    found = [
        scene.call("GET", f"/api/contexts/{one['metadata']['name']}")
        for one in scene.call("GET", "/api/contexts")
    ]
    return [(one["metadata"]["name"], one["spec"]["type"], one["spec"]["data"]) for one in found]


def secrets_of(scene):
    names = [one["metadata"]["name"] for one in scene.call("GET", "/api/contexts")]
    opened = [scene.call("GET", f"/api/contexts/{name}?decrypt=true")["spec"]["data"] for name in names]
    return list(zip(names, opened, strict=True))


def create_context(kind, text):
    def reach(scene):
        scene.page.goto("/contexts")
        scene.page.get_by_role("button", name="New context").click()
        scene.fill(Name="new-one", Variables=text)
        scene.page.get_by_label("Type").select_option(kind)
        return scene.dialog("Create")

    return reach


def delete_context(scene):
    scene.page.goto("/contexts")
    scene.page.get_by_role("button", name="Delete").click()
    return scene.dialog("Delete")


def keys_of(scene):
    found = [
        (one["name"], one.get("scopes") or [], bool(one["expiresAt"])) for one in scene.mine("/api/auth/keys")
    ]
    return sorted(one for one in found if one[0] not in (KEY, "test"))


def own_key(scene):
    body = {"name": "old", "scopes": ["build"]}
    status, answer = scene.acme.server.call("POST", "/api/auth/key", body, {"Authorization": scene.key})
    assert status == 200, answer


def generate_key(expires):
    def reach(scene):
        scene.page.goto("/user/keys")
        scene.page.get_by_role("button", name="Generate a key").first.click()
        scene.fill(Name="a new key", Expires=expires)
        scene.page.get_by_role("dialog").get_by_label("build", exact=True).check()
        return scene.dialog("Generate")

    return reach


def of_old_key(button):
    def reach(scene):
        scene.page.goto("/user/keys")
        scene.page.get_by_role("row", name=re.compile("^old")).get_by_role("button", name=button).click()
        if button == "Edit":
            scene.fill(Name="new")
            scene.page.get_by_role("dialog").get_by_label("pipeline", exact=True).check()
        return scene.dialog("Save" if button == "Edit" else button)

    return reach


def end_sessions(scene):
    scene.page.goto("/user/keys")
    return scene.page.get_by_role("button", name="Log out")


def environment(scene):
    now = datetime.now(UTC)
    worker = Worker(
        id=new_id(),
        environment="spare",
        runtime="docker",
        host="machine",
        capacity=1,
        running=0,
        started_at=now,
        seen_at=now,
    )
    with scene.database.transaction() as db:
        environments.report(db, worker)

    def retire():
        with scene.database.transaction() as db:
            environments.retire(db, worker.id)

    scene.undo.append(retire)


def choose_environment(scene):
    scene.page.goto("/workers")
    return scene.page.get_by_role("button", name="Make it the default")


def default_environment(scene):
    found = scene.call("GET", "/api/runtime-environments")
    return [one["metadata"]["name"] for one in found if one.get("isDefault")]


def team(*, with_person=False):
    def make(scene):
        made = scene.call("POST", "/api/team", {"name": "crew", "tags": [], "users": []})
        if with_person:
            scene.call("PUT", f"/api/team/{made['_id']}/{scene.mine('/api/user')['_id']}/assignUserToTeam")

    return make


def teams_of(scene):
    return [
        (one["name"], [user["userName"].partition("-")[0] for user in one["users"]])
        for one in scene.call("GET", "/api/team")
        if one["name"] != "users"
    ]


def of_teams(button, verb, **texts):
    def reach(scene):
        scene.page.goto("/users")
        row = scene.page.get_by_role("row", name=re.compile("crew"))
        (scene.page if button == "New team" else row).get_by_role("button", name=button).click()
        if button == "Add a user":
            scene.page.get_by_role("dialog").get_by_label("User").select_option(scene.person)
        scene.fill(**texts)
        return scene.dialog(verb)

    return reach


def remove_member(scene):
    scene.page.goto("/users")
    row = scene.page.get_by_role("row", name=re.compile("crew"))
    return row.get_by_role("button", name=re.compile("^.*Take person-of-.* out"))


OF_ACCOUNT = [
    Walk(
        "createContext",
        "Create a context",
        create_context("config", "A=it's $1\nB=a=b"),
        contexts_of,
        [("new-one", "config", {"A": "it's $1", "B": "a=b"})],
    ),
    Walk(
        "createContext",
        "Create a context",
        create_context("secret", "PASS_WORD=very secret"),
        secrets_of,
        [("new-one", {"PASS_WORD": "very secret"})],
        secrets=lambda _: {"SECRET_PASS_WORD": "very secret"},
    ),
    Walk("deleteContext", "Delete the context", delete_context, contexts_of, [], context),
    Walk("generateKey", "Generate a key", generate_key(""), keys_of, [("a new key", ["build"], False)]),
    Walk(
        "generateKey", "Generate a key", generate_key("2099-12-31"), keys_of, [("a new key", ["build"], True)]
    ),
    Walk(
        "changeKey",
        "Change the key",
        of_old_key("Edit"),
        keys_of,
        [("new", ["build", "pipeline"], False)],
        own_key,
    ),
    Walk("revokeKey", "Revoke the key", of_old_key("Revoke"), keys_of, [], own_key),
    Walk(
        "endSessions",
        "End your sessions on all devices",
        end_sessions,
        lambda scene: scene.acme.server.call("GET", "/api/user", None, {"x-access-token": scene.session})[0],
        401,
    ),
    Walk(
        "chooseEnvironment",
        "Make spare the default",
        choose_environment,
        default_environment,
        ["spare"],
        environment,
    ),
    Walk(
        "createTeam",
        "Create a team",
        of_teams("New team", "Create", Name="it's us"),
        teams_of,
        [("it's us", [])],
    ),
    Walk(
        "renameTeam",
        "Rename the team",
        of_teams("Rename", "Rename", Name="new"),
        teams_of,
        [("new", [])],
        team(),
    ),
    Walk("deleteTeam", "Delete the team", of_teams("Delete", "Delete"), teams_of, [], team()),
    Walk(
        "addMember",
        "Put a user into the team",
        of_teams("Add a user", "Add"),
        teams_of,
        [("crew", ["person"])],
        team(),
    ),
    Walk(
        "removeMember",
        "Take {person} out of the team crew",
        remove_member,
        teams_of,
        [("crew", [])],
        team(with_person=True),
    ),
]
