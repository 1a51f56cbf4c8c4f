"""What will probably come next, told to a runtime that can make it ready while a step runs.

Only steps that follow in order, that would start as things stand, and that no approval or group comes
before. It is a guess: nothing is opened, written or said for it, and what a step runs is decided at its turn.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

import msgspec

from headrace.execution.attempt import REFUSALS
from headrace.execution.commands import freestyle_command
from headrace.execution.desk import unit_of
from headrace.execution.schedule import Verb, judged
from headrace.execution.site import Site
from headrace.pipeline.plan import Group, PlannedStep, RunCommands, WaitForApproval
from headrace.pipeline.status import StepStatus
from headrace.pipeline.variables import DirectoryUnknown
from headrace.runtimes.base import Command

_MOST = 2  # more waiting containers did not make empty steps faster on two cores
_WITHIN = 8  # steps; those that wait for conditions do not hide the ones behind them


class Outlook:
    """The steps that follow in one run of a build."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._steps: Sequence[PlannedStep] = ()
        self._place = 0
        self._has_told = False

    def see(self, steps: Sequence[PlannedStep], place: int = 0) -> None:
        """Take note of the steps in their order, and of the place of the first that has not been entered."""
        self._steps, self._place = steps, place

    async def tell(self) -> None:
        """Tell the runtime, where it makes use of it; to be called when a step has started."""
        if not self._site.runtime.starts_ahead or self._site.board.plan.debug:
            return  # a debugged build may wait for long before the next step, or run another in its place
        coming = list(islice(self._likely(), _MOST))
        if coming or self._has_told:
            self._has_told = bool(coming)
            await self._site.workspace.expect(coming)

    def _likely(self) -> Iterator[tuple[str, Command]]:
        board = self._site.board
        for step in self._steps[self._place : self._place + _WITHIN]:
            if isinstance(step.action, Group | WaitForApproval):
                return
            if board.status(step.name) is StepStatus.PENDING and judged(step, board.holds).verb is Verb.START:
                command = self._guess(step)
                if command is not None:
                    yield unit_of(step, board.index[step.name], attempt=1), command

    def _guess(self, step: PlannedStep) -> Command | None:
        """What a step would run now; None for one of another kind, or with services beside it."""
        board, action = self._site.board, step.action
        if (
            not isinstance(action, RunCommands)
            or step.services is not None
            or board.plan.services is not None
        ):
            return None
        if action.commands is None or action.volumes:
            return None
        action = msgspec.structs.replace(action, commands=())
        # A directory may be the result of a step that still runs; it is no matter until the step's turn.
        with suppress(*REFUSALS):
            with suppress(DirectoryUnknown):
                return self._made(step, action)
            return self._made(step, msgspec.structs.replace(action, working_directory=None))
        return None

    def _made(self, step: PlannedStep, action: RunCommands) -> Command:
        board = self._site.board
        return freestyle_command(action, board.scope(step), board.own_variables(step))
