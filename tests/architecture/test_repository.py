"""Rules about the files of the repository: what must not be in them, and the forms of some."""

import re
import tomllib

import pytest

from architecture.tree import ROOT, files, short, text_files

# Written so that this file does not hold what it looks for.
REGISTRIES = re.compile(
    r"np[m]js\.(org|com)|py[p]i\.org|python[h]osted\.org|deb\.deb[i]an\.org|yarn[p]kg\.com|crates\.[i]o/api"
)
MACHINE_PATHS = re.compile(r"/wor[k]/(main|shared|steering|\.library)|/roo[t]/\.pyenv")
CHANGE_KINDS = {"added", "changed", "deprecated", "removed", "fixed", "security"}
DECISION_PARTS = ["Context", "Decision", "Consequences", "Alternatives", "Check"]
STATUS = re.compile(
    r"^Status: (proposed|accepted|replaced by \[\d{4}\]\(.+\)), \d{4}-\d{2}-\d{2}$", re.MULTILINE
)
MOST_DECISION_LINES = 60  # one page


def places(pattern):
    return [
        f"{short(path)}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]}"
        for path, text in text_files()
        for found in pattern.finditer(text)
    ]


def test_no_file_names_a_package_registry():
    assert not places(REGISTRIES)


def test_no_file_names_a_path_of_one_machine():
    assert not places(MACHINE_PATHS)


def test_every_requirement_in_the_lock_has_a_hash():
    lock = (ROOT / "requirements.lock").read_text().replace("\\\n", " ")
    lines = [line for line in lock.splitlines() if line and not line.startswith("#")]
    assert lines
    assert [line for line in lines if not re.match(r"[a-z0-9._-]+==\S+ .*--hash=sha256:", line)] == []


def test_the_lock_holds_everything_that_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["server"],
        *project["project"]["optional-dependencies"]["engine"],
        *project["dependency-groups"]["dev"],
    ]
    names = {re.split(r"[\[><=;~ ]", line)[0].lower().replace("_", "-") for line in wanted} - {"headrace"}
    locked = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert names <= locked, f"`make lock` is due: {sorted(names - locked)}"


@pytest.mark.parametrize("path", files("changelog.d/*"), ids=lambda path: path.name)
def test_a_changelog_fragment_is_one_sentence_of_a_known_kind(path):
    if path.name == "README.md":
        return
    assert re.fullmatch(rf"[a-z0-9-]+\.({'|'.join(sorted(CHANGE_KINDS))})\.md", path.name)
    lines = path.read_text().strip().splitlines()
    assert lines
    assert "" not in lines
    assert lines[-1].endswith(".")


DECISIONS = files("docs/decisions/*.md")


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_a_decision_is_one_page_with_all_its_parts(path):
    text = path.read_text()
    number = re.fullmatch(r"(\d{4})-[a-z0-9-]+\.md", path.name)[1]
    assert re.match(rf"# {number}\. \S.*\n\n", text)
    assert STATUS.search(text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == DECISION_PARTS
    assert len(text.splitlines()) <= MOST_DECISION_LINES


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_a_decision_names_a_check_that_exists(path):
    check = path.read_text().partition("## Check")[2]
    named = re.findall(r"`((?:tests|src|tools|bench|docs)/[^`:*]+|pyproject\.toml|Makefile)`", check)
    assert named, "an accepted rule has a check: name its file"
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_decisions_are_numbered_without_gap_or_double():
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))
