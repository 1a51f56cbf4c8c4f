"""The runtimes that the conformance suite runs on: how each is made, and what it leaves behind."""

import asyncio
import os
import subprocess
import sys
import uuid
from pathlib import Path

import msgspec
import pytest

from headrace.runtimes import DEFAULT_ENGINE, engine_answers
from headrace.runtimes.fake import FakeRuntime

ADDED_WAIT_S = 0.02  # between two looks at a condition


class RuntimeKind:
    """One runtime under test."""

    name = ""
    can_adopt = False

    def __init__(self, tmp_path: Path) -> None:
        self.tmp_path = tmp_path
        self.runtime = self.make()

    def make(self):
        raise NotImplementedError

    def lacking(self) -> str:
        """Why it cannot be tested here, in one line; empty where it can."""
        return ""

    async def leftovers(self) -> list[str]:
        """What is still there of any build."""
        raise NotImplementedError

    async def sweep(self, *, but: str = "") -> None:
        """Remove what every build has on this machine, but one."""
        builds, volumes = await self.runtime.builds(), await self.runtime.volumes()
        await self.runtime.sweep(builds - {but}, frozenset(volumes) - {but})
        if self.runtime.environments is not None:
            for left in await self.runtime.environments.found():
                await self.runtime.environments.remove(left)


class Fake(RuntimeKind):
    name = "fake"
    can_adopt = True

    def make(self):
        return FakeRuntime()

    async def leftovers(self):
        processes = [name for each in self.runtime.workspaces.values() for name in each.processes]
        return processes + [name for files in self.runtime.files.values() for name in files]


class Local(RuntimeKind):
    name = "local"

    def make(self):
        from headrace.runtimes.local import LocalRuntime  # noqa: PLC0415 - as the server does

        return LocalRuntime(self.tmp_path / "builds")

    def processes(self):
        """Command lines that speak of this runtime's folder."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    line = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if f"{self.tmp_path}/builds/".encode() in line:
                    found.append(line.decode(errors="replace"))
        return found

    async def leftovers(self):
        folder = self.tmp_path / "builds"
        builds = folder.iterdir() if folder.is_dir() else ()
        left = [path for path in (*builds, *(folder / "volumes").glob("*")) if path.name != "volumes"]
        return [*self.processes(), *map(str, left)]


class Docker(RuntimeKind):
    name = "docker"
    can_adopt = True

    def make(self):
        from headrace.runtimes.docker import DockerRuntime, DockerSettings  # noqa: PLC0415 - the same

        place = self.tmp_path / "installation"
        if not place.exists():
            place.write_text(uuid.uuid4().hex[:12])
        self.host = os.environ.get("DOCKER_HOST") or DEFAULT_ENGINE
        self.installation = place.read_text()
        return DockerRuntime(DockerSettings(host=self.host, installation=self.installation))

    def lacking(self):
        if engine_answers(self.host):
            return ""
        if os.environ.get("CI"):
            return ""  # there it must be: the tests fail instead
        return 'no Docker engine answers; eval "$(tools/engine-up)" starts one'

    async def leftovers(self):
        from aiodocker import Docker as Engine  # noqa: PLC0415 - optional where docker is skipped

        engine = Engine(self.host, api_version="v1.41")
        try:
            wanted = {"label": [f"io.headrace.installation={self.installation}"]}
            networks = await engine.networks.list(filters=wanted)
            volumes = (await engine.volumes.list(filters=wanted))["Volumes"] or []
            containers = [
                each["Id"]
                for each in await engine.containers.list(all=1)
                if each["Labels"].get("io.headrace.installation") == self.installation
            ]
        finally:
            await engine.close()
        return [*containers, *(each["Name"] for each in (*networks, *volumes))]


class DockerAhead(Docker):
    """Docker, where the container of every step that may wait has waited before its turn."""

    name = "docker-ahead"

    def make(self):
        runtime = super().make()
        opened = runtime.open

        async def open_(build_id, *, volume=""):
            workspace = await opened(build_id, volume=volume)
            start = workspace.start

            async def start_expected(step, command, *, say):
                guess = msgspec.structs.replace(command, environment={})
                await workspace.expect([(step, guess)])
                await until_open(workspace)
                return await start(step, command, say=say)

            workspace.start = start_expected
            return workspace

        runtime.open = open_
        return runtime


async def until_open(workspace):
    """Return when everything that is to wait does, or could not."""
    tasks = [one.opening for one in workspace._ahead._coming.values()]
    if tasks:
        await asyncio.wait(tasks)


def kill_once_started(worker, *words):
    """Run a worker in another process until it says that it has started, and kill it without warning."""
    process = subprocess.Popen(
        [sys.executable, worker, *words],
        stdout=subprocess.PIPE,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "DOCKER_HOST": os.environ.get("DOCKER_HOST", ""),
        },
    )
    with process:
        assert process.stdout.readline() == b"started\n"
        process.kill()


KINDS = {kind.name: kind for kind in (Fake, Local, Docker, DockerAhead)}


DOCKER = pytest.param("docker", marks=pytest.mark.docker)
DOCKER_AHEAD = pytest.param("docker-ahead", marks=pytest.mark.docker)


async def made(name, tmp_path):
    """Yield a runtime of this name for one test, and clean up after it."""
    found = KINDS[name](tmp_path)
    if reason := found.lacking():
        pytest.skip(reason)
    yield found
    await found.sweep()
    await found.runtime.close()
