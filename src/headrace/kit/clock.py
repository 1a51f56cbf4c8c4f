"""The time, as something that is passed in, so that tests can move it."""

import asyncio
from datetime import UTC, datetime


class SystemClock:
    """The clock of this machine. Fills the port `execution.ports.Clock`."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``; a cancelled wait raises `asyncio.CancelledError`."""
        await asyncio.sleep(seconds)


def wire_time(moment: datetime) -> str:
    """Format a moment as the API does: ``2024-01-02T03:04:05.678Z`` (milliseconds, UTC)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
