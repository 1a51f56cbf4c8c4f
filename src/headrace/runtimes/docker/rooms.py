"""What the builds of one engine share: places for containers that wait, and a door for those that start.

Few go through the door at the same time, with more an engine is no faster. What has started holds no
place there, so that steps run side by side as they would without it.
"""

import asyncio

import msgspec

_PATIENCE_S = 5.0


class Passage:
    """One start, between entering and leaving."""

    def __init__(self, room: asyncio.Semaphore | None) -> None:
        self._room = room

    def leave(self) -> None:
        """Let the next one in: what is left to be done is no work of the engine. Safe twice."""
        room, self._room = self._room, None
        if room is not None:
            room.release()


class Door:
    """The door of one engine.

    Args:
        room: how many may be inside.
        patience_s: after so long, a start goes on beside the others: one that hangs must not hold all up.
    """

    def __init__(self, room: int, *, patience_s: float = _PATIENCE_S) -> None:
        self._room = asyncio.Semaphore(room)
        self._patience_s = patience_s

    async def enter(self) -> Passage:
        """Wait for room, first come, first served, and not for ever. Whoever has entered must leave."""
        try:
            async with asyncio.timeout(self._patience_s):
                await self._room.acquire()
        except TimeoutError:
            return Passage(None)
        return Passage(self._room)


class Places:
    """How many containers of all builds may wait at the same time."""

    def __init__(self, most: int) -> None:
        self._free = most

    def take(self) -> bool:
        """Take a place where one is free."""
        if self._free <= 0:
            return False
        self._free -= 1
        return True

    def give_back(self) -> None:
        """Give one back."""
        self._free += 1


class Rooms(msgspec.Struct, frozen=True):
    """What all builds of one engine share, so that together they do not ask too much of it."""

    networks: int  # that the steps of one build may share
    places: Places
    door: Door

    @classmethod
    def of(cls, cores: int, *, ahead: bool) -> "Rooms":
        """Return what suits a machine."""
        return cls(2 * cores if ahead else 0, Places(cores), Door(cores + 1))
