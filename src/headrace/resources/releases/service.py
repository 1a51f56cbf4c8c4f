"""Changing releases: a build does it, as any build that runs Helm, with the kubeconfig of the account.

Source: Codefresh docs, "Managing Helm releases": what the ``CF_HELM_…`` variables of such builds are.
"""

import base64
import posixpath
import re
from collections.abc import Mapping, Sequence

import msgspec
import yaml
from sqlalchemy import Connection

from headrace.http.errors import BadRequest, Forbidden, NotFound
from headrace.http.outside import Outside
from headrace.http.rights import Rights
from headrace.http.scopes import Scope
from headrace.resources.clusters import service as clusters
from headrace.resources.clusters.schemas import ClusterOut
from headrace.resources.contexts import service as contexts
from headrace.resources.contexts.schemas import HelmRepository, text_of
from headrace.resources.helm import service as helm
from headrace.resources.pipelines import service as pipelines
from headrace.resources.pipelines.schemas import RunBody
from headrace.resources.projects.schemas import Variable
from headrace.resources.releases import looking, repository
from headrace.resources.releases.looking import ANYWHERE, NAME, Place
from headrace.resources.releases.schemas import (
    ChangeQuery,
    ClusterConfig,
    DeleteBody,
    InstallBody,
    InstallQuery,
    PromoteBody,
    PromoteQuery,
    Setting,
    TestBody,
    ValuesName,
)

