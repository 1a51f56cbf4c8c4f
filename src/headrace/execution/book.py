"""The log that a step and its hooks write together."""

from collections.abc import Iterable

from headrace.execution.ports import StepLog
from headrace.execution.site import Site


class Book:
    """One entry of a build's log, opened when it is needed first.

    A secret that comes up while it is open is masked in it from then on, whoever found it.

    Args:
        site: of the build.
        name: of the entry.
        shows_life: what is written into it shows that the build is not idle.
    """

    def __init__(self, site: Site, name: str, *, shows_life: bool = True) -> None:
        self.is_shared = False  # by steps that run side by side
        self._site, self._name, self._shows_life = site, name, shows_life
        self._log: StepLog | None = None
        self._masked = 0  # how many secrets the log knows

    async def length(self) -> int:
        """Bytes stored so far."""
        return (await self._opened()).length

    async def write(self, data: bytes) -> None:
        """Take output of a step."""
        if self._shows_life:
            self._site.touch()
        await (await self._opened()).write(data)

    async def say(self, line: str) -> None:
        """Take one line of the engine."""
        if self._shows_life:
            self._site.touch()
        await (await self._opened()).say(line)

    async def say_all(self, lines: Iterable[str]) -> None:
        """Take lines of the engine."""
        for line in lines:
            await self.say(line)

    async def rewind(self, offset: int | None) -> None:
        """Expect the output that began at an offset once more, from its first byte."""
        if offset is not None and not self.is_shared:
            await self.close()
            await self._opened(resume_from=offset)

    async def close(self) -> None:
        """Store what was held back. Safe twice; to write opens it again."""
        log, self._log = self._log, None
        if log is not None:
            await log.close()

    async def _opened(self, *, resume_from: int | None = None) -> StepLog:
        secrets = self._site.board.secrets
        if self._log is None:
            self._log = await self._site.logs.open(
                self._site.build_id, self._name, secrets=frozenset(secrets), resume_from=resume_from
            )
        elif self._masked != len(secrets):
            self._log.mask(frozenset(secrets))
        self._masked = len(secrets)
        return self._log
