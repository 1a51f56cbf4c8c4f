"""Environments of the fake: processes in memory that no build owns."""

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from headrace.runtimes.base import (
    Command,
    LaunchedService,
    Say,
    StepCouldNotStart,
    StepExit,
    Wish,
)


class Process(Protocol):
    """The part of `fake.FakeProcess` that is needed here."""

    @property
    def ended(self) -> StepExit | None:
        """How it ended; None while it runs."""

    async def kill(self, code: int) -> None:
        """End it, where it still runs."""


class _Service:
    def __init__(self, command: Command, process: Process) -> None:
        self.command, self.process, self.paused = command, process, False

    def shown(self, name: str) -> LaunchedService:
        ended = self.process.ended
        state: Literal["running", "paused", "stopped"] = "running"
        if ended is not None:
            state = "stopped"
        elif self.paused:
            state = "paused"
        ports = self.command.service.ports if self.command.service and ended is None else ()
        return LaunchedService(
            name=name,
            image=self.command.image,
            state=state,
            exit_code=None if ended is None else ended.exit_code,
            ports={f"{one.container}/{one.protocol}": f"127.0.0.1:{one.host or 30_000}" for one in ports},
        )


class FakeEnvironments:
    """Fills `base.Environments`. The object stands for an engine.

    Args:
        start: makes a process of a command.
        stopped: exit code of a service that was stopped.
    """

    def __init__(self, start: Callable[[Command], Process], *, stopped: int) -> None:
        self._start, self._stopped = start, stopped
        self._known: dict[str, dict[str, _Service]] = {}

    async def engine(self) -> str:
        """Return its name; all fakes are one engine."""
        return "memory"

    async def launch(self, environment_id: str, services: Mapping[str, Command], *, say: Say) -> None:
        """Start services; `FAKE_START_FAILS` prevents one."""
        known = self._known.setdefault(environment_id, {})
        for name, command in services.items():
            await say(f"Starting service {name!r} from image {command.image}")
            if failure := command.environment.get("FAKE_START_FAILS"):
                raise StepCouldNotStart(f"service {name!r} did not start: {failure}")
            known[name] = _Service(command, self._start(command))

    async def found(self) -> dict[str, tuple[LaunchedService, ...]]:
        """Return all that were launched."""
        return {
            environment_id: tuple(service.shown(name) for name, service in services.items())
            for environment_id, services in self._known.items()
        }

    async def change(self, environment_id: str, wish: Wish) -> None:
        """Do so with each service."""
        for service in self._known.get(environment_id, {}).values():
            if wish == "start" and service.process.ended is not None:
                service.process = self._start(service.command)
            elif wish == "stop":
                await service.process.kill(self._stopped)
            service.paused = wish == "pause" and service.process.ended is None

    async def remove(self, environment_id: str) -> None:
        """End all services of one."""
        for service in self._known.pop(environment_id, {}).values():
            await service.process.kill(self._stopped)
