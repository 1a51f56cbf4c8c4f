"""What must be made of structs while there is one thread."""

import contextlib
from collections.abc import Iterator

import msgspec


def prepare() -> None:
    """Let msgspec make what it keeps of every struct that is imported; milliseconds for hundreds.

    It makes that when a struct is first decoded, without a lock: of two threads that do so at once,
    one meets the half of it, and the process dies.
    """
    for struct in _below(msgspec.Struct):
        with contextlib.suppress(TypeError):  # a union that cannot be decoded, so nobody does
            msgspec.json.Decoder(struct)


def _below(struct: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for subclass in struct.__subclasses__():
        yield subclass
        yield from _below(subclass)
