"""Routes made from `table.LINES`: each with its scope, its summary and an example that runs."""

import re
from collections.abc import Callable
from typing import Any

from headrace.http.auth import Caller
from headrace.http.errors import NotFound, NotOffered
from headrace.http.routing import Example, Router
from headrace.http.scopes import Scope
from headrace.resources.refused.table import LINES, Line

router = Router("", tag="not offered")

_PARAMETER = re.compile(r"\{(\w+)\}")


def _handler(line: Line) -> Callable[[], Any]:
    def answer() -> Any:  # noqa: ANN401 - any JSON value
        if line.cure:
            raise NotOffered(line.cure)
        return line.value

    end = ": not offered, the answer is 501" if line.cure else ": none"
    answer.__doc__ = f"{line.what}{end}."
    if line.cure:
        answer.__doc__ += f"\n\n{line.cure[0].upper()}{line.cure[1:]}."
    return answer


for _line in LINES:
    router.route(
        _line.method,
        _line.path,
        scope=_line.scope,
        sdk=_line.sdk,
        operation=_line.operation,
        admin=_line.admin,
        effect=False,
        example=Example(path=dict.fromkeys(_PARAMETER.findall(_line.path), "sample")),
    )(_handler(_line))


@router.route("GET", "/features/{accountId}", scope=Scope.GENERAL, sdk="features.account")
def get_features(accountId: str, caller: Caller) -> dict[str, bool]:  # noqa: N803 - the wire name
    """Get the features that are switched for an account alone: none.

    All accounts of an installation have the same ones.
    """
    if accountId != caller.account_id:
        raise NotFound(f"could not find the account {accountId!r}")
    return {}
