"""Starting builds: everything that a run needs is gathered and compiled here, then handed to `builds`.

A file that is wrong starts nothing: the refusal names every problem.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection

from headrace.http.auth import Caller
from headrace.http.errors import BadRequest, NotFound, NotOffered
from headrace.http.outside import Outside
from headrace.http.rights import Rights
from headrace.kit.crypto import SecretBox
from headrace.kit.ids import new_id
from headrace.pipeline.breakpoints import debugging
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.external_resources import FIELD, with_resources
from headrace.pipeline.forecast import forecast
from headrace.pipeline.plan import Plan
from headrace.pipeline.unfold import Resolve
from headrace.pipeline.variables import merge, system_variables
from headrace.resources.builds import service as builds
from headrace.resources.builds.schemas import BuildRequest, Sealed
from headrace.resources.contexts import service as contexts
from headrace.resources.contexts.schemas import SealedText, text_of, unseal
from headrace.resources.pipelines import definitions, document, gather, repository, spec_template
from headrace.resources.pipelines.gather import Chosen, Origin, of_cron, of_trigger
from headrace.resources.pipelines.repository import Pipeline
from headrace.resources.pipelines.schemas import BuildBody, PlanBody, PlanOut, RunBody
from headrace.resources.projects import service as projects
from headrace.resources.projects.schemas import layer
from headrace.resources.runtime_environments import service as environments
from headrace.resources.step_types import service as step_types

_TYPES_LATER = ("launch-image", "launch-composition")

Levels = list[Mapping[str, str | SealedText]]


__all__ = [
    "Origin",
    "Pipeline",
    "Request",
    "anybody_s",
    "cron_trigger_of",
    "debug",
    "find",
    "git_triggers",
    "of_cron",
    "of_trigger",
    "plan",
    "run",
    "run_named",
    "run_service",
    "run_yaml",
    "secret_of",
    "trigger_of",
]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for a run, and how."""

    caller: Caller
    base_url: str  # of the server, for ``CF_URL`` and ``CF_BUILD_URL``
    req_id: str = ""  # the client's mark on a request that it may repeat; empty: none
    origin: Origin | None = None  # None: somebody asked for it by hand
    outside: Outside  # fetches YAML that is kept elsewhere


def run(db: Connection, box: SecretBox, request: Request, reference: str, body: RunBody) -> str:
    """Start a build of a pipeline.

    Args:
        db: an open transaction.
        box: seals the secrets that the run is given.
        request: who asks.
        reference: id or whole name of the pipeline.
        body: what the run is given.

    Returns:
        The id of the build; that of the earlier one where the same request came before.

    Raises:
        NotFound: the account has no such pipeline, or no context that is named.
        BadRequest: the YAML is wrong (all problems are named), or the trigger, a step of ``only``
            or ``skip``, or a variable is.
        NeededOutside: the YAML is kept elsewhere and must be fetched first; see `http.outside`.
    """
    pipeline = definitions.find(db, request.caller.account_id, reference)
    return _start(db, box, request, pipeline, body)


def run_yaml(db: Connection, box: SecretBox, request: Request, body: RunBody) -> str:
    """Start a build of the YAML in the body, without a pipeline. Raises as `run`."""
    _require_yaml(body)
    return _start(db, box, request, None, body)


def _require_yaml(body: RunBody) -> None:
    if not body.user_yaml_descriptor:
        raise BadRequest("userYamlDescriptor is required: the YAML to run, for no pipeline is named")


def run_service(db: Connection, box: SecretBox, request: Request, reference: str, body: BuildBody) -> str:
    """Start a build in the older way, ``POST /builds/{serviceId}``. Raises as `run`."""
    pipeline = definitions.find(db, request.caller.account_id, reference)
    if body.service_id and body.service_id not in (pipeline.id, pipeline.name):
        raise BadRequest(f"serviceId {body.service_id!r} is not the pipeline of the path, {reference!r}")
    if body.type in _TYPES_LATER:
        raise NotOffered(f"type {body.type!r} is not offered; leave 'type' out to run the pipeline")
    if body.type != "build":
        raise BadRequest(f"type must be 'build', not {body.type[:40]!r}")
    return _start(db, box, request, pipeline, body)


def run_named(db: Connection, box: SecretBox, request: Request, body: BuildBody, rights: Rights) -> str:
    """Start a build of the pipeline that the body names.

    Raises:
        BadRequest: it names none; and as `run`.
        Forbidden: no rule allows to run it.
    """
    if not body.service_id:
        raise BadRequest("serviceId is required: the id or the whole name of a pipeline")
    rights.admit(db, "run", "pipeline", body.service_id)
    return run_service(db, box, request, body.service_id, body)


