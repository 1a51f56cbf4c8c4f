"""Write the API document from the routes: ``make openapi``.

The file is committed, because a review then shows what changed on the wire.
"""

import importlib
import json
import pkgutil
from importlib.metadata import version
from pathlib import Path

from headrace import resources
from headrace.http import openapi, reference
from headrace.http.routing import Route, Router

FILE = Path(__file__).parents[1] / "openapi.json"


def all_routes() -> list[Route]:
    """Every route that the reference or a resource declares, whether or not a list names its router."""
    routers = [reference.router]
    for part in pkgutil.walk_packages(resources.__path__, f"{resources.__name__}."):
        if part.name.endswith(".routes"):
            module = importlib.import_module(part.name)
            routers += [value for value in vars(module).values() if isinstance(value, Router)]
    return [route for router in routers for route in router.routes]


def text() -> str:
    """The document as it is stored: sorted, indented, with a relative address."""
    document = openapi.document(all_routes(), version=version("headrace"), server_url="/api")
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
