"""The ``kind: pipeline`` document: what must hold, what is secret, and what readers see of it.

Source: `reference/pipeline-yaml.md`, section 8. Keys that are not known here are kept as they are.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from headrace.http.errors import BadRequest
from headrace.kit.clock import wire_time
from headrace.kit.crypto import SecretBox
from headrace.kit.ids import new_id
from headrace.pipeline import external_resources
from headrace.pipeline.document import Document, load, of_mapping
from headrace.pipeline.errors import SpecError, SpecErrors
from headrace.pipeline.spec import ROOT_FIELDS
from headrace.resources.builds import service as builds
from headrace.resources.contexts.schemas import MASK, mask, seal, unseal
from headrace.resources.pipelines import original, spec_template
from headrace.resources.pipelines.yaml_text import to_yaml
from headrace.resources.projects.schemas import Variables, masked, opened, problems, stored_variables
from headrace.resources.triggers import service as triggers
from headrace.resources.triggers.schemas import Trigger

_MOST_NAME = 255
_MOST_TRIGGER_NAME = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_KINDS = {"triggers": triggers.GIT, "cronTriggers": triggers.CRON}
_TRIGGER_LISTS = tuple(_KINDS)
# Worked out for every answer, so never stored.
DERIVED = (
    "id",
    "accountId",
    "project",
    "projectId",
    "shortName",
    "revision",
    "created_at",
    "updated_at",
)
_SHOWN_OF_TRIGGER = ("endpoint", "lastExecutionDate", "lastError")
_MOST_LISTED = 100  # contexts or events in one list
NUMBERS = {  # field → least, most
    "concurrency": (0, 1000),
    "branchConcurrency": (0, 1000),
    "triggerConcurrency": (0, 1000),
    "priority": (-100, 100),
}


class Name(msgspec.Struct, frozen=True):
    """The name of a pipeline: ``project/short``. Both parts may hold slashes."""

    project: str
    short: str

    @property
    def full(self) -> str:
        """The whole name, as clients write it."""
        return f"{self.project}/{self.short}"


def refusal(errors: SpecErrors, what: str) -> BadRequest:
    """Return the answer to a wrong document: all problems, each with its place.

    Args:
        errors: of the language.
        what: begins the message, ``the pipeline is not valid``.
    """
    lines = "\n".join(f"  {error}" for error in errors.errors)
    return BadRequest(f"{what}:\n{lines}", errors=[error.to_dict() for error in errors.errors])


def checked(body: Mapping[str, Any]) -> Name:
    """Check everything of a document but its steps, and return the pipeline's name.

    Raises:
        SpecErrors: all that is wrong, each with its place and its cure.
    """
    of_mapping(body)  # neither too deep nor too large
    found: list[SpecError] = []

    def wrong(path: str, message: str, hint: str = "") -> None:
        found.append(SpecError(message, path=path, hint=hint))

    if body.get("kind", "pipeline") != "pipeline":
        wrong("kind", "must be 'pipeline'")
    name = _name_of(body.get("metadata"), wrong)
    spec = body.get("spec") or {}
    if isinstance(spec, dict):
        _check_spec(spec, wrong)
    else:
        wrong("spec", "must be an object", "write spec: with steps: below it")
    if found or name is None:
        raise SpecErrors(found)
    return name


def problems_around(text: str) -> tuple[SpecError, ...]:
    """Return what `checked` finds in the text of a whole document, with lines; nothing for any other text."""
    try:
        read = load(text)
    except SpecErrors:
        return ()  # the validator says it
    if not isinstance(read.data, dict) or read.data.get("kind") != "pipeline":
        return ()
    try:
        checked(read.data)
    except SpecErrors as wrong:
        return tuple(_at_its_line(error, read) for error in wrong.errors)
    return ()


def _at_its_line(error: SpecError, read: Document) -> SpecError:
    path = tuple(int(part) if part.isdigit() else part for part in error.path.split("."))
    line = read.line(path) or 1
    return msgspec.structs.replace(error, line=line, message=f"{error.path}: {error.message}")


Wrong = Callable[..., None]


def _name_of(metadata: object, wrong: Wrong) -> Name | None:
    hint = "write metadata: {name: my-project/my-pipeline}"
    if not isinstance(metadata, dict):
        wrong("metadata", "is required and must be an object", hint)
        return None
    labels = metadata.get("labels")
    if labels is not None and not isinstance(labels, dict):
        wrong("metadata.labels", "must be an object", "write labels: {key: value}")
    full, project = metadata.get("name"), metadata.get("project") or ""
    if not isinstance(full, str) or not full:
        wrong("metadata.name", "is required and must be a text", hint)
        return None
    if not isinstance(project, str):
        wrong("metadata.project", "must be a text")
        return None
    name = _split(full, project)
    parts = [*name.project.split("/"), *name.short.split("/")]
    if not all(parts) or _CONTROL.search(full) or max(len(name.project), len(name.short)) > _MOST_NAME:
        wrong(
            "metadata.name",
            f"{full[:100]!r} is no name of a pipeline",
            f"write 'project/pipeline', each part 1 to {_MOST_NAME} characters",
        )
    return name


def _split(full: str, project: str) -> Name:
    """Take a name apart: at the end of ``metadata.project`` where it begins so, else at the last slash."""
    if project and full.startswith(project + "/"):
        return Name(project, full[len(project) + 1 :])
    if project and "/" not in full:
        return Name(project, full)
    before, _, short = full.rpartition("/")
    return Name(before, short)


def _check_spec(spec: Mapping[str, Any], wrong: Wrong) -> None:
    for message in problems(spec.get("variables") or [], "spec.variables"):
        path, _, rest = message.partition(": ")
        wrong(path, rest)
    _check_texts(spec.get("contexts"), "spec.contexts", "write contexts: [name]", wrong)
    for area in _TRIGGER_LISTS:
        triggers = spec.get(area) or []
        if not isinstance(triggers, list):
            wrong(f"spec.{area}", "must be a list", f"write {area}: with one '- name: …' for each")
            continue
        for at, trigger in enumerate(triggers):
            _check_trigger(trigger, f"spec.{area}.{at}", _KINDS[area], wrong)
    for field in NUMBERS:
        _check_number(spec.get(field), field, f"spec.{field}", wrong)
    _check_policy(spec.get("terminationPolicy"), "spec.terminationPolicy", wrong)
    if not isinstance(spec.get(builds.RESTART_PERMISSION) or False, bool):
        wrong(f"spec.{builds.RESTART_PERMISSION}", "must be true or false")
    _check_breakpoints(spec.get("debug"), wrong)
    for field in ("options", "specTemplate", "runtimeEnvironment"):
        if not isinstance(spec.get(field) or {}, dict):
            wrong(f"spec.{field}", "must be an object")
    _check_elsewhere(spec, wrong)


def _check_elsewhere(spec: Mapping[str, Any], wrong: Wrong) -> None:
    """Check what names files of repositories."""
    for field, complaint, cure in spec_template.problems(spec.get("specTemplate")):
        wrong(f"spec.specTemplate.{field}", complaint, cure)
    for place, complaint, cure in external_resources.problems(spec.get(external_resources.FIELD)):
        wrong(external_resources.PLACE + place, complaint, cure)


def _check_breakpoints(debug: object, wrong: Wrong) -> None:
    steps = debug.get("steps") if isinstance(debug, dict) else debug
    if not isinstance(steps or {}, dict):
        hint = "write debug: {steps: {unit: {phases: {before: true}}}}"
        wrong("spec.debug", "must name steps and their phases", hint)


def _check_number(value: object, field: str, path: str, wrong: Wrong) -> None:
    least, most = NUMBERS[field]
    if value is not None and not (type(value) is int and least <= value <= most):
        wrong(path, f"must be a whole number from {least} to {most}")


def _check_policy(policy: object, path: str, wrong: Wrong) -> None:
    for place, complaint, cure in () if policy is None else builds.policy_problems(policy):
        wrong(path + place, complaint, cure)


def _check_texts(value: object, path: str, hint: str, wrong: Wrong) -> None:
    if value is not None and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        wrong(path, "must be a list of texts", hint)
    elif isinstance(value, list) and len(value) > _MOST_LISTED:
        wrong(path, f"has {len(value)} entries, at most {_MOST_LISTED} are taken")


def _check_trigger(trigger: object, path: str, kind: str, wrong: Wrong) -> None:
    if not isinstance(trigger, dict):
        wrong(path, "must be an object", "write name:, type: and repo:")
        return
    name = trigger.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= _MOST_TRIGGER_NAME:
        wrong(f"{path}.name", f"is required and must be a text of 1 to {_MOST_TRIGGER_NAME} characters")
    for field in ("id", "repo", "secret"):
        if not isinstance(trigger.get(field) or "", str):
            wrong(f"{path}.{field}", "must be a text")
    repo = trigger.get("repo")
    if isinstance(repo, str) and repo and not all(repo.partition("/")):
        wrong(f"{path}.repo", f"{repo!r} is no repository", "write owner/name")
    _check_texts(trigger.get("events"), f"{path}.events", "write events: [push.heads]", wrong)
    _check_texts(trigger.get("contexts"), f"{path}.contexts", "write contexts: [name]", wrong)
    for field in ("priority", "concurrency"):
        _check_number(trigger.get(field), field, f"{path}.{field}", wrong)
    _check_policy(trigger.get("terminationPolicy"), f"{path}.terminationPolicy", wrong)
    for field, complaint, cure in triggers.problems(trigger, kind):
        wrong(f"{path}.{field}", complaint, cure)
    if not isinstance(trigger.get("options") or {}, dict):
        wrong(f"{path}.options", "must be an object")
    for message in problems(trigger.get("variables") or [], f"{path}.variables"):
        place, _, rest = message.partition(": ")
        wrong(place, rest)


def stored(
    body: Mapping[str, Any], name: Name, box: SecretBox, account_id: str, before: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the document to store: no derived keys, secret values sealed.

    Args:
        body: a document that passed `checked`.
        name: as `checked` returned it.
        box: seals.
        account_id: whose secrets they are.
        before: what is stored now; a given ``*****`` keeps its secret, and triggers of the same
            name keep their ids. None for a new pipeline.
    """
    metadata = {key: value for key, value in body["metadata"].items() if key not in DERIVED}
    metadata["name"] = name.full
    known = (before or {}).get("spec", {})
    spec = dict(body.get("spec") or {})
    if isinstance(spec.get("variables"), list):
        earlier = None if before is None else known.get("variables") or []
        spec["variables"] = stored_variables(
            box, account_id, spec["variables"], earlier, place="spec.variables"
        )
    for area in _TRIGGER_LISTS:
        if isinstance(spec.get(area), list):
            spec[area] = [
                _stored_trigger(trigger, before and _same(trigger, known.get(area) or []), box, account_id)
                for trigger in spec[area]
            ]
    return original.filled({"version": "1.0", "kind": "pipeline", **body, "metadata": metadata, "spec": spec})


