"""What one run knows of its build: the states of steps, variables, exports, secret values."""

from collections.abc import Mapping
from datetime import UTC, datetime

from headrace.execution.errors import StepRefused
from headrace.execution.exports import Export
from headrace.execution.ports import BuildOrder, SecretRef, SecretSource, StepState
from headrace.pipeline.plan import PlannedStep
from headrace.pipeline.status import RESULT_WORDS, BuildStatus, StepStatus, build_result
from headrace.pipeline.variables import VOLUME, Scope, StepFacts

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
        self.states: dict[str, StepState] = dict(order.steps)
        self.secrets: set[str] = set()  # values that never reach a log
        self.workflow = "running"
        self._order = order
        self._source = source
        self._variables: dict[str, str] | None = None
        self._exports: dict[str, str] = {}

    @property
    def is_resumed(self) -> bool:
        """Whether some of the build was done by an earlier claim."""
        return bool(self._order.steps) or self._order.attempt > 1

    def status(self, step: str) -> StepStatus:
        """The status of a step; one that nothing was reported of is pending."""
        state = self.states.get(step)
        return StepStatus.PENDING if state is None else state.status

    async def open_secrets(self) -> None:
        """Open every secret of the build: all variables are the environment of every step.

        Raises:
            StepRefused: one of them is not there; the text names the variable.
        """
        if self._variables is not None:
            return
        values = {name: await self._opened(name, value) for name, value in self._order.variables.items()}
        ended = [state for state in self.states.values() if state.status.is_final]
        for state in sorted(ended, key=lambda state: state.finished_at or _FIRST):
            for name, value in state.exports.items():
                self._exports[name] = await self._opened(name, value)
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

    async def keep_exports(self, found: Mapping[str, Export]) -> dict[str, str | SecretRef]:
        """Make a step's exports visible to later steps; return them as they may be stored."""
        stored: dict[str, str | SecretRef] = {}
        for name, export in found.items():
            self._exports[name] = export.value
            stored[name] = export.value
            if export.masked and export.value:
                self.secrets.add(export.value)
                stored[name] = await self._source.seal(self.build_id, name, export.value)
        return stored

    def own_variables(self, step: PlannedStep) -> dict[str, str]:
        """The variables that only this step has."""
        return {"CF_STEP_NAME": step.name, "CF_VOLUME_PATH": VOLUME}

    def scope(self, step: PlannedStep) -> Scope:
        """Everything that the texts of a step may refer to now."""
        variables = {**(self._variables or {}), **self._exports, **self.own_variables(step)}
        facts = {
            planned.name: self._facts(planned) for planned in self.plan.steps if planned.name in self.states
        }
        return Scope(
            variables=variables, steps=facts, literal=frozenset(self._exports), workflow=self.workflow
        )

    def _facts(self, step: PlannedStep) -> StepFacts:
        state = self.states[step.name]
        result = RESULT_WORDS[state.status]
        if state.status is StepStatus.SKIPPED:
            return StepFacts(result)
        members = {"name": step.name, "type": step.type, "description": step.description, **state.members}
        if state.decided_by is not None:
            members["authEntity.name"], members["authEntity.type"] = state.decided_by
        return StepFacts(result, members)

    def result(self, *, terminated: bool) -> BuildStatus:
        """What the build comes to, as the steps stand now."""
        marks = (
            (self.status(step.name), step.fail_fast or step.strict_fail_fast) for step in self.plan.steps
        )
        return build_result(marks, terminated=terminated)

    def decide_outcome(self, *, terminated: bool) -> None:
        """Give conditions on ``workflow.result`` their word: nothing else is left to run."""
        self.workflow = _OUTCOME_WORDS[self.result(terminated=terminated)]
