"""``type: deploy``: a new image behind a service, or a manifest, in a cluster; waits for the roll-out.

Source: `reference/pipeline-yaml.md` 3.7. It is not taken up after a crash: the next attempt asks the
cluster for the same once more, which changes nothing.
"""

import posixpath
import re
from datetime import timedelta

from headrace.execution.errors import StepRefused
from headrace.execution.own_work import OwnWork, Tell
from headrace.execution.ports import Deployment, Rollout
from headrace.execution.site import Site
from headrace.pipeline.plan import Deploy
from headrace.pipeline.variables import Scope, substitute
from headrace.runtimes.base import StepCouldNotStart

_VOLUME = "/codefresh/volume"
_LOOK_S = 1.0
_DEFAULT_S = 120.0
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)([smh]?)")
_PER = {"": 1, "s": 1, "m": 60, "h": 3600}
_MOST_BYTES = 1024 * 1024


async def start_deployment(site: Site, step: str, action: Deploy, scope: Scope) -> OwnWork:
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
    return OwnWork(_Rolling(site, order, _seconds(filled(action.timeout))).run)


class _Rolling:
    """A deployment that is being rolled out."""

    def __init__(self, site: Site, order: Deployment, timeout_s: float) -> None:
        self._site, self._order, self._timeout_s = site, order, timeout_s

    async def run(self, tell: Tell) -> int:
        """Ask the cluster, and wait until nothing is missing; what it was asked for stays."""
        site, order = self._site, self._order
        tell(f"Deploying to namespace {order.namespace!r} of cluster {order.cluster!r}")
        rollouts = await site.records.deploy(site.build_id, order)
        for each in rollouts:
            tell(f"{each.kind} {each.name!r} was changed")
        until = site.clock.now() + timedelta(seconds=self._timeout_s)
        told = ""
        while missing := await self._missing(rollouts):
            if missing != told:
                tell(missing)
                told = missing
            if site.clock.now() >= until:
                tell(f"not rolled out within {self._timeout_s:g} seconds; `timeout` allows more")
                return 1
            await site.clock.sleep(_LOOK_S)
        tell("Everything is rolled out")
        return 0

    async def _missing(self, rollouts: tuple[Rollout, ...]) -> str:
        return await self._site.records.missing(self._site.build_id, self._order.cluster, rollouts)


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
