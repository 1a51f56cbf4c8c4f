"""Where an action of the pages is done, and how it is told."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Locator, Page

from cluster import SmallCluster
from e2e.town import Account
from headrace.http.auth import SESSION_COOKIE
from headrace.resources.api_keys import service as api_keys
from headrace.resources.users import service as users
from headrace.storage.engine import Database

KEY = "for the commands"


@dataclass
class Scene:
    """Where an action is done: an account with a person, and what was made for the action."""

    acme: Account
    database: Database  # under the server
    cluster: SmallCluster
    registry: Any  # a server of `token_registry`, which knows `ci` with the password `right`
    page: Page | None = None  # where the person is logged in
    key: str = ""  # of the person, who may do everything
    rules: bool = False  # whether the person is an admin of the installation
    made: Any = None
    undo: list[Callable[[], Any]] = field(default_factory=list)

    @property
    def person(self):
        """The user name of who is logged in."""
        return f"person-of-{self.acme.name}"

    def enter(self):
        """Let the person come, and nothing be left of the scene before."""
        now = datetime.now(UTC)
        with self.database.transaction() as db:
            made = users.create(db, self.acme.id, self.person, password=None, is_account_admin=True, now=now)
            self.key = api_keys.create(db, self.acme.id, user_id=made.id, name=KEY, now=now)
        self.session = self.post(f"/api/user/changeaccount/{self.acme.id}")["accessToken"]
        self.cluster.asked.clear()
        self.cluster.objects = {
            key: one for key, one in self.cluster.objects.items() if key[0] == "namespaces"
        }
        self.registry.asked.clear()
        if self.page:
            self.sit_down(self.page)

    def sit_down(self, page):
        """Be logged in on a page, as somebody who comes in the morning."""
        page.context.clear_cookies()
        page.context.add_cookies(
            [{"name": SESSION_COOKIE, "value": self.session, "url": self.acme.server.url}]
        )

    def leave(self):
        """End what still runs; a server that stops waits for it."""
        for act in self.undo:
            act()
        for one in self.acme.builds():
            if not one["finished"]:
                self.call("DELETE", f"/api/progress/{one['progress']}")

    def things(self):
        """The ids of what is in the account, each by a name that is the same in another account."""
        found = {"account": self.acme.id, "person": self.mine("/api/user")["_id"], "name": self.person}
        pipelines = self.call("GET", "/api/pipelines")["docs"]
        crons = [each for one in pipelines for each in one["spec"].get("cronTriggers", [])]
        for kind, listed, name in (
            ("pipeline", [one["metadata"] for one in pipelines], "name"),
            ("cron", crons, "name"),
            ("project", self.call("GET", "/api/projects")["projects"], "projectName"),
            ("key", self.mine("/api/auth/keys"), "name"),
            ("team", self.call("GET", "/api/team"), "name"),
            ("registry", self.call("GET", "/api/registries"), "name"),
            ("environment", self.call("GET", "/api/environments"), "name"),
            ("composition", self.call("GET", "/api/compositions"), "name"),
            ("cluster", self.call("GET", "/api/clusters"), "selector"),
        ):
            found |= {f"{kind} {one[name]}": one.get("id") or one["_id"] for one in listed}
        # Their names are unique in the installation, so each scene has its own.
        people = self.call("GET", f"/api/accounts/{self.acme.id}/users")
        known = self.mine("/api/admin/accounts") if self.rules else []
        for kind, one, name in (
            *(("user", one, one["userName"]) for one in people),
            *(("account", one, one["name"]) for one in known if one["name"].endswith(self.person)),
        ):
            found[f"{kind} {name.removesuffix(self.acme.name)}"] = one["_id"]
        for at, one in enumerate(reversed(self.acme.builds())):
            found |= {f"build {at}": one["id"], f"progress {at}": one["progress"]}
        for event in self.call("GET", "/api/hermes/events?public=false"):
            name, _, mark = event["uri"].rpartition(":")
            found[name] = mark
        return found

    def of_its_own(self, line, things):
        """A command of another scene with the ids of this one, where the same was made."""
        if any(text in line for text in things.values()):
            mine = self.things()
            for name, text in things.items():
                line = line.replace(text, mine[name])
            assert set(re.findall(r"\b[0-9a-f]{24}\b", line)) <= set(mine.values()), line
        return line

    def post(self, path, body=None):
        """Ask for something as the person."""
        status, answer = self.acme.server.call("POST", path, body, {"Authorization": self.key})
        assert status == 200, answer
        return answer

    def call(self, method, path, body=None):
        """Ask the API as the admin of the account."""
        return self.acme.call(method, path, body)

    def mine(self, path):
        """Read something as the person."""
        status, answer = self.acme.server.call("GET", path, None, {"Authorization": self.key})
        assert status == 200, answer
        return answer

    def dialog(self, button):
        """The button of the open dialog."""
        return self.page.get_by_role("dialog").get_by_role("button", name=button, exact=True)

    def fill(self, **texts):
        """Fill fields of the open dialog: `Name_of_it="text"`, by how their labels begin."""
        for label, text in texts.items():
            name = re.compile(rf"^{label.replace('_', ' ')}\b")
            self.page.get_by_role("dialog").get_by_label(name).fill(text)


@dataclass(frozen=True)
class Walk:
    """One way to one action.

    Args:
        action: its name in `web/src/lib/actions`.
        title: of its commands.
        prepare: makes what there must be; its answer is `scene.made`.
        reach: opens the page, fills what is to be filled, and returns the button.
        state: what the action changes.
        gives: the state when it was done; never the one before.
        secrets: what stands for the variables of the shell: as JSON for curl, plain for the client.
    """

    action: str
    title: str
    reach: Callable[[Scene], Locator]
    state: Callable[[Scene], Any]
    gives: Any
    prepare: Callable[[Scene], Any] = lambda _: None
    secrets: Callable[[Scene], dict[str, str]] = lambda _: {}


def on_pipeline(scene, tab=""):
    """Open a tab of the page of `p/ok`."""
    scene.page.goto(f"/pipelines/p%2Fok{tab and f'?tab={tab}'}")
    return scene.page
