"""Images on a Docker Engine: built by BuildKit or the older builder, tagged, pushed.

One request does a build, and the engine ends it when the request ends: a build stops with its
worker, whatever ends that. The context is packed into a file without a name, which goes the same way.
"""

import asyncio
import base64
import contextlib
import json
import posixpath
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol

import aiohttp
from aiodocker import Docker
from aiodocker.exceptions import DockerError

from headrace.runtimes.base import (
    VOLUME,
    ImageBuild,
    ImagePush,
    ImageResult,
    RegistryLogin,
    StepCouldNotStart,
    StepExit,
)
from headrace.runtimes.docker.context import Ignore, add_file
from headrace.runtimes.docker.logins import HUB, domain_of, stored_login, stored_logins
from headrace.runtimes.docker.progress import EngineFailed, Progress
from headrace.runtimes.docker.session import Session, SessionRefused

_ENDED_BY_REQUEST = 143
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)
_HUB_KEY = "https://index.docker.io/v1/"
_INLINE = ".headrace.Dockerfile"  # where a Dockerfile without a file goes in the context
_CHUNK_BYTES = 1024 * 1024

Write = Callable[[bytes], None]


class ContextFiles(Protocol):
    """The volume, as a build needs it."""

    async def read(self, path: str) -> bytes | None:
        """Return a file; None if there is none."""

    async def pack(self, folder: str, ignore: Ignore, out: IO[bytes]) -> None:
        """Write a folder as a tar."""


class DockerImageStep:
    """A build or a push that was started; fills `base.RunningImage`.

    Args:
        work: does it, and gives its output to what it is called with.
        context: closed at the end, whether the work began or was stopped before.
    """

    def __init__(
        self, work: Callable[[Write], Awaitable[ImageResult]], context: IO[bytes] | None = None
    ) -> None:
        self._printed: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._result: ImageResult | None = None
        self._drained: asyncio.Event | None = None
        self._context = context
        self._task = asyncio.create_task(self._run(work))
        self._task.add_done_callback(self._close)

    def _close(self, _: "asyncio.Task[StepExit]") -> None:
        self._printed.put_nowait(None)
        if self._context is not None:
            self._context.close()

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it goes on."""
        return self._task.done()

    async def _run(self, work: Callable[[Write], Awaitable[ImageResult]]) -> StepExit:
        try:
            self._result = await work(self._printed.put_nowait)
        except EngineFailed as failure:
            self._printed.put_nowait(f"{failure}\n".encode())
            return StepExit(failure.exit_code)
        except (DockerError, aiohttp.ClientError, OSError) as failure:
            reason = failure.message if isinstance(failure, DockerError) else str(failure)
            self._printed.put_nowait(f"the Docker engine gave up: {reason}\n".encode())
            return StepExit(1)
        return StepExit(0)

    async def output(self) -> AsyncIterator[bytes]:
        """Yield what the engine tells, until the end."""
        self._drained = asyncio.Event()
        try:
            while (chunk := await self._printed.get()) is not None:
                yield chunk
        finally:
            self._drained.set()

    async def wait(self) -> StepExit:
        """Return how it ended, once its output was taken where somebody takes it."""
        await asyncio.wait({self._task})
        if self._drained is not None:
            await self._drained.wait()
        return StepExit(_ENDED_BY_REQUEST) if self._task.cancelled() else self._task.result()

    async def stop(self, grace_s: float) -> None:  # noqa: ARG002 - a build hears no request
        """End the request, and the engine's work with it."""
        self._task.cancel()
        await asyncio.wait({self._task})

    def result(self) -> ImageResult:
        """Return what came of it."""
        if self._result is None:
            raise ValueError("this build or push did not end well, so it has no result")
        return self._result


