"""The validator beside the original's verdicts on real files: shared/corpus, which is never copied here.

The three figures and every difference are printed (``pytest -s``); a file counts as equal in
messages when all of them are, in lines when each stands where the original says.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from headrace.pipeline.validate import validate

CORPUS = Path(__file__).resolve().parents[3] / "shared/corpus/pipelines"
VERDICT, MESSAGES, LINES = 0.97, 0.90, 0.85
JUDGED = {"valid", "valid-with-warnings", "invalid"}
WRAPPER = "version: '1.0'\nsteps:\n"


class Compared(msgspec.Struct):
    """One file, ours and the original's."""

    file: str
    ours: tuple
    theirs: tuple


def text_of(entry):
    """Return the text as the original got it: a map of steps was put into a pipeline."""
    text = (CORPUS / entry["file"]).read_text()
    if entry["cls"] != "fragment-steps":
        return text, 0
    return WRAPPER + "".join(f"  {line}\n" for line in text.splitlines()), WRAPPER.count("\n")


def verdict_of(errors, warnings):
    return "invalid" if errors else "valid-with-warnings" if warnings else "valid"


def compared():
    entries = json.loads((CORPUS / "manifest.json").read_text())["files"]
    found = []
    for entry in entries:
        if entry["verdict"] not in JUDGED:
            continue
        text, above = text_of(entry)
        answer = validate(text)
        ours = [(one.message.strip(), one.line - above) for one in (*answer.errors, *answer.warnings)]
        theirs = [
            (one["message"].strip(), one.get("line", 0)) for one in (*entry["errors"], *entry["warnings"])
        ]
        found.append(
            Compared(
                entry["file"],
                (verdict_of(answer.errors, answer.warnings), Counter(ours)),
                (entry["verdict"], Counter(theirs)),
            )
        )
    return found


def messages(problems):
    return Counter({message: 0 for message, _ in problems}) + Counter(
        message for message, _ in problems.elements()
    )


def difference(one):
    """Yield the lines that tell how a file differs."""
    yield f"{one.file}: {one.ours[0]}, the original says {one.theirs[0]}\n"
    for whose, left, right in (("ours", one.ours, one.theirs), ("theirs", one.theirs, one.ours)):
        yield from (f"  only {whose}: {line}: {message}\n" for message, line in left[1] - right[1])


@pytest.fixture(scope="module")
def files():
    if not (CORPUS / "manifest.json").exists():
        pytest.skip(f"no corpus at {CORPUS}: the validator is not compared with the original's verdicts")
    return compared()


def test_verdicts_messages_and_lines_are_the_originals(files):
    assert len(files) > 700
    same = {
        "verdict": [one.ours[0] == one.theirs[0] for one in files],
        "messages": [messages(one.ours[1]) == messages(one.theirs[1]) for one in files],
        "lines": [one.ours[1] == one.theirs[1] for one in files],
    }
    shares = {name: sum(each) / len(each) for name, each in same.items()}
    sys.stdout.writelines(f"{name}: {share:.1%} of {len(files)} files\n" for name, share in shares.items())
    sys.stdout.writelines(line for one in files if one.ours != one.theirs for line in difference(one))
    assert shares["verdict"] >= VERDICT
    assert shares["messages"] >= MESSAGES
    assert shares["lines"] >= LINES
