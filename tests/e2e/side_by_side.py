"""A table of command lines, run by both clients against the same server, and what differs.

The table is a text in chapters. Each client works through a chapter in an account and a folder of its
own, line by line, so that a later line finds what an earlier one made:

    [projects]                      a chapter
    = create project p -t a         code, stdout and the first line of stderr are equal
    usage ~ create project          what may differ for the reason of that name, see `REASONS`
    ID = get project p -o id        as `=`, and $ID is what was printed, in the lines that follow
"""

import json
import re
import shlex
import string
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import yaml

from e2e.server import until
from e2e.town import STEPS, Cli

CODE, STDOUT, STDERR = "code", "stdout", "stderr"
FINAL = ("success", "error", "denied", "terminated")
PIPELINE = {
    "version": "1.0",
    "kind": "pipeline",
    "metadata": {"name": "shop/ci", "labels": {"tags": ["fast"]}},
    "spec": {"steps": STEPS["ok"], "variables": [{"key": "S", "value": "secret", "encrypted": True}]},
}
FILES = {
    "p.yml": PIPELINE | {"metadata": {"name": "shop/new"}},
    "p.json": json.dumps(PIPELINE | {"metadata": {"name": "shop/json"}}),
    "changed.yml": PIPELINE | {"metadata": {"name": "shop/ci", "description": "changed"}},
    "wrong.yml": PIPELINE | {"metadata": {"name": "shop/wrong"}, "spec": {"steps": {"a": {"imag": 1}}}},
    "project.yml": {"kind": "project", "metadata": {"name": "filed", "tags": ["t"]}},
    "context.yml": {"kind": "context", "metadata": {"name": "filed"}, "spec": {"type": "yaml", "data": {}}},
    "context2.yml": {
        "kind": "context",
        "metadata": {"name": "filed"},
        "spec": {"type": "yaml", "data": {"A": 2}},
    },
    "step.yml": {
        "version": "1.0",
        "kind": "step-type",
        "metadata": {"name": "$ACCOUNT/hello", "version": "1.0.0", "isPublic": False},
        "spec": {"arguments": '{"type": "object"}', "steps": STEPS["ok"]},
    },
    "annotation.yml": {
        "kind": "annotation",
        "metadata": {
            "entityId": "$BUILD",
            "entityType": "workflow",
            "labels": [{"key": "k", "value": "v"}],
        },
    },
    "steps.yml": {"version": "1.0", "steps": STEPS["ok"]},
    "nosteps.yml": {"version": "1.0", "steps": {"a": {"imag": 1}}},
    "two.yml": [{"A": "1"}, {"A": "2"}],
    "data.yml": {"a": 1},
    "broken.yml": "a: [",
    "nokind.yml": {"metadata": {"name": "x"}},
    "compose.yml": {"version": "2", "services": {"web": {"image": "nginx"}}},
}
# Why the clients differ, and what is equal all the same; docs/client.md says it to users.
REASONS = {
    "helped": ("the help has words of its own, and stands on stdout whatever asked for it", (CODE,)),
    "usage": ("one line says what is wrong, where the official client prints its whole help", (CODE, STDOUT)),
    "inner": ("the server's message within another, where the official client prints raw JSON", (CODE,)),
    "cure": ("the message goes on with what would be right", (CODE, STDOUT)),
    "named": ("a context of the environment and a section of no name have a name", (CODE,)),
    "blank": (
        "what a blank stands for in the official client is printed: a 0, the type of an annotation",
        (CODE,),
    ),
    "findings": ("findings stand on stderr, where the official client prints them to stdout", (CODE,)),
    "stricter": ("what the official client passes over is an error, and nothing is done", ()),
    "absent": ("a command that is not offered is an error whatever its options", ()),
}
_IDS = re.compile(r"\b[0-9a-f]{24}\b")
_CHANGING = (
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "MOMENT"),
    (re.compile(r"\b\d{4}-\d\d-\d\d, \d\d:\d\d:\d\d"), "MOMENT"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "SPAN"),
    (re.compile(r"\b(a few seconds|\d+ seconds|a minute|\d+ minutes) ago\b"), "LATELY"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"\bID\d+\.[0-9A-Za-z_-]{16,}"), "KEY"),
    (re.compile(r":[0-9a-f]{12}\b"), ":ACCOUNT-OF-EVENT"),
    (re.compile(r"%3A[0-9a-f]{12}\b"), "%3AACCOUNT-OF-EVENT"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "SHA"),
    (re.compile(r"\b[0-9a-f]{8}\b"), "PREFIX"),
    (re.compile(r" +$", re.MULTILINE), ""),
)

