"""``type: url`` of external resources: a file at an address, into the volume, before the first step."""

import posixpath
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from headrace.execution.errors import StepRefused
from headrace.execution.own_work import Tell, Work
from headrace.execution.site import Site
from headrace.pipeline.external_resources import destination_path
from headrace.pipeline.plan import FetchFile
from headrace.pipeline.variables import Scope, references, substitute
from headrace.runtimes.base import VOLUME

MOST_BYTES = 64 * 1024 * 1024  # it is in memory on its way to the volume


def plan_fetch(site: Site, action: FetchFile, scope: Scope) -> Work:
    """Make the work of a fetch.

    Raises:
        StepRefused: a variable has no value, or the destination cannot be.
    """
    url = _filled(action, "source", scope, str.strip)
    target = _filled(action, "destination", scope, destination_path)
    if target.endswith("/") or target == VOLUME:
        name = unquote(posixpath.basename(urlsplit(url).path))
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise StepRefused(f"{action.place}.destination: {url} has no name of a file; name the file here")
        target = f"{target.rstrip('/')}/{name}"

    async def fetch(tell: Tell) -> int:
        shown = url.partition("?")[0]  # what follows may sign the address
        try:
            content = await site.records.fetch(site.build_id, url, most_bytes=MOST_BYTES)
        except LookupError as problem:
            raise LookupError(f"{action.place}.source: {problem}") from None
        try:
            await site.workspace.write(target.removeprefix(f"{VOLUME}/"), content)
        except OSError as problem:
            reason = problem.strerror or str(problem)
            raise LookupError(
                f"{action.place}.destination: {target} cannot be written: {reason}"
            ) from problem
        tell(f"Fetched {shown} to {target}, {len(content) / 1000:,.1f} kB")
        return 0

    return fetch


def _filled(action: FetchFile, field: str, scope: Scope, judge: Callable[[str], str]) -> str:
    text = substitute(getattr(action, field), scope)
    if unknown := references(text):
        raise StepRefused(f"{action.place}.{field}: {unknown[0]} has no value; give the run one")
    try:
        return judge(text)
    except ValueError as problem:
        raise StepRefused(f"{action.place}.{field}: {problem}; name a path without '..'") from None
