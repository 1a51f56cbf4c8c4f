"""The kubeconfig that steps find: in the build's volume, as long as the build runs.

Source: `reference/pipeline-yaml.md` 2.2 (``CF_KUBECONFIG_PATH``). What is secret in it is masked in
every log; when the build ends or waits, the file is emptied, so that a kept volume holds none.
"""

from headrace.execution.errors import StepRefused
from headrace.execution.ports import Kubeconfig
from headrace.execution.site import WRITABLE, Site
from headrace.pipeline.variables import VOLUME, Scope

_FILE = "sensitive/.kube/config"  # in the volume, where pipelines look for it
_NAMES = ("KUBECONFIG", "CF_KUBECONFIG_PATH")


class KubeconfigFile:
    """The file of one run of a build. Steps may ask for it at the same time."""

    def __init__(self) -> None:
        self._found: Kubeconfig | None = None
        self._is_written = False

    async def variables(self, site: Site, scope: Scope) -> dict[str, str]:
        """Write the file, once, and return the variables that lead to it; none without clusters.

        A variable of the build with one of these names wins.

        Raises:
            StepRefused: the file cannot be made.
        """
        async with site.volume_lock:
            if self._found is None:
                try:
                    self._found = await site.records.kubeconfig(site.build_id)
                except LookupError as missing:
                    raise StepRefused(f"the kubeconfig cannot be made: {missing}") from missing
                site.board.secrets.update(self._found.secrets)
            if not self._found.text:
                return {}
            if not self._is_written:
                try:
                    # Any user of an image reads it, and `kubectl config use-context` writes into it.
                    await site.workspace.write(_FILE, self._found.text.encode(), mode=WRITABLE)
                except OSError as failure:  # a full disk, say
                    raise StepRefused(f"the kubeconfig cannot be written: {failure}") from failure
                self._is_written = True
        path = f"{VOLUME}/{_FILE}"
        return {name: path for name in _NAMES if name not in scope.variables}

    async def empty(self, site: Site) -> None:
        """Leave no login in the volume."""
        if self._is_written or site.board.is_resumed:  # an earlier claim may have written it
            await site.workspace.write(_FILE, b"", mode=WRITABLE)
            self._is_written = False