_OF_NO_WIDTH = re.compile("LATELY|ACCOUNT")  # what stood there is not as wide for both, nor its column


@dataclass(frozen=True)
class Line:
    """One command line of the table.

    Attributes:
        text: as written, with ``$NAMES``.
        reason: why the clients may differ; empty where they may not.
        keep: the name under which later lines find what was printed; empty for none.
    """

    text: str
    reason: str = ""
    keep: str = ""


@dataclass(frozen=True)
class Outcome:
    """What one client did with a line; ids are numbered, moments and keys have no value."""

    code: int
    stdout: str
    stderr: str


def chapters(text):
    """Read a table: its chapters by name, each a list of lines."""
    found, lines = {}, []
    for row in text.splitlines():
        if not row.strip() or row.startswith("#"):
            continue
        if row.startswith("["):
            lines = found.setdefault(row.strip("[]"), [])
            continue
        word, sign, command = re.fullmatch(r"(\w*) ?([~=]) ?(.*)", row).groups()
        reason, keep = (word, "") if sign == "~" else ("", word)
        assert not reason or reason in REASONS, f"{reason!r} is no reason; there are {sorted(REASONS)}"
        lines.append(Line(command, reason, keep))
    return found


class Reader:
    """One client and the names that its account has in the table.

    Args:
        cli: the client.
        names: by the name in the table, without the dollar sign.
    """

    def __init__(self, cli: Cli, names):
        self.cli, self.names, self._ids = cli, dict(names), {}

    def run(self, line):
        """Work through a line; return its `Outcome`."""
        words = [string.Template(word).safe_substitute(self.names) for word in shlex.split(line.text)]
        environment = dict(word.split("=", 1) for word in words if re.match(r"(CF|CFCONFIG)[A-Z_]*=", word))
        words = [word for word in words if not re.match(r"(CF|CFCONFIG)[A-Z_]*=", word)]
        done = self.cli(*words, **environment)
        if line.keep:
            self.names[line.keep] = done.stdout.strip()
        return Outcome(done.code, self._plain(done.stdout), self._plain(done.stderr).partition("\n")[0])

    def _plain(self, text):
        text = text.replace(self.names["ACCOUNT"], "ACCOUNT").replace(str(self.cli.home), "HOME")
        text = _IDS.sub(lambda found: self._ids.setdefault(found[0], f"ID{len(self._ids)}"), text)
        for pattern, word in _CHANGING:
            text = pattern.sub(word, text)
        return re.sub(" +", " ", text) if _OF_NO_WIDTH.search(text) else text


def difference(line, official, ours):
    """What differs that may not, as a text; empty where nothing does."""
    compared = (CODE, STDOUT, STDERR) if line.reason not in REASONS else REASONS[line.reason][1]
    wrong = [
        f"{part}: {getattr(official, part)!r} is {getattr(ours, part)!r} in ours"
        for part in compared
        if getattr(official, part) != getattr(ours, part)
    ]
    if not compared and (ours.code != 1 or ours.stdout or not ours.stderr):
        wrong.append(f"ours was to be refused: {ours}")
    if line.reason == "cure" and not ours.stderr.startswith(official.stderr):
        wrong.append(f"stderr: {official.stderr!r} does not begin {ours.stderr!r}")
    return "\n".join(f"codefresh {line.text}: {one}" for one in wrong)


def prepare(account, cli):
    """Make a project, a pipeline and a finished build, write the files; return the names of all."""
    pipeline = account.call("POST", "/api/pipelines", PIPELINE)["metadata"]["id"]
    build = account.run("shop/ci", branch="main")
    until(lambda: account.build(build)["status"] in FINAL, "the end of the build")
    names = {"ACCOUNT": account.name, "PIPELINE": pipeline, "BUILD": build, "KEY": cli.key, "URL": cli.url}
    for name, document in FILES.items():
        text = document if isinstance(document, str) else yaml.safe_dump(document)
        cli.write(name, string.Template(text).safe_substitute(names))
    return names


def both(lines, readers):
    """Run a chapter with two readers, line by line at the same time; yields each with its two outcomes."""
    with ThreadPoolExecutor(2) as pool:
        for line in lines:
            yield line, *pool.map(lambda reader, line=line: reader.run(line), readers)
