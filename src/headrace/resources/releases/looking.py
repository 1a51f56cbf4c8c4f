"""Looking at releases: whoever asks waits for the cluster, outside of every transaction."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from headrace.http.auth import Caller
from headrace.http.errors import BadRequest, Conflict, NotFound
from headrace.integrations.clusters import ClusterRefused, Networks
from headrace.integrations.clusters.releases import Release
from headrace.kit.clock import wire_time
from headrace.kit.crypto import SecretBox
from headrace.resources.clusters import service as clusters
from headrace.resources.releases import repository
from headrace.resources.releases.schemas import ReleaseDetail, ReleaseOut
from headrace.storage.engine import Database

if TYPE_CHECKING:
    from headrace.integrations.clusters.client import Cluster

ANYWHERE = "*"
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,51}[a-z0-9])?")


class Reach(msgspec.Struct, frozen=True):
    """What this installation reaches clusters with."""

    database: Database
    box: SecretBox
    networks: Networks

    def of(self, caller: Caller) -> "Place":
        """Return what reaches the clusters of the caller's account."""
        return Place(self, caller.account_id)


class Place(msgspec.Struct, frozen=True):
    """The clusters of one account, and what reaches them."""

    reach: Reach
    account_id: str

    def ask(self, selector: str, question: "Callable[[Cluster], list[Release]]") -> list[Release]:
        """Ask a cluster by its id or name. Raises as `clusters.service.ask`."""
        reach = self.reach
        return clusters.ask(reach.database, reach.box, reach.networks, self.account_id, selector, question)


def listed(place: Place, selector: str, namespace: str) -> list[ReleaseOut]:
    """Return the newest revision of each release, by namespace and name.

    Args:
        place: what reaches the cluster.
        selector: id or name of the cluster.
        namespace: ``*`` is all that the cluster's Helm configuration names, else all.

    Raises:
        NotFound: there is no such cluster.
        BadRequest: it does not answer, or refuses.
    """
    where = _namespaces(place, selector, namespace)
    found = place.ask(selector, lambda cluster: [one for name in where for one in cluster.releases(name)])
    return [_shown(one) for one in found]


def history(place: Place, selector: str, name: str, namespace: str) -> list[ReleaseOut]:
    """Return what Helm still keeps of a release, the newest revision first. Raises as `get`."""
    return [_shown(one) for one in _revisions(place, selector, name, namespace)]


def detail(place: Place, selector: str, name: str, namespace: str, revision: int | None) -> ReleaseDetail:
    """Return a revision of a release with its values and its manifest. Raises as `get`."""
    one = get(place, selector, name, namespace, revision)
    return ReleaseDetail(
        **msgspec.structs.asdict(_shown(one)),
        values=one.config or {},
        chart_values=one.chart.values or {},
        dependencies=one.chart.dependencies,
        manifest=one.manifest,
        notes=one.info.notes,
    )


def get(place: Place, selector: str, name: str, namespace: str, revision: int | None = None) -> Release:
    """Return a revision of a release; the newest for None.

    Raises:
        NotFound: there is no such cluster, release or revision.
        Conflict: several namespaces have a release of that name, and none was named.
        BadRequest: the cluster does not answer, or refuses.
    """
    found = _revisions(place, selector, name, namespace)
    for one in found:
        if revision in (None, one.version):
            return one
    kept = ", ".join(str(one.version) for one in found)
    raise NotFound(f"could not find revision {revision} of release {name!r}; there are {kept}")


def _revisions(place: Place, selector: str, name: str, namespace: str) -> Sequence[Release]:
    if not NAME.fullmatch(name):  # it becomes a part of a question to the cluster
        raise NotFound(f"could not find release {name!r}: no release can have that name")
    where = _namespaces(place, selector, namespace)
    found = place.ask(
        selector, lambda cluster: [one for space in where for one in cluster.revisions(space, name)]
    )
    spaces = sorted({one.namespace for one in found})
    if not found:
        looked = "any namespace" if where == [ANYWHERE] else f"namespace {', '.join(map(repr, where))}"
        raise NotFound(f"could not find release {name!r} in {looked} of cluster {selector!r}")
    if len(spaces) > 1:
        message = f"release {name!r} is in namespaces {', '.join(map(repr, spaces))}; name one: namespace="
        raise Conflict(message)
    return found


def _namespaces(place: Place, selector: str, namespace: str) -> list[str]:
    if namespace != ANYWHERE:
        return [namespace]
    with place.reach.database.reading() as db:
        cluster = clusters.get(db, place.account_id, selector)
        config = repository.config(db, place.account_id, cluster.id)
    return list((config and config.release_namespaces) or [ANYWHERE])


def archive(release: Release) -> bytes:
    """Return the chart of a release, packed. Raises `BadRequest` where a part of it is missing."""
    try:
        return release.archive()
    except ClusterRefused as problem:
        raise BadRequest(str(problem)) from None


def _shown(one: Release) -> ReleaseOut:
    return ReleaseOut(
        name=one.name,
        namespace=one.namespace,
        revision=one.version,
        status=one.info.status,
        updated=wire_time(one.updated_at) if one.updated_at else None,
        chart=one.chart.text("name"),
        chart_version=one.chart.text("version"),
        app_version=one.chart.text("appVersion"),
        description=one.info.description,
    )
