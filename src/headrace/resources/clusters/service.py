"""The rules of clusters: logins are sealed, and a cluster is called outside of every transaction."""

import base64
import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from headrace.execution.ports import Deployment, Kubeconfig, Rollout
from headrace.http.auth import Caller
from headrace.http.errors import BadRequest, Conflict, Forbidden, NotFound
from headrace.http.paging import Pages
from headrace.http.rights import Seen
from headrace.integrations.clusters import (
    ClusterRefused,
    Credentials,
    CredentialsInvalid,
    Networks,
    secrets_of,
    to_kubeconfig,
)
from headrace.integrations.clusters.credentials import by_token, from_kubeconfig
from headrace.kit.crypto import SecretBox
from headrace.resources.clusters import repository
from headrace.resources.clusters.schemas import (
    ClusterAuth,
    ClusterFields,
    ClusterName,
    ClusterOut,
    CredentialsOut,
)
from headrace.resources.registries import service as registries
from headrace.storage.engine import Database

if TYPE_CHECKING:
    from headrace.integrations.clusters.client import Cluster

Result = TypeVar("Result")
_PROVIDERS = ("local", "gke", "aks", "eks", "amazon", "custom")
_PLAIN = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # a name that leads to no other place
_NAME_LENGTH = 63  # of a secret's name, to be safe beside what is put before it


def listed(
    db: Connection, account_id: str, pages: Pages | None = None, *, seen: Seen | None = None
) -> list[ClusterOut]:
    """Return the account's clusters by name, without logins; only what ``seen`` lets the reader see."""
    return [_shown(each) for each in repository.listed(db, account_id, pages, seen=seen)]


def get(db: Connection, account_id: str, wanted: str) -> ClusterOut:
    """Return a cluster by its id or name. Raises `NotFound`."""
    return _shown(_find(db, account_id, wanted))


def create(
    database: Database,
    box: SecretBox,
    networks: Networks,
    account_id: str,
    provider: str,
    given: ClusterFields,
) -> ClusterOut:
    """Store a cluster, after it was called with the login; behind a firewall it is not called.

    Raises:
        BadRequest: something is missing or cannot be, or the cluster refuses.
        Conflict: the name is taken.
    """
    if provider not in _PROVIDERS:
        raise BadRequest(f"provider must be one of {', '.join(_PROVIDERS)}")
    name, credentials = _read(given)
    if not given.behind_firewall:
        _call(name, credentials, networks, lambda cluster: cluster.check())
    try:
        with database.transaction() as db:
            repository.add(
                db,
                account_id,
                now=datetime.now(UTC),
                selector=name,
                provider=provider,
                behind_firewall=given.behind_firewall,
                url=credentials.url,
                tags=sorted(set(given.tags)),
                credentials=box.seal(msgspec.json.encode(credentials).decode(), account_id),
            )
            return get(db, account_id, name)
    except IntegrityError:
        message = f"cluster already exists: {name!r}; delete it first, or choose another name"
        raise Conflict(message) from None


def delete(db: Connection, account_id: str, wanted: str) -> None:
    """Forget a cluster, by id or name; nothing happens in it. Raises `NotFound`."""
    repository.remove(db, account_id, _find(db, account_id, wanted).id)


def ask(
    database: Database,
    box: SecretBox,
    networks: Networks,
    account_id: str,
    wanted: str,
    question: Callable[["Cluster"], Result],
) -> Result:
    """Ask a cluster something, by its id or name.

    Raises:
        NotFound: there is none.
        BadRequest: it does not answer, or refuses; the text says why.
    """
    with database.reading() as db:
        found = _find(db, account_id, wanted)
    return _call(found.selector, _opened(box, found), networks, question)


def put_pull_secret(
    database: Database,
    box: SecretBox,
    networks: Networks,
    account_id: str,
    wanted: str,
    *,
    namespace: str,
    registry: str,
) -> str:
    """Store the login of a registry in a namespace, for pods to pull with; return the secret's name.

    Raises:
        NotFound: the account has no such cluster or registry.
        BadRequest: nobody can log in to the registry by name and password, or the cluster refuses.
    """
    with database.reading() as db:
        _find(db, account_id, wanted)
        name = registries.find(db, account_id, registry).name
        access = next(each for each in registries.accesses(db, box, account_id) if each.name == name)
    if access.refusal:
        raise BadRequest(access.refusal)
    domain = "https://index.docker.io/v1/" if access.domain == "docker.io" else access.domain
    secret = _secret_name(access.domain, name)
    logins = {domain: (access.username, access.password)}
    ask(
        database,
        box,
        networks,
        account_id,
        wanted,
        lambda cluster: cluster.put_pull_secret(namespace, secret, logins),
    )
    return secret


