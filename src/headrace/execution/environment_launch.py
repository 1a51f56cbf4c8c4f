"""``type: launch-composition``: services that go on when the build has ended, on record as an environment.

The record comes first, so that nothing runs which nobody knows. A launch that was cut off by a
crash is begun anew by the next attempt, which gives up what the first one left.

Source: `reference/pipeline-yaml.md` 3.6.
"""

import asyncio
from collections.abc import AsyncIterator

import msgspec

from headrace.execution.compositions import Resolved, login_for, resolve, service_command
from headrace.execution.ports import Launch
from headrace.execution.site import Site
from headrace.execution.tasks import quietly, survive
from headrace.pipeline.plan import LaunchComposition, PlannedStep
from headrace.pipeline.variables import Scope, substitute
from headrace.runtimes.base import Command, EngineFailed, Environments, Say, StepCouldNotStart, StepExit

_MOST_NAME = 255
_NOTHING_LASTS = (
    "the {name} runtime starts nothing that outlives a build, as an environment does; start the server "
    "with --runtime docker, or use a step of type composition with a candidate"
)


async def launch_environment(
    site: Site, step: PlannedStep, action: LaunchComposition, scope: Scope, *, say: Say
) -> "EnvironmentLaunched":
    """Start all services of a composition, in the place of an earlier environment of that name.

    Raises:
        StepCouldNotStart: the runtime has no environments, or one of the services did not start;
            nothing is left behind.
    """
    environments = site.runtime.environments
    if environments is None:
        raise StepCouldNotStart(_NOTHING_LASTS.format(name=site.runtime.name))
    found = await resolve(
        site,
        scope,
        action.composition,
        action.variables,
        directory=action.working_directory,
        lasting=True,
    )
    for note in found.composition.notes:
        await say(note)
    entry_point = substitute(action.entry_point or "", scope).strip()
    services = {service.name: service.image for service in found.composition.services}
    if entry_point and entry_point not in services:
        raise StepCouldNotStart(
            f"entry_point {entry_point!r} is no service of the composition, which has {', '.join(services)}"
        )
    commands = await _commands(site, scope, action, found)
    try:
        launch = Launch(
            name=_name(step, action, scope),
            composition=_path(action, scope),
            entry_point=entry_point,
            services=services,
            engine=await environments.engine(),
        )
        return await _launched(site, environments, launch, commands, say=say)
    except (EngineFailed, LookupError) as failure:
        raise StepCouldNotStart(str(failure)) from failure


async def _commands(
    site: Site, scope: Scope, action: LaunchComposition, found: Resolved
) -> dict[str, Command]:
    contexts = [substitute(name, scope).strip() for name in action.registry_contexts]
    commands = {}
    for service in found.composition.services:
        command = service_command(service, found.environments[service.name], network="")
        login = await login_for(site, service.image, contexts)
        commands[service.name] = msgspec.structs.replace(command, login=login)
    return commands


async def _launched(
    site: Site, environments: Environments, launch: Launch, commands: dict[str, Command], *, say: Say
) -> "EnvironmentLaunched":
    """Put the environment on record, make room for it, start it."""
    record = await site.records.environment_begins(site.build_id, launch)
    try:
        for earlier in record.replaced:
            await say(f"Terminating the earlier environment {launch.name!r}")
            await environments.remove(earlier)
        await environments.launch(record.id, commands, say=say)
        running = (await environments.found()).get(record.id, ())
        await site.records.environment_runs(site.build_id, record.id, running)
    except (StepCouldNotStart, EngineFailed, LookupError, asyncio.CancelledError):
        await survive(_give_up(site, environments, record.id))
        raise
    lines = [f"Environment {launch.name!r} runs; its id is {record.id}"]
    for service in running:
        for port, place in service.ports.items():
            lines.append(f"Port {port} of {service.name!r} is open at {place}")
    return EnvironmentLaunched(lines)


async def _give_up(site: Site, environments: Environments, environment_id: str) -> None:
    """Remove what was started, then the record: while there is one, the rest is found later."""

    async def remove() -> None:
        await environments.remove(environment_id)
        await site.records.environment_failed(site.build_id, environment_id)

    what = f"removal of environment {environment_id}"
    await quietly(remove(), what, deadline_s=site.settings.destroy_deadline_s)


def _path(action: LaunchComposition, scope: Scope) -> str:
    return "" if isinstance(action.composition, dict) else substitute(action.composition, scope).strip()


def _name(step: PlannedStep, action: LaunchComposition, scope: Scope) -> str:
    """Return what the environment is called: as written, as its composition, or as its step."""
    name = substitute(action.environment_name or "", scope).strip() or _path(action, scope)
    if not name:
        name = "/".join(filter(None, (scope.look_up("CF_PIPELINE_NAME"), step.name)))
    if len(name) > _MOST_NAME:
        raise StepCouldNotStart(f"environment_name is longer than {_MOST_NAME} characters: {name[:40]!r}…")
    return name


class EnvironmentLaunched:
    """A launch that has come to its end; fills `base.RunningStep`."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    async def output(self) -> AsyncIterator[bytes]:
        """Yield what came of it."""
        for line in self._lines:
            yield f"{line}\n".encode()

    async def wait(self) -> StepExit:
        """Return 0: what could fail has succeeded."""
        return StepExit(0)

    async def stop(self, grace_s: float) -> None:
        """Do nothing: it has ended."""
