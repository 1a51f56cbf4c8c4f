"""Where the steps of one build run: its workspace, its ports, and the wish to stop."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from headrace.execution.board import Board
from headrace.execution.exports import SCRIPT, SCRIPT_PATH, SHARED_FILE
from headrace.execution.ports import (
    BuildFeed,
    Clock,
    LogSink,
    Records,
    RegistryAccess,
    ReportSink,
    SecretSource,
    StepState,
)
from headrace.execution.settings import ExecutionSettings
from headrace.execution.stores import hidden
from headrace.kit.masking import mask_text
from headrace.pipeline.plan import PlannedStep
from headrace.pipeline.status import begin_again, move_step
from headrace.pipeline.variables import TextTooLong, substitute
from headrace.runtimes.base import Runtime, Workspace

if TYPE_CHECKING:
    from headrace.execution.debugger import Debugger  # the same
    from headrace.execution.kubeconfig import KubeconfigFile  # the same
    from headrace.execution.outlook import Outlook  # the same
    from headrace.execution.services import BuildServices  # made with a site in hand

EXECUTABLE, WRITABLE = 0o755, 0o666  # steps may run as any user of their image


@dataclass
class Site:
    """What every step of a build shares. Steps may use it at the same time."""

    build_id: str
    board: Board
    runtime: Runtime
    workspace: Workspace
    feed: BuildFeed
    logs: LogSink
    secrets: SecretSource
    records: Records
    reports: ReportSink
    clock: Clock
    settings: ExecutionSettings
    stop: "asyncio.Future[str]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    has_adopted: bool = False  # a step of an earlier claim runs here: its exports are not to be lost
    services: "BuildServices" = field(init=False)
    kubeconfig: "KubeconfigFile" = field(init=False)
    outlook: "Outlook" = field(init=False)
    debugger: "Debugger" = field(init=False)
    failure: str = ""  # why the build ends as failed, whatever its steps come to
    _registries: Sequence[RegistryAccess] | None = None
    volume_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _volume_ready: bool = False

    def __post_init__(self) -> None:
        """Count idle time from now."""
        self.touched_at = self.clock.now()

    def touch(self) -> None:
        """Say that something was printed: the build is not idle."""
        self.touched_at = self.clock.now()

    def fail(self, reason: str) -> None:
        """End the build as failed; what runs is stopped."""
        self.failure = self.failure or self.masked(reason)
        if not self.stop.done():
            self.stop.set_result(self.failure)

    async def registries(self) -> Sequence[RegistryAccess]:
        """Return the account's image registries, asked for once per run."""
        if self._registries is None:
            self._registries = await self.secrets.registries(self.build_id)
        return self._registries

    def masked(self, text: str) -> str:
        """Return a text that leaves the build without the secrets in it."""
        return mask_text(text, self.board.secrets) if text else text

    def shown(self, text: str) -> str:
        """Return a text for people: what is masked in it needs not even be read."""
        return self.masked(hidden(text))

    def title(self, step: PlannedStep) -> str:
        """Return what a step is called for people."""
        try:
            return self.shown(substitute(step.title, self.board.scope(step)))
        except TextTooLong:
            return step.title

    async def report(self, state: StepState) -> None:
        """Store a step's state; nothing else happens before it is durable."""
        known = self.board.states.get(state.name)
        if known is not None and known.earlier > state.earlier:  # whoever made the state anew knows no past
            state = msgspec.structs.replace(state, earlier=known.earlier)
        old = self.board.status(state.name)
        if known is not None and known.earlier < state.earlier:
            begin_again(old)
        elif old is not state.status:
            move_step(old, state.status)
        await self.feed.step_changed(self.build_id, state)
        self.board.store(state)

    async def say(self, step: str, *lines: str) -> None:
        """Write lines of the engine into the log of a step that runs nothing."""
        log = await self.logs.open(self.build_id, step, secrets=frozenset(self.board.secrets))
        for line in lines:
            await log.say(line)
        await log.close()

    async def prepare_volume(self) -> None:
        """Put ``cf_export`` and its file into the volume, once per run."""
        async with self.volume_lock:
            if self._volume_ready:
                return
            await self.workspace.write(SCRIPT_PATH, SCRIPT.encode(), mode=EXECUTABLE)
            if not self.has_adopted:
                await self.workspace.write(SHARED_FILE, b"", mode=WRITABLE)
            self._volume_ready = True
