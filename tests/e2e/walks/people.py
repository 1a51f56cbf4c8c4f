"""Who belongs to an account, and the accounts of an installation."""

import re

from e2e.walks.scene import Walk
from headrace.resources.accounts import service as accounts
from headrace.resources.users import repository as users


def named(scene, name):
    """A name that nobody else in the installation has."""
    return f"{name}-{scene.person}"


def plain(name):
    return name.partition("-")[0]


def somebody(*, is_admin=False):
    def make(scene):
        of = f"/api/accounts/{scene.acme.id}"
        made = scene.call("POST", f"{of}/adduser", {"userDetails": named(scene, "kim")})
        if is_admin:
            scene.call("POST", f"{of}/{made['_id']}/admin")

    return make


def users_of(scene):
    found = scene.call("GET", f"/api/accounts/{scene.acme.id}/users")
    return [
        (plain(one["userName"]), one["email"], one["_id"] in one["account"][0]["admins"])
        for one in found
        if plain(one["userName"]) not in ("dev", "person")
    ]


def new_user(scene):
    scene.page.goto("/users")
    scene.page.get_by_role("button", name="New user").click()
    scene.fill(Name=named(scene, "kim"))
    return scene.dialog("Create")


def of_kim(button, verb=None):
    def reach(scene):
        scene.page.goto("/users")
        row = scene.page.get_by_role("row", name=re.compile("^kim"))
        found = row.get_by_role("button", name=button, exact=True)
        if verb is None:
            return found
        found.click()
        if button == "Edit":
            scene.fill(Name=named(scene, "lee"), Address="lee@example.org")
        else:
            scene.fill(Type=named(scene, "kim"))
        return scene.dialog(verb)

    return reach


def rule(scene):
    """Make the person an admin of the installation."""
    with scene.database.transaction() as db:
        users.change(db, scene.mine("/api/user")["_id"], is_platform_admin=True)
    scene.rules = True


def another_account(*, is_joined=False):
    def make(scene):
        rule(scene)
        made = scene.post("/api/admin/accounts", {"name": named(scene, "old")})
        if is_joined:
            scene.post(f"/api/accounts/{made['_id']}/{scene.mine('/api/user')['_id']}/adduser")

    return make


def accounts_of(scene):
    found = [one["name"] for one in scene.mine("/api/admin/accounts")]
    return [plain(name) for name in found if name.endswith(f"-{scene.person}")]


def joined(scene):
    headers = {"x-access-token": scene.session}
    found = scene.acme.server.call("GET", "/api/user", None, headers)[1]["account"]
    return sorted(plain(one["name"]) for one in found)


def active(scene):
    with scene.database.reading() as db:
        person = users.by_id(db, scene.mine("/api/user")["_id"])
        return plain(accounts.by_id(db, person.active_account_id).name)


def new_account(scene):
    scene.page.goto("/users")
    scene.page.get_by_role("button", name="New account").click()
    scene.fill(Name=named(scene, "new"))
    return scene.dialog("Create")


def of_another(button, **texts):
    def reach(scene):
        scene.page.goto("/users")
        row = scene.page.get_by_role("row", name=re.compile(f"^{named(scene, 'old')}"))
        found = row.get_by_role("button", name=button, exact=True)
        if not texts:
            return found
        found.click()
        scene.fill(**{label: named(scene, text) for label, text in texts.items()})
        return scene.dialog(button)

    return reach


def switch(scene):
    scene.page.goto("/users")
    return scene.page.get_by_role("button", name=f"Switch to {named(scene, 'old')}")


KIM = ("kim", "", False)
OF_PEOPLE = [
    Walk("inviteUser", "Create a user", new_user, users_of, [KIM]),
    Walk(
        "changeUser",
        "Change the user",
        of_kim("Edit", "Save"),
        users_of,
        [("lee", "lee@example.org", False)],
        somebody(),
    ),
    Walk(
        "makeAdmin",
        "Make kim-{person} an admin",
        of_kim("Make an admin"),
        users_of,
        [("kim", "", True)],
        somebody(),
    ),
    Walk(
        "endAdmin",
        "Make kim-{person} a member",
        of_kim("Make a member"),
        users_of,
        [KIM],
        somebody(is_admin=True),
    ),
    Walk("removeUser", "Remove the user", of_kim("Remove", "Remove"), users_of, [], somebody()),
    Walk("createAccount", "Create an account", new_account, accounts_of, ["new"], rule),
    Walk(
        "renameAccount",
        "Rename the account",
        of_another("Rename", Name="new"),
        accounts_of,
        ["new"],
        another_account(),
    ),
    Walk(
        "deleteAccount",
        "Delete the account",
        of_another("Delete", Type="old"),
        accounts_of,
        [],
        another_account(),
    ),
    Walk(
        "joinAccount",
        "Join old-{person}",
        of_another("Join"),
        joined,
        ["acme", "old"],
        another_account(),
    ),
    Walk(
        "switchAccount",
        "Switch to old-{person}",
        switch,
        active,
        "old",
        another_account(is_joined=True),
    ),
]
