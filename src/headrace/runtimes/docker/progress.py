"""What the engine tells of a build or a push, as lines for a step's log."""

import base64
from collections.abc import Iterator
from typing import Any

from headrace.runtimes.docker import wire

_TRACE, _IMAGE = "moby.buildkit.trace", "moby.image.id"
_PASSING = ("Preparing", "Waiting", "Pulling fs layer", "Verifying Checksum", "Download complete")


class EngineFailed(Exception):
    """The engine says that the build, pull or push failed."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Progress:
    """Reads the engine's messages one by one.

    Args:
        quiet: give no text.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.image_id = ""
        self.digest = ""
        self._quiet = quiet
        self._trace = _Trace()

    def take(self, message: dict[str, Any]) -> bytes:
        """Return what a message adds to the log; often nothing.

        Raises:
            EngineFailed: it tells of a failure.
        """
        if "error" in message:
            detail = message.get("errorDetail") or {}
            raise EngineFailed(str(message["error"]), _exit_code(detail, str(message["error"])))
        aux = message.get("aux")
        if message.get("id") == _TRACE:
            told = b"".join(self._trace.take(base64.b64decode(str(aux))))
            return b"" if self._quiet else told
        if isinstance(aux, dict):
            self.image_id = aux.get("ID") or self.image_id
            self.digest = aux.get("Digest") or self.digest
        return b"" if self._quiet else _plain(message)


def _plain(message: dict[str, Any]) -> bytes:
    if "stream" in message:
        return str(message["stream"]).encode()
    status = message.get("status")
    if not status or message.get("progressDetail") or status in _PASSING:
        return b""
    layer = f"{message['id']}: " if message.get("id") else ""
    return f"{layer}{status}\n".encode()


def _exit_code(detail: dict[str, Any], text: str) -> int:
    """The exit code of the instruction that failed; 1 where none ran."""
    code = detail.get("code")
    if isinstance(code, int) and code > 0:
        return code
    last = text.rpartition("exit code: ")[2].strip()
    return int(last) if last.isdigit() and "exit code: " in text and int(last) > 0 else 1


class _Trace:
    """BuildKit's stream of changes to its graph, as numbered lines."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._said: set[tuple[int, str]] = set()
        self._open: set[int] = set()  # vertices whose last line of output has no end yet

    def take(self, status: bytes) -> Iterator[bytes]:
        """Yield what is new in a status response: vertices first, then their output."""
        for number, value in wire.fields(status):
            if isinstance(value, bytes) and number == 1:
                yield from self._vertex(dict(wire.fields(value)))
            elif isinstance(value, bytes) and number == 3:  # noqa: PLR2004 - the field of logs
                yield from self._output(dict(wire.fields(value)))

    def _vertex(self, vertex: dict[int, Any]) -> Iterator[bytes]:
        if 5 not in vertex:  # noqa: PLR2004 - not started
            return
        number = self._number(vertex[1])
        yield from self._once(number, vertex.get(3, b"").decode(errors="replace"))
        if 6 not in vertex:  # noqa: PLR2004 - not completed
            return
        if 7 in vertex:  # noqa: PLR2004 - failed
            yield from self._once(number, f"ERROR: {vertex[7].decode(errors='replace')}")
        elif vertex.get(4):
            yield from self._once(number, "CACHED")
        else:
            took_s = _seconds(vertex[6]) - _seconds(vertex[5])
            yield from self._once(number, f"DONE {took_s:.1f}s", key="DONE")

    def _output(self, log: dict[int, Any]) -> Iterator[bytes]:
        number = self._number(log[1])
        head = b"" if number in self._open else f"#{number} ".encode()
        data: bytes = log.get(4, b"")
        if not data:
            return
        if data.endswith(b"\n"):
            self._open.discard(number)
        else:
            self._open.add(number)
        body = data[:-1] if data.endswith(b"\n") else data
        yield head + body.replace(b"\n", f"\n#{number} ".encode()) + data[len(body) :]

    def _number(self, digest: bytes) -> int:
        return self._numbers.setdefault(digest, len(self._numbers) + 1)

    def _once(self, number: int, text: str, *, key: str | None = None) -> Iterator[bytes]:
        if (number, key or text) in self._said:
            return
        self._said.add((number, key or text))
        if number in self._open:
            self._open.discard(number)
            yield b"\n"
        yield f"#{number} {text}\n".encode()


def _seconds(timestamp: bytes) -> float:
    found = dict(wire.fields(timestamp))
    return float(found.get(1, 0)) + float(found.get(2, 0)) / 1e9
