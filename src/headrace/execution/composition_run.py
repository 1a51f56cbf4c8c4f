"""``type: composition``: candidates run to their end beside services, then all is taken down.

Source: `reference/pipeline-yaml.md` 3.6. A composition is not taken up after a crash: its attempt is
lost, and the next one begins by removing what was left.
"""

import asyncio
from collections.abc import AsyncIterator

import msgspec

from headrace.execution.compositions import Member, login_for, resolve, service_command
from headrace.execution.services import GRACE_S, network_of
from headrace.execution.site import Site
from headrace.execution.tasks import call_off
from headrace.pipeline.plan import PlannedStep, RunComposition
from headrace.pipeline.variables import Scope, substitute
from headrace.runtimes.base import RunningStep, Say, StepCouldNotStart, StepExit


async def start_composition(
    site: Site, step: PlannedStep, action: RunComposition, scope: Scope, *, unit: str, say: Say
) -> "CompositionRun":
    """Start all services and candidates of a composition.

    Raises:
        StepCouldNotStart: one of them did not start; nothing is left behind.
    """
    network = network_of(step.name)
    await site.workspace.clear(network)
    found = await resolve(
        site,
        scope,
        action.composition,
        action.variables,
        directory=action.working_directory,
        candidates=action.candidates,
    )
    for note in found.composition.notes:
        await say(note)
    contexts = [substitute(name, scope).strip() for name in action.registry_contexts]
    run = CompositionRun(site, network, frozenset(action.candidates))
    try:
        for service in found.composition.services:
            await say(f"Starting service {service.name!r} from image {service.image}")
            command = service_command(service, found.environments[service.name], network=network)
            command = msgspec.structs.replace(command, login=await login_for(site, service.image, contexts))
            try:
                running = await site.workspace.start(f"{unit}/{service.name}", command, say=say)
            except StepCouldNotStart as failure:
                raise StepCouldNotStart(f"service {service.name!r} did not start: {failure}") from failure
            run.follow(service.name, running)
    except (StepCouldNotStart, asyncio.CancelledError):
        await run.take_down()
        raise
    run.begin()
    return run


class CompositionRun:
    """A composition that runs; fills `base.RunningStep`. Each line begins with its service."""

    def __init__(self, site: Site, network: str, candidates: frozenset[str]) -> None:
        self._site, self._network, self._candidates = site, network, candidates
        self._members: list[Member] = []
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._whole: asyncio.Task[StepExit] | None = None

    def follow(self, service: str, running: RunningStep) -> None:
        """Take the output of a service that was started."""
        member = Member(service, running)
        self._members.append(member)
        self._pumps[service] = asyncio.create_task(self._pump(member, running))

    def begin(self) -> None:
        """Wait for the candidates from now on."""
        self._whole = asyncio.create_task(self._run())

    async def _run(self) -> StepExit:
        await asyncio.wait([self._pumps[name] for name in self._candidates])
        code = 0
        for member in self._members:
            if member.name in self._candidates and member.exit_code != 0:
                code = code or (1 if member.exit_code is None else member.exit_code)
                self._lines.put_nowait(f"{member.name} ended with exit code {member.exit_code}\n".encode())
        await self.take_down()
        self._lines.put_nowait(None)
        return StepExit(code)

    async def _pump(self, member: Member, running: RunningStep) -> None:
        rest = b""
        async for chunk in running.output():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._print(member.name, line)
        if rest:
            self._print(member.name, rest)
        member.exit_code = (await running.wait()).exit_code

    def _print(self, service: str, line: bytes) -> None:
        self._lines.put_nowait(f"{service} | ".encode() + line + b"\n")

    async def output(self) -> AsyncIterator[bytes]:
        """Yield what all print, line by line, until everything was taken down."""
        try:
            while (line := await self._lines.get()) is not None:
                yield line
        finally:
            if self._whole is not None and not self._whole.done():  # nobody follows any more
                await call_off([self._whole, *self._pumps.values()])

    async def wait(self) -> StepExit:
        """Return the exit code of the first candidate that failed, else 0."""
        assert self._whole is not None  # noqa: S101  # it was begun
        return await self._whole

    async def stop(self, grace_s: float) -> None:
        """End all services and candidates."""
        await self._stop_members(grace_s)
        if self._whole is not None:
            await asyncio.wait({self._whole})

    async def take_down(self) -> None:
        """Stop what still runs, and remove everything."""
        await self._stop_members(GRACE_S)
        if self._pumps:
            await asyncio.wait(self._pumps.values(), timeout=GRACE_S)
        await call_off(self._pumps.values())
        await self._site.workspace.clear(self._network)

    async def _stop_members(self, grace_s: float) -> None:
        left = [one.running for one in self._members if one.running and one.exit_code is None]
        await asyncio.gather(*(running.stop(grace_s) for running in left))