def plan(db: Connection, box: SecretBox, request: Request, reference: str | None, body: PlanBody) -> PlanOut:
    """Tell what a run would do; nothing is stored and nothing starts.

    Args:
        db: an open transaction.
        box: seals the secrets of the body.
        request: who asks.
        reference: id or whole name of the pipeline; None: the YAML in the body.
        body: what the run would be given, and the event that would start it.

    Raises:
        As `run`, and `run_yaml` without a reference.
    """
    if reference is None:
        pipeline = None
        _require_yaml(body)
    else:
        pipeline = definitions.find(db, request.caller.account_id, reference)
    if body.event is not None:
        origin = gather.of_event(_chosen(pipeline, body), body.event)
        request = msgspec.structs.replace(request, origin=origin)
    order = _prepared(db, box, request, pipeline, body)
    known = {name: value for name, value in order.variables.items() if isinstance(value, str)}
    told = forecast(order.plan, known, order.variables.keys() - known.keys())
    return PlanOut(
        pipeline=order.pipeline_name,
        trigger=order.trigger_name,
        variables=tuple(sorted(order.variables)),
        yaml=order.yaml,
        **msgspec.structs.asdict(told),
    )


def find(db: Connection, account_id: str, reference: str) -> Pipeline:
    """Return a pipeline by its id or its whole name. Raises `NotFound`."""
    return definitions.find(db, account_id, reference)


def anybody_s(db: Connection, pipeline_id: str) -> Pipeline | None:
    """Return a pipeline of any account by its id: for events, which know no account."""
    return repository.anybody_s(db, pipeline_id)


def git_triggers(pipeline: Pipeline) -> list[Mapping[str, Any]]:
    """Return the git triggers of a pipeline in the order of its document, secrets sealed."""
    found = pipeline.document["spec"].get("triggers") or []
    return [one for one in found if one.get("type", "git") == "git"]


def trigger_of(pipeline: Pipeline, trigger_id: str) -> Mapping[str, Any] | None:
    """Return a git trigger of a pipeline by its id."""
    return next((one for one in git_triggers(pipeline) if one["id"] == trigger_id), None)


def cron_trigger_of(pipeline: Pipeline, trigger_id: str) -> Mapping[str, Any] | None:
    """Return a cron trigger of a pipeline by its id."""
    found = pipeline.document["spec"].get("cronTriggers") or []
    return next((one for one in found if one["id"] == trigger_id), None)


def secret_of(box: SecretBox, pipeline: Pipeline, trigger: Mapping[str, Any]) -> str:
    """Return the secret that the webhooks of a trigger must know."""
    return text_of(unseal(box, pipeline.account_id, trigger.get("secret")))


def debug(db: Connection, box: SecretBox, request: Request, reference: str, body: RunBody) -> str:
    """Start a build that waits at its breakpoints. Raises as `run`, also for a wrong breakpoint."""
    pipeline = definitions.find(db, request.caller.account_id, reference)
    order = _prepared(db, box, request, pipeline, body)
    try:
        plan = debugging(order.plan, pipeline.document["spec"].get("debug"))
    except SpecErrors as errors:
        raise document.refusal(errors, "the breakpoints are not valid") from None
    return builds.start(db, msgspec.structs.replace(order, plan=plan))


def _start(db: Connection, box: SecretBox, request: Request, pipeline: Pipeline | None, body: RunBody) -> str:
    return builds.start(db, _prepared(db, box, request, pipeline, body))


def _chosen(pipeline: Pipeline | None, body: RunBody) -> Chosen:
    return gather.choose_trigger(pipeline, body) if pipeline else Chosen()


