"""How much one caller may ask: buckets of tokens, in the memory of this process.

Each server of an installation counts for itself, and a restart forgets. That is enough to keep one
loop from taking the place of all others, and guesses from being quick; it is no quota.
"""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

import msgspec

from headrace.http.errors import TooManyRequests

_MINUTE_S = 60
_MOST_NAMES = 20_000  # of more, those that were quiet longest start anew
_NAME_SHARE = 5  # guesses at one name, from all addresses, for each that one address may make
_V6_NETWORK = 64  # what one customer gets of the new addresses


class Taken(msgspec.Struct, frozen=True):
    """What is left after a request."""

    limit: int
    remaining: int
    full_s: int  # until all of the limit is there again
    wait_s: int  # until the next token; 0: one was taken

    def headers(self) -> dict[str, str]:
        """Return the headers by which clients pace themselves."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.full_s),
        }


class Buckets:
    """Buckets of ``a_minute`` tokens that fill evenly, one for each name. Safe between threads.

    Args:
        a_minute: the size of a bucket, and how many tokens come in a minute; at least 1.
        now: seconds of a clock that never goes back.
    """

    def __init__(self, a_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self._size = a_minute
        self._per_s = a_minute / _MINUTE_S
        self._now = now
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, float]] = OrderedDict()  # name → tokens, at

    def take(self, name: str) -> Taken:
        """Take a token, where there is one."""
        with self._lock:
            tokens = self._level(name)
            if tokens < 1:
                return self._state(tokens, wait_s=math.ceil((1 - tokens) / self._per_s))
            self._put(name, tokens - 1)
            return self._state(tokens - 1)

    def give_back(self, name: str) -> None:
        """Return a token that was taken for nothing."""
        with self._lock:
            self._put(name, min(self._size, self._level(name) + 1))

    def _level(self, name: str) -> float:
        tokens, at = self._known.get(name, (self._size, 0.0))
        return min(self._size, tokens + (self._now() - at) * self._per_s)

    def _put(self, name: str, tokens: float) -> None:
        self._known[name] = (tokens, self._now())
        self._known.move_to_end(name)
        if len(self._known) > _MOST_NAMES:
            self._known.popitem(last=False)

    def _state(self, tokens: float, wait_s: int = 0) -> Taken:
        full_s = math.ceil((self._size - tokens) / self._per_s)
        return Taken(self._size, int(tokens), full_s, wait_s)


class RateLimit:
    """Requests of one caller.

    Args:
        a_minute: how many; 0: no limit.
        now: see `Buckets`.
    """

    def __init__(self, a_minute: int = 0, now: Callable[[], float] = time.monotonic) -> None:
        self._buckets = Buckets(a_minute, now) if a_minute else None

    def spend(self, caller: str) -> Mapping[str, str]:
        """Count a request; return the headers of its answer. Raises `TooManyRequests`."""
        if self._buckets is None:
            return {}
        taken = self._buckets.take(caller)
        if taken.wait_s:
            raise TooManyRequests(
                f"over {taken.limit} requests a minute by this key; go on in {taken.wait_s} s, and ask less "
                "often",
                headers={**taken.headers(), "Retry-After": str(taken.wait_s)},
            )
        return taken.headers()


class Throttle:
    """Keys and passwords that were wrong, by address; passwords also by the name they were tried on.

    Args:
        a_minute: how many of one address; 0: no limit.
        now: see `Buckets`.
    """

    def __init__(self, a_minute: int = 0, now: Callable[[], float] = time.monotonic) -> None:
        self._keys = Buckets(a_minute, now) if a_minute else None
        self._logins = Buckets(a_minute, now) if a_minute else None
        self._names = Buckets(a_minute * _NAME_SHARE, now) if a_minute else None

    def wrong_key(self, address: str) -> None:
        """Count a wrong key. Raises `TooManyRequests` where there were too many before it."""
        if self._keys is not None:
            _refuse(self._keys.take(_network(address)), "wrong keys from this address")

    def begin_login(self, address: str, name: str) -> None:
        """Count a login as failed before its password is looked at, so that many at once count, too.

        Raises:
            TooManyRequests: too many have failed; the password is not looked at.
        """
        if self._logins is None or self._names is None:
            return
        _refuse(self._logins.take(_network(address)), "failed logins from this address")
        _refuse(self._names.take(name), "failed logins of this user")

    def end_login(self, address: str, name: str) -> None:
        """Take a login out of the count: it went well."""
        if self._logins is not None and self._names is not None:
            self._logins.give_back(_network(address))
            self._names.give_back(name)


def _refuse(taken: Taken, what: str) -> None:
    if taken.wait_s:
        raise TooManyRequests(
            f"too many {what}; try again in {taken.wait_s} s", headers={"Retry-After": str(taken.wait_s)}
        )


def _network(address: str) -> str:
    """Return what stands for one client: an address, or the network of a new one."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:  # noqa: PLR2004 - the version's own name
        return address
    return str(ipaddress.ip_network((known, _V6_NETWORK), strict=False))
