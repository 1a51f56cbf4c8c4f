"""Where this server calls what somebody named, so that nobody reaches this machine's own services."""

import ipaddress
import socket
from typing import Self

import msgspec

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_SETTING = "HEADRACE_CLUSTER_NETWORKS"


class AddressRefused(Exception):
    """The host has no address, or none that is allowed; the text names the cure."""


class Networks(msgspec.Struct, frozen=True):
    """The networks in which clusters, Git hosts, secret stores and files of pipelines may be.

    Attributes:
        allowed: only these; empty: all but this machine, its links and what is no host.
    """

    allowed: tuple[_Network, ...] = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """Read ``10.0.0.0/8, 127.0.0.0/8``. Raises `ValueError` with the word that is no network."""
        return cls(tuple(ipaddress.ip_network(word.strip()) for word in text.split(",") if word.strip()))

    def resolve(self, host: str, port: int) -> str:
        """Return the address at which a host is called.

        A name counts by all its addresses, and the caller goes on with the one that was judged.

        Raises:
            AddressRefused: see there.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise AddressRefused(f"{host} has no address; see that this server can resolve it") from None
        addresses = [str(each[4][0]) for each in found]
        for address in addresses:
            if not self._allows(ipaddress.ip_address(address.partition("%")[0])):
                raise AddressRefused(f"{host} is at {address}, where nobody is called; see {_SETTING}")
        return addresses[0]

    def _allows(self, address: Address) -> bool:
        plain = getattr(address, "ipv4_mapped", None) or address
        if self.allowed:
            return any(plain in network for network in self.allowed)
        return not (plain.is_loopback or plain.is_link_local or plain.is_unspecified or plain.is_multicast)
