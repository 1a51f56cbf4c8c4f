"""Rules about the web pages: what changes something is an action, and an action has its commands."""

import json
import re

from architecture.tree import ROOT, files, short

ACTIONS = files("web/src/lib/actions/*.ts")
SAID = re.compile(r'sdk: "(?P<sdk>[^"]+)", method: "(?P<method>[A-Z]+)", path: "(?P<path>[^"]+)"')
IMPORT = re.compile(r"import (?:type )?\{(?P<names>[^}]*)\} from \"(?P<module>[^\"]+)\"")
# Those that show the commands of an action beside the button that does it. The header ends the sessions,
# and the command of that stands on the page of the user's settings.
PERFORM = {
    "web/src/lib/doing.svelte.ts",
    "web/src/parts/Act.svelte",
    "web/src/parts/Menu.svelte",
    "web/src/parts/Workflow.svelte",  # saves by a key, too; the command stands in the foot
}
DIALOGS = {"web/src/parts/Form.svelte", "web/src/parts/Confirm.svelte"}
CALL = {"web/src/lib/action.ts", "web/src/lib/session.svelte.ts"}  # the session: a password is no command
QUESTIONS = {
    "/pipelines/plan/",
    "/pipelines/plan",
    "/pipelines/yaml/validator",
}  # by POST, and nothing changes


def importers(name, module):
    found = set()
    for path in files("web/src/**/*.ts", "web/src/**/*.svelte"):
        for one in IMPORT.finditer(path.read_text()):
            names = {
                word.strip().removeprefix("type ").partition(" as ")[0] for word in one["names"].split(",")
            }
            if name in names and one["module"].rpartition("/")[2] == module:
                found.add(short(path))
    return found


def test_only_the_parts_that_show_the_command_of_an_action_do_it():
    assert importers("perform", "action") == PERFORM, "use Act, Form or Confirm: they show what they do"
    assert importers("Doing", "doing.svelte") == DIALOGS, "use Form or Confirm: they show what they do"
    assert importers("call", "api") == CALL, "write an action below web/src/lib/actions, with its commands"


def test_requests_are_made_in_one_place():
    made = {
        short(path)
        for path in files("web/src/**/*.ts", "web/src/**/*.svelte")
        if re.search(r"\bfetch\(|XMLHttpRequest|sendBeacon|<form[^>]* action=", path.read_text())
    }
    assert made == {"web/src/lib/api.ts"}


def test_what_is_asked_with_a_body_changes_nothing():
    asked = {
        place
        for path in files("web/src/**/*.ts", "web/src/**/*.svelte")
        for place in re.findall(r"(?<!const )\bquestion(?:<[^(]*>)?\([\"`]([^\"`$]*)", path.read_text())
    }
    assert asked <= QUESTIONS


def test_every_action_is_an_operation_of_the_api():
    paths = json.loads((ROOT / "openapi.json").read_text())["paths"]
    known = {
        (operation["x-sdk-interface"], method.upper(), path.rstrip("/"))
        for path, operations in paths.items()
        for method, operation in operations.items()
    }
    said = [one for path in ACTIONS for one in SAID.finditer(path.read_text())]
    assert len(said) == sum(path.read_text().count("action({") for path in ACTIONS)
    assert [
        one.groups() for one in said if (one["sdk"], one["method"], one["path"].rstrip("/")) not in known
    ] == []
