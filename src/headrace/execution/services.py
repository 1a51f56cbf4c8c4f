"""The services of a build and of its steps: started, ready, set up, followed, and taken down.

A group of services has a state as a step has (``#services``, or ``<step>#services``), and so has
each service of it; a new claim finds by them what runs. One generation of containers is ready
once: where a part of it is lost, the next generation begins from nothing.

Source: `reference/pipeline-yaml.md` 6.1.
"""

import asyncio
import hashlib
from typing import Any

import msgspec

from headrace.execution.book import Book
from headrace.execution.commands import freestyle_command
from headrace.execution.compositions import Member, Resolved, login_for, resolve, service_command
from headrace.execution.errors import StepRefused
from headrace.execution.ports import StepState
from headrace.execution.site import Site
from headrace.execution.tasks import call_off
from headrace.pipeline.plan import Plan, PlannedStep, RunCommands, Services, strings, variables_with_secrets
from headrace.pipeline.status import StepStatus
from headrace.pipeline.variables import DirectoryUnknown, TextTooLong
from headrace.runtimes.base import Command, RunningStep, StepCouldNotStart

MARK = "#services"  # no name of a step has a '#'
GRACE_S = 2.0  # for a service to end: nobody waits for what it would still say
EXIT_CODE = "exitCode"  # of a service that ended by itself
_TITLE = "Services"


def network_of(step: str) -> str:
    """Return the name of a step's own network."""
    return f"n{hashlib.sha256(step.encode()).hexdigest()[:12]}"


def log_entries(plan: Plan) -> list[tuple[str, str]]:
    """Return (name, title) of the log entries of services, as far as a plan knows them."""
    owners = [
        ("", "", plan.services),
        *((step.name, f" of {step.title}", step.services) for step in plan.steps),
    ]
    entries = []
    for owner, of, services in owners:
        if services is None:
            continue
        entries.append((f"{owner}{MARK}", f"{_TITLE}{of}"))
        written = services.composition if isinstance(services.composition, dict) else {}
        names = written.get("services", written)
        entries += [(f"{owner}{MARK}/{name}", f"Service {name}{of}") for name in names]
    return entries


class BuildServices:
    """All services of one build. Steps may use it at the same time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._own: dict[str, ServiceGroup] = {}  # by step
        self._shared: ServiceGroup | None = None
        plan = site.board.plan.services
        if plan is not None:
            owner = PlannedStep(name="services", type="services", title=_TITLE, action=RunCommands(image=""))
            self._shared = ServiceGroup(site, owner, plan, name=MARK, network="")

    def begin(self) -> None:
        """Start the services of the build, where they are known before its first step."""
        plan = self._site.board.plan.services
        if self._shared is not None and plan is not None and isinstance(plan.composition, dict):
            self._shared.start()

    async def join(self, step: PlannedStep, command: Command) -> Command:
        """Return a step's command beside its services, which are ready then.

        Raises:
            StepCouldNotStart: the services did not start, or did not become ready.
        """
        group = await self._group(step)
        if group is None:
            return command
        await group.up()
        return group.joined(command)

    async def _group(self, step: PlannedStep) -> "ServiceGroup | None":
        if step.services is None:
            return self._shared
        group = self._own.get(step.name)
        if group is not None and group.has_failed:  # a new attempt of the step
            await group.down(resumes=True)
            group = None
        if group is None:
            name = f"{step.name}{MARK}"
            group = ServiceGroup(self._site, step, step.services, name=name, network=network_of(step.name))
            self._own[step.name] = group
        return group

    async def take_up(self, step: PlannedStep) -> None:
        """Follow the services of an adopted step again; what is lost of them stays lost."""
        if step.services is not None and (group := await self._group(step)) is not None:
            await group.take_up()

    def trouble(self, step: PlannedStep) -> str:
        """Say which service that a step had beside it has failed; empty where none has."""
        group = self._shared if step.services is None else self._own.get(step.name)
        return "" if group is None else group.trouble()

    async def leave(self, step: PlannedStep) -> None:
        """Take down a step's own services; it has ended."""
        group = self._own.pop(step.name, None)
        if group is not None:
            await group.down()

    async def down(self, *, resumes: bool) -> None:
        """Take down what is left.

        Args:
            resumes: the build goes on later: the states stay as they are, for the next claim.
        """
        groups = [*self._own.values(), *([self._shared] if self._shared is not None else [])]
        await asyncio.gather(*(group.down(resumes=resumes) for group in groups))
        if not resumes:
            for state in [one for one in self._site.board.states.values() if one.name.endswith(MARK)]:
                await close_states(self._site, state.name, "")  # of a claim that ended in between

    async def abandon(self) -> None:
        """Follow nothing any more; what runs goes on, for the next claim."""
        groups = [*self._own.values(), *([self._shared] if self._shared is not None else [])]
        await asyncio.gather(*(group.abandon() for group in groups))


