"""What a run comes to before it is a build: its trigger, its levels of variables, its plan. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from headrace.http.errors import BadRequest
from headrace.kit.crypto import SecretBox
from headrace.pipeline.plan import Plan, When
from headrace.resources.contexts.schemas import SealedText, text_of
from headrace.resources.pipelines.repository import Pipeline
from headrace.resources.pipelines.schemas import BuildBody, RunBody, RunOptions
from headrace.resources.projects.schemas import Variables, layer, plain, stored_variables

_MOST_NAME = 255
_MOST_VALUE = 262_144  # characters of one variable


class Chosen(msgspec.Struct, frozen=True):
    """What the git trigger of a run gives; all empty where there is none."""

    id: str | None = None
    name: str | None = None
    repo_owner: str | None = None
    repo_name: str | None = None
    contexts: tuple[str, ...] = ()
    variables: Variables = []
    options: Mapping[str, Any] = {}
    priority: int | None = None


def choose_trigger(pipeline: Pipeline, body: RunBody) -> Chosen:
    """Return the git trigger of a run.

    It is the one that ``trigger`` names; else the one of ``repoOwner/repoName``; else the first
    that is not disabled, whose repository and variables are the defaults of a run.

    Raises:
        BadRequest: ``trigger`` names none. (Not a 404: the official client would then say that
            the pipeline does not exist.)
    """
    triggers = [
        one for one in pipeline.document["spec"].get("triggers") or [] if one.get("type", "git") == "git"
    ]
    if body.trigger:
        for trigger in triggers:
            if body.trigger in (trigger.get("id"), trigger["name"]):
                return _chosen(trigger)
        known = ", ".join(repr(trigger["name"]) for trigger in triggers) or "none"
        raise BadRequest(f"trigger: could not find {body.trigger!r} in {pipeline.name!r}, which has {known}")
    enabled = [one for one in triggers if not one.get("disabled")]
    if isinstance(body, BuildBody) and body.repo_owner and body.repo_name:
        wanted = f"{body.repo_owner}/{body.repo_name}".lower()
        for trigger in enabled:
            if (trigger.get("repo") or "").lower() == wanted:
                return _chosen(trigger)
        return Chosen(repo_owner=body.repo_owner, repo_name=body.repo_name)
    return _chosen(enabled[0]) if enabled else Chosen()


def _chosen(trigger: Mapping[str, Any]) -> Chosen:
    owner, _, name = (trigger.get("repo") or "").rpartition("/")
    return Chosen(
        id=trigger["id"],
        name=trigger["name"],
        repo_owner=owner or None,
        repo_name=name or None,
        contexts=tuple(trigger.get("contexts") or ()),
        variables=trigger.get("variables") or [],
        options=trigger.get("options") or {},
        priority=trigger.get("priority"),
    )


def given_variables(body: RunBody, box: SecretBox, account_id: str) -> dict[str, str | SealedText]:
    """Return the variables of a run, sent as a list or as an object; encrypted ones sealed.

    Raises:
        BadRequest: a name is empty, too long or no name; a value is too long.
    """
    given = body.variables or []
    if isinstance(given, dict):
        listed: Variables = [{"key": key, "value": value} for key, value in given.items()]
    else:
        listed = plain(given)
    for one in listed:
        key, value = one["key"], text_of(one["value"])
        if not 0 < len(key) <= _MOST_NAME or "=" in key or "\n" in key:
            raise BadRequest(
                f"variables: {key[:40]!r} is no name of a variable; use letters, digits, '_', '-'"
            )
        if len(value) > _MOST_VALUE:
            raise BadRequest(f"variables.{key}: has {len(value)} characters, at most {_MOST_VALUE} are taken")
    return layer(stored_variables(box, account_id, listed))


def options_of(pipeline: Pipeline | None, trigger: Chosen, body: RunBody) -> dict[str, Any]:
    """Return the options of a run: of the pipeline, over them the trigger's, over them its own."""
    options: dict[str, Any] = {}
    if pipeline is not None:
        options |= pipeline.document["spec"].get("options") or {}
    options |= trigger.options
    own = msgspec.to_builtins(body.options or RunOptions())
    options |= {key: value for key, value in own.items() if value is not None and value != []}
    if isinstance(body, BuildBody) and body.build_flags and body.build_flags.nocache:
        options["noCache"] = True
    if body.user_machine_config:
        options["userMachineConfig"] = body.user_machine_config
    return options


def limited(plan: Plan, options: RunOptions | None) -> Plan:
    """Return the plan with the steps that ``only`` and ``skip`` leave out never running.

    Raises:
        BadRequest: one of the names is no step of the plan.
    """
    if options is None or not (options.only or options.skip):
        return plan
    names = [step.name for step in plan.steps]
    for field, wanted in (("only", options.only), ("skip", options.skip)):
        unknown = [name for name in wanted if name not in names]
        if unknown:
            raise BadRequest(
                f"options.{field}: no step named {', '.join(map(repr, unknown))}; {_known(names)}"
            )
    steps = []
    for step in plan.steps:
        if step.name in options.skip or (options.only and step.name not in options.only):
            when = step.when or When()
            left_out = (("left out by the options of this run", "false"),)
            when = msgspec.structs.replace(when, all_of=(when.all_of or ()) + left_out)
            steps.append(msgspec.structs.replace(step, when=when))
        else:
            steps.append(step)
    return msgspec.structs.replace(plan, steps=tuple(steps))


def _known(names: Iterable[str]) -> str:
    return "there are " + (", ".join(map(repr, names)) or "no steps")
