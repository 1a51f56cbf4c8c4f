"""Where an action of the pages is done, and how it is told."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator, Page

from cluster import SmallCluster
from e2e.town import Account
from headrace.storage.engine import Database


@dataclass
class Scene:
    """Where an action is done: an account with a person, a page and what was made for the action."""

    acme: Account
    person: str
    page: Page
    key: str  # of the person
    database: Database  # under the server
    cluster: SmallCluster
    registry: Any  # a server of `token_registry`, which knows `ci` with the password `right`
    made: Any = None
    undo: list[Callable[[], Any]] = field(default_factory=list)

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
