"""The charts of a Helm repository, as its own index lists them.

Source: the chart repository format of Helm (``index.yaml``).
"""

import base64
from typing import Any

import msgspec
import yaml
from sqlalchemy import Connection

from headrace.http.errors import BadRequest, NotFound
from headrace.http.outside import Outside
from headrace.integrations import web
from headrace.integrations.clusters import Networks
from headrace.resources.contexts import service as contexts
from headrace.resources.contexts.schemas import HelmRepository
from headrace.resources.releases.looking import Place
from headrace.resources.releases.schemas import ChartOut

_MOST_BYTES = 2 * 1024 * 1024  # of an index: more would hold up this server while it reads
_MOST_CHARTS = 1000


def listed(db: Connection, place: Place, outside: Outside, name: str) -> list[ChartOut]:
    """Return the charts of a repository by name, with the versions of each, the newest first.

    Args:
        db: an open connection.
        place: whose contexts, and where hosts may be.
        outside: keeps what the repository answered.
        name: of a context of type ``helm-repository``.

    Raises:
        NotFound: there is no such context.
        BadRequest: it is a registry, which has no index, or it does not answer with one.
    """
    try:
        found = contexts.helm_repository(db, place.reach.box, place.account_id, name)
    except LookupError as problem:
        raise NotFound(str(problem)) from None
    if found.url.startswith("oci://"):
        raise BadRequest(f"Helm repository {name!r} is a registry, which has no list of charts")
    key = (place.account_id, "charts", name)
    text = outside.get(key, lambda: _fetch(found, name, place.reach.networks))
    return msgspec.json.decode(text, type=list[ChartOut])


def _fetch(repository: HelmRepository, name: str, networks: Networks) -> str:
    headers = {}
    if repository.username:
        login = base64.b64encode(f"{repository.username}:{repository.password}".encode()).decode()
        headers["Authorization"] = f"Basic {login}"
    url = f"{repository.url}/index.yaml"
    try:
        answer = web.call("GET", url, networks, headers=headers, most_bytes=_MOST_BYTES)
    except web.NoAnswer as problem:
        raise BadRequest(f"Helm repository {name!r}: {problem}") from None
    if answer.status not in web.OK:
        raise BadRequest(f"Helm repository {name!r} answers {answer.status} to {url}")
    if len(answer.content) > _MOST_BYTES:
        raise BadRequest(f"Helm repository {name!r} has an index of more than {_MOST_BYTES} bytes")
    return msgspec.json.encode(_read(answer.content, name)).decode()


def _read(content: bytes, name: str) -> list[ChartOut]:
    try:
        document = yaml.load(content, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        document = None
    entries = document.get("entries") if isinstance(document, dict) else None
    if not isinstance(entries, dict):
        raise BadRequest(f"Helm repository {name!r} has no index of charts at index.yaml")
    charts = [_chart(str(chart), versions) for chart, versions in entries.items() if versions]
    return sorted(charts, key=lambda each: each.name)[:_MOST_CHARTS]


def _chart(name: str, versions: Any) -> ChartOut:  # noqa: ANN401 - as somebody wrote it
    every = [each for each in versions if isinstance(each, dict)] if isinstance(versions, list) else []
    newest = every[0] if every else {}
    return ChartOut(
        name=name,
        version=_text(newest, "version"),
        app_version=_text(newest, "appVersion"),
        description=_text(newest, "description"),
        versions=[_text(each, "version") for each in every],
    )


def _text(entry: dict[str, Any], field: str) -> str:
    found = entry.get(field)
    return "" if found is None else str(found)
