"""The operations of rules of teams."""

from typing import Any

from headrace.http.auth import Caller
from headrace.http.paging import Pages
from headrace.http.routing import Connection, Example, Router
from headrace.http.scopes import Scope
from headrace.resources.abac import service
from headrace.resources.abac.schemas import (
    MoreTags,
    NewRule,
    NewRules,
    ResourceOut,
    RuleBatch,
    RuleOut,
    TagsBody,
)

router = Router("/abac", tag="abac")

_TEAM = "6923f0a41c2b9f3a7d0000c0"
_RULE = {"team": _TEAM, "resource": "pipeline", "action": "run", "tags": ["dev"]}


@router.route("GET", "/resources", scope=Scope.GENERAL, sdk="abac.resources.list")
def list_resources() -> list[ResourceOut]:
    """List what rules of teams can be about, and what they can allow."""
    return service.resources()


@router.route("GET", "", scope=Scope.GENERAL, sdk="abac.rules.list", admin=True)
def list_rules(caller: Caller, db: Connection, pages: Pages) -> list[RuleOut]:
    """List the rules of all teams of the account, the oldest first."""
    return service.listed(db, caller.account_id, pages)


@router.route(
    "POST", "", scope=Scope.GENERAL, sdk="abac.rules.create", admin=True, example=Example(body=_RULE)
)
def create_rule(body: NewRule, caller: Caller, db: Connection) -> list[RuleOut]:
    """Let a team do something with what carries some tags; answers a list of one.

    Without tags the rule is about everything. A rule that is there already is not made again.
    """
    return service.create(db, caller.account_id, [body])


@router.route(
    "POST",
    "/batch",
    scope=Scope.GENERAL,
    sdk="abac.rules.createOrDelete",
    admin=True,
    example=Example(body={"create": [_RULE], "delete": []}),
)
def change_rules(body: RuleBatch, caller: Caller, db: Connection) -> list[RuleOut]:
    """Make some rules and delete others, all or none; answers those that were made."""
    return service.change(db, caller.account_id, body)


@router.route(
    "GET",
    "/resource/{resource}",
    scope=Scope.GENERAL,
    sdk="abac.rules.listByResource",
    operation="abac-list-by-resource",
    admin=True,
    example=Example(path={"resource": "pipeline"}),
)
def list_rules_of_resource(resource: str, caller: Caller, db: Connection, pages: Pages) -> list[RuleOut]:
    """List the rules about a resource, the oldest first."""
    return service.listed(db, caller.account_id, pages, resource=resource)


@router.route(
    "GET",
    "/team/{teamId}",
    scope=Scope.GENERAL,
    sdk="abac.rules.listByTeam",
    operation="abac-list-by-team",
    admin=True,
)
def list_rules_of_team(teamId: str, caller: Caller, db: Connection, pages: Pages) -> list[RuleOut]:  # noqa: N803 - the wire name
    """List the rules of a team, the oldest first."""
    return service.listed(db, caller.account_id, pages, team_id=teamId)


@router.route(
    "POST",
    "/teamRules",
    scope=Scope.GENERAL,
    sdk="abac.rules.createInBatch",
    admin=True,
    example=Example(
        body={"teams": [_TEAM], "resource": "pipeline", "actions": ["read", "run"], "tags": ["dev"]}
    ),
)
def create_rules(body: NewRules, caller: Caller, db: Connection) -> list[RuleOut]:
    """Make a rule for each of some teams and actions, all or none."""
    return service.create_each(db, caller.account_id, body)


@router.route(
    "POST",
    "/tags/rule/{rule}",
    scope=Scope.GENERAL,
    sdk="abac.rules.tags.update",
    admin=True,
    example=Example(body={"tags": ["dev", "test"]}),
)
def set_tags(rule: str, body: TagsBody, caller: Caller, db: Connection) -> RuleOut:
    """Give a rule other tags in the place of its own."""
    return service.set_tags(db, caller.account_id, rule, body.tags)


@router.route(
    "POST",
    "/tags/rules",
    scope=Scope.GENERAL,
    sdk="abac.rules.tags.create",
    admin=True,
    example=Example(body={"tags": ["test"], "rules": ["6923f0a41c2b9f3a7d0000c1"]}),
)
def add_tags(body: MoreTags, caller: Caller, db: Connection) -> list[RuleOut]:
    """Give some rules more tags, beside their own."""
    return service.add_tags(db, caller.account_id, body)


@router.route("DELETE", "/{rule}", scope=Scope.GENERAL, sdk="abac.rules.delete", admin=True)
def delete_rule(rule: str, caller: Caller, db: Connection) -> dict[str, Any]:
    """Delete a rule; what it alone allowed is refused from the next request on."""
    service.delete(db, caller.account_id, rule)
    return {}


@router.route("GET", "/{rule}", scope=Scope.GENERAL, sdk="abac.rules.get", admin=True)
def get_rule(rule: str, caller: Caller, db: Connection) -> RuleOut:
    """Get a rule of a team."""
    return service.find(db, caller.account_id, rule)
