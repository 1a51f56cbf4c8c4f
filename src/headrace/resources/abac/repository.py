"""The rows of rules, and the tags of what they are about."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Connection,
    Select,
    and_,
    column,
    delete,
    false,
    insert,
    not_,
    or_,
    select,
    table,
    update,
)

from headrace.http.paging import Pages
from headrace.http.rights import TAGGED, UNTAGGED, Reach, TagRule, Target
from headrace.resources.abac.model import abac_rules
from headrace.storage.members import has_member, has_members
from headrace.storage.metadata import JsonText

_TAGS = "tags"  # the label of pipelines


def _own() -> tuple[ColumnClause[Any], ...]:
    return column("id"), column("account_id")


# Stand-ins for tables of other resources, which know this one.
_teams = table("teams", column("id"), column("account_id"))
_team_members = table("team_members", column("team_id"), column("user_id"))
_pipelines = table("pipelines", *_own(), column("project_id"), column("name"), column("labels", JsonText))
_projects = table("projects", *_own(), column("name"), column("tags", JsonText))
_clusters = table("clusters", *_own(), column("selector"), column("tags", JsonText))
_builds = table("builds", *_own(), column("progress_id"), column("pipeline_id"))
_environments = table("environments", *_own(), column("name"), column("wish"), column("build_id"))


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule."""

    id: str
    account_id: str
    team_id: str
    resource: str
    action: str
    tags: list[str]
    of_project: bool
    needs_all: bool
    created_at: datetime


def listed(
    db: Connection, account_id: str, pages: Pages | None = None, *, team_id: str = "", resource: str = ""
) -> list[Rule]:
    """Return the rules of an account, the oldest first: all, of a team, or about a resource."""
    query = select(abac_rules).where(abac_rules.c.account_id == account_id)
    if team_id:
        query = query.where(abac_rules.c.team_id == team_id)
    if resource:
        query = query.where(abac_rules.c.resource == resource)
    return [
        Rule(**row) for row in (pages or Pages()).read(db, query, abac_rules.c.created_at, abac_rules.c.id)
    ]


def by_id(db: Connection, account_id: str, rule_id: str) -> Rule | None:
    """Find a rule of an account."""
    query = select(abac_rules).where(abac_rules.c.account_id == account_id, abac_rules.c.id == rule_id)
    row = db.execute(query).mappings().first()
    return Rule(**row) if row else None


def add(db: Connection, rules: Iterable[Rule]) -> None:
    """Store new rules."""
    if rows := [msgspec.structs.asdict(one) for one in rules]:
        db.execute(insert(abac_rules), rows)


def set_tags(db: Connection, rule_id: str, tags: Sequence[str]) -> None:
    """Give a rule other tags."""
    db.execute(update(abac_rules).where(abac_rules.c.id == rule_id).values(tags=list(tags)))


def remove(db: Connection, account_id: str, rule_id: str) -> bool:
    """Delete a rule; tell whether there was one."""
    same = abac_rules.c.account_id == account_id, abac_rules.c.id == rule_id
    return db.execute(delete(abac_rules).where(*same)).rowcount == 1


def teams_of(db: Connection, account_id: str) -> set[str]:
    """Return the ids of the teams of an account."""
    return set(db.execute(select(_teams.c.id).where(_teams.c.account_id == account_id)).scalars())


def of_user(db: Connection, account_id: str, user_id: str, resource: str) -> list[tuple[str, TagRule]]:
    """Return what the teams of a user allow with a resource: (action, which objects) of each rule."""
    query = (
        select(abac_rules.c.action, abac_rules.c.tags, abac_rules.c.of_project, abac_rules.c.needs_all)
        .join(_team_members, _team_members.c.team_id == abac_rules.c.team_id)
        .where(
            _team_members.c.user_id == user_id,
            abac_rules.c.account_id == account_id,
            abac_rules.c.resource == resource,
        )
        .order_by(abac_rules.c.id)
    )
    return [
        (action, TagRule(tags=tuple(tags), of_project=of_project, needs_all=needs_all))
        for action, tags, of_project, needs_all in db.execute(query)
    ]


def target(db: Connection, account_id: str, kind: str, reference: str) -> Target | None:
    """Return what counts of an object, by id or name; None where the account has none."""
    return _TARGETS[kind](db, account_id, reference)