_WHERE = '--kube-context "$CF_HELM_KUBE_CONTEXT" --namespace "$CF_HELM_NAMESPACE"'
_THERE = '--kube-context "$CF_HELM_KUBE_CONTEXT" --namespace "$CF_HELM_INSTALLATION_NAMESPACE"'
_LOGIN = (
    'printf %s "$CF_HELM_CHART_REPO_PASSWORD" | helm registry login "$CF_HELM_REGISTRY" '
    '--username "$CF_HELM_CHART_REPO_USER" --password-stdin'
)
_SOURCE = (
    '"$CF_HELM_SOURCE_RELEASE" --revision "$CF_HELM_REVISION" '
    '--kube-context "$CF_HELM_SOURCE_KUBE_CONTEXT" --namespace "$CF_HELM_SOURCE_NAMESPACE"'
)
_LIMIT = '--timeout "${CF_HELM_TIMEOUT}s"'
_MOST_TEXT = 120_000  # bytes of a variable: Linux gives no process a longer one
_PLAIN_URL = re.compile(r"(https?|oci)://[^\s/?#@]+(/[^\s?#@]*)?")
_SPACE = re.compile(r"([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?")
_REVISION = re.compile(r"[1-9][0-9]{0,8}")
Given = dict[str, str]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for a change, and what it takes to look first."""

    request: pipelines.Request
    rights: Rights
    place: Place

    @property
    def outside(self) -> Outside:
        """What this request learns from clusters."""
        return self.request.outside


def config(db: Connection, account_id: str, selector: str) -> ClusterConfig:
    """Return how Helm uses a cluster. Raises `NotFound`."""
    cluster = clusters.get(db, account_id, selector)
    return repository.config(db, account_id, cluster.id) or ClusterConfig()


def store_config(db: Connection, account_id: str, selector: str, given: ClusterConfig) -> ClusterConfig:
    """Store how Helm uses a cluster, in the place of what was there.

    Raises:
        NotFound: the account has no such cluster, or no such pipeline.
        BadRequest: a version of Helm other than 3.
    """
    if given.helm_version != "helm3":
        raise BadRequest(f"helmVersion must be 'helm3', not {given.helm_version[:20]!r}")
    cluster = clusters.get(db, account_id, selector)

    def known(reference: str | None) -> str | None:
        return pipelines.find(db, account_id, reference).id if reference else None

    stored = msgspec.structs.replace(
        given,
        test_release_pipeline=known(given.test_release_pipeline),
        rollback_pipeline=known(given.rollback_pipeline),
        delete_release_pipeline=known(given.delete_release_pipeline),
    )
    repository.store(db, account_id, cluster.id, stored)
    return stored


def install(db: Connection, asked: Asked, query: InstallQuery, body: InstallBody) -> str:
    """Start a build that installs a chart, or upgrades its release; return its id.

    Raises:
        NotFound: there is no such cluster, repository, or context with values.
        BadRequest: the address of the repository is none.
    """
    cluster = _cluster(db, asked, "update", query.selector)
    source = _repository(db, asked, body.repository)
    release = body.release_name or _name_of(body.name)
    given = {
        "CF_HELM_RELEASE": release,
        "CF_HELM_KUBE_CONTEXT": cluster.selector,
        "CF_HELM_NAMESPACE": body.namespace,
        "CF_HELM_INSTALLATION_NAMESPACE": body.namespace,
        "CF_HELM_CHART_NAME": body.name,
        "CF_HELM_CHART_REPO_URL": source.url,
    }
    chart, commands, secret = _source(source, given)
    if body.version:
        given["CF_HELM_CHART_VERSION"] = body.version
        chart += ' --version "$CF_HELM_CHART_VERSION"'
    commands.append(f'set -- upgrade "$CF_HELM_RELEASE" {chart} --install {_THERE}')
    more, hidden = _values(db, asked, given, body.values, body.set)
    commands += [*more, 'helm "$@"']
    return _start(db, asked, f"Installing chart {body.name}", commands, given, secret | hidden)


def delete(db: Connection, asked: Asked, release: str, query: ChangeQuery, body: DeleteBody) -> str:
    """Start a build that deletes a release; return its id. Raises as `rollback`."""
    given = _located(db, asked, release, query)
    given |= {
        "CF_HELM_TIMEOUT": str(body.timeout),
        "CF_HELM_PURGE": text_of(body.purge),
        "CF_HELM_NO_HOOKS": text_of(body.no_hooks),
    }
    command = f'set -- uninstall "$CF_HELM_RELEASE" {_WHERE} {_LIMIT}'
    command += "" if body.purge else " --keep-history"
    command += " --no-hooks" if body.no_hooks else ""
    own = config(db, asked.place.account_id, query.selector).delete_release_pipeline
    commands = [command, 'helm "$@"']
    return _start(db, asked, f"Deleting release {release}", commands, given, own=own)


def test(db: Connection, asked: Asked, release: str, query: ChangeQuery, body: TestBody) -> str:
    """Start a build that runs the tests of a release; return its id. Raises as `rollback`."""
    given = _located(db, asked, release, query)
    given |= {"CF_HELM_TIMEOUT": str(body.timeout), "CF_HELM_CLEANUP": text_of(body.cleanup)}
    own = config(db, asked.place.account_id, query.selector).test_release_pipeline
    commands = [f'helm test "$CF_HELM_RELEASE" {_WHERE} {_LIMIT} --logs']
    return _start(db, asked, f"Testing release {release}", commands, given, own=own)


def rollback(db: Connection, asked: Asked, release: str, revision: str, query: ChangeQuery) -> str:
    """Start a build that rolls a release back; return its id.

    Raises:
        NotFound: there is no such cluster, release or revision.
        Conflict: several namespaces have a release of that name, and none was named.
        BadRequest: the cluster cannot be asked, and no namespace was named.
    """
    if not _REVISION.fullmatch(revision):
        raise BadRequest(f"revision must be a number from 1, not {revision[:20]!r}")
    given = _located(db, asked, release, query, int(revision)) | {"CF_HELM_REVISION": revision}
    own = config(db, asked.place.account_id, query.selector).rollback_pipeline
    commands = [f'helm rollback "$CF_HELM_RELEASE" "$CF_HELM_REVISION" {_WHERE}']
    return _start(db, asked, f"Rolling back release {release}", commands, given, own=own)


def promote(db: Connection, asked: Asked, query: PromoteQuery, body: PromoteBody) -> str:
    """Start a build that brings a release, its chart and its values, to another place; return its id.

    Raises:
        NotFound: there is no such cluster, board, section, release, revision or context.
        Conflict: several namespaces have a release of that name, and none was named.
        BadRequest: a place was not named, or the chart cannot be taken from the release.
        Forbidden: a pipeline was named, and the key may run none, or no rule allows to run it.
    """
    if body.pipeline_id:
        if not asked.request.caller.may(Scope.PIPELINE_RUN):
            scope = str(Scope.PIPELINE_RUN)
            raise Forbidden(f"Scopes are missing to access this resource: {scope}", missingScopes=[scope])
        asked.rights.admit(db, "run", "pipeline", body.pipeline_id)
    before = ChangeQuery(
        selector=query.selector, namespace=query.namespace, tiller_namespace=query.tiller_namespace
    )
    selector, space = _section(db, asked, body.board, body.source_section, query.selector, before.place)
    target, target_space = _section(
        db, asked, body.board, body.target_section, body.target_selector or "", body.target_namespace or ""
    )
    source = _cluster(db, asked, "read", selector).selector
    revision = None if body.revision is None else int(body.revision)
    found = _taken(asked, source, body.release_name, space, revision)
    space = found["namespace"]
    release = body.target_release_name or body.release_name
    given = {
        "CF_HELM_RELEASE": release,
        "CF_HELM_KUBE_CONTEXT": _cluster(db, asked, "update", target).selector,
        "CF_HELM_NAMESPACE": target_space or space,
        "CF_HELM_INSTALLATION_NAMESPACE": target_space or space,
        "CF_HELM_CHART_ARCHIVE": found["archive"],
        "CF_HELM_SOURCE_RELEASE": body.release_name,
        "CF_HELM_SOURCE_KUBE_CONTEXT": source,
        "CF_HELM_SOURCE_NAMESPACE": space,
        "CF_HELM_REVISION": found["revision"],
        "CF_HELM_BOARD": body.board or "",
        "CF_HELM_SOURCE_SECTION": body.source_section or "",
        "CF_HELM_TARGET_SECTION": body.target_section or "",
    }
    commands = [
        'printf %s "$CF_HELM_CHART_ARCHIVE" | base64 -d > /tmp/chart.tgz',
        f"helm get values {_SOURCE} --output yaml > /tmp/source.yml",
        f'set -- upgrade "$CF_HELM_RELEASE" /tmp/chart.tgz --install {_THERE} --values /tmp/source.yml',
    ]
    more, hidden = _values(db, asked, given, body.values, body.set)
    commands += [*more, 'helm "$@"']
    return _start(db, asked, f"Promoting release {release}", commands, given, hidden, own=body.pipeline_id)


def _source(source: HelmRepository, given: Given) -> tuple[str, list[str], Given]:
    """Add where a chart comes from to what is given.

    Returns:
        The chart as arguments of ``helm upgrade``, the commands before it, and variables that are secret.
    """
    is_registry = source.url.startswith("oci://")
    chart = '"$CF_HELM_CHART_NAME" --repo "$CF_HELM_CHART_REPO_URL"'
    if is_registry:
        chart = '"$CF_HELM_CHART_REPO_URL/$CF_HELM_CHART_NAME"'
    if not source.username:
        return chart, [], {}
    given["CF_HELM_CHART_REPO_USER"] = source.username
    secret = {"CF_HELM_CHART_REPO_PASSWORD": source.password}
    if not is_registry:
        login = ' --username "$CF_HELM_CHART_REPO_USER" --password "$CF_HELM_CHART_REPO_PASSWORD"'
        return chart + login, [], secret
    given["CF_HELM_REGISTRY"] = source.url.split("/")[2]
    return chart, [_LOGIN], secret


def _start(
    db: Connection,
    asked: Asked,
    title: str,
    commands: Sequence[str],
    given: Mapping[str, str],
    secret: Mapping[str, str] | None = None,
    *,
    own: str | None = None,
) -> str:
    """Start the build: of a pipeline of the account, or of one step of type ``helm``."""
    variables = [
        Variable(key=key, value=value, encrypted=encrypted)
        for encrypted, some in ((False, given), (True, secret or {}))
        for key, value in some.items()
        if value
    ]
    if own:
        return pipelines.run(db, asked.place.reach.box, asked.request, own, RunBody(variables=variables))
    step = {"title": title, "type": "helm", "arguments": {"action": "auth", "commands": list(commands)}}
    text = yaml.safe_dump({"version": "1.0", "steps": {"helm": step}}, sort_keys=False)
    body = RunBody(variables=variables, user_yaml_descriptor=text)
    return pipelines.run_yaml(db, asked.place.reach.box, asked.request, body)


def _located(
    db: Connection, asked: Asked, release: str, query: ChangeQuery, revision: int | None = None
) -> Given:
    """Return what names a release that there is: the cluster is asked, unless it is behind a firewall."""
    if not NAME.fullmatch(release):
        raise NotFound(f"could not find release {release!r}: no release can have that name")
    cluster = _cluster(db, asked, "update", query.selector)
    namespace = query.place
    if not cluster.behind_firewall:
        namespace = _asked(asked, cluster.selector, release, namespace, revision)
    elif namespace == ANYWHERE:
        raise BadRequest(f"cluster {cluster.selector!r} is behind a firewall; name the namespace: namespace=")
    return {
        "CF_HELM_RELEASE": release,
        "CF_HELM_KUBE_CONTEXT": cluster.selector,
        "CF_HELM_NAMESPACE": namespace,
        "CF_HELM_VERSION": "3",
    }


def _cluster(db: Connection, asked: Asked, action: str, selector: str) -> ClusterOut:
    """Return a cluster that rules of teams let the caller do this with. Raises `NotFound`, `Forbidden`."""
    asked.rights.admit(db, action, "cluster", selector)
    return clusters.get(db, asked.place.account_id, selector)


def _asked(asked: Asked, selector: str, release: str, namespace: str, revision: int | None) -> str:
    key = (asked.place.account_id, "release", selector, release, namespace, revision)
    return asked.outside.get(
        key, lambda: looking.get(asked.place, selector, release, namespace, revision).namespace
    )


def _taken(asked: Asked, selector: str, release: str, namespace: str, revision: int | None) -> dict[str, str]:
    """Return namespace, revision and packed chart of a release."""

    def fetch() -> str:
        found = looking.get(asked.place, selector, release, namespace, revision)
        archive = base64.b64encode(looking.archive(found)).decode()
        if len(archive) > _MOST_TEXT:
            raise BadRequest(
                f"the chart of release {release!r} is too large to be handed on: {len(archive)} bytes, "
                f"and {_MOST_TEXT} are the limit; install it from its repository"
            )
        told = {"namespace": found.namespace, "revision": str(found.version), "archive": archive}
        return msgspec.json.encode(told).decode()

    key = (asked.place.account_id, "chart", selector, release, namespace, revision)
    return msgspec.json.decode(asked.outside.get(key, fetch), type=dict[str, str])


def _section(
    db: Connection, asked: Asked, board: str | None, section: str | None, selector: str, namespace: str
) -> tuple[str, str]:
    """Return cluster and namespace: those that were named, else those of a section of a board."""
    if selector:
        return selector, namespace
    if not board or not section:
        raise BadRequest("name the clusters (selector, targetSelector), or a board with its two sections")
    account_id = asked.place.account_id
    found = helm.section(db, account_id, board_id=helm.board(db, account_id, name=board).id, name=section)
    cluster, _, own = found.section.partition("/")
    if not _SPACE.fullmatch(own):
        raise BadRequest(f"section {section!r} of the board is for {own!r}, which is no name of a namespace")
    return cluster, own if own and namespace in ("", ANYWHERE, "default") else namespace


def _repository(db: Connection, asked: Asked, name: str) -> HelmRepository:
    if "://" in name:
        if not _PLAIN_URL.fullmatch(name):
            raise BadRequest(f"repository {name[:100]!r} is no address; write 'https://charts.example.org'")
        return HelmRepository(name.rstrip("/"))
    try:
        return contexts.helm_repository(db, asked.place.reach.box, asked.place.account_id, name)
    except LookupError as problem:
        raise NotFound(str(problem)) from None


def _values(
    db: Connection,
    asked: Asked,
    given: Given,
    names: Sequence[ValuesName] | None,
    settings: Sequence[Setting] | None,
) -> tuple[list[str], Given]:
    """Add values to what is given; return the commands that use them, and those that are secret."""
    commands: list[str] = []
    secret: Given = {}
    if names and not asked.request.caller.may(Scope.GENERAL):
        raise Forbidden(
            f"values: contexts need the scope {Scope.GENERAL}, too", missingScopes=[str(Scope.GENERAL)]
        )
    for at, each in enumerate(names or ()):
        try:
            text, is_secret = contexts.values_of(db, asked.place.reach.box, asked.place.account_id, each.name)
        except LookupError as problem:
            raise NotFound(str(problem)) from None
        if (size := len(text.encode())) > _MOST_TEXT:
            raise BadRequest(
                f"context {each.name!r} is too large to be handed on: {size} bytes, "
                f"and {_MOST_TEXT} are the limit"
            )
        (secret if is_secret else given)[f"CF_HELM_VALUES_{at}"] = text
        commands.append(f'printf %s "$CF_HELM_VALUES_{at}" > /tmp/values_{at}.yml')
        commands.append(f'set -- "$@" --values /tmp/values_{at}.yml')
    for at, one in enumerate(settings or ()):
        given[f"CF_HELM_SET_{at}"] = f"{one.key}={text_of(one.value)}"
        commands.append(f'set -- "$@" --set "$CF_HELM_SET_{at}"')
    return commands, secret


def _name_of(chart: str) -> str:
    return posixpath.basename(chart).lower().replace("_", "-")
