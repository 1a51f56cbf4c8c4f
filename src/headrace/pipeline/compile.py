"""From a document to a plan, and from an action with templates to one that can start.

Source: `reference/pipeline-yaml.md`, sections 1 to 4. What the engine does not carry out yet is an
error with its place here; the validator, which speaks for the language alone, accepts it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from headrace.pipeline import catalogue
from headrace.pipeline.breakpoints import phases
from headrace.pipeline.document import Document, Path, load, of_mapping
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.external_resources import FIELD, with_resources
from headrace.pipeline.fields import Duration, Flag
from headrace.pipeline.findings import Findings, Place
from headrace.pipeline.groups import CRITERIA, MULTIPLIERS, PARALLEL, criteria
from headrace.pipeline.plan import (
    Action,
    Group,
    Hook,
    Hooks,
    Plan,
    PlannedStep,
    Retry,
    Services,
    StepCondition,
    When,
)
from headrace.pipeline.services import check_action, plan_services, step_services
from headrace.pipeline.spec import HookRead, SpecRead, StepRead, read_spec
from headrace.pipeline.steps import STEP_TYPES
from headrace.pipeline.steps.base import StepType
from headrace.pipeline.unfold import GROUP, Resolve, Unfolded, unfold
from headrace.pipeline.variables import Scope, TextTooLong, substitute

_LATER = "Headrace does not run this yet"


def compile_plan(
    document: str | Mapping[str, Any] | Document,
    *,
    variables: Mapping[str, object],
    step_types: Mapping[str, StepType] = STEP_TYPES,
    resolve: Resolve = catalogue.resolve,
) -> Plan:
    """Make the plan of a build.

    Args:
        document: the text of a ``codefresh.yml``, what `load` made of it, or the same as plain
            values (as the spec of a pipeline is stored). A ``kind: pipeline`` document stands for
            its ``spec``.
        variables: what is known at the start; it decides fields that are not texts
            (``fail_fast: ${{STOP}}``). Values that are no strings, such as the addresses of
            secrets, are never read.
        step_types: the known types, by name.
        resolve: finds the step types that are written in YAML; by default those of the catalogue.

    Raises:
        SpecErrors: all problems of the document at once.
    """
    source = _document(document)
    found = Findings(source)
    known = Scope({name: value for name, value in variables.items() if isinstance(value, str)})
    read = read_spec(source, found, step_types, to_run=True, known=known)
    compiler = _Compiler(found, known, resolve)
    compiler.check(read)
    if found.errors:
        raise SpecErrors(found.errors)
    plan = compiler.plan(read)
    if found.errors:
        raise SpecErrors(found.errors)
    if isinstance(source.data, dict) and source.data.get("kind") == "pipeline":
        return with_resources(plan, source.data["spec"].get(FIELD))
    return plan


def compile_step(
    name: str, body: Mapping[str, Any], step_types: Mapping[str, StepType] = STEP_TYPES
) -> Action:
    """Compile one step alone and return what it comes to.

    Raises:
        SpecErrors: all problems of the step at once.
    """
    document = {"version": "1.0", "steps": {name: body}}
    return compile_plan(document, variables={}, step_types=step_types).steps[0].action


def render(action: Action, scope: Scope) -> Action:
    """Fill every template of an action, just before its step starts.

    The working directory is left: `variables.working_directory` knows its rules.

    Raises:
        TextTooLong: a text grew too long.
    """
    filled = {
        name: _filled(value, scope)
        for name, value in msgspec.structs.asdict(action).items()
        if name != "working_directory"
    }
    return msgspec.structs.replace(action, **filled)


def _filled(value: object, scope: Scope) -> object:
    if isinstance(value, str):
        return substitute(value, scope)
    if isinstance(value, tuple):
        return tuple(_filled(item, scope) for item in value)
    return value


def _document(document: str | Mapping[str, Any] | Document) -> Document:
    if isinstance(document, str):
        return load(document)
    return document if isinstance(document, Document) else of_mapping(document)


class _Compiler:
    """Turns a document that was read into a plan; adds what cannot be planned to the findings."""

    def __init__(self, found: Findings, known: Scope, resolve: Resolve) -> None:
        self._found, self._known, self._resolve = found, known, resolve
        self._unfolded: dict[Path, Unfolded] = {}  # by the place of the using step
        self._services: Services | None = None  # of the build

    def check(self, read: SpecRead) -> None:
        """Report everything that the language knows and the engine does not carry out."""
        self._check_steps(read.steps)
        if read.root.get("mode") == "parallel":
            for step in read.steps:
                self._refuse_multipliers(step)
        for hooks in (read.hooks, *(step.hooks for step in read.steps)):
            for hook in hooks.values():
                self._check_steps(hook.steps)

    def _check_steps(self, steps: tuple[StepRead, ...]) -> None:
        for step in steps:
            if step.type == "parallel":
                self._check_parallel(step)
            elif step.step_type is not None and not step.step_type.runs and not step.step_type.versioned:
                self._found.add(
                    step.place / "type",
                    f"{_LATER}: type {step.type!r}",
                    hint="use freestyle, git-clone or pending-approval",
                )
            elif step.step_type is None or step.step_type.versioned:
                self._unfold(step)
                self._refuse(step.body, GROUP.later, step.place)
            else:
                self._refuse(step.body, step.step_type.later, step.place)

    def _check_parallel(self, step: StepRead) -> None:
        """Refuse what the validator passes over on a parallel step, and a build cannot."""
        steps = step.body.get("steps")
        if isinstance(steps, list):
            self._found.add(step.place / "steps", '"steps" must be an object', hint="give each step a name")

    def _refuse_multipliers(self, step: StepRead) -> None:
        for key in MULTIPLIERS:
            if step.type == "parallel" and key in step.body:
                self._found.add(
                    step.place / key,
                    f'"{key}" cannot be used in a pipeline with "mode: parallel"',
                    hint='write the steps out, or leave out "mode"',
                )

    def _unfold(self, step: StepRead) -> None:
        name = step.type
        definition = self._resolve(name)
        if definition is None:
            self._found.add(
                step.place / "type",
                f"there is no step type {name!r}",
                hint="codefresh get step-types shows those that there are",
            )
            return
        unfolded = unfold(step, definition, self._known, self._found)
        if unfolded is not None:
            self._unfolded[step.place.path] = unfolded

    def _refuse(self, body: Mapping[str, Any], names: tuple[str, ...], place: Place) -> None:
        for name in names:
            if body.get(name) not in (None, {}, []):
                self._found.add(place / name, f"{_LATER}: {name!r}", hint="remove it")

    def plan(self, read: SpecRead) -> Plan:
        """Order, resolve and freeze; only called where nothing is wrong so far."""
        root = read.root
        fail_fast = self._flag(root["fail_fast"], read.place / "fail_fast", default=True)
        strict = self._flag(root["strict_fail_fast"], read.place / "strict_fail_fast", default=False)
        self._services = plan_services(root["services"], read.place / "services", self._found)
        steps = tuple(self._steps(read.steps, fail_fast=fail_fast, strict=strict))
        place = read.place / "success_criteria"
        written = root["success_criteria"]
        return Plan(
            mode=root["mode"],
            stages=root["stages"],
            hooks=self._hooks(read.hooks, read.place, ""),
            services=self._services,
            success_criteria=criteria(
                None if written is None else CRITERIA.read(written, place, self._found)
            ),
            steps=steps,
        )

    def _steps(self, read: tuple[StepRead, ...], *, fail_fast: bool, strict: bool) -> Iterator[PlannedStep]:
        """Plan steps in their order; one of a step type is a group, and its members follow it."""
        parallel: dict[str, PlannedStep] = {}
        for step in read:
            around = parallel[step.parent] if step.parent else None
            unfolded = self._unfolded.get(step.place.path)
            if step.type == "parallel":
                spec = PARALLEL.read(step.body, step.place, self._found)
                own = msgspec.structs.replace(step, spec=spec, step_type=PARALLEL)
                group = self._step(own, around, fail_fast=fail_fast, strict=strict)
                parallel[step.name] = group
                yield msgspec.structs.replace(group, retry=None, timeout_s=None)
            elif unfolded is None:
                yield self._step(step, around, fail_fast=fail_fast, strict=strict)
            else:
                yield from self._group(step, unfolded, around, fail_fast=fail_fast, strict=strict)

    def _group(
        self,
        step: StepRead,
        unfolded: Unfolded,
        around: PlannedStep | None,
        *,
        fail_fast: bool,
        strict: bool,
    ) -> Iterator[PlannedStep]:
        """A step of a step type; what limits or repeats it does so to all of its members together."""
        own = msgspec.structs.replace(step, spec=unfolded.spec, step_type=GROUP)
        group = self._step(own, around, fail_fast=fail_fast, strict=strict)
        action = Group(mode="sequential", outputs=unfolded.outputs)
        yield msgspec.structs.replace(group, action=action)
        for member in unfolded.steps:
            planned = self._step(member, None, fail_fast=True, strict=False)
            yield msgspec.structs.replace(
                planned,
                parent=step.name,
                stage=group.stage,
                title=self._member_title(group, planned, unfolded),
            )

    @staticmethod
    def _member_title(group: PlannedStep, member: PlannedStep, unfolded: Unfolded) -> str:
        """What a member is called: by its own title, else as its group where it stands alone."""
        if member.title != member.name:
            return member.title
        if len(unfolded.steps) == 1:
            return group.title
        return f"{group.title}: {member.name.removeprefix(group.name + '.')}"

    def _step(
        self, step: StepRead, around: PlannedStep | None, *, fail_fast: bool, strict: bool
    ) -> PlannedStep:
        """Plan one step; what a parallel step around it limits or repeats, it may say otherwise."""
        spec, place = step.spec, step.place
        if step.step_type is None:
            raise ValueError(f"step {step.name!r} has no type, yet it passed the check")
        for name, value in spec.items():
            if name not in ("fail_fast", "strict_fail_fast") and isinstance(
                step.step_type.fields.get(name), Flag
            ):
                spec[name] = self._flag(value, place / name, default=False)
        action = step.step_type.plan(spec)
        check_action(action, place, self._found)
        return PlannedStep(
            name=step.name,
            parent=step.parent,
            type=step.type,
            title=spec["title"] or step.name,
            description=spec["description"] or "",
            stage=spec["stage"] or "default",
            action=action,
            when=_when(spec["when"]),
            fail_fast=self._flag(spec["fail_fast"], place / "fail_fast", default=fail_fast),
            strict_fail_fast=self._flag(spec["strict_fail_fast"], place / "strict_fail_fast", default=strict),
            timeout_s=around.timeout_s if around and "timeout" not in step.body else self._timeout(step),
            retry=around.retry if around and "retry" not in step.body else _retry(spec.get("retry")),
            hooks=self._hooks(step.hooks, place, step.name),
            services=step_services(spec.get("services"), self._services, place / "services", self._found),
            breakpoints=phases(spec.get("debug")),
        )

    def _hooks(self, read: Mapping[str, HookRead], place: Place, owner: str) -> Hooks | None:
        hooks = {
            moment: self._hook(hook, place / "hooks" / moment, owner, moment) for moment, hook in read.items()
        }
        return Hooks(**hooks) if hooks else None

    def _hook(self, read: HookRead, place: Place, owner: str, moment: str) -> Hook:
        parts = read.parts
        fail_fast = self._flag(parts.fail_fast, place / "fail_fast", default=True)
        strict = self._flag(parts.strict_fail_fast, place / "strict_fail_fast", default=False)
        name = f"{owner}#{moment}"
        group = PlannedStep(
            name=name,
            type="hook",
            title=moment,
            action=Group(mode="parallel" if parts.mode == "parallel" else "sequential"),
        )
        members = self._steps(read.steps, fail_fast=fail_fast, strict=strict)
        named = (
            msgspec.structs.replace(
                step, name=f"{name}#{step.name}", parent=f"{name}#{step.parent}" if step.parent else name
            )
            for step in members
        )
        return Hook(steps=(group, *named), annotate=parts.annotate, describe=parts.describe)

    def _flag(self, value: bool | str | None, place: Place, *, default: bool) -> bool:  # noqa: FBT001  # as read
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        decided = Flag().read(self._fill(value, place), place, self._found.attempt())
        if isinstance(decided, bool):
            return decided
        hint = f"{value} must be true or false when the build starts"
        self._found.add(place, f'"{place.key}" must be a boolean', hint=hint)
        return default

    def _timeout(self, step: StepRead) -> float | None:
        """The limit in seconds; a reference is decided by what is known at the start."""
        written = step.body.get("timeout")
        if not isinstance(written, str) or "${{" not in written:
            return None if isinstance(step.spec["timeout"], dict) else step.spec["timeout"]
        place = step.place / "timeout"
        return Duration().read(self._fill(written, place), place, self._found.attempt())

    def _fill(self, text: str, place: Place) -> str:
        try:
            return substitute(text, self._known)
        except TextTooLong as error:
            self._found.add(place, str(error))
            return ""


def _retry(read: dict[str, Any] | None) -> Retry | None:
    if read is None:
        return None
    written = {
        "max_attempts": max(1, int(read["maxAttempts"] or 1)),
        "delay_s": read["delay"],
        "factor": read["exponentialFactor"],
    }
    return Retry(**{name: value for name, value in written.items() if value is not None})


def _when(read: dict[str, Any] | None) -> When | None:
    if read is None:
        return None
    branch, condition, steps = (read[part] or {} for part in ("branch", "condition", "steps"))
    return When(
        branch_only=branch.get("only"),
        branch_ignore=branch.get("ignore"),
        all_of=_expressions(condition.get("all")),
        any_of=_expressions(condition.get("any")),
        steps_all=_conditions(steps.get("all")),
        steps_any=_conditions(steps.get("any")),
    )


def _expressions(read: dict[str, str] | None) -> tuple[tuple[str, str], ...] | None:
    return None if read is None else tuple(read.items())


def _conditions(read: tuple[dict[str, Any], ...] | None) -> tuple[StepCondition, ...] | None:
    return (
        None if read is None else tuple(StepCondition(name=entry["name"], on=entry["on"]) for entry in read)
    )
