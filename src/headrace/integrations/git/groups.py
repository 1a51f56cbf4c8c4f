"""Groups of people at a Git host: the teams of GitHub's organisations, the groups of GitLab.

Source: the REST documentation of GitHub ("Teams", "Organizations") and GitLab ("Groups", "Members").
"""

from urllib.parse import quote

import msgspec

from headrace.integrations.git.base import HostFailed
from headrace.integrations.git.hosts import Host

KINDS = ("github", "gitlab")
MOST_GROUPS = 200  # of one login; with more, none are told


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One group with those who are in it."""

    id: str  # the host's, which stays when the group is renamed
    name: str  # ``organisation/team``
    members: list[str]  # login names


def groups_of(host: Host, kind: str) -> list[Group]:
    """Return the groups that a login sees, by name.

    Args:
        host: the Git host with its login.
        kind: one of `KINDS`.

    Raises:
        HostFailed: the host does not tell, or tells of more than `MOST_GROUPS`.
    """
    found = _of_github(host) if kind == "github" else _of_gitlab(host)
    return sorted(found, key=lambda group: (group.name, group.id))


def _of_github(host: Host) -> list[Group]:
    places = [
        (organisation.text("login"), team)
        for organisation in host.every("/user/orgs")
        for team in host.every(f"/orgs/{quote(organisation.text('login'), safe='')}/teams")
    ]
    _refuse_many(len(places))
    return [
        Group(
            id=team.text("id"),
            name=f"{organisation}/{team.text('slug')}",
            members=[
                one.text("login")
                for one in host.every(
                    f"/orgs/{quote(organisation, safe='')}/teams/{quote(team.text('slug'), safe='')}/members"
                )
            ],
        )
        for organisation, team in places
    ]


def _of_gitlab(host: Host) -> list[Group]:
    seen = host.every("/groups?min_access_level=10")  # those that the login is in, as a guest at least
    _refuse_many(len(seen))
    return [
        Group(
            id=group.text("id"),
            name=group.text("full_path"),
            members=[
                one.text("username")
                for one in host.every(f"/groups/{quote(group.text('id'), safe='')}/members/all")
                if one.text("state") in ("", "active")
            ],
        )
        for group in seen
    ]


def _refuse_many(number: int) -> None:
    if number > MOST_GROUPS:
        raise HostFailed(
            f"the login sees {number} groups, at most {MOST_GROUPS} are taken; give a token that sees fewer"
        )
