"""The secrets of outside stores that a build refers to, ``${{secrets.STORE.KEY}}``: read at their turn.

Each is read once in a run, before the first text that names it is filled; from then on it is masked
in every log. One that cannot be read is a failure of what needs it. Source:
`reference/pipeline-yaml.md` 1.5.
"""

import re
from collections.abc import Iterable

from headrace.execution.errors import StepRefused
from headrace.execution.ports import SecretSource
from headrace.kit.masking import MASK
from headrace.pipeline.variables import STORES, Scope, stored_references

_REFERENCE = re.compile(r"\$\{\{\s*" + re.escape(STORES) + r"[^\n]*?\}\}")


class Stores:
    """Those of one run.

    Args:
        build_id: whose account has the stores.
        source: reads them.
        secrets: takes the values that never reach a log.
    """

    def __init__(self, build_id: str, source: SecretSource, secrets: set[str]) -> None:
        self.values: dict[str, str] = {}  # by reference: ``secrets.STORE.KEY``
        self._failures: dict[str, str] = {}
        self._build_id, self._source, self._secrets = build_id, source, secrets

    async def open(self, texts: Iterable[str], scope: Scope) -> None:
        """Read what some texts refer to.

        Raises:
            StepRefused: one of the secrets is not there; the text names it.
        """
        if failure := await self.attempt(texts, scope):
            raise StepRefused(failure)

    async def attempt(self, texts: Iterable[str], scope: Scope) -> str:
        """Read what some texts refer to; return which cannot be read and why, ``""`` where all can."""
        for name in sorted(stored_references(texts, scope) - self.values.keys()):
            try:
                value = await self._source.stored(self._build_id, name.removeprefix(STORES))
            except LookupError as missing:
                self._failures[name] = f"secret {name!r} cannot be opened: {missing}"
                return self._failures[name]
            if value:
                self._secrets.add(value)
            self._failures.pop(name, None)
            self.values[name] = value
        return ""

    @property
    def has_failed(self) -> bool:
        """Whether some secret could not be read."""
        return bool(self._failures)

    def failure(self, texts: Iterable[str], scope: Scope) -> str:
        """Say which secret of some texts could not be read; ``""`` where there is none."""
        unread = self._failures.keys() & stored_references(texts, scope) if self._failures else set()
        return self._failures[min(unread)] if unread else ""


def hidden(text: str) -> str:
    """Return a text that is shown to people, with a mask for every secret that was not read for it."""
    return _REFERENCE.sub(MASK, text)
