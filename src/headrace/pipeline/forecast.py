"""What a plan would do, told before anything runs: which steps, in which images, on what grounds.

The same conditions are asked as in the run. What only the run can know stays open: a step's
result and members, a variable that a step may export, the values of secrets. Told on the
assumption that no step fails, for a failure ends the build.

Source: `reference/pipeline-yaml.md` 4.1 to 4.3 (order), 4.8 and 4.9 (conditions).
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal, TypeVar

import msgspec

from headrace.pipeline.conditions import ConditionFailed, holds, tests_outcome, texts_of_condition
from headrace.pipeline.plan import (
    BuildImage,
    Group,
    Hook,
    Hooks,
    KeepReports,
    LaunchComposition,
    Plan,
    PlannedStep,
    PushImage,
    RunCommands,
    RunComposition,
    StepCondition,
    When,
    strings,
    texts_of,
    texts_with_environment,
    variables_with_secrets,
)
from headrace.pipeline.variables import (
    STORES,
    Scope,
    StepFacts,
    TextTooLong,
    attempt_variables,
    references,
    stored_references,
    substitute,
)

Verdict = Literal["runs", "skipped", "open", "fails", "not-reached"]
Kind = Literal["branch.only", "branch.ignore", "steps.all", "steps.any", "condition.all", "condition.any"]
T = TypeVar("T")

# They differ from build to build, so that a plan has none of them.
OF_THE_BUILD = frozenset({"CF_BUILD_ID", "CF_BUILD_URL", "CF_BUILD_TIMESTAMP", "CF_VOLUME_NAME"})
_EXPORTS = re.compile(r"cf_export|env_vars_to_export|CF_EXPORT_FILE|/meta\b")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MOST_DEPTH = 20  # steps whose verdicts ask for each other; beyond, the answer stays open


class Ground(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One condition of a step, and what was found."""

    kind: Kind
    name: str = ""  # of an expression, or the step that is waited for
    text: str  # as it is written
    values: dict[str, str] = {}  # what it read, by name
    holds: bool | None  # None: open, `known_after` says until when; or wrong, as `problem` says
    known_after: str = ""
    problem: str = ""


