"""Where one step is told of while it runs: its state, its log, and how an attempt of it ended."""

from typing import Any

import msgspec

from headrace.execution.book import Book
from headrace.execution.exports import Export
from headrace.execution.ports import StepState
from headrace.execution.site import Site
from headrace.pipeline.plan import PlannedStep, is_hook
from headrace.pipeline.status import StepStatus
from headrace.pipeline.variables import Scope

META_FOLDER = ".headrace/meta"  # in the volume; one folder a step
EXPORT_FOLDER = ".headrace/exports"  # in the volume; one file a step, where steps run side by side


def unit_of(step: PlannedStep, index: int, *, attempt: int) -> str:
    """Return what a runtime calls one start of a step; `index` is its place in the plan."""
    name = f"hook-{index}" if is_hook(step.name) else step.name
    return f"{name}-{attempt}"


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended, and what is to be said of it."""

    status: StepStatus
    reason: str = ""
    lines: tuple[str, ...] = ()  # the last words of the engine
    members: dict[str, str] = {}
    exports: dict[str, Export] = {}
    export_files: tuple[str, ...] = ()  # those with something in them, in the volume; to be emptied
    may_be_retried: bool = False


class Desk:
    """What is known of a step that runs: its state, and where it is told.

    Args:
        site: of the build.
        step: with its title filled in.
        book: its log, or that of the step whose hook it is of.
        state: as stored, or new.
    """

    def __init__(self, site: Site, step: PlannedStep, book: Book, state: StepState) -> None:
        self.site, self.step, self.book, self.state = site, step, book, state
        self.index = site.board.index[step.name]

    @property
    def scope(self) -> Scope:
        """Everything that the texts of the step may refer to."""
        return self.site.board.scope(self.step, tries=self.state.tries)

    @property
    def unit(self) -> str:
        """What the runtime calls this start of the step."""
        return unit_of(self.step, self.index, attempt=self.state.starts)

    @property
    def own_export_file(self) -> str | None:
        """Where the step exports to, where it must not use the file of all; in the volume."""
        if not self.site.board.runs_beside_others(self.step):
            return None
        return f"{EXPORT_FOLDER}/{self.index}-{self.state.starts}"

    @property
    def meta_folder(self) -> str | None:
        """What a member of a step type sees under `META`; in the volume."""
        if not self.site.board.is_of_step_type(self.step):
            return None
        return f"{META_FOLDER}/{self.index}-{self.state.starts}"

    async def report(self, **changes: Any) -> None:  # noqa: ANN401  # fields of the state
        """Change the state and store it."""
        if "reason" in changes:
            changes["reason"] = self.site.masked(changes["reason"])
        self.state = msgspec.structs.replace(self.state, **changes)
        await self.site.report(self.state)


def terminated(reason: str) -> Ending:
    """How a step ends that was asked to."""
    return Ending(status=StepStatus.TERMINATED, reason=reason, lines=(f"Step terminated: {reason}",))
