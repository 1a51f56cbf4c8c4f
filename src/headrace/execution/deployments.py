"""``type: deploy``: a new image behind a service, or a manifest, in a cluster; waits for the roll-out.

Source: `reference/pipeline-yaml.md` 3.7. It is not taken up after a crash: the next attempt asks the
cluster for the same once more, which changes nothing.
"""

import asyncio
import posixpath
import re
from collections.abc import AsyncIterator
from datetime import timedelta

from headrace.execution.errors import StepRefused
from headrace.execution.ports import Deployment, Rollout
from headrace.execution.site import Site
from headrace.execution.tasks import call_off
from headrace.pipeline.plan import Deploy
from headrace.pipeline.variables import Scope, substitute
from headrace.runtimes.base import StepCouldNotStart, StepExit

_VOLUME = "/codefresh/volume"
_LOOK_S = 1.0
_DEFAULT_S = 120.0
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)([smh]?)")
_PER = {"": 1, "s": 1, "m": 60, "h": 3600}
_MOST_BYTES = 1024 * 1024


async def start_deployment(site: Site, step: str, action: Deploy, scope: Scope) -> "DeploymentRun":
    """Begin to deploy.

    Raises:
        StepCouldNotStart: the manifest is not there or empty, or the time is none.
    """

    def filled(text: str | None) -> str:
        return substitute(text or "", scope).strip()

    path = filled(action.file_path)
    manifest = ""
    if path:
        manifest = await _read(site, path)
        try:
            await site.board.stores.open([manifest], scope)
        except StepRefused as refusal:
            raise StepCouldNotStart(f"file_path {path!r}: {refusal}") from refusal
        manifest = substitute(manifest, scope)
    order = Deployment(
        cluster=filled(action.cluster),
        namespace=filled(action.namespace),
        service=filled(action.service),
        manifest=manifest,
        image=filled(action.image),
        registry=filled(action.registry),
        mark=f"{site.build_id}/{step}",
    )
    return DeploymentRun(site, order, _seconds(filled(action.timeout)))


class DeploymentRun:
    """A deployment that is being rolled out; fills `base.RunningStep`."""

    def __init__(self, site: Site, order: Deployment, timeout_s: float) -> None:
        self._site, self._order, self._timeout_s = site, order, timeout_s
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._work = asyncio.create_task(self._run())

    async def output(self) -> AsyncIterator[bytes]:
        """Yield what happens, line by line."""
        while (line := await self._lines.get()) is not None:
            yield line

    async def wait(self) -> StepExit:
        """Return 0 when everything was rolled out, else 1."""
        await asyncio.wait({self._work})
        return StepExit(1 if self._work.cancelled() else self._work.result())

    async def stop(self, grace_s: float) -> None:  # noqa: ARG002  # the contract's shape
        """Wait no longer; what the cluster was asked for stays."""
        await call_off([self._work])
        self._lines.put_nowait(None)  # it may never have begun

    async def _run(self) -> int:
        try:
            return await self._deploy()
        except LookupError as refusal:
            self._say(str(refusal))
            return 1
        finally:
            self._lines.put_nowait(None)

    async def _deploy(self) -> int:
        site, order = self._site, self._order
        self._say(f"Deploying to namespace {order.namespace!r} of cluster {order.cluster!r}")
        rollouts = await site.records.deploy(site.build_id, order)
        for each in rollouts:
            self._say(f"{each.kind} {each.name!r} was changed")
        until = site.clock.now() + timedelta(seconds=self._timeout_s)
        told = ""
        while missing := await self._missing(rollouts):
            if missing != told:
                self._say(missing)
                told = missing
            if site.clock.now() >= until:
                self._say(f"not rolled out within {self._timeout_s:g} seconds; `timeout` allows more")
                return 1
            await site.clock.sleep(_LOOK_S)
        self._say("Everything is rolled out")
        return 0

    async def _missing(self, rollouts: tuple[Rollout, ...]) -> str:
        return await self._site.records.missing(self._site.build_id, self._order.cluster, rollouts)

    def _say(self, line: str) -> None:
        self._lines.put_nowait(f"{line}\n".encode())


async def _read(site: Site, path: str) -> str:
    place = posixpath.normpath(posixpath.join(_VOLUME, path))
    content = None
    if place.startswith(f"{_VOLUME}/"):
        content = await site.workspace.read(place.removeprefix(f"{_VOLUME}/"))
    if content is None:
        raise StepCouldNotStart(f"file_path {path!r} is no file at {place}; clone the repository before")
    if len(content) > _MOST_BYTES:
        raise StepCouldNotStart(f"{place} is longer than {_MOST_BYTES} bytes")
    if not content.strip():
        raise StepCouldNotStart(f"{place} is empty; a manifest has at least one object")
    return content.decode(errors="replace")


def _seconds(text: str) -> float:
    if not text:
        return _DEFAULT_S
    found = _SECONDS.fullmatch(text)
    if found is None:
        raise StepCouldNotStart(f"timeout {text!r} is no number of seconds; write '120'")
    return float(found[1]) * _PER[found[2]]