def deploy(
    database: Database, box: SecretBox, networks: Networks, account_id: str, order: Deployment
) -> tuple[Rollout, ...]:
    """Give what is behind a service another image, or bring in a manifest; the same twice is once.

    Raises:
        NotFound: the account has no such cluster or registry.
        BadRequest: a name is none of Kubernetes, or the cluster refuses.
    """
    names = (
        {"namespace": order.namespace}
        if order.manifest
        else {"namespace": order.namespace, "service": order.service}
    )
    for field, name in names.items():
        if not _PLAIN.fullmatch(name):
            raise BadRequest(f"{field} {name!r} is no name in Kubernetes")
    secret = ""
    if order.registry and not order.manifest:
        secret = put_pull_secret(
            database,
            box,
            networks,
            account_id,
            order.cluster,
            namespace=order.namespace,
            registry=order.registry,
        )

    def change(cluster: "Cluster") -> list[tuple[str, str, str]]:
        if order.manifest:
            return cluster.apply(order.namespace, order.manifest)
        return cluster.set_image(order.namespace, order.service, order.image, secret, mark=order.mark)

    changed = ask(database, box, networks, account_id, order.cluster, change)
    return tuple(Rollout(*each) for each in changed)


def kubeconfig(db: Connection, box: SecretBox, account_id: str, chosen: Collection[str] | None) -> Kubeconfig:
    """Return the kubeconfig of clusters of the account, for steps.

    Args:
        db: an open connection.
        box: opens the logins.
        account_id: whose clusters.
        chosen: names of those that are in it; None: all.
    """
    found = repository.listed(db, account_id)
    logins = {
        each.selector: _opened(box, each) for each in found if chosen is None or each.selector in chosen
    }
    if not logins:
        return Kubeconfig()
    return Kubeconfig(to_kubeconfig(logins), frozenset().union(*map(secrets_of, logins.values())))


def login(db: Connection, box: SecretBox, account_id: str, wanted: str) -> tuple[str, Credentials]:
    """Return name and login of a cluster, by its id or name. Raises `NotFound`."""
    found = _find(db, account_id, wanted)
    return found.selector, _opened(box, found)


def shown_login(db: Connection, box: SecretBox, caller: Caller, wanted: str) -> CredentialsOut:
    """Return the login of a cluster, by its id or name.

    Raises:
        NotFound: there is none.
        Forbidden: the key is that of a build, which acts for whoever started it.
    """
    _, found = login(db, box, caller.account_id, wanted)
    if caller.build_id:
        raise Forbidden("the key of a build shows no logins; its steps have the kubeconfig in KUBECONFIG")
    return CredentialsOut(
        auth=ClusterAuth(
            bearer=found.token,
            client_certificate=_base64(found.certificate),
            client_key=_base64(found.key),
        ),
        ca=_base64(found.authority),
        url=found.url,
    )


def missing(
    database: Database,
    box: SecretBox,
    networks: Networks,
    account_id: str,
    wanted: str,
    rollouts: Sequence[Rollout],
) -> str:
    """Return what the first unfinished roll-out waits for; empty when all have ended. Raises as `ask`."""

    def look(cluster: "Cluster") -> str:
        return next(
            (lack for each in rollouts if (lack := cluster.missing(each.kind, each.name, each.namespace))),
            "",
        )

    return ask(database, box, networks, account_id, wanted, look) if rollouts else ""


def _call(
    name: str, credentials: Credentials, networks: Networks, question: Callable[["Cluster"], Result]
) -> Result:
    from headrace.integrations.clusters.client import Cluster  # noqa: PLC0415 - 0.2 s

    try:
        with Cluster(credentials, networks) as cluster:
            return question(cluster)
    except ClusterRefused as refusal:
        raise BadRequest(f"cluster {name!r}: {refusal}") from None


def _read(given: ClusterFields) -> tuple[str, Credentials]:
    if bool(given.kubeconfig) == bool(given.host):
        raise BadRequest("give a kubeconfig, or a host with a serviceAccountToken")
    try:
        if given.kubeconfig:
            name, found = from_kubeconfig(given.kubeconfig, given.kube_context)
        else:
            name, found = "", by_token(given.host, given.service_account_token, given.client_ca)
    except CredentialsInvalid as problem:
        raise BadRequest(str(problem)) from None
    name = (given.selector or name).strip()
    if not name:
        raise BadRequest("selector is required: the name of the cluster")
    return name, found


def _find(db: Connection, account_id: str, wanted: str) -> repository.Cluster:
    for each in repository.listed(db, account_id):
        if wanted in (each.id, each.selector):
            return each
    raise NotFound(f"could not find cluster {wanted!r}")


def _opened(box: SecretBox, found: repository.Cluster) -> Credentials:
    return msgspec.json.decode(box.open(found.credentials, found.account_id), type=Credentials)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _secret_name(domain: str, registry: str) -> str:
    """A name that Kubernetes takes, and that two registries never share."""
    plain = re.sub(r"[^a-z0-9]+", "-", f"{domain}-{registry}".lower()).strip("-")[:_NAME_LENGTH].strip("-")
    mark = hashlib.sha256(f"{domain}\0{registry}".encode()).hexdigest()[:6]
    return f"codefresh-generated-{plain}-{mark}"


def _shown(found: repository.Cluster) -> ClusterOut:
    return ClusterOut(
        id=found.id,
        selector=found.selector,
        provider=found.provider,
        behind_firewall=found.behind_firewall,
        url=found.url,
        tags=found.tags,
        cluster=ClusterName(found.selector),
    )
