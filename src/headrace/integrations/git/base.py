"""What a Git host tells us, in one form for all hosts, and what we tell it.

Source: `reference/pipeline-yaml.md`, sections 2.2 (variables of events) and 7.2 (names of events).
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Literal, Protocol
from urllib.parse import parse_qs

import msgspec

from headrace.pipeline.variables import PullRequest

State = Literal["pending", "running", "success", "failure", "error"]

PUSH = frozenset({"push"})


class PayloadUnknown(ValueError):
    """A payload is no JSON object, or lacks what its event must have; the text says what."""


class HostFailed(Exception):
    """A Git host could not be asked or told something; the text says why, without secrets."""


class FileMissing(HostFailed):
    """There is no such file, revision or repository, or the login does not see it."""


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A release that an event is about."""

    name: str
    tag: str
    id: str
    prerelease: bool = False


class GitEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened in a repository."""

    provider: str  # ``github``, ``gitlab`` …
    names: frozenset[str]  # every value of ``events`` that it answers to: ``push``, ``push.heads``
    repo: str  # ``owner/name``
    sender: str  # who did it
    branch: str | None = None  # pushed branch or tag; of a pull request, its source
    base_branch: str | None = None  # where a tag was made
    revision: str | None = None
    message: str | None = None  # of the head commit
    author: str | None = None
    commit_url: str | None = None
    files: tuple[str, ...] | None = None  # changed ones; None: not told
    pull_request: PullRequest | None = None
    fork: bool = False  # a pull request from another repository
    comment: str | None = None
    # Of a comment: whether its author may work in the repository. A stranger's comment has
    # ``commentAdded`` only for triggers that do not ask.
    trusted: bool = True
    release: Release | None = None


class GitProvider(Protocol):
    """One kind of Git host. Pure: nothing is asked over the network."""

    name: str

    def speaks(self, headers: Mapping[str, str]) -> bool:
        """Tell whether a request with these headers (lower-case names) comes from such a host."""

    def is_genuine(self, headers: Mapping[str, str], body: bytes, secret: str) -> bool:
        """Tell, in constant time, whether the sender knows the secret."""

    def delivery(self, headers: Mapping[str, str]) -> str:
        """Return the host's mark of a delivery, the same when it is sent again; ``""`` for none."""

    def parse(self, headers: Mapping[str, str], payload: Mapping[str, Any]) -> GitEvent | None:
        """Return what happened; None for an event that starts no builds (a ping, a star).

        Raises:
            PayloadUnknown: the payload lacks what its event must have.
        """


def payload_of(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Read a payload: JSON, or a form with the JSON in its field ``payload``.

    Raises:
        PayloadUnknown: it is neither, or no object.
    """
    text: bytes | str = body
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        try:
            text = parse_qs(body.decode(), max_num_fields=10).get("payload", [""])[0]
        except ValueError:
            raise PayloadUnknown("the form cannot be read; choose application/json") from None
    try:
        payload = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise PayloadUnknown("the payload is not valid JSON") from None
    if not isinstance(payload, dict):
        raise PayloadUnknown("the payload must be an object")
    return payload


def has_signature(given: str, body: bytes, secret: str, *, prefix: str = "sha256=") -> bool:
    """Tell whether ``given`` is ``sha256=<HMAC of the body>``, in constant time."""
    if not secret or not given.startswith(prefix):
        return False
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(given[len(prefix) :].encode(), expected.encode())


def is_same(given: str, secret: str) -> bool:
    """Tell whether two texts are equal, in constant time; an empty secret is nobody's."""
    return bool(secret) and hmac.compare_digest(given.encode(), secret.encode())


class Fields:
    """Reads a payload: what is absent or of another type is empty, never an exception.

    Args:
        value: any JSON value.
    """

    def __init__(self, value: object) -> None:
        self._value = value

    def at(self, *path: str | int) -> "Fields":
        """Go inwards, by names and indexes."""
        value = self._value
        for step in path:
            if isinstance(step, str) and isinstance(value, dict):
                value = value.get(step)
            elif isinstance(step, int) and isinstance(value, list) and -len(value) <= step < len(value):
                value = value[step]
            else:
                return Fields(None)
        return Fields(value)

    def text(self, *path: str | int) -> str:
        """Return a text, or a number as text; else ``""``."""
        value = self.at(*path)._value  # noqa: SLF001 - of this class
        if isinstance(value, str):
            return value
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""

    def maybe(self, *path: str | int) -> str | None:
        """Return a text that is not empty; else None."""
        return self.text(*path) or None

    def flag(self, *path: str | int) -> bool:
        """Tell whether the value is true."""
        return self.at(*path)._value is True  # noqa: SLF001 - of this class

    @property
    def is_false(self) -> bool:
        """Tell whether the value is there and is false."""
        return self._value is False

    def items(self, *path: str | int) -> "list[Fields]":
        """Return the members of a list; else none."""
        value = self.at(*path)._value  # noqa: SLF001 - of this class
        return [Fields(one) for one in value] if isinstance(value, list) else []

    def __bool__(self) -> bool:
        return bool(self._value)


def repo_of(text: str) -> str:
    """Return ``owner/name`` of a repository that the payload names.

    Raises:
        PayloadUnknown: it is none.
    """
    owner, slash, name = text.partition("/")
    if not (owner and slash and name):
        raise PayloadUnknown(f"the payload names no repository as owner/name, but {text[:100]!r}")
    return text


def branch_of(ref: str) -> tuple[str, bool]:
    """Take ``refs/heads/main`` or ``refs/tags/v1`` apart: the name, and whether it is a tag."""
    if ref.startswith("refs/tags/"):
        return ref.removeprefix("refs/tags/"), True
    return ref.removeprefix("refs/heads/"), False


def push_names(*, tag: bool, created: bool, deleted: bool) -> frozenset[str]:
    """Return the names of a push. One that deletes answers to no other name: there is nothing to build."""
    if deleted:
        return frozenset({"push.deleteBranch"}) if not tag else frozenset()
    names = {"push", "push.tags" if tag else "push.heads"}
    if created and not tag:
        names.add("push.newBranch")
    return frozenset(names)


def files_of(commits: list[Fields]) -> tuple[str, ...] | None:
    """Return the files that commits of a push changed, sorted; None where they do not tell."""
    kinds = ("added", "modified", "removed")
    if not any(commit.at(kind)._value is not None for commit in commits for kind in kinds):  # noqa: SLF001
        return None
    return tuple(
        sorted({one.text() for commit in commits for kind in kinds for one in commit.items(kind)} - {""})
    )