def _prepared(
    db: Connection, box: SecretBox, request: Request, pipeline: Pipeline | None, body: RunBody
) -> BuildRequest:
    """Gather and compile everything that a run needs, and store nothing."""
    caller, build_id = request.caller, new_id()
    origin = request.origin or Origin(trigger=_chosen(pipeline, body))
    trigger = origin.trigger
    facts = gather.facts_of(
        origin,
        build_id=build_id,
        account=caller.account_name,
        pipeline=pipeline.name if pipeline else "",
        url=request.base_url,
        initiator=caller.user_name,
        body=body,
    )
    levels: Levels = [
        system_variables(facts),
        gather.event_variables(origin),
        *_stored_levels(db, caller, pipeline, trigger, body),
        gather.given_variables(body, box, caller.account_id),
    ]
    variables = {
        name: Sealed(value.text) if isinstance(value, SealedText) else value
        for name, value in merge(levels).items()
    }
    source, text = _source(db, box, request, pipeline, body, variables)
    resolve = step_types.resolver(db, caller.account_id)
    spec = pipeline.document["spec"] if pipeline else {}
    plan = gather.limited(_compile(source, spec, variables, resolve), body.options)
    options = gather.options_of(pipeline, trigger, body)
    environment = gather.environment_of(spec, trigger, body)
    return BuildRequest(
        build_id=build_id,
        account_id=caller.account_id,
        user_id=caller.user_id,
        initiator=caller.user_name,
        parent_id=caller.build_id,
        pipeline_id=pipeline.id if pipeline else None,
        pipeline_name=facts.pipeline,
        project=pipeline.project if pipeline else "",
        plan=plan,
        yaml=text,
        variables=variables,
        trigger_kind=facts.trigger,
        trigger_id=trigger.id,
        trigger_name=trigger.name,
        branch=facts.branch,
        revision=facts.revision,
        repo_owner=facts.repo_owner,
        repo_name=facts.repo_name,
        annotations={key: text_of(value) for key, value in (body.annotations or {}).items()},
        request_id=_request_id(request, pipeline, body),
        options=options,
        given=_given(body),
        environment=environments.chosen(db, caller.account_id, environment),
        **gather.queueing_of(spec, trigger, options),
    )


def _source(
    db: Connection,
    box: SecretBox,
    request: Request,
    pipeline: Pipeline | None,
    body: RunBody,
    variables: Mapping[str, object],
) -> tuple[str | Mapping[str, Any], str]:
    """Return what to compile, and its text."""
    if pipeline is None or body.user_yaml_descriptor:
        text = body.user_yaml_descriptor or ""
        return text, text
    source = document.definition(pipeline.document)
    if source is not None:
        return source, pipeline.yaml
    readable = {name: value for name, value in variables.items() if isinstance(value, str)}
    place = spec_template.source_of(pipeline.document["spec"]["specTemplate"], readable)
    account_id = request.caller.account_id
    text = request.outside.get(
        (account_id, place), spec_template.fetcher(db, box, request.outside.networks, account_id, place)
    )
    return text, text


def _compile(
    source: str | Mapping[str, Any],
    spec: Mapping[str, Any],
    variables: Mapping[str, object],
    resolve: Resolve,
) -> Plan:
    """Make the plan of a run: steps from the source, what is copied before them from the stored spec."""
    try:
        plan = compile_plan(source, variables=variables, resolve=resolve)
        return with_resources(plan, spec.get(FIELD))
    except SpecErrors as errors:
        raise document.refusal(errors, "the pipeline's YAML is not valid") from None


def _stored_levels(
    db: Connection, caller: Caller, pipeline: Pipeline | None, trigger: Chosen, body: RunBody
) -> Levels:
    """Return the levels between the system's and the run's own: project, contexts, pipeline, trigger."""
    account_id, account = caller.account_id, caller.account_name
    named = body.contexts or []
    if pipeline is None:
        return [*contexts.variables_of(db, account_id, named, account_name=account)]
    spec = pipeline.document["spec"]
    attached = [*(spec.get("contexts") or []), *trigger.contexts]
    try:
        shared = contexts.variables_of(db, account_id, attached, account_name=account)
    except NotFound as missing:
        raise NotFound(f"Failed to return attached pipeline contexts; {missing.message}") from None
    return [
        layer(projects.find(db, account_id, pipeline.project_id).variables),
        *shared,
        *contexts.variables_of(db, account_id, named, account_name=account),
        layer(spec.get("variables") or []),
        layer(trigger.variables),
    ]


def _given(body: RunBody) -> dict[str, Any]:
    """Return the body as it is kept with the build: without variables, which are kept sealed."""
    given: dict[str, Any] = msgspec.to_builtins(body)
    return {key: value for key, value in given.items() if value is not None and key != "variables"}


def _request_id(request: Request, pipeline: Pipeline | None, body: RunBody) -> str | None:
    """Return the mark of a repeated request: one id may cover several runs with other bodies."""
    if not request.req_id:
        return None
    parts = (request.req_id, pipeline.id if pipeline else "", msgspec.json.encode(body).decode())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
