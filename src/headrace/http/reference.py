"""The reference that a server has of itself: the page at ``/api/``, the document, the versions."""

from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from headrace.http.errors import NotFound
from headrace.http.openapi import document
from headrace.http.page import page
from headrace.http.routing import Example, Raw, Reply, Route, Router
from headrace.http.scopes import Scope

router = Router("", tag="reference")

_ASSETS = {"reference.css": "text/css", "reference.js": "text/javascript"}
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Reference:
    """The routes of the application, as a document and as a page."""

    def __init__(self, routes: Iterable[Route], *, version: str) -> None:
        self._routes = tuple(routes)
        self.version = version

    def document(self, base_url: str) -> dict[str, Any]:
        """Return the OpenAPI document for a server at ``base_url``."""
        return document(self._routes, version=self.version, server_url=base_url + "/api")

    def page(self, base_url: str) -> str:
        """Return the page as HTML."""
        return page(self.document(base_url), base_url=base_url, last=router.tag)


@router.route("GET", "/", scope=Scope.PUBLIC, sdk="reference.page")
def get_page(raw: Raw, reference: Reference) -> Reply:
    """Read the reference of the API as a page."""
    headers = {"Content-Security-Policy": _POLICY, "X-Frame-Options": "DENY"}
    return Reply(reference.page(raw.base_url), headers=headers, media_type="text/html")


@router.route("GET", "/version", scope=Scope.ANY, sdk="version.getServerVersion")
def get_version(reference: Reference) -> dict[str, str]:
    """Read the version of the server."""
    return {"version": reference.version, "current_commit": reference.version}


@router.route("GET", "/nomios/version", scope=Scope.ANY, sdk="version.getNomiosVersion")
def get_nomios_version(reference: Reference) -> str:
    """Get the version of what starts builds from webhooks."""
    return reference.version


@router.route("GET", "/hermes/version", scope=Scope.ANY, sdk="version.getHermesVersion")
def get_hermes_version(reference: Reference) -> str:
    """Read the version of what serves triggers, which is the server itself."""
    return reference.version


@router.route("GET", "/openapi.json", scope=Scope.PUBLIC, sdk="reference.openapi")
def get_openapi(raw: Raw, reference: Reference) -> dict[str, Any]:
    """Read the OpenAPI document; programs on the Node SDK build their methods from it."""
    return reference.document(raw.base_url)


@router.route(
    "GET",
    "/assets/{name}",
    scope=Scope.PUBLIC,
    sdk="reference.asset",
    example=Example(path={"name": "reference.css"}),
)
def get_asset(name: str) -> Reply:
    """Read a style or script of the reference page.

    `name` is `reference.css` or `reference.js`.
    """
    if name not in _ASSETS:
        raise NotFound(f"could not find the asset {name!r}; there are {', '.join(_ASSETS)}")
    content = files("headrace.http").joinpath("assets", name).read_bytes()
    return Reply(content, media_type=_ASSETS[name])
