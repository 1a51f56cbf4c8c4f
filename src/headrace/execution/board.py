"""What one run knows of its build: the states of steps, variables, exports, secret values."""

import asyncio
from collections import ChainMap, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from headrace.execution import verdict
from headrace.execution.errors import StepRefused
from headrace.execution.exports import Export
from headrace.execution.ports import BuildOrder, SecretRef, SecretSource, StepState
from headrace.execution.stores import Stores
from headrace.execution.verdict import Verdict
from headrace.pipeline.conditions import ConditionFailed, holds, steps_hold, texts_of_condition
from headrace.pipeline.plan import Group, PlannedStep, When, hook_steps, is_hook, texts_with_environment
from headrace.pipeline.status import RESULT_WORDS, BuildStatus, StepStatus
from headrace.pipeline.variables import VOLUME, Scope, StepFacts, attempt_variables

_FIRST = datetime.min.replace(tzinfo=UTC)
_OUTCOME_WORDS = {
    BuildStatus.SUCCESS: "success",
    BuildStatus.ERROR: "failure",
    BuildStatus.DENIED: "failure",
    BuildStatus.TERMINATED: "terminated",
}


class Board:
    """The memory of one run. Steps read it before they start and write to it when they end.

    Args:
        order: the build as claimed; the final states in it are facts.
        source: opens its secrets, each at most once.
    """

    def __init__(self, order: BuildOrder, source: SecretSource) -> None:
        self.build_id = order.build_id
        self.plan = order.plan
        hooks = hook_steps(order.plan)
        self._steps = (*order.plan.steps, *hooks)
        self.index = {step.name: place for place, step in enumerate(self._steps)}
        # By the name of the group; None: the build's own.
        self.members = verdict.members(order.plan.steps) | verdict.members(hooks, within_hooks=True)
        self.states: dict[str, StepState] = {}
        self.secrets: set[str] = set()  # values that never reach a log
        self.workflow = "running"
        self.changes: set[str] = set()  # names of steps, for whoever waits on `changed` to empty
        self.changed = asyncio.Event()
        self._order = order
        self._source = source
        self._variables: dict[str, str] | None = None
        self.stores = Stores(order.build_id, source, self.secrets)
        self._exports: dict[str, str] = {}
        self._exported: frozenset[str] = frozenset()
        # By the group of a step type: what its members exported, and what it hands on of that.
        self._inner: dict[str, dict[str, str]] = {}
        self._outputs: dict[str, dict[str, str]] = {}
        self._facts: dict[str, StepFacts] = {}
        self._known_by = _short_names(self.index)
        for state in order.steps.values():
            self.store(state)

    @property
    def is_resumed(self) -> bool:
        """Whether some of the build was done by an earlier claim."""
        return self._order.attempt > 1

    def step(self, name: str) -> PlannedStep:
        """A step of the plan, by its name."""
        return self._steps[self.index[name]]

    def status(self, step: str) -> StepStatus:
        """The status of a step; one that nothing was reported of is pending."""
        state = self.states.get(step)
        return StepStatus.PENDING if state is None else state.status

    def store(self, state: StepState) -> None:
        """Take note of a step's state, which is durable."""
        self.states[state.name] = state
        if state.name in self.index:
            self._facts[state.name] = self._facts_of(state.name, state)
            if state.status is StepStatus.PENDING:  # it is to run again: what it published is gone
                del self._facts[state.name]
        self.changes.add(state.name)
        self.changed.set()

    async def open_secrets(self) -> None:
        """Open every secret of the build: all variables are the environment of every step.

        Raises:
            StepRefused: one of them is not there; the text names the variable.
        """
        if self._variables is not None:
            return
        values = {name: await self._opened(name, value) for name, value in self._order.variables.items()}
        ended = [state for state in self.states.values() if state.status.is_final or state.outcome]
        for state in sorted(ended, key=lambda state: state.finished_at or _FIRST):
            opened = {name: await self._opened(name, value) for name, value in state.exports.items()}
            self._layer(state.name).update(opened)
            if state.name in self.index and self._hands_on(self.step(state.name)):
                self._outputs[state.name] = opened
                self._facts[state.name] = self._facts_of(state.name, state)
        self._exported = frozenset(self._exports).union(*self._inner.values())
        self._variables = values

    async def _opened(self, name: str, value: str | SecretRef) -> str:
        if isinstance(value, str):
            return value
        try:
            opened = await self._source.open(self.build_id, value)
        except LookupError as missing:
            raise StepRefused(f"secret variable {name!r} cannot be opened: {missing}") from missing
        self.secrets.add(opened)
        return opened

    async def open_stored(self, step: PlannedStep) -> None:
        """Read the secrets of outside stores that a step refers to, each once in a run.

        Raises:
            StepRefused: one of them is not there; the text names it.
        """
        scope = self.scope(step)
        await self.stores.open(texts_with_environment(step, scope), scope)

    # Conditions

    async def open_conditions(self, steps: Iterable[PlannedStep]) -> None:
        """Read the secrets of outside stores that conditions of steps refer to.

        One that cannot be read fails the condition, should it come to that.
        """
        for step in steps:
            if step.when is not None and not step.left_out:
                scope = self.scope(step)
                await self.stores.attempt(texts_of_condition(step.when, scope), scope)

    def holds(self, step: PlannedStep) -> bool:
        """Tell whether the condition of a step holds now.

        Raises:
            ConditionFailed: nobody can tell; the text says why.
        """
        if step.when is None:
            return True
        scope = self.scope(step)
        unread = ""
        if self.stores.has_failed:
            unread = self.stores.failure(texts_of_condition(step.when, scope), scope)
        if not unread:
            return holds(step.when, scope)
        if steps_hold(step.when, scope):  # else the secret is of no account
            raise ConditionFailed(f"Failed to evaluate condition: {unread}")
        return False

    async def keep_exports(
        self, step: PlannedStep, found: Mapping[str, Export]
    ) -> dict[str, str | SecretRef]:
        """Make a step's exports visible to later steps; return them as they may be stored.

        Those of a member of a step type are visible within it, until it hands them on.
        """
        stored: dict[str, str | SecretRef] = {}
        layer = self._layer(step.name)
        for name, export in found.items():
            layer[name] = export.value
            stored[name] = export.value
            if export.masked and export.value:
                self.secrets.add(export.value)
                stored[name] = await self._source.seal(self.build_id, name, export.value)
        if not self._exported.issuperset(found):
            self._exported |= found.keys()
        return stored

    def own_variables(self, step: PlannedStep, *, tries: int = 1) -> dict[str, str]:
        """The variables that only this step has, in the attempt of this number.

        One of a step type that is not tried again by itself counts the attempts of all together.
        """
        group = self.step_type_of(step)
        retry = step.retry
        if retry is None and group is not None and group.retry is not None:
            retry, tries = group.retry, self.states[group.name].tries if group.name in self.states else 1
        return {
            **attempt_variables(step.name, tries, retry.max_attempts if retry else 1),
            "CF_VOLUME_PATH": VOLUME,
            "CF_VOLUME_NAME": f"volume-{self.build_id}",  # what a composition mounts
        }

    def scope(self, step: PlannedStep, *, tries: int = 1) -> Scope:
        """Everything that the texts of a step may refer to now; it follows what happens later."""
        own = self.own_variables(step, tries=tries)
        facts = [self._hook_facts(step)] if is_hook(step.name) else []
        if self.is_of_step_type(step) and step.parent is not None:
            facts.insert(0, self._neighbour_facts(step.parent))
            scope = self._scope(own, self._layer(step.name))
        else:
            scope = self._scope(own)
        return msgspec.structs.replace(scope, steps=ChainMap(*facts, self._facts)) if facts else scope

    def _scope(self, *layers: dict[str, str]) -> Scope:
        variables = ChainMap(*layers, self._exports, self._variables or {})
        return Scope(
            variables=variables,
            steps=self._facts,
            literal=self._exported,
            workflow=self.workflow,
            stored=self.stores.values,
            hidden=self.secrets,
        )

    def _hook_facts(self, step: PlannedStep) -> dict[str, StepFacts]:
        """What only steps of a hook see: each other by short names, and how their owner ended."""
        owner, moment, _ = (step.name + "##").split("#", 2)
        facts = self._facts_within(f"{owner}#{moment}#")
        state = self.states.get(owner)
        if state is not None and state.outcome is not None:
            facts[owner] = self._facts_of(owner, msgspec.structs.replace(state, status=state.outcome))
        return facts

    def _neighbour_facts(self, group: str) -> dict[str, StepFacts]:
        """What members of a step type see of each other, by the names that the step type gives them."""
        return self._facts_within(f"{group}.")

    def _facts_within(self, prefix: str) -> dict[str, StepFacts]:
        names = self._known_by.get(prefix, ())
        return {name.removeprefix(prefix): self._facts[name] for name in names if name in self._facts}

    def _facts_of(self, name: str, state: StepState) -> StepFacts:
        return _facts(self.step(name), state, self._outputs.get(name, {}))

    # Step types

    @staticmethod
    def _hands_on(step: PlannedStep) -> bool:
        return isinstance(step.action, Group) and step.action.outputs is not None

    def step_type_of(self, step: PlannedStep) -> PlannedStep | None:
        """The group of an unfolded step type that a step is a member of; None where it is of none."""
        group = None if step.parent is None else self.step(step.parent)
        return group if group is not None and self._hands_on(group) else None

    def is_of_step_type(self, step: PlannedStep) -> bool:
        """Whether a step is a member of an unfolded step type."""
        return self.step_type_of(step) is not None

    def _layer(self, name: str) -> dict[str, str]:
        """Where the exports of a step are kept, by the step's name; a step may be gone from the plan."""
        step = self.step(name) if name in self.index else None
        if step is None or step.parent is None or not self.is_of_step_type(step):
            return self._exports
        return self._inner.setdefault(step.parent, {})

    def hand_on(self, group: PlannedStep) -> dict[str, str | SecretRef]:
        """Make what a step type gives visible to later steps; return it as it may be stored."""
        stored = self._given(group)
        if stored:
            inner = self._inner.get(group.name, {})
            self._outputs[group.name] = {name: inner[name] for name in stored}
            self._exports.update(self._outputs[group.name])
        return stored

    def missing_output(self, group: PlannedStep) -> str:
        """Why a step type has failed though its members have not; ``""`` where it has not."""
        outputs = group.action.outputs if isinstance(group.action, Group) else None
        if outputs is None or is_hook(group.name):
            return ""
        given = self._given(group)
        missing = [name for name in outputs.required if name not in given]
        return f"required output {missing[0]!r} was not exported" if missing else ""

    def _given(self, group: PlannedStep) -> dict[str, str | SecretRef]:
        """What a step type gives of all that its members exported, by what they ended with last."""
        outputs = group.action.outputs if isinstance(group.action, Group) else None
        if outputs is None or is_hook(group.name):
            return {}
        stored: dict[str, str | SecretRef] = {}
        states = [self.states[one.name] for one in self.members[group.name] if one.name in self.states]
        for state in sorted(states, key=lambda state: state.finished_at or _FIRST):
            stored |= state.exports
        if outputs.names is not None:
            stored = {name: value for name, value in stored.items() if name in outputs.names}
        return stored

    def forget_exports(self, group: PlannedStep) -> None:
        """Forget what the members of a step type exported: they are about to run again."""
        if self._inner.pop(group.name, None):
            self._exported = frozenset(self._exports).union(*self._inner.values())

    # Groups

    def runs_beside_others(self, step: PlannedStep) -> bool:
        """Whether other steps may run at the same time, by the shape of the plan."""
        if self.plan.mode == "parallel" or is_hook(step.name):
            return True
        while step.parent is not None:
            step = self.step(step.parent)
            if isinstance(step.action, Group) and step.action.mode == "parallel":
                return True
        return False

    async def open_criteria(self, group: PlannedStep | None) -> None:
        """Read the secrets that the success criteria of a group refer to; None: those of the build."""
        when, scope = self._criteria(group)
        await self.stores.attempt(texts_of_condition(when, scope), scope)

    def _criteria(self, group: PlannedStep | None) -> tuple[When | None, Scope]:
        if group is None:
            return verdict.condition_of(self.plan.success_criteria), self._scope({})
        criteria = group.action.success_criteria if isinstance(group.action, Group) else None
        return verdict.condition_of(criteria), self.scope(group)

    def verdict(self, group: PlannedStep) -> Verdict:
        """How a group ends, as its members stand now."""
        when, scope = self._criteria(group)
        if unread := self.stores.failure(texts_of_condition(when, scope), scope):
            return Verdict(StepStatus.ERROR, unread)
        return verdict.of_group(group, self.members.get(group.name, ()), self.states, scope)

    # The end

    def result(self, *, terminated: bool) -> tuple[BuildStatus, str]:
        """What the build comes to as its steps stand now, and why."""
        if terminated:
            return BuildStatus.TERMINATED, ""
        when, scope = self._criteria(None)
        if unread := self.stores.failure(texts_of_condition(when, scope), scope):
            return BuildStatus.ERROR, unread
        return verdict.of_build(self.plan, self.members, self.states, scope)

    def decide_outcome(self, *, terminated: bool, failed: bool = False) -> None:
        """Give conditions on ``workflow.result`` their word: nothing else is left to run."""
        result = BuildStatus.ERROR if failed else self.result(terminated=terminated)[0]
        self.workflow = _OUTCOME_WORDS[result]


def _short_names(names: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Return the steps that have shorter names within an owner or group, by what is left out of them."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        for place, character in enumerate(name):
            if character in ".#":
                found[name[: place + 1]].append(name)
    return found


def _facts(step: PlannedStep, state: StepState, outputs: Mapping[str, str]) -> StepFacts:
    result = RESULT_WORDS[state.status]
    if state.status is StepStatus.SKIPPED:
        return StepFacts(result)
    members = {
        "name": step.name.rpartition("#")[2],
        "type": step.type,
        "description": step.description,
        **state.members,
    }
    if state.decided_by is not None:
        members["authEntity.name"], members["authEntity.type"] = state.decided_by
    members |= {f"output.{name}": value for name, value in outputs.items()}
    return StepFacts(result, members)
