"""What a user may do with which objects: rules of teams, beside the scopes of keys.

A rule lets a team do something with the pipelines, projects or clusters that carry some tags. What no rule
allows is refused; admins need none. A route declares its `Right`, and the edge of the API asks about the
object that its path names, before the handler runs. Lists, and what is made anew, ask `Rights` themselves.

What a user may not read does not exist for that user (404); what may be read but not done is refused (403).

Source: Codefresh docs, "Access control" (administration/account-user-management/access-control).
"""

from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec
from sqlalchemy import Connection, Select

from headrace.http.auth import Caller
from headrace.http.errors import Forbidden, NotFound

# What rules are about, and what they can allow.
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "pipeline": ("create", "read", "update", "delete", "run", "approve", "debug"),
    "project": ("create", "read", "update", "delete"),
    "cluster": ("create", "read", "update", "delete"),
}
TAGGED, UNTAGGED = "*", "untagged"  # in the place of a tag: whatever has one, and what has none
EVERYWHERE = (TAGGED, UNTAGGED)
EVERYBODY = "users"  # the team of an account that each new user comes into

YAML = "yaml"  # a run without a pipeline; has no tags and no project
# What a path can name → the resource that its rules are about.
_RESOURCE_OF = {"build": "pipeline", "environment": "pipeline", "progress": "pipeline", YAML: "pipeline"}
# What the handler says of an object that is not there; one that may not be read is told the same way.
_MISSING = {
    "build": "could not find build {!r}: Build was not found",
    "cluster": "could not find cluster {!r}",
    "environment": "could not find environment {!r}",
    "pipeline": "could not find pipeline {!r}: not found in this account",
    "progress": "could not find progress {!r}",
    "project": "could not find project {!r}: not found in this account",
}


class Right(msgspec.Struct, frozen=True):
    """What a caller of an operation needs a rule for.

    Args:
        action: one of `ACTIONS`.
        kind: what it is done to: a resource; ``build``, ``progress`` or ``environment`` (the pipeline of it
            counts); or `YAML`.
        named_by: the parameter of the path that names it; empty: the handler asks `Rights`.
    """

    action: str
    kind: str
    named_by: str = ""

    @property
    def resource(self) -> str:
        """What the rules are about."""
        return resource_of(self.kind)


def resource_of(kind: str) -> str:
    """Return the resource whose rules count for a kind of object."""
    return _RESOURCE_OF.get(kind, kind)


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What rules look at of an object."""

    tags: Collection[str] = ()
    project_tags: Collection[str] = ()  # of the project of a pipeline
    is_gone: bool = False  # a build of a pipeline that was deleted: nobody knows its tags


class TagRule(msgspec.Struct, frozen=True, kw_only=True):
    """Which objects a rule is about."""

    tags: tuple[str, ...]
    of_project: bool = False  # the tags are those of the project, not of the pipeline itself
    needs_all: bool = False  # all of the tags must be there; else one is enough

    def covers(self, target: Target) -> bool:
        """Tell whether an object carries the tags."""
        there = target.project_tags if self.of_project else target.tags
        found = (
            bool(there) if tag == TAGGED else not there if tag == UNTAGGED else tag in there
            for tag in self.tags
        )
        return all(found) if self.needs_all else any(found)


class Reach(msgspec.Struct, frozen=True):
    """The objects that a user may do something with: those that one of some rules is about."""

    rules: tuple[TagRule, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether no object of the account is left out, for which nothing must be looked up."""
        return any(
            {TAGGED, UNTAGGED}
            <= {
                tag for one in self.rules if one.of_project is level and not one.needs_all for tag in one.tags
            }
            for level in (False, True)
        )

    def covers(self, target: Target) -> bool:
        """Tell whether an object is among them."""
        return self.is_everything or (not target.is_gone and any(one.covers(target) for one in self.rules))