class HookForecast(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A step of a hook."""

    name: str
    type: str
    image: str = ""


class StepForecast(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One step of a plan. Texts are filled; what only the run knows stands as ``${{NAME}}``."""

    name: str
    parent: str | None  # the group that it belongs to
    type: str
    title: str
    stage: str
    image: str = ""  # where its commands run
    makes: tuple[str, ...] = ()  # images that it builds or pushes
    verdict: Verdict
    reason: str = ""  # why it does not simply run
    conditions: tuple[Ground, ...] = ()
    hooks: dict[str, tuple[HookForecast, ...]] = {}  # by moment: ``on_success``
    secrets: tuple[str, ...] = ()  # names of encrypted variables that reach it


class Forecast(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a plan would do, its steps in the order of the file."""

    mode: Literal["sequential", "parallel"]
    stages: tuple[str, ...]
    hooks: dict[str, tuple[HookForecast, ...]] = {}
    secrets: tuple[str, ...] = ()  # that its services, its hooks and its criteria name
    steps: tuple[StepForecast, ...]


class _Later(Exception):  # no error: an answer that is not there yet
    """A value is known only after something; the text names it."""


def forecast(plan: Plan, variables: Mapping[str, str], secrets: Collection[str] = ()) -> Forecast:
    """Tell what a plan would do.

    Args:
        plan: as `compile_plan` made it, with what the options of the run leave out.
        variables: that the build would start with, in clear; those `OF_THE_BUILD` count as unknown.
        secrets: names of further variables whose values stay unknown here.
    """
    return _Forecaster(plan, variables, frozenset(secrets)).whole()


class _Forecaster:
    def __init__(self, plan: Plan, variables: Mapping[str, str], secrets: frozenset[str]) -> None:
        self._plan, self._secrets = plan, secrets
        self._known = {name: text for name, text in variables.items() if name not in OF_THE_BUILD}
        self._steps = {step.name: step for step in plan.steps}
        self._verdicts: dict[str, Verdict] = {}
        self._asking: set[str] = set()
        self._closed: set[str | None] = set()  # groups in which nothing more starts; None: the pipeline
        self._grounds: dict[str, tuple[Ground, ...]] = {}
        self._reasons: dict[str, str] = {}
        self._exporters: dict[str, list[str]] = {}  # steps by the names that they may export
        for step in plan.steps:
            for word in _words_of_exporter(step):
                self._exporters.setdefault(word, []).append(step.name)

    def whole(self) -> Forecast:
        for step in self._plan.steps:
            self._ask(step)
        return Forecast(
            mode=self._plan.mode,
            stages=self._plan.stages,
            hooks=self._prelude() | self._hooks(self._plan.hooks),
            secrets=self._secrets_of_build(),
            steps=tuple(map(self._described, self._plan.steps)),
        )

    # Verdicts

    def _ask(self, step: PlannedStep) -> Verdict:
        if step.name not in self._verdicts:
            self._asking.add(step.name)
            verdict, reason = self._decided(step)
            self._asking.discard(step.name)
            self._verdicts[step.name], self._reasons[step.name] = verdict, reason
            if verdict == "fails":
                self._close_after(step)
        return self._verdicts[step.name]

    def _decided(self, step: PlannedStep) -> tuple[Verdict, str]:
        own, reason = self._of_its_own(step)
        if step.parent is None:
            return ("not-reached", "a step before it fails") if None in self._closed else (own, reason)
        around = self._ask(self._steps[step.parent])
        if around in ("skipped", "not-reached", "fails"):
            return ("skipped" if around == "skipped" else "not-reached"), f"as {step.parent!r}"
        if step.parent in self._closed:
            return "not-reached", "a step before it fails"
        return ("open", self._reasons[step.parent]) if around == "open" and own == "runs" else (own, reason)

    def _of_its_own(self, step: PlannedStep) -> tuple[Verdict, str]:
        """The verdict of a step's options and conditions alone."""
        if step.left_out:
            return "skipped", "left out by the options of this run"
        if self._plan.mode == "parallel" and tests_outcome(step):
            self._grounds[step.name] = tuple(
                _open(kind, name, text, "all other steps") for kind, name, text, _ in _parts(step.when)
            )
            return "open", "known only after all other steps"
        grounds = tuple(self._ground(step, *part) for part in _parts(step.when))
        self._grounds[step.name] = grounds
        return _combined(grounds)

    def _ground(self, step: PlannedStep, kind: Kind, name: str, text: str, part: When) -> Ground:
        reads = _Reads(self, step)
        known_after, problem, answer = "", "", None
        try:
            answer = holds(part, Scope(variables=reads.variables, steps=reads.steps))
        except _Later as later:
            known_after = str(later)
        except ConditionFailed as failure:
            problem = str(failure)
        return Ground(
            kind=kind,
            name=name,
            text=text,
            values=reads.values,
            holds=answer,
            known_after=known_after,
            problem=problem,
        )

    def _close_after(self, step: PlannedStep) -> None:
        """Note what a step keeps from starting that fails for certain."""
        if not step.fail_fast:
            return
        group = self._steps[step.parent] if step.parent else None
        action = group.action if group else None
        mode = action.mode if isinstance(action, Group) else self._plan.mode
        if mode == "sequential":
            self._closed.add(step.parent)
        if (
            group is not None
            and isinstance(action, Group)
            and action.success_criteria is None
            and (mode == "sequential" or group.fail_fast)
        ):
            self._close_after(group)

    # What conditions read

    def variable(self, reader: PlannedStep, name: str) -> str | None:
        """The value of a variable where a condition reads it; None where it has none.

        Raises:
            _Later: only the run knows it.
        """
        for exporter in self._exporters.get(name, ()):
            if self._may_come_before(exporter, reader):
                raise _Later(exporter)
        if name in OF_THE_BUILD or name in self._secrets:
            raise _Later("the start of the build")
        if name.startswith(STORES):
            raise _Later("its store is asked")
        retry = reader.retry
        if retry is None and reader.parent is not None and self._hands_on(reader.parent):
            retry = self._steps[reader.parent].retry
        attempts = retry.max_attempts if retry else 1
        own = attempt_variables(reader.name, 1, attempts)
        return own.get(name) or self._known.get(name)

    def _may_come_before(self, exporter: str, reader: PlannedStep) -> bool:
        if exporter == reader.name or self._steps[exporter].left_out:
            return False
        if self._plan.mode == "parallel":
            return True
        verdict = self._verdicts.get(exporter)
        if verdict is None:  # it stands later, and can come before only beside the reader
            return self._beside(exporter, reader)
        return verdict in ("runs", "open")

    def _beside(self, one: str, other: PlannedStep) -> bool:
        """Whether two steps belong to one group whose members run side by side, however deep."""
        mine = dict(_lineage(self._steps, other))
        for group, branch in _lineage(self._steps, self._steps[one]):
            if group is not None and group in mine:
                action = self._steps[group].action
                return isinstance(action, Group) and action.mode == "parallel" and mine[group] != branch
        return False

    def facts(self, reader: PlannedStep, name: str) -> StepFacts | None:
        """What a condition sees of a step; None for one that has not started, or is none.

        Raises:
            _Later: only the run knows it.
        """
        step = self._steps.get(name)
        if reader.parent is not None and self._hands_on(reader.parent):
            step = self._steps.get(f"{reader.parent}.{name}", step)
        if step is None or step.name == reader.name:
            return None
        if step.left_out:
            return StepFacts("skipped")
        if step.name in self._asking or len(self._asking) > _MOST_DEPTH or self._is_around(step, reader):
            raise _Later(step.name)
        if self._plan.mode == "parallel":
            # Those of the pipeline are skipped only when nothing else is left to run.
            if step.parent is None and self._ask(step) == "skipped":
                return None
            raise _Later(step.name)
        verdict = self._verdicts.get(step.name)
        if verdict is None and not self._beside(step.name, reader):
            return None
        if verdict == "skipped" and not self._beside(step.name, reader):
            return StepFacts("skipped")
        if verdict == "not-reached":
            return None
        raise _Later(step.name)

    def _is_around(self, group: PlannedStep, step: PlannedStep) -> bool:
        return any(name == group.name for name, _ in _lineage(self._steps, step))

    def _hands_on(self, group: str) -> bool:
        action = self._steps[group].action if group in self._steps else None  # of a hook
        return isinstance(action, Group) and action.outputs is not None

    # Descriptions

    def _described(self, step: PlannedStep) -> StepForecast:
        scope = self._texts(step)
        return StepForecast(
            name=step.name,
            parent=step.parent,
            type=step.type,
            title=_filled(step.title, scope),
            stage=step.stage,
            image=_image(step, scope),
            makes=_makes(step, scope),
            verdict=self._verdicts[step.name],
            reason=self._reasons[step.name],
            conditions=self._grounds.get(step.name, ()),
            hooks=self._hooks(step.hooks),
            secrets=self._secrets_of(step),
        )

    def _prelude(self) -> dict[str, tuple[HookForecast, ...]]:
        """What is copied into the volume first, told as the hooks are."""
        copied = self._plan.resources
        return {} if copied is None else {copied.group.title: self._members(copied)}

    def _hooks(self, hooks: Hooks | None) -> dict[str, tuple[HookForecast, ...]]:
        return {hook.group.title: self._members(hook) for hook in hooks.all()} if hooks else {}

    def _members(self, hook: Hook) -> tuple[HookForecast, ...]:
        return tuple(
            HookForecast(
                name=step.name.rpartition("#")[2], type=step.type, image=_image(step, self._texts(step))
            )
            for step in hook.steps[1:]
        )

    def _texts(self, step: PlannedStep) -> Scope:
        """What texts are filled with: what only the run knows is left as it is written."""
        return Scope(variables=_Settled(lambda name: self.variable(step, name)))

    def _secrets_of(self, step: PlannedStep) -> tuple[str, ...]:
        """The secrets that reach a step: commands get all variables, others what their texts name.

        Those of outside stores are named as they are written: ``secrets.STORE.KEY``.
        """
        stored = self._stored((step, *_hooked(step.hooks)))
        if isinstance(step.action, RunCommands | RunComposition | LaunchComposition | KeepReports):
            return tuple(sorted(self._secrets | stored))
        named: set[str] = set()
        to_read = list(texts_of(step))
        while to_read:
            new = set(references(to_read.pop())) - named
            named |= new
            to_read += [self._known[name] for name in new if name in self._known]
        return tuple(sorted((named & self._secrets) | stored))

    def _stored(self, readers: Iterable[PlannedStep], texts: Iterable[str] = ()) -> set[str]:
        """The secrets of stores that steps and their conditions, and some texts, refer to."""
        scope = Scope(variables=self._known)
        found = [*texts]
        for reader in readers:
            found += texts_with_environment(reader, scope) + texts_of_condition(reader.when, scope)
        return stored_references(found, scope)

    def _secrets_of_build(self) -> tuple[str, ...]:
        """The secrets that the build's own services, hooks and criteria refer to."""
        plan, scope = self._plan, Scope(variables=self._known)
        texts = [*strings(msgspec.to_builtins((plan.services, plan.success_criteria)))]
        if plan.services is not None and (plan.services.readiness or plan.services.setup):
            texts += variables_with_secrets(scope)
        named = {name for text in texts for name in references(text)} & self._secrets
        hooked = [*_hooked(plan.hooks), *(plan.resources.steps if plan.resources else ())]
        return tuple(sorted(named | self._stored(hooked, texts)))


def _hooked(hooks: Hooks | None) -> list[PlannedStep]:
    return [step for hook in (hooks.all() if hooks else ()) for step in hook.steps]


class _Reads:
    """What one condition may read, and what it has read."""

    def __init__(self, forecaster: _Forecaster, reader: PlannedStep) -> None:
        self.values: dict[str, str] = {}

        def variable(name: str) -> str | None:
            value = forecaster.variable(reader, name)
            if value is not None:
                self.values[name] = value
            return value

        def facts(name: str) -> StepFacts | None:
            found = forecaster.facts(reader, name)
            if found is not None:
                self.values[f"steps.{name}.result"] = found.result
            return found

        self.variables = _Asked(variable)
        self.steps = _Asked(facts)


class _Asked(Mapping[str, T]):
    """A mapping whose values are asked for one by one."""

    def __init__(self, ask: Callable[[str], T | None]) -> None:
        self._ask = ask

    def __getitem__(self, name: str) -> T:
        value = self._ask(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class _Settled(_Asked[str]):
    """Those values that are known now."""

    def __getitem__(self, name: str) -> str:
        try:
            return super().__getitem__(name)
        except _Later:
            raise KeyError(name) from None


def _parts(when: When | None) -> Iterator[tuple[Kind, str, str, When]]:
    """The parts of a condition that can be asked alone, in the order of the run: kind, name, text."""
    if when is None:
        return
    if when.branch_only is not None:
        yield "branch.only", "", ", ".join(when.branch_only), When(branch_only=when.branch_only)
    if when.branch_ignore is not None:
        yield "branch.ignore", "", ", ".join(when.branch_ignore), When(branch_ignore=when.branch_ignore)
    for entry in when.steps_all or ():
        yield "steps.all", entry.name, _waited(entry), When(steps_all=(entry,))
    for entry in when.steps_any or ():
        yield "steps.any", entry.name, _waited(entry), When(steps_any=(entry,))
    for name, text in when.all_of or ():
        yield "condition.all", name, text, When(all_of=((name, text),))
    for name, text in when.any_of or ():
        yield "condition.any", name, text, When(any_of=((name, text),))


def _waited(entry: StepCondition) -> str:
    return f"{entry.name}: {', '.join(entry.on)}"


def _open(kind: Kind, name: str, text: str, known_after: str) -> Ground:
    return Ground(kind=kind, name=name, text=text, holds=None, known_after=known_after)


def _combined(grounds: Sequence[Ground]) -> tuple[Verdict, str]:
    """What several conditions come to, asked in their order as the run asks them."""
    waits = ""
    for kind, of_kind in groupby(grounds, key=lambda ground: ground.kind):
        found = [_of_one(ground) for ground in of_kind]
        for verdict, reason in [_of_any(found)] if kind.endswith(".any") else found:
            if verdict == "skipped" or (verdict == "fails" and not waits):
                return verdict, reason
            waits = waits or (reason if verdict == "open" else "")
    return ("open", waits) if waits else ("runs", "")


def _of_one(ground: Ground) -> tuple[Verdict, str]:
    if ground.problem:
        return "fails", ground.problem
    if ground.holds is None:
        return "open", f"known only after {ground.known_after}"
    return ("runs", "") if ground.holds else ("skipped", f"{ground.kind} does not hold: {ground.text}")


def _of_any(found: Sequence[tuple[Verdict, str]]) -> tuple[Verdict, str]:
    """What alternatives come to: the first that does not just fall out decides, or leaves it open."""
    first = next((one for one in found if one[0] != "skipped"), None)
    if first is None:
        return "skipped", ", ".join(reason for _, reason in found)
    return next((one for one in found if one[0] == "runs"), first) if first[0] == "open" else first


def _words_of_exporter(step: PlannedStep) -> frozenset[str]:
    """The words of a step that speaks of exports: it may export any of them."""
    text = "\n".join(texts_of(step))
    if isinstance(step.action, Group) or not _EXPORTS.search(text):
        return frozenset()
    return frozenset(_WORD.findall(text))


def _lineage(steps: Mapping[str, PlannedStep], step: PlannedStep) -> Iterator[tuple[str | None, str]]:
    """The groups around a step, from the inside out, each with its member that leads to the step."""
    while True:
        yield step.parent, step.name
        if step.parent is None:
            return
        step = steps[step.parent]


def _filled(text: str, scope: Scope) -> str:
    try:
        return substitute(text, scope)
    except TextTooLong as error:
        return f"({error})"


def _image(step: PlannedStep, scope: Scope) -> str:
    return _filled(step.action.image, scope).strip() if isinstance(step.action, RunCommands) else ""


def _makes(step: PlannedStep, scope: Scope) -> tuple[str, ...]:
    action = step.action
    if not isinstance(action, BuildImage | PushImage):
        return ()
    name = action.image_name
    if name is None and isinstance(action, PushImage):
        name = action.candidate
    return tuple(_filled(f"{name}:{tag}" if tag else str(name), scope) for tag in action.tags or ("",))
