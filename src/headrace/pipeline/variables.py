"""Variables: how texts are filled, which level wins, and what the system provides.

Source: `reference/pipeline-yaml.md`, sections 1.5 (substitution), 2 (variables), 3.10 (working
directory). Everything here is pure; secret values pass through and are never kept.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TypeVar

import msgspec

VOLUME = "/codefresh/volume"
IMAGE_DIRECTORY = "IMAGE_WORK_DIR"  # the word that asks for the image's own WORKDIR
MAX_TEXT = 1_048_576  # characters that one filled text may have
MAX_ROUNDS = 10  # values within values
STORES = "secrets."  # how a reference to a secret of an outside store begins
SYSTEM_PREFIXES = ("CF_", "EVENT_")  # may hold texts of strangers: commit messages, titles, comments

_OPEN, _CLOSE = "${{", "}}"

T = TypeVar("T")


class TextTooLong(ValueError):
    """A text grew beyond `MAX_TEXT` characters while its variables were filled in."""


class DirectoryUnknown(ValueError):
    """A working directory refers to something that has no value; the text says what."""


class StepFacts(msgspec.Struct, frozen=True):
    """What is known of a step that has started, or was skipped."""

    result: str  # a word of `status.RESULT_WORDS`
    members: Mapping[str, str] = {}  # ``name type description workingDirectory revision repo`` …

    def member(self, name: str) -> str | None:
        """One published value; None where there is none. Dotted names as ``authEntity.name``."""
        if name == "result":
            return self.result
        return self.members.get("workingDirectory" if name == "working-directory" else name)

    @property
    def image(self) -> str | None:
        """The whole name of the image that it built or pushed; None where it made none."""
        name, tag = self.members.get("imageName"), self.members.get("imageTagName")
        return f"{name}:{tag}" if name and tag else None


class Scope(msgspec.Struct, frozen=True):
    """Everything that a text may refer to at one moment of a build."""

    variables: Mapping[str, str] = {}
    steps: Mapping[str, StepFacts] = {}  # by name; steps that have not started are absent
    # Names whose values are taken as they are: values that steps exported, which may carry texts
    # of strangers. Names with `SYSTEM_PREFIXES` always are.
    literal: frozenset[str] = frozenset()
    workflow: str = "running"  # ``workflow.result`` in conditions
    stored: Mapping[str, str] = {}  # opened secrets of outside stores, by ``secrets.STORE.KEY``
    names_directories: bool = False  # ``${{S}}`` is where a step ran, also where it made an image
    hidden: AbstractSet[str] = frozenset()  # values that are in no message

    def look_up(self, name: str) -> str | None:
        """The value behind one reference, not expanded; None where it has none (yet).

        Args:
            name: ``NAME``, ``steps.S.member``, ``S.member``, ``S`` (the step's image, else its directory).
        """
        if name in self.variables:
            return self.variables[name]
        if name in self.stored:
            return self.stored[name]
        name = name.removeprefix("parentSteps.")  # how a hook calls the steps of the pipeline
        if name == "workflow.result":
            return self.workflow
        if name in self.steps:
            return self._bare(self.steps[name])
        step, dot, member = name.removeprefix("steps.").partition(".")
        facts = self.steps.get(step)
        if facts is None:
            return None
        return facts.member(member) if dot else self._bare(facts)

    def _bare(self, facts: StepFacts) -> str | None:
        image = None if self.names_directories else facts.image
        return image or facts.member("workingDirectory")

    def expands(self, name: str) -> bool:
        """Whether references inside this value are followed."""
        return name in self.variables and name not in self.literal and not name.startswith(SYSTEM_PREFIXES)


def substitute(text: str, scope: Scope) -> str:
    """Fill every ``${{NAME}}``; what has no value stays as it is written.

    Values of variables are filled in turn, `MAX_ROUNDS` deep; a value that refers to itself
    keeps that reference. Texts that come from events or from steps are never filled.

    Raises:
        TextTooLong: the result, or a value within it, is longer than `MAX_TEXT`.
    """
    return _Filler(scope).fill(text, ()) if _OPEN in text else text


def substitute_pieces(text: str, scope: Scope) -> Iterator[tuple[str, str, bool]]:
    """Fill a text piece by piece: (source, value, whether it is a reference that has a value).

    Raises:
        TextTooLong: as `substitute`.
    """
    filler = _Filler(scope)
    for source, name in _pieces(text):
        value = source if name is None else filler.value(name, source, ())
        yield source, value, name is not None and scope.look_up(name) is not None


def references(text: str) -> list[str]:
    """The names that a text refers to, in order, trimmed, with repetitions."""
    return [name for _, name in _pieces(text) if name is not None]


def stored_references(texts: Iterable[str], scope: Scope) -> set[str]:
    """Return the references to secrets of outside stores, ``secrets.STORE.KEY``, in some texts.

    Those within the values of variables count, where `substitute` would fill them.
    """
    found: set[str] = set()
    to_read = list(texts)
    while to_read:
        new = set(references(to_read.pop())) - found
        found |= new
        to_read += [scope.variables[name] for name in new if scope.expands(name)]
    return {name for name in found if name.startswith(STORES)}


def _pieces(text: str) -> Iterable[tuple[str, str | None]]:
    """Cut a text into (source, None) and (source, name of the reference) parts."""
    done = at = 0
    close = -1
    while (start := text.find(_OPEN, at)) >= 0:
        first = start + len(_OPEN)
        if close < first + 1:  # remembered, so that many openings before one end cost one search
            close = text.find(_CLOSE, first + 1)
        if close < 0:
            break
        if "\n" in text[first:close] and (line_end := text.find("\n", first)) >= 0:
            at = line_end  # a reference stays on its line
            continue
        yield text[done:start], None
        done = at = close + len(_CLOSE)
        yield text[start:done], text[first:close].strip()
    yield text[done:], None


class _Filler:
    """Fills one text; remembers values, so that no value is worked out twice."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._known: dict[tuple[str, int], str] = {}

    def fill(self, text: str, active: tuple[str, ...]) -> str:
        out: list[str] = []
        size = 0
        for source, name in _pieces(text):
            part = source if name is None else self.value(name, source, active)
            size += len(part)
            if size > MAX_TEXT:
                raise TextTooLong(f"text is longer than {MAX_TEXT} characters once its variables are filled")
            out.append(part)
        return "".join(out)

    def value(self, name: str, source: str, active: tuple[str, ...]) -> str:
        if name in active or len(active) >= MAX_ROUNDS:
            return source
        value = self._scope.look_up(name)
        if value is None:
            return source
        if _OPEN not in value or not self._scope.expands(name):
            return value
        key = (name, len(active))
        if key not in self._known:
            self._known[key] = self.fill(value, (*active, name))
        return self._known[key]


def working_directory(text: str | None, scope: Scope) -> str:
    """Where a step runs; absolute, or ``""`` for the image's own directory.

    Args:
        text: the field as written; None where it is absent.
        scope: its step ``main_clone``, where it ran as git-clone, gives the default.

    Raises:
        DirectoryUnknown: the text refers to a step that has not run, or to no step.
    """
    clone = scope.steps.get("main_clone")
    home = VOLUME
    if clone is not None and clone.member("type") == "git-clone":
        home = clone.member("workingDirectory") or VOLUME
    return _directory(text, scope, home)


def clone_directory(text: str | None, scope: Scope) -> str:
    """The directory into which a git-clone step places its folder; absolute.

    Without the field it is the shared volume; a relative path counts as in `working_directory`.
    """
    return VOLUME if text is None else working_directory(text, scope)


def _directory(text: str | None, scope: Scope, home: str) -> str:
    if text is None:
        return home
    filled = substitute(text, msgspec.structs.replace(scope, names_directories=True)).strip()
    if filled == IMAGE_DIRECTORY:
        return ""
    unknown = references(filled)
    if unknown:
        raise DirectoryUnknown(
            f"working directory {text!r} refers to {unknown[0]!r}, which has no value here; "
            "name a step that ran before, or a variable"
        )
    return posixpath.normpath(posixpath.join(home, filled))


def merge(layers: Iterable[Mapping[str, T]]) -> dict[str, T]:
    """Put levels of variables on each other: of equal names, the later layer's value stays.

    The order, lowest first: system, project, contexts in their order, pipeline, trigger, build,
    exports of steps in the order they finished, the step's own environment.
    """
    merged: dict[str, T] = {}
    for layer in layers:
        merged.update(layer)
    return merged


def parse_environment(entries: Iterable[str]) -> dict[str, str | None]:
    """Split ``NAME=value`` entries at the first ``=``; None for an entry without one."""
    parsed: dict[str, str | None] = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        parsed[name] = value if equals else None
    return parsed


class PullRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What an event said about a pull request; None is not told."""

    action: str | None = None
    id: str | None = None
    number: str | None = None
    target: str | None = None
    labels: str | None = None
    title: str | None = None
    comment: str | None = None
    comment_author: str | None = None
    merged: str | None = None
    head_branch: str | None = None
    merged_commit_sha: str | None = None
    head_commit_sha: str | None = None


class BuildFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a build before it starts; None is not known, and gives no variable."""

    build_id: str
    account: str
    pipeline: str  # ``project/pipeline``
    url: str  # of the server, without a slash at its end
    created_ms: int  # epoch, milliseconds
    trigger: str = "build"  # ``build``, ``webhook`` or ``launch-composition``
    initiator: str | None = None
    repo_owner: str | None = None
    repo_name: str | None = None
    branch: str | None = None
    base_branch: str | None = None
    revision: str | None = None
    commit_author: str | None = None
    commit_url: str | None = None
    commit_message: str | None = None
    volume: str | None = None
    pull_request: PullRequest | None = None


def system_variables(facts: BuildFacts) -> dict[str, str]:
    """The variables that the system gives to a build, by name; unknown facts are left out."""
    values: dict[str, str | None] = {
        "CI": "true",
        "CF_BUILD_ID": facts.build_id,
        "CF_BUILD_URL": f"{facts.url}/build/{facts.build_id}",
        "CF_BUILD_TIMESTAMP": str(facts.created_ms),
        "CF_BUILD_TRIGGER": facts.trigger,
        "CF_BUILD_INITIATOR": facts.initiator,
        "CF_ACCOUNT": facts.account,
        "CF_PIPELINE_NAME": facts.pipeline,
        "CF_URL": facts.url,
        "CF_VOLUME_PATH": VOLUME,
        "CF_VOLUME_NAME": facts.volume,
        "CF_REPO_OWNER": facts.repo_owner,
        "CF_REPO_NAME": facts.repo_name,
        "CF_BASE_BRANCH": facts.base_branch,
        "CF_COMMIT_AUTHOR": facts.commit_author,
        "CF_COMMIT_URL": facts.commit_url,
    }
    values |= _branch_variables(facts.branch) | _commit_variables(facts)
    if facts.pull_request is not None:
        values |= _pull_request_variables(facts.pull_request)
    return {name: value for name, value in values.items() if value is not None}


def attempt_variables(step: str, attempt: int, attempts: int) -> dict[str, str]:
    """The variables that tell a step its name, and which of how many attempts it is in."""
    return {
        "CF_STEP_NAME": step.rpartition("#")[2],
        "CF_CURRENT_ATTEMPT": str(attempt),
        "CF_MAX_ATTEMPTS": str(attempts),
    }


def _branch_variables(branch: str | None) -> dict[str, str | None]:
    if branch is None:
        return {}
    tag = image_tag(branch)
    return {
        "CF_BRANCH": branch,
        "CF_BRANCH_TAG_NORMALIZED": tag,
        "CF_BRANCH_TAG_NORMALIZED_LOWER_CASE": tag.lower(),
        "CF_BRANCH_VERSION_NORMALIZED": re.sub(r"[^A-Za-z0-9.-]", "-", branch),
    }


def _commit_variables(facts: BuildFacts) -> dict[str, str | None]:
    message, revision = facts.commit_message, facts.revision
    return {
        "CF_REVISION": revision,
        "CF_SHORT_REVISION": revision and revision[:7],
        "CF_COMMIT_MESSAGE": message and escape_quotes(message),
        "CF_COMMIT_MESSAGE_ESCAPED": message and escape_all(message),
    }


def _pull_request_variables(facts: PullRequest) -> dict[str, str | None]:
    values = {
        f"CF_PULL_REQUEST_{name.upper()}": value for name, value in msgspec.structs.asdict(facts).items()
    }
    values["CF_PULL_REQUEST_TITLE"] = facts.title and escape_quotes(facts.title)
    values["CF_PULL_REQUEST_TITLE_ESCAPED"] = facts.title and escape_all(facts.title)
    return values


def image_tag(branch: str) -> str:
    """A branch name as an image tag: every character that a tag may not have becomes ``-``."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", branch)


def escape_quotes(text: str) -> str:
    """Put a backslash before quotes, so that the text may stand inside a literal."""
    return re.sub(r"(['\"])", r"\\\1", text)


def escape_all(text: str) -> str:
    r"""Put a backslash before every special character of a shell, and write line ends as ``\\n``."""
    return re.sub(r"([^\w\s./:@,+-])", r"\\\1", text, flags=re.ASCII).replace("\n", "\\n")