def _pipeline(db: Connection, account_id: str, reference: str) -> Target | None:
    query = (
        select(_pipelines.c.id, _pipelines.c.labels, _projects.c.tags)
        .join(_projects, _projects.c.id == _pipelines.c.project_id)
        .where(
            _pipelines.c.account_id == account_id,
            or_(_pipelines.c.id == reference, _pipelines.c.name == reference),
        )
    )
    found = db.execute(query).all()
    if not found:
        return None
    _, labels, tags = min(found, key=lambda row: row[0] != reference)  # an id wins
    return Target(tags=tags_of(labels), project_tags=tags)


def _of_build(names: ColumnElement[Any]) -> Callable[[Connection, str, str], Target | None]:
    def find(db: Connection, account_id: str, reference: str) -> Target | None:
        query = (
            select(_builds.c.pipeline_id, _pipelines.c.id, _pipelines.c.labels, _projects.c.tags)
            .select_from(_builds)
            .outerjoin(_pipelines, _pipelines.c.id == _builds.c.pipeline_id)
            .outerjoin(_projects, _projects.c.id == _pipelines.c.project_id)
            .where(_builds.c.account_id == account_id, names == reference)
        )
        row = db.execute(query).first()
        if row is None:
            return None
        named, known, labels, tags = row
        return Target(tags=tags_of(labels or {}), project_tags=tags or [], is_gone=named != known)

    return find


def _environment(db: Connection, account_id: str, reference: str) -> Target | None:
    """Find the environment that its operations find: by id, or the newest of a name, those that end last."""
    table = _environments.c
    query = (
        select(table.id, table.wish, table.build_id)
        .where(table.account_id == account_id, or_(table.id == reference, table.name == reference))
        .order_by(table.id.desc())
    )
    found = db.execute(query).all()
    if not found:
        return None
    _, _, build_id = min(found, key=lambda row: (row[0] != reference, row[1] == "terminate"))
    return _TARGETS["build"](db, account_id, build_id) or Target(is_gone=True)


def _project(db: Connection, account_id: str, reference: str) -> Target | None:
    same = or_(_projects.c.id == reference, _projects.c.name == reference)
    query = select(_projects.c.id, _projects.c.tags).where(_projects.c.account_id == account_id, same)
    found = db.execute(query).all()
    return Target(tags=min(found, key=lambda row: row[0] != reference)[1]) if found else None


def _cluster(db: Connection, account_id: str, reference: str) -> Target | None:
    same = or_(_clusters.c.id == reference, _clusters.c.selector == reference)
    query = select(_clusters.c.tags).where(_clusters.c.account_id == account_id, same)
    found = db.execute(query.order_by(_clusters.c.selector)).first()
    return None if found is None else Target(tags=found[0])


_TARGETS: dict[str, Callable[[Connection, str, str], Target | None]] = {
    "build": _of_build(_builds.c.id),
    "cluster": _cluster,
    "environment": _environment,
    "pipeline": _pipeline,
    "progress": _of_build(_builds.c.progress_id),
    "project": _project,
}


def tags_of(labels: dict[str, Any]) -> list[str]:
    """Return the tags among the labels of a pipeline: a list, or one alone, as `has_member` reads them."""
    if _TAGS not in labels:
        return []
    found = labels[_TAGS]
    each = found if isinstance(found, list) else [found]
    return [one if isinstance(one, str) else msgspec.json.encode(one).decode() for one in each]


def ids(account_id: str, resource: str, reach: Reach) -> Select[tuple[str]]:
    """Return the query of the ids of all objects within reach, to be a part of another query."""
    if resource == "pipeline":
        found = _pipelines
        condition = or_(false(), *(_carries_of_pipeline(account_id, one) for one in reach.rules))
    else:
        found = _projects if resource == "project" else _clusters
        condition = or_(false(), *(_carries(found.c.tags, one) for one in reach.rules if not one.of_project))
    return select(found.c.id).where(found.c.account_id == account_id, condition)


def _carries_of_pipeline(account_id: str, rule: TagRule) -> ColumnElement[bool]:
    if not rule.of_project:
        return _carries(_pipelines.c.labels, rule, key=_TAGS)
    projects = select(_projects.c.id).where(
        _projects.c.account_id == account_id, _carries(_projects.c.tags, rule)
    )
    return _pipelines.c.project_id.in_(projects)


def _carries(tags: ColumnElement[Any], rule: TagRule, *, key: str | None = None) -> ColumnElement[bool]:
    each = [
        has_members(tags, key=key)
        if tag == TAGGED
        else not_(has_members(tags, key=key))
        if tag == UNTAGGED
        else has_member(tags, tag, key=key)
        for tag in rule.tags
    ]
    return and_(*each) if rule.needs_all else or_(*each)
