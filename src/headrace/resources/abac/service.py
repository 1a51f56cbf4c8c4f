"""The rules of teams: how they are made, and what they let a user do."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Select

from headrace.http.errors import BadRequest, NotFound
from headrace.http.paging import Pages
from headrace.http.rights import ACTIONS, EVERYWHERE, Reach, TagRule, Target
from headrace.kit.ids import new_id
from headrace.resources.abac import repository
from headrace.resources.abac.repository import Rule
from headrace.resources.abac.schemas import (
    MoreTags,
    NewRule,
    NewRules,
    ResourceOut,
    RuleBatch,
    RuleOut,
)

tags_of = repository.tags_of


class TeamRules:
    """Fills `http.rights.Rules`. Keeps nothing: a rule counts from the next request on."""

    def of_user(self, db: Connection, account_id: str, user_id: str, resource: str, /) -> Mapping[str, Reach]:
        """Return what the teams of a user allow, in one query; an action that no rule allows is absent."""
        found: dict[str, list[TagRule]] = {}
        for action, rule in repository.of_user(db, account_id, user_id, resource):
            found.setdefault(action, []).append(rule)
        return {action: Reach(tuple(rules)) for action, rules in found.items()}

    def target(self, db: Connection, account_id: str, kind: str, reference: str, /) -> Target | None:
        """Return what counts of an object, by id or name; None where the account has none."""
        return repository.target(db, account_id, kind, reference)

    def ids(self, account_id: str, resource: str, reach: Reach, /) -> Select[tuple[str]]:
        """Return the query of the ids of all objects within reach."""
        return repository.ids(account_id, resource, reach)


def resources() -> list[ResourceOut]:
    """Return what rules can be about, and what they can allow there."""
    return [
        ResourceOut(
            name=name, actions=list(actions), related_resources=["project"] if name == "pipeline" else []
        )
        for name, actions in ACTIONS.items()
    ]


def listed(
    db: Connection, account_id: str, pages: Pages, *, team_id: str = "", resource: str = ""
) -> list[RuleOut]:
    """Return rules of an account, the oldest first.

    Raises:
        BadRequest: rules are about no such resource.
        NotFound: there is no such team.
    """
    if resource and resource not in ACTIONS:
        raise _no_resource(resource)
    if team_id and team_id not in repository.teams_of(db, account_id):
        raise _no_team(team_id)
    return [
        shown(one) for one in repository.listed(db, account_id, pages, team_id=team_id, resource=resource)
    ]


def find(db: Connection, account_id: str, rule_id: str) -> RuleOut:
    """Return a rule. Raises `NotFound`."""
    return shown(_find(db, account_id, rule_id))


def create(db: Connection, account_id: str, new: Sequence[NewRule]) -> list[RuleOut]:
    """Make rules; one that is there already is not made again, and is answered as it is.

    Raises:
        BadRequest: rules are about no such resource, or cannot allow that.
        NotFound: there is no such team.
    """
    teams = repository.teams_of(db, account_id)
    known = {_content(one): one for one in repository.listed(db, account_id)}
    found, made = [], []
    for one in new:
        if one.team not in teams:
            raise _no_team(one.team)
        rule = _rule(account_id, one)
        if _content(rule) not in known:
            known[_content(rule)] = rule
            made.append(rule)
        found.append(known[_content(rule)])
    repository.add(db, made)
    return [shown(one) for one in found]


def create_each(db: Connection, account_id: str, new: NewRules) -> list[RuleOut]:
    """Make a rule for each team and action. Raises as `create`."""
    return create(
        db,
        account_id,
        [
            NewRule(
                team=team,
                resource=new.resource,
                action=action,
                tags=new.tags,
                related_resource="project" if new.is_of_project else "",
                rule_type=new.rule_type,
            )
            for team in new.teams
            for action in new.actions
        ],
    )


def change(db: Connection, account_id: str, batch: RuleBatch) -> list[RuleOut]:
    """Delete rules and make others, all or none; return the new ones. Raises as `create` and `delete`."""
    for rule_id in batch.delete:
        delete(db, account_id, rule_id)
    return create(db, account_id, batch.create)


def delete(db: Connection, account_id: str, rule_id: str) -> None:
    """Delete a rule; what it alone allowed is refused from now on. Raises `NotFound`."""
    if not repository.remove(db, account_id, rule_id):
        raise _no_rule(rule_id)


def set_tags(db: Connection, account_id: str, rule_id: str, tags: Sequence[str]) -> RuleOut:
    """Give a rule other tags; none is all. Raises `NotFound`."""
    repository.set_tags(db, _find(db, account_id, rule_id).id, _sorted(tags))
    return find(db, account_id, rule_id)


def add_tags(db: Connection, account_id: str, more: MoreTags) -> list[RuleOut]:
    """Give rules tags beside their own. Raises `NotFound`."""
    return [
        set_tags(db, account_id, rule_id, [*_find(db, account_id, rule_id).tags, *more.tags])
        for rule_id in more.rules
    ]


def shown(rule: Rule) -> RuleOut:
    """Return a rule as readers see it."""
    return RuleOut(
        id=rule.id,
        role=rule.team_id,
        account=rule.account_id,
        resource=rule.resource,
        action=rule.action,
        attributes=rule.tags,
        related_resource="project" if rule.of_project else None,
        rule_type="all" if rule.needs_all else "any",
    )


def _rule(account_id: str, new: NewRule) -> Rule:
    if new.resource not in ACTIONS:
        raise _no_resource(new.resource)
    if new.action not in ACTIONS[new.resource]:
        allowed = ", ".join(ACTIONS[new.resource])
        raise BadRequest(
            f"action: {new.action!r} is nothing to do with a {new.resource}; choose one of {allowed}"
        )
    if new.is_of_project and new.resource != "pipeline":
        raise BadRequest(f"relatedResource: a {new.resource} has no project; leave it out")
    return Rule(
        id=new_id(),
        account_id=account_id,
        team_id=new.team,
        resource=new.resource,
        action=new.action,
        tags=_sorted(new.tags),
        of_project=new.is_of_project,
        needs_all=new.rule_type == "all",
        created_at=datetime.now(UTC),
    )


def _sorted(tags: Iterable[str]) -> list[str]:
    return sorted(set(tags)) or list(EVERYWHERE)


def _content(rule: Rule) -> tuple[object, ...]:
    return (rule.team_id, rule.resource, rule.action, tuple(rule.tags), rule.of_project, rule.needs_all)


def _find(db: Connection, account_id: str, rule_id: str) -> Rule:
    found = repository.by_id(db, account_id, rule_id)
    if found is None:
        raise _no_rule(rule_id)
    return found


def _no_rule(rule_id: str) -> NotFound:
    return NotFound(f"could not find the rule {rule_id!r}")


def _no_team(team_id: str) -> NotFound:
    return NotFound(f"could not find the team {team_id!r}")


def _no_resource(resource: str) -> BadRequest:
    return BadRequest(f"resource: rules are about {', '.join(ACTIONS)}, not {resource!r}")
