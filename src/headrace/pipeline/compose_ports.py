"""Ports of compose services: which of a container are opened on the machine, and under which number.

Source: the Compose file reference, versions 2 and 3, short and long form of ``ports``.
"""

import re
from collections.abc import Sequence

import msgspec

_SHORT = re.compile(
    r"(?:(?:(?P<address>\[[0-9a-fA-F:]+\]|[0-9.]+):)?(?P<host>\d*):)?(?P<container>\d+)(?:/(?P<protocol>\w+))?"
)
_PROTOCOLS = ("tcp", "udp", "sctp")
_HIGHEST = 65_535


class PortUnreadable(ValueError):
    """An entry is no port; the text says which, and what would be right."""


class Port(msgspec.Struct, frozen=True):
    """One port of a container that is opened on the machine."""

    container: int
    host: int = 0  # 0: a free one
    protocol: str = "tcp"


def read_ports(entries: Sequence[object]) -> tuple[Port, ...]:
    """Read ``ports`` of a service: ``80``, ``8080:80/udp``, or ``{target: 80, published: 8080}``.

    An address before the port of the machine is passed over: the server's settings say on which
    address ports are opened.

    Raises:
        PortUnreadable: an entry is no port.
    """
    return tuple(dict.fromkeys(_read(entry) for entry in entries))


def _read(entry: object) -> Port:
    if isinstance(entry, dict):
        words = f"{entry.get('published') or ''}:{entry.get('target')}/{entry.get('protocol') or 'tcp'}"
    else:
        words = str(entry).strip()
    if "${{" in words:  # a template: what it means is known when it is filled in
        return Port(1)
    found = _SHORT.fullmatch(words)
    if found is None:
        raise PortUnreadable(f"{entry!r} is no port; write 8080:80, or 80 for a free port of the machine")
    port = Port(int(found["container"]), int(found["host"] or 0), found["protocol"] or "tcp")
    if not 0 < port.container <= _HIGHEST or port.host > _HIGHEST or port.protocol not in _PROTOCOLS:
        raise PortUnreadable(f"{entry!r} is no port; numbers go from 1 to {_HIGHEST}, with tcp, udp or sctp")
    return port