def _same(trigger: Mapping[str, Any], known: list[dict[str, Any]]) -> Mapping[str, Any]:
    """Return the stored trigger that a given one replaces: that of its id, else of its name."""
    for field in ("id", "name"):
        for one in known:
            if trigger.get(field) and one.get(field) == trigger[field]:
                return one
    return {}


def _stored_trigger(
    given: Mapping[str, Any], known: Mapping[str, Any] | None, box: SecretBox, account_id: str
) -> dict[str, Any]:
    before = known or {}
    trigger = {key: value for key, value in given.items() if key not in _SHOWN_OF_TRIGGER}
    trigger["id"] = given.get("id") or before.get("id") or new_id()
    if trigger.get("type", "git") == "git":
        secret = given.get("secret")
        if secret in (None, "", MASK):
            trigger["secret"] = before.get("secret") or seal(box, account_id, secrets.token_hex(20))
        else:
            trigger["secret"] = seal(box, account_id, secret)
    if isinstance(trigger.get("variables"), list):
        trigger["variables"] = stored_variables(
            box,
            account_id,
            trigger["variables"],
            None if known is None else before.get("variables") or [],
            place=f"trigger {trigger.get('name')!r}, variables",
        )
    return trigger


def shown(
    document: Mapping[str, Any],
    metadata: Mapping[str, Any],
    *,
    endpoint: str,
    opener: tuple[SecretBox, str] | None = None,
    runs: Mapping[str, Trigger] | None = None,
) -> dict[str, Any]:
    """Return a stored document as readers see it.

    Args:
        document: as stored.
        metadata: the derived keys.
        endpoint: where the events of its triggers go; the id of the trigger is appended.
        opener: a box and the account, to show secrets in clear; None masks them.
        runs: what is noted of its triggers, by their ids.
    """

    def variables(given: Variables) -> Variables:
        return opened(*opener, given) if opener else masked(given)

    spec = dict(document["spec"])
    if isinstance(spec.get("variables"), list):
        spec["variables"] = variables(spec["variables"])
    for area in _TRIGGER_LISTS:
        if not isinstance(spec.get(area), list):
            continue
        shown_triggers = []
        for stored_trigger in spec[area]:
            trigger = dict(stored_trigger)
            if isinstance(trigger.get("variables"), list):
                trigger["variables"] = variables(trigger["variables"])
            if "secret" in trigger:
                trigger["secret"] = unseal(*opener, trigger["secret"]) if opener else mask(trigger["secret"])
                trigger["endpoint"] = f"{endpoint}/{trigger['id']}"
            noted = (runs or {}).get(trigger["id"])
            if noted is not None and noted.fired_at is not None:
                trigger["lastExecutionDate"] = wire_time(noted.fired_at)
            if noted is not None and noted.problem:
                trigger["lastError"] = noted.problem
            shown_triggers.append(trigger)
        spec[area] = shown_triggers
    return {**document, "metadata": {**document["metadata"], **metadata}, "spec": spec}


def definition(document: Mapping[str, Any]) -> str | Mapping[str, Any] | None:
    """Return what of a document the language reads; None where its steps are stored elsewhere.

    Inline steps come first; a document that has none may carry ``metadata.originalYamlString``.
    """
    spec = document.get("spec") or {}
    if spec.get("specTemplate"):
        return None
    return original.standing(document) or {**document, "kind": "pipeline", "spec": spec}


def yaml_of(document: Mapping[str, Any]) -> str:
    """Return the YAML that a build of this pipeline runs, as its author wrote it where that is known.

    ``""`` where it is stored elsewhere.
    """
    spec = document.get("spec") or {}
    if spec.get("specTemplate"):
        return ""
    if text := original.agreeing(document):
        return text
    own = {field: spec[field] for field in ROOT_FIELDS if field in spec}
    return to_yaml({"version": str(document.get("version", "1.0"))} | own)
