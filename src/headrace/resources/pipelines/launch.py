"""Launching a stored composition without a pipeline: a build of one step does it."""

import msgspec
import yaml
from sqlalchemy import Connection

from headrace.kit.crypto import SecretBox
from headrace.resources.compositions import service as compositions
from headrace.resources.pipelines import service
from headrace.resources.pipelines.gather import Origin
from headrace.resources.pipelines.schemas import LaunchBody, RunBody

_KIND = "launch-composition"


def start(db: Connection, box: SecretBox, request: service.Request, wanted: str, body: LaunchBody) -> str:
    """Start a build that launches a composition as the environment of its name.

    Args:
        db: an open transaction.
        box: seals the secrets of the build.
        request: who asks.
        wanted: id or name of the composition.
        body: variables over those of the composition.

    Returns:
        The id of the build.

    Raises:
        NotFound: the account has no such composition.
        BadRequest: a variable cannot be put into a step.
    """
    found = compositions.get(db, request.caller.account_id, wanted)
    step = {
        "title": f"Launching composition {found.name}",
        "type": _KIND,
        "composition": found.id,  # its name may be that of a file
        "environment_name": found.name,
        "composition_variables": compositions.variables(body.vars),
    }
    text = yaml.safe_dump({"version": "1.0", "steps": {"launch": step}}, sort_keys=False)
    request = msgspec.structs.replace(request, origin=Origin(kind=_KIND))
    return service.run_yaml(db, box, request, RunBody(user_yaml_descriptor=text))
