"""The operations of environments."""

from typing import Any

from headrace.http.routing import Router
from headrace.http.scopes import Scope

router = Router("/environments", tag="environments")


@router.route("GET", "", scope=Scope.GENERAL, sdk="envs.list")
def list_environments() -> list[Any]:
    """List the environments of the account: none, nothing happens that launches one.

    They would be compositions that go on after a build; a build takes down what it starts.
    """
    return []