class Rules(Protocol):
    """Knows the rules, and the tags of objects; filled by `resources.abac.service`."""

    def of_user(self, db: Connection, account_id: str, user_id: str, resource: str, /) -> Mapping[str, Reach]:
        """Return what the teams of a user allow: action → reach; an action that no rule allows is absent."""

    def target(self, db: Connection, account_id: str, kind: str, reference: str, /) -> Target | None:
        """Return what counts of an object, by id or name; None where the account has none."""

    def ids(self, account_id: str, resource: str, reach: Reach, /) -> Select[tuple[str]]:
        """Return the query of the ids of all objects within reach, to be a part of another query."""


class Seen(msgspec.Struct, frozen=True):
    """What of a list may be shown, as a condition of its query."""

    ids: Select[tuple[str]]  # of pipelines, projects or clusters
    untagged: bool  # what has neither tags nor a project is shown, too: a build without a pipeline


class Rights:
    """What the caller of one request may do. The rules of a resource are read once, when first needed.

    Args:
        caller: who calls.
        rules: None: every user may do everything.
    """

    def __init__(self, caller: Caller, rules: Rules | None) -> None:
        self.caller = caller
        self._rules = None if caller.is_account_admin or caller.is_platform_admin else rules
        self._known: dict[str, Mapping[str, Reach]] = {}

    def seen(self, db: Connection, resource: str) -> Seen | None:
        """Return what of a list the caller may see; None: all of it."""
        reach = self._reach(db, resource, "read")
        if self._rules is None or reach.is_everything:
            return None
        ids = self._rules.ids(self.caller.account_id, resource, reach)
        return Seen(ids, reach.covers(Target()))

    def require(self, db: Connection, action: str, resource: str, target: Target) -> None:
        """Refuse what no rule allows with an object that the caller describes. Raises `Forbidden`."""
        if self._rules is not None and not self._reach(db, resource, action).covers(target):
            tags = ", ".join(sorted(target.tags)) or "no tags"
            raise Forbidden(f"no rule of your teams allows to {action} a {resource} with {tags}; {_CURE}")

    def admit(self, db: Connection, action: str, kind: str, reference: str) -> None:
        """Refuse what no rule allows with an object; let pass what is not there, which others tell.

        Args:
            db: an open connection.
            action: what is to be done.
            kind: of the object, as in `Right`.
            reference: its id or name; not read for `YAML`.

        Raises:
            NotFound: the caller may not even read it.
            Forbidden: the caller may read it, and not do this.
        """
        resource = resource_of(kind)
        reach = self._reach(db, resource, action)
        if self._rules is None or reach.is_everything:
            return
        if kind == YAML:
            self.require(db, action, resource, Target())
            return
        target = self._rules.target(db, self.caller.account_id, kind, reference)
        if target is None or reach.covers(target):
            return
        if not self._reach(db, resource, "read").covers(target):
            raise NotFound(_MISSING[kind].format(reference))
        raise Forbidden(
            f"no rule of your teams allows to {action} this {resource}: {kind} {reference!r}; {_CURE}"
        )

    def sees(self, db: Connection, kind: str, reference: str) -> bool:
        """Tell whether the caller may read an object, or it is not there."""
        return self.allows(db, "read", kind, reference)

    def allows(self, db: Connection, action: str, kind: str, reference: str) -> bool:
        """Tell whether the caller may do something with an object, or it is not there."""
        try:
            self.admit(db, action, kind, reference)
        except (NotFound, Forbidden):
            return False
        return True

    def _reach(self, db: Connection, resource: str, action: str) -> Reach:
        if self._rules is None:
            return Reach()
        if resource not in self._known:
            caller = self.caller
            self._known[resource] = self._rules.of_user(db, caller.account_id, caller.user_id, resource)
        return self._known[resource].get(action, _NOTHING)


_NOTHING = Reach()
_CURE = "an admin of the account can add one (POST /api/abac)"