class ImageEngine:
    """Builds and pushes on one engine.

    Args:
        docker: the connection.
        host: of the engine, for sessions: ``unix:///path`` or ``tcp://host:port``.
        base: address of its API, with its version.
        logins: file of ``docker login``; builds pull with what it holds, and never push with it.
    """

    def __init__(self, docker: Docker, *, host: str, base: str, logins: Path) -> None:
        self._docker, self._host, self._base, self._logins = docker, host, base, logins

    async def start(self, job: ImageBuild | ImagePush, files: ContextFiles) -> DockerImageStep:
        """Start; see `base.Workspace.start_image`. The context is what the volume holds now."""
        if isinstance(job, ImagePush):
            return DockerImageStep(lambda write: self._push_candidate(job, write))
        context = await _packed(job, files)
        return DockerImageStep(lambda write: self._build(job, context, write), context)

    # Building

    async def _build(self, job: ImageBuild, context: IO[bytes], write: Write) -> ImageResult:
        stored = await asyncio.to_thread(stored_logins, self._logins)
        logins = list({login.domain: login for login in (*stored, *job.logins)}.values())
        cache_from = job.cache_from
        if job.last and not await self.has(job.last):
            cache_from = (*cache_from, job.last)
        if not job.buildkit:  # its builder reuses only what is here
            cache_from = tuple([image for image in cache_from if await self._fetched(image, logins)])
        async with self._session(job, logins) as session:
            parameters = [*_parameters(job, cache_from), *session]
            progress = await self._sent(parameters, context, _registry_config(logins), job, write)
        told = await self._docker.images.inspect(progress.image_id or job.names[0])
        digest = ""
        if job.push:
            for name in job.names:
                digest = await self._push(name, _login_for(name, job.logins), write, quiet=job.quiet)
        return _result(told, digest)

    @contextlib.asynccontextmanager
    async def _session(
        self, job: ImageBuild, logins: list[RegistryLogin]
    ) -> AsyncIterator[list[tuple[str, str]]]:
        """Yield the parameters that a BuildKit build has more; its session is open in the block."""
        if not job.buildkit:
            yield []
            return
        session = Session(self._host, logins=logins, secrets=job.secrets)
        try:
            await session.open()
        except SessionRefused as refusal:
            raise EngineFailed(
                f"{refusal}; remove buildkit, ssh, secrets and progress from the step", 1
            ) from None
        try:
            yield [("version", "2"), ("session", session.id)]
        finally:
            session.close()

    async def _sent(
        self,
        parameters: list[tuple[str, str]],
        context: IO[bytes],
        registry_config: str,
        job: ImageBuild,
        write: Write,
    ) -> Progress:
        headers = {"Content-Type": "application/x-tar", "X-Registry-Config": registry_config}
        progress = Progress(quiet=job.quiet)
        request = self._docker.session.post(
            f"{self._base}/build",
            params=parameters,
            data=_chunks(context),
            headers=headers,
            timeout=_NO_TIMEOUT,
        )
        async with request as answer:
            await _follow(answer, progress, write)
        return progress

    async def _fetched(self, image: str, logins: list[RegistryLogin]) -> bool:
        """Make sure that an image is here, where it can be had."""
        try:
            if not await self.has(image):
                await self._pull(image, _login_for(image, logins), lambda _: None)
        except (DockerError, EngineFailed):
            return False
        return True

    async def has(self, image: str) -> bool:
        """Tell whether the engine has an image."""
        try:
            await self._docker.images.inspect(image)
        except DockerError as error:
            if error.status == 404:  # noqa: PLR2004 - not found
                return False
            raise
        return True

    # Pushing and pulling

    async def _push_candidate(self, job: ImagePush, write: Write) -> ImageResult:
        if not await self.has(job.candidate):
            write(f"Pulling image {job.candidate}\n".encode())
            login = job.pull_login or await asyncio.to_thread(stored_login, self._logins, job.candidate)
            await self._pull(job.candidate, login, write)
        told = await self._docker.images.inspect(job.candidate)
        digest = ""
        for name in job.names:
            repository, _, tag = name.rpartition(":")
            await self._docker.images.tag(told["Id"], repository, tag=tag)
            digest = await self._push(name, job.push_login, write)
        return _result(told, digest)

    async def _push(
        self, name: str, login: RegistryLogin | None, write: Write, *, quiet: bool = False
    ) -> str:
        """Push one name; return its digest."""
        write(f"Pushing image {name}\n".encode())
        repository, _, tag = name.rpartition(":")
        progress = Progress(quiet=quiet)
        request = self._docker.session.post(
            f"{self._base}/images/{repository}/push",
            params={"tag": tag},
            headers={"X-Registry-Auth": _auth(login)},
            timeout=_NO_TIMEOUT,
        )
        try:
            async with request as answer:
                await _follow(answer, progress, write)
        except EngineFailed as failure:
            raise EngineFailed(f"cannot push {name}: {failure}", failure.exit_code) from None
        return progress.digest

    async def _pull(self, image: str, login: RegistryLogin | None, write: Write) -> None:
        request = self._docker.session.post(
            f"{self._base}/images/create",
            params={"fromImage": image if ":" in image.rpartition("/")[2] else f"{image}:latest"},
            headers={"X-Registry-Auth": _auth(login)},
            timeout=_NO_TIMEOUT,
        )
        async with request as answer:
            await _follow(answer, Progress(), write)


