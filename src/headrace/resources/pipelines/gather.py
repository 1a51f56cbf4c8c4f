"""What a run comes to before it is a build: its trigger, its levels of variables, its plan. Pure."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from headrace.http.errors import BadRequest
from headrace.integrations.git.base import GitEvent
from headrace.kit.crypto import SecretBox
from headrace.pipeline.plan import Plan
from headrace.pipeline.variables import BuildFacts, PullRequest
from headrace.resources.builds import service as builds
from headrace.resources.contexts.schemas import SealedText, text_of
from headrace.resources.pipelines.repository import Pipeline
from headrace.resources.pipelines.schemas import BuildBody, EventBody, RunBody, RunOptions
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
    concurrency: int | None = None
    termination_policy: tuple[Mapping[str, Any], ...] | None = None  # None: as the pipeline's
    environment: str | None = None  # runtime environment


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What started a run, where nobody asked for it by hand."""

    trigger: Chosen = Chosen()
    kind: str = "build"  # ``launch-composition``: a stored composition, and no pipeline
    event: GitEvent | None = None  # what happened in a repository
    variables: Mapping[str, str] = {}  # of the event, beside those of Git: ``EVENT_…``


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
                return of_trigger(trigger)
        known = ", ".join(repr(trigger["name"]) for trigger in triggers) or "none"
        raise BadRequest(f"trigger: could not find {body.trigger!r} in {pipeline.name!r}, which has {known}")
    enabled = [one for one in triggers if not one.get("disabled")]
    if isinstance(body, BuildBody) and body.repo_owner and body.repo_name:
        wanted = f"{body.repo_owner}/{body.repo_name}".lower()
        for trigger in enabled:
            if (trigger.get("repo") or "").lower() == wanted:
                return of_trigger(trigger)
        return Chosen(repo_owner=body.repo_owner, repo_name=body.repo_name)
    return of_trigger(enabled[0]) if enabled else Chosen()


def of_trigger(trigger: Mapping[str, Any]) -> Chosen:
    """Return what a trigger gives to its runs."""
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
        concurrency=trigger.get("concurrency"),
        termination_policy=None if (policy := trigger.get("terminationPolicy")) is None else tuple(policy),
        environment=(trigger.get("runtimeEnvironment") or {}).get("name"),
    )


def of_event(trigger: Chosen, event: EventBody) -> Origin:
    """Return what a run starts from that a Git event like this one would start."""
    told = event.pull_request
    return Origin(
        trigger=trigger,
        event=GitEvent(
            provider="",
            names=frozenset(),
            repo="/".join(filter(None, (trigger.repo_owner, trigger.repo_name))),
            sender="",
            base_branch=event.base_branch,
            message=event.message,
            author=event.author,
            commit_url=event.commit_url,
            pull_request=None if told is None else PullRequest(**msgspec.structs.asdict(told)),
        ),
    )


def of_cron(cron: Mapping[str, Any], simulated: Mapping[str, Any] | None) -> Chosen:
    """Return what a cron trigger gives to its runs: what it simulates, and over that its own."""
    own = of_trigger(cron)
    if simulated is None:
        return own
    git = of_trigger(simulated)
    return msgspec.structs.replace(
        git,
        id=own.id,
        name=own.name,
        variables=[*git.variables, *own.variables],
        options={**git.options, **own.options},
        environment=own.environment or git.environment,
    )


def facts_of(
    origin: Origin, *, build_id: str, account: str, pipeline: str, url: str, initiator: str, body: RunBody
) -> BuildFacts:
    """Return what is known of a build before it starts.

    Args:
        origin: what started it.
        build_id: its id.
        account: name of the account.
        pipeline: whole name; empty for a run of a YAML alone.
        url: of the server.
        initiator: who started it.
        body: what the run is given.
    """
    facts = BuildFacts(
        build_id=build_id,
        account=account,
        pipeline=pipeline,
        url=url,
        created_ms=time.time_ns() // 1_000_000,
        initiator=initiator,
        trigger=origin.kind,
        repo_owner=origin.trigger.repo_owner,
        repo_name=origin.trigger.repo_name,
        branch=body.branch or None,
        revision=body.sha or body.branch or None,
    )
    event = origin.event
    if event is None:
        return facts
    return msgspec.structs.replace(
        facts,
        trigger="webhook",
        base_branch=event.base_branch,
        commit_author=event.author,
        commit_url=event.commit_url,
        commit_message=event.message,
        pull_request=event.pull_request,
    )


def event_variables(origin: Origin) -> dict[str, str]:
    """Return the variables of what started a run, beside those that `facts_of` comes to."""
    release = origin.event.release if origin.event else None
    if release is None:
        return dict(origin.variables)
    return {
        "CF_RELEASE_NAME": release.name,
        "CF_RELEASE_TAG": release.tag,
        "CF_RELEASE_ID": release.id,
        "CF_PRERELEASE_FLAG": "true" if release.prerelease else "false",
        **origin.variables,
    }


def queueing_of(spec: Mapping[str, Any], trigger: Chosen, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a build says to the queue: limits, urgency, and whom it ends."""
    of_triggers = [one for one in (spec.get("triggerConcurrency"), trigger.concurrency) if one is not None]
    policy = trigger.termination_policy
    return {
        "concurrency": spec.get("concurrency"),
        "branch_concurrency": spec.get("branchConcurrency"),
        "trigger_concurrency": min(of_triggers, default=None),
        "counts_waiting": bool(options.get("pendingApprovalConcurrencyApplied")),
        "termination_policy": tuple(spec.get("terminationPolicy") or ()) if policy is None else policy,
        "priority": spec.get("priority") or 0 if trigger.priority is None else trigger.priority,
    }


def environment_of(spec: Mapping[str, Any], trigger: Chosen, body: RunBody) -> str | None:
    """Return the runtime environment that a run names, else its trigger, else its pipeline."""
    of_run = (body.user_machine_config or {}).get("runtimeName")
    found = of_run or trigger.environment or (spec.get("runtimeEnvironment") or {}).get("name")
    return found if isinstance(found, str) else None


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
    return layer(stored_variables(box, account_id, listed, ()))


def options_of(pipeline: Pipeline | None, trigger: Chosen, body: RunBody) -> dict[str, Any]:
    """Return the options of a run: of the pipeline, over them the trigger's, over them its own."""
    options: dict[str, Any] = {}
    if pipeline is not None:
        spec = pipeline.document["spec"]
        options |= spec.get("options") or {}
        if builds.RESTART_PERMISSION in spec:
            options[builds.RESTART_PERMISSION] = spec[builds.RESTART_PERMISSION]
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
    kept = set(options.only or names)
    for step in plan.steps:  # a group stands before its members
        if step.parent in kept:
            kept.add(step.name)
    for step in reversed(plan.steps):
        if step.name in kept and step.parent is not None:
            kept.add(step.parent)
    kept.difference_update(options.skip)
    steps = (
        step if step.name in kept else msgspec.structs.replace(step, left_out=True) for step in plan.steps
    )
    return msgspec.structs.replace(plan, steps=tuple(steps))


def _known(names: Iterable[str]) -> str:
    return "there are " + (", ".join(map(repr, names)) or "no steps")
