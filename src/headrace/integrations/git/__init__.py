"""Git hosts. A provider is asked in this order whether it knows a request."""

from collections.abc import Mapping

from headrace.integrations.git.base import GitProvider
from headrace.integrations.git.bitbucket import Bitbucket
from headrace.integrations.git.files import by_git, from_web
from headrace.integrations.git.github import GitHub
from headrace.integrations.git.gitlab import GitLab
from headrace.integrations.git.groups import Group, groups_of
from headrace.integrations.git.hosts import Host
from headrace.integrations.git.plain import Plain

__all__ = ["PROVIDERS", "Group", "Host", "by_git", "from_web", "groups_of", "provider_of"]

PROVIDERS: tuple[GitProvider, ...] = (GitHub(), GitLab(), Bitbucket(), Plain())


def provider_of(headers: Mapping[str, str]) -> GitProvider | None:
    """Return the provider that sent a request with these headers; None where none did."""
    return next((one for one in PROVIDERS if one.speaks(headers)), None)