async def _packed(job: ImageBuild, files: ContextFiles) -> IO[bytes]:
    """Write the context into a file without a name."""
    folder = job.context.removeprefix(VOLUME).strip("/")
    place = posixpath.normpath(posixpath.join(folder, job.dockerfile.lstrip("/")))
    inside = posixpath.relpath(place, folder or ".")
    content = None if job.content is None else job.content.encode()
    if content is None and inside.startswith(".."):
        content = await files.read(place)
    rules = await files.read(f"{place}.dockerignore") if job.buildkit else None
    if rules is None:
        rules = await files.read(posixpath.join(folder, ".dockerignore"))
    ignore = Ignore((rules or b"").decode(errors="replace"), always=frozenset({inside, ".dockerignore"}))
    context = tempfile.TemporaryFile()  # noqa: SIM115 - the build closes it
    try:
        await files.pack(folder, ignore, context)
        if content is not None:
            # The classic builder drops a Dockerfile that `.dockerignore` names once it was read.
            hidden = (b"" if rules is None else rules + b"\n") + f"{_INLINE}\n.dockerignore\n".encode()
            await asyncio.to_thread(add_file, context, _INLINE, content)
            if not job.buildkit:
                await asyncio.to_thread(add_file, context, ".dockerignore", hidden)
    except (OSError, ValueError, DockerError) as failure:
        context.close()
        reason = failure.strerror if isinstance(failure, OSError) and failure.strerror else str(failure)
        raise StepCouldNotStart(
            f"the build context {job.context} cannot be read: {reason}; "
            "name a folder that an earlier step made in working_directory"
        ) from failure
    context.seek(0)
    return context


def _parameters(job: ImageBuild, cache_from: tuple[str, ...]) -> list[tuple[str, str]]:
    arguments = dict(job.arguments)
    if job.inline_cache and job.buildkit:
        arguments.setdefault("BUILDKIT_INLINE_CACHE", "1")
    folder = job.context.removeprefix(VOLUME).strip("/")
    place = posixpath.normpath(posixpath.join(folder, job.dockerfile.lstrip("/")))
    inside = posixpath.relpath(place, folder or ".")
    optional = {
        "target": job.target,
        "platform": job.platform,
        "nocache": "1" if job.no_cache else "",
        "cachefrom": json.dumps(cache_from) if cache_from else "",
        "buildargs": json.dumps(arguments) if arguments else "",
    }
    return [
        ("dockerfile", inside if job.content is None and not inside.startswith("..") else _INLINE),
        ("rm", "1"),
        ("forcerm", "1"),
        *(("t", name) for name in job.names),
        *((name, value) for name, value in optional.items() if value),
    ]


async def _chunks(context: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(context.read, _CHUNK_BYTES):
        yield chunk


async def _follow(answer: aiohttp.ClientResponse, progress: Progress, write: Write) -> None:
    """Read the engine's messages to the end.

    Raises:
        EngineFailed: it refuses, or tells of a failure.
    """
    if answer.status >= 400:  # noqa: PLR2004 - the first status that is an error
        refusal = await answer.text()
        with contextlib.suppress(ValueError, TypeError, KeyError):
            refusal = json.loads(refusal)["message"]
        raise EngineFailed(refusal.strip(), 1)
    rest = b""
    async for chunk in answer.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip() and (text := progress.take(json.loads(line))):
                write(text)
    if rest.strip() and (told := progress.take(json.loads(rest))):
        write(told)


def _login_for(image: str, logins: Iterable[RegistryLogin]) -> RegistryLogin | None:
    domain = domain_of(image)
    return next((login for login in logins if login.domain == domain), None)


def _auth(login: RegistryLogin | None) -> str:
    """The header of a pull or push; without a login the engine wants an empty object."""
    return _encoded({} if login is None else _entry(login))


def _entry(login: RegistryLogin) -> dict[str, str]:
    address = _HUB_KEY if login.domain == HUB else login.domain
    return {"username": login.username, "password": login.password, "serveraddress": address}


def _registry_config(logins: Iterable[RegistryLogin]) -> str:
    return _encoded({_HUB_KEY if each.domain == HUB else each.domain: _entry(each) for each in logins})


def _encoded(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def _result(told: Mapping[str, Any], digest: str) -> ImageResult:
    made = None
    with contextlib.suppress(ValueError):  # to the second: the engine's fractions have nine digits
        made = datetime.fromisoformat(str(told.get("Created") or "")[:19]).replace(tzinfo=UTC)
    return ImageResult(id=told["Id"], digest=digest, size_bytes=int(told.get("Size") or 0), created_at=made)
