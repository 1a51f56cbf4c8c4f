"""The operation of badges."""

from headrace.http.routing import Connection, Example, Reply, Router
from headrace.http.scopes import Scope
from headrace.resources.badges import picture, service
from headrace.resources.badges.schemas import BadgeQuery

router = Router("/badges", tag="badges")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


@router.route(
    "GET",
    "/build",
    scope=Scope.PUBLIC,
    sdk="badges.build",
    example=Example(query="accountName=acme&pipelineName=my-project%2Fmy-pipeline&branch=main"),
)
def get_badge(query: BadgeQuery, db: Connection) -> Reply:
    """Draw the status of the last build as a picture, SVG.

    No key is needed, so that a page elsewhere can show it: whoever knows the names sees one word,
    and `unknown` for what does not exist.
    """
    svg = picture.draw(service.look(db, query), rounded=query.type == "cf-2")
    return Reply(svg, media_type="image/svg+xml", headers=_HEADERS)
