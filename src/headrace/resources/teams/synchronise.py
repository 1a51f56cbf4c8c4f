"""Teams that are kept as the groups of a Git host are: who is in them, how they are called, that they are.

A group's members are the users of the account that have the same name; nobody is invited.
"""

import hashlib
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection

from headrace.execution.ports import GitCredentials
from headrace.http.errors import BadRequest, NotFound
from headrace.http.outside import Outside
from headrace.integrations.clusters import Networks
from headrace.integrations.git import Host
from headrace.integrations.git.base import HostFailed
from headrace.integrations.git.groups import KINDS, Group, groups_of
from headrace.kit.crypto import SecretBox
from headrace.resources.contexts import service as contexts
from headrace.resources.teams import repository, service
from headrace.resources.teams.schemas import SyncQuery, SyncTeamsOut
from headrace.resources.users import service as users


def synchronise(
    db: Connection, box: SecretBox, outside: Outside, account_id: str, name: str, kind: str, query: SyncQuery
) -> SyncTeamsOut:
    """Make the teams of an account what the groups of a Git host are.

    Teams that were made by hand stay; those of a group that is gone go. The same again changes nothing.

    Args:
        db: a transaction; it is rolled back while the host is asked.
        box: opens the login.
        outside: asks the host.
        account_id: whose teams.
        name: of the git context.
        kind: ``github`` or ``gitlab``; the context must be of it.
        query: another token for the host.

    Raises:
        BadRequest: the kind is another, or the host does not answer.
        NotFound: there is no git context of this name.
    """
    if kind not in KINDS:
        raise BadRequest(
            f"type: groups are taken from {' and '.join(KINDS)}, not from {kind!r}; "
            "PUT /api/team/{teamId}/{userId}/assignUserToTeam fills any team"
        )
    context = contexts.git_name(db, account_id, name)
    if context is None:
        raise NotFound(f"could not find a git context {name!r}; create it, or name another")
    try:
        there, login = contexts.git_host(db, box, account_id, context)
    except LookupError as problem:
        raise BadRequest(f"name: {problem}") from None
    if there != kind:
        raise BadRequest(f"type: git context {context!r} is of {there}, not of {kind}")
    if query.access_token:
        login = msgspec.structs.replace(login, password=query.access_token)
    mark = hashlib.sha256(query.access_token.encode()).hexdigest()
    told = outside.get(
        ("groups", context, mark), lambda: _ask(kind, login, outside.networks, context=context)
    )
    return _store(db, account_id, f"{kind}/{context}", msgspec.json.decode(told, type=list[Group]))


def _ask(kind: str, login: GitCredentials, networks: Networks, *, context: str) -> str:
    try:
        return msgspec.json.encode(groups_of(Host(kind, login, networks), kind)).decode()
    except HostFailed as problem:
        raise BadRequest(f"git context {context!r}: {problem}") from None


def _store(db: Connection, account_id: str, source: str, found: list[Group]) -> SyncTeamsOut:
    out = SyncTeamsOut()
    listed = repository.listed(db, account_id)
    before = {team.remote: team for team in listed if team.source == source}
    taken = {team.name for team in listed}
    for team in before.values():
        if team.remote not in {group.id for group in found}:
            repository.remove(db, account_id, team.id)
            taken.discard(team.name)
            out.deleted.append(team.name)
    people = _People(db, account_id)
    kept = set()
    for group in found:
        team_id = _team_of(db, account_id, source, group, before.get(group.id), taken, out)
        if team_id is None:
            continue
        kept.add(team_id)
        _fill(db, account_id, team_id, people.known(group.members))
    out.unknown_users = sorted(people.unknown)
    out.teams = [team for team in service.listed(db, account_id) if team.id in kept]
    return out


def _team_of(
    db: Connection,
    account_id: str,
    source: str,
    group: Group,
    team: repository.Team | None,
    taken: set[str],
    out: SyncTeamsOut,
) -> str | None:
    """Return the id of the team of a group, made or renamed; None where its name is another team's."""
    free = group.name not in taken
    if team is not None:
        if free:
            repository.rename(db, account_id, team.id, group.name)
            taken.add(group.name)
        elif team.name != group.name:
            out.skipped.append(group.name)  # its members follow all the same
        return team.id
    if not free:
        out.skipped.append(group.name)
        return None
    taken.add(group.name)
    out.created.append(group.name)
    now = datetime.now(UTC)
    return repository.add(db, account_id, name=group.name, tags=[], now=now, source=source, remote=group.id)


def _fill(db: Connection, account_id: str, team_id: str, wanted: set[str]) -> None:
    there = set(repository.members(db, account_id).get(team_id, ()))
    for user_id in sorted(wanted - there):
        repository.add_member(db, team_id, user_id)
    for user_id in sorted(there - wanted):
        repository.remove_member(db, team_id, user_id)


class _People:
    """The users of an account by the names that they have elsewhere: the same, in whatever case."""

    def __init__(self, db: Connection, account_id: str) -> None:
        found = users.members(db, account_id).values()
        self._ids = {user.name.casefold(): user.id for user in found} | {user.name: user.id for user in found}
        self.unknown: set[str] = set()  # asked for, and no users of the account

    def known(self, names: list[str]) -> set[str]:
        """Return the ids of those that are users; note the others."""
        ids = {name: self._ids.get(name) or self._ids.get(name.casefold()) for name in names}
        self.unknown |= {name for name, user_id in ids.items() if user_id is None}
        return {user_id for user_id in ids.values() if user_id is not None}
