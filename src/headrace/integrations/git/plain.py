"""Any other host, or a script: a small payload of our own, signed like GitHub's.

``{"event": "push.heads", "repo": "owner/name", "branch": "main", "revision": "…"}``
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.integrations.git.base import GitEvent, PayloadUnknown, has_signature, is_same, repo_of
from headrace.pipeline.variables import PullRequest

_WIDER = ("push", "pullrequest", "release")  # ``push.heads`` is a ``push``, too


class _PlainPull(msgspec.Struct, frozen=True):
    number: str | int = ""
    target: str = ""
    title: str = ""
    action: str = ""
    fork: bool = False


class _Plain(msgspec.Struct, frozen=True):
    """The payload."""

    event: str
    repo: str
    branch: str | None = None
    revision: str | None = None
    message: str | None = None
    author: str | None = None
    sender: str = ""
    files: tuple[str, ...] | None = None
    comment: str | None = None
    pull_request: _PlainPull | None = None


class Plain:
    """Fills `GitProvider`."""

    name = "plain"

    def speaks(self, headers: Mapping[str, str]) -> bool:
        """Tell whether the sender says that it is ours."""
        return "x-headrace-signature-256" in headers or "x-headrace-token" in headers

    def is_genuine(self, headers: Mapping[str, str], body: bytes, secret: str) -> bool:
        """Check the signature of the body, or compare the token where there is no signature."""
        if "x-headrace-signature-256" in headers:
            return has_signature(headers["x-headrace-signature-256"], body, secret)
        return is_same(headers.get("x-headrace-token", ""), secret)

    def delivery(self, headers: Mapping[str, str]) -> str:
        """Return the sender's own mark."""
        return headers.get("x-headrace-delivery", "")

    def parse(self, headers: Mapping[str, str], payload: Mapping[str, Any]) -> GitEvent | None:  # noqa: ARG002 - all is in the payload
        """Read the payload."""
        try:
            plain = msgspec.convert(payload, _Plain)
        except msgspec.ValidationError as problem:
            raise PayloadUnknown(f"the payload does not fit: {problem}") from None
        pull = plain.pull_request
        return GitEvent(
            provider=self.name,
            names=frozenset(
                {plain.event, *(wide for wide in _WIDER if plain.event.startswith((wide + ".", wide + ":")))}
            ),
            repo=repo_of(plain.repo),
            sender=plain.sender or plain.author or self.name,
            branch=plain.branch,
            revision=plain.revision,
            message=plain.message,
            author=plain.author,
            files=plain.files,
            comment=plain.comment,
            fork=pull is not None and pull.fork,
            pull_request=None
            if pull is None
            else PullRequest(
                action=pull.action or plain.event.partition(".")[2] or None,
                number=str(pull.number) or None,
                target=pull.target or None,
                title=pull.title or None,
                comment=plain.comment,
            ),
        )