class ServiceGroup:
    """The services of one ``services:`` map."""

    def __init__(self, site: Site, owner: PlannedStep, plan: Services, *, name: str, network: str) -> None:
        self._site, self._owner, self._plan = site, owner, plan
        self._name, self._network = name, network
        self._generation = 0
        self._stack_of = ""  # the service that all share the network stack of
        self._members: dict[str, Member] = {}
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._rising: asyncio.Task[None] | None = None
        self._log: Book | None = None
        self._is_ending = False

    # Up

    def start(self) -> None:
        """Begin to start the services. Safe twice."""
        if self._rising is None:
            self._rising = asyncio.create_task(self._rise())
            self._rising.add_done_callback(_failed)  # whoever waits for it tells the reason

    async def up(self) -> None:
        """Start the services where that has not begun; return when they are ready.

        Raises:
            StepCouldNotStart: they do not start, or do not become ready.
        """
        self.start()
        assert self._rising is not None  # noqa: S101  # it was begun
        await asyncio.shield(self._rising)
        if trouble := self.trouble():
            raise StepCouldNotStart(trouble)

    async def take_up(self) -> None:
        """Follow what an earlier claim started; start nothing."""
        state = self._site.board.states.get(self._name)
        if state is not None:
            await self._adopt(state)
            self._rising = asyncio.create_task(_nothing())

    @property
    def has_failed(self) -> bool:
        """Whether the start was given up."""
        return self._rising is not None and _failed(self._rising)

    def joined(self, command: Command) -> Command:
        """Return a command beside the services."""
        return msgspec.structs.replace(command, network=self._network, stack_of=self._stack_of)

    def trouble(self) -> str:
        """Say which service has failed by itself; empty where none has."""
        for member in self._members.values():
            if member.exit_code and not self._is_ending:
                return f"service {member.name!r} ended with exit code {member.exit_code}; its log says more"
        return ""

    async def _rise(self) -> None:
        state = self._site.board.states.get(self._name)
        if state is not None and state.members.get("ready") and await self._adopt(state):
            return
        self._generation = 1 if state is None else state.attempt + 1
        await self._report_group(services="")
        await self._site.workspace.clear(self._network)
        self._log = Book(self._site, self._name)
        found = await self._resolve()
        for note in found.composition.notes:
            await self._say(note)
        await self._report_group(services=" ".join(service.name for service in found.composition.services))
        for place in range(len(found.composition.services)):
            await self._start_service(found, place)
        await self._become_ready()
        await self._set_up()
        await self._report_group(ready="yes")

    async def _resolve(self) -> Resolved:
        plan, scope = self._plan, self._site.board.scope(self._owner)
        if plan.readiness is not None or plan.setup is not None:  # they get all variables
            own = strings(msgspec.to_builtins((plan.readiness, plan.setup)))
            try:
                await self._site.board.stores.open((*own, *variables_with_secrets(scope)), scope)
            except StepRefused as refusal:
                raise StepCouldNotStart(str(refusal)) from refusal
        return await resolve(self._site, scope, plan.composition, plan.variables)

    async def _start_service(self, found: Resolved, place: int) -> None:
        service = found.composition.services[place]
        is_first = self._plan.shared_host_network and place == 0
        others = tuple(one.name for one in found.composition.services if is_first)
        command = service_command(
            service,
            found.environments[service.name],
            network=self._network,
            stack_of=self._stack_of,
            hosts=others,
        )
        command = msgspec.structs.replace(command, login=await login_for(self._site, service.image))
        name, unit = f"{self._name}/{service.name}", self._unit(service.name)
        await self._say(f"Starting service {service.name!r} from image {service.image}")
        log = self._book(name)
        state = StepState(
            name=name, status=StepStatus.RUNNING, attempt=self._generation, started_at=self._site.clock.now()
        )
        await self._site.report(state)
        try:
            running = await self._site.workspace.start(unit, command, say=log.say)
        except StepCouldNotStart as failure:
            await log.say(str(failure))
            await log.close()
            await self._site.report(msgspec.structs.replace(state, reason=str(failure)))
            raise StepCouldNotStart(f"service {service.name!r} did not start: {failure}") from failure
        await self._site.report(msgspec.structs.replace(state, output_from=await log.length()))
        self._follow(service.name, running, log)
        if is_first:
            self._stack_of = unit

    def _unit(self, service: str) -> str:
        return f"{self._name}/{service}-{self._generation}"

    def _follow(self, service: str, running: RunningStep, log: Book) -> None:
        member = self._members[service] = Member(service, running)
        self._pumps[service] = asyncio.create_task(self._pump(member, running, log))

    async def _pump(self, member: Member, running: RunningStep, log: Book) -> None:
        try:
            async for chunk in running.output():
                await log.write(chunk)
            member.exit_code = (await running.wait()).exit_code
        finally:
            await log.close()
        if not self._is_ending:  # it ended by itself; the state stays open until the group is closed
            state = self._site.board.states[f"{self._name}/{member.name}"]
            reason = f"exit code {member.exit_code}" if member.exit_code else ""
            members = {EXIT_CODE: str(member.exit_code)}
            await self._site.report(msgspec.structs.replace(state, members=members, reason=reason))

    async def _adopt(self, state: StepState) -> bool:
        """Take up what runs of a generation; tell whether all of it was there."""
        self._generation = state.attempt
        services = state.members.get("services", "").split()
        for service in services:
            name = f"{self._name}/{service}"
            known = self._site.board.states.get(name)
            if known is None:
                return False
            if code := known.members.get(EXIT_CODE):
                self._members[service] = Member(service, None, int(code))
                continue
            running = await self._site.workspace.adopt(self._unit(service))
            if running is None:
                await self.abandon()
                return False
            book = self._book(name)
            await book.rewind(known.output_from)
            self._follow(service, running, book)
        if self._plan.shared_host_network and services:
            self._stack_of = self._unit(services[0])
        return True

    # Ready

    async def _become_ready(self) -> None:
        ready = self._plan.readiness
        if ready is None:
            return
        if ready.initial_delay_s:
            await self._site.clock.sleep(ready.initial_delay_s)
        good = bad = tries = 0
        while good < ready.success_threshold:
            if tries:
                await self._site.clock.sleep(ready.period_s)
            if trouble := self.trouble():
                raise StepCouldNotStart(trouble)
            tries += 1
            action = RunCommands(image=ready.image, commands=ready.commands)
            code = await self._run(f"ready-{tries}", action, ready.timeout_s)
            good, bad = (good + 1, 0) if code == 0 else (0, bad + 1)
            answer = "no answer in time" if code is None else f"exit code {code}"
            await self._say(f"Readiness, try {tries}: {answer}")
            if bad >= ready.failure_threshold:
                raise StepCouldNotStart(f"the services are not ready after {tries} tries ({answer})")

    async def _set_up(self) -> None:
        setup = self._plan.setup
        if setup is None:
            return
        action = RunCommands(image=setup.image, commands=setup.commands)
        code = await self._run("setup", action, None)
        if code != 0:
            raise StepCouldNotStart(f"the setup of the services failed with exit code {code}")

    async def _run(self, name: str, action: RunCommands, timeout_s: float | None) -> int | None:
        """Run commands beside the services; return the exit code, None where the time ran out."""
        site = self._site
        scope, own = site.board.scope(self._owner), site.board.own_variables(self._owner)
        try:
            command = freestyle_command(action, scope, own)
        except (StepRefused, DirectoryUnknown, TextTooLong) as refusal:
            raise StepCouldNotStart(f"{name.partition('-')[0]} of the services: {refusal}") from refusal
        command = msgspec.structs.replace(self.joined(command), login=await login_for(site, command.image))
        running = await site.workspace.start(self._unit(name), command, say=self._say)
        work = asyncio.create_task(self._print(running))
        waited: set[asyncio.Task[Any]] = {work}
        if timeout_s is not None:
            waited.add(asyncio.create_task(_sleep(site, timeout_s)))
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            return work.result() if work.done() else None
        finally:
            if not work.done():
                await running.stop(0)
            await call_off(waited)

    async def _print(self, running: RunningStep) -> int:
        async for chunk in running.output():
            if self._log is not None:
                await self._log.write(chunk)
        return (await running.wait()).exit_code

    # Down

    async def down(self, *, resumes: bool = False) -> None:
        """Stop and remove the services. Safe twice, and where they never started."""
        if self._rising is None:
            return
        failure = str(_exception(self._rising)) if self.has_failed else ""
        self._is_ending = True
        await call_off([self._rising])
        running = [one.running for one in self._members.values() if one.running and one.exit_code is None]
        await asyncio.gather(*(service.stop(GRACE_S) for service in running))
        if self._pumps:
            await asyncio.wait(self._pumps.values(), timeout=GRACE_S)
        await self.abandon()
        await self._site.workspace.clear(self._network)
        if not resumes:
            await close_states(self._site, self._name, failure)

    async def abandon(self) -> None:
        """Follow nothing any more."""
        if self._rising is not None and self._rising is not asyncio.current_task():
            await call_off([self._rising])
        await call_off(self._pumps.values())
        self._pumps.clear()
        self._members.clear()
        if self._log is not None:
            await self._log.close()

    # Words

    def _book(self, service: str) -> Book:
        """The log of one service; that it goes on does not mean that the build does."""
        return Book(self._site, service, shows_life=False)

    async def _say(self, line: str) -> None:
        if self._log is not None:
            await self._log.say(line)

    async def _report_group(self, **members: str) -> None:
        site = self._site
        old = site.board.states.get(self._name)
        begun = StepState(name=self._name, status=StepStatus.RUNNING, started_at=site.clock.now())
        known = {} if old is None or old.attempt != self._generation else old.members
        await site.report(
            msgspec.structs.replace(old or begun, attempt=self._generation, members={**known, **members})
        )


async def close_states(site: Site, group: str, failure: str) -> None:
    """Give the states of a group and of its services their end, where they have none."""
    for state in list(site.board.states.values()):
        if state.status.is_final or not (state.name == group or state.name.startswith(f"{group}/")):
            continue
        reason = failure if state.name == group else state.reason
        status = StepStatus.ERROR if reason else StepStatus.SUCCESS
        await site.report(
            msgspec.structs.replace(state, status=status, finished_at=site.clock.now(), reason=reason)
        )


def _failed(task: "asyncio.Task[None]") -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None


def _exception(task: "asyncio.Task[None]") -> BaseException | None:
    return None if task.cancelled() else task.exception()


async def _sleep(site: Site, seconds: float) -> None:
    await site.clock.sleep(seconds)


async def _nothing() -> None:
    """What there is to start of services that were taken up."""
