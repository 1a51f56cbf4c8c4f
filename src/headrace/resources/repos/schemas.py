"""Repositories on the wire."""

from typing import Annotated

import msgspec

from headrace.http.paging import After, Limit

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class RepoQuery(msgspec.Struct, kw_only=True):
    """Of which Git integration."""

    context: Annotated[
        str, msgspec.Meta(max_length=255, description="name of a git context; the default one where absent")
    ] = ""


class ReposQuery(RepoQuery, kw_only=True):
    """Which repositories."""

    limit: Limit = 0
    after: After = ""


class Owner(msgspec.Struct, kw_only=True):
    """Whose repository."""

    name: _Text


class Scm(msgspec.Struct, kw_only=True):
    """The repository at its host."""

    name: _Text
    owner: Owner


class ServiceDetails(msgspec.Struct, kw_only=True):
    """What is added."""

    name: _Text
    scm: Scm


class RepoBody(msgspec.Struct, kw_only=True, rename="camel"):
    """The body that adds a repository."""

    service_details: ServiceDetails


class OwnerOut(msgspec.Struct, kw_only=True):
    """Whose repository."""

    login: str


class AddedOut(msgspec.Struct, kw_only=True, rename={"id": "_id", "service_name": "serviceName"}):
    """A repository that the account added."""

    id: str
    service_name: str
    provider: str  # name of the git context
    owner: OwnerOut
    name: str
    created: str


class GitRepoOut(msgspec.Struct, kw_only=True):
    """A repository as its host shows it."""

    provider: str  # name of the git context
    owner: OwnerOut
    name: str
    private: bool
    ssh_url: str
    https_url: str
    default_branch: str
