"""Replaces secrets in a stream of bytes by ``*****``, also where a chunk border cuts one.

Masked are the value of each secret, each line of a secret of several lines, and the forms in which
tools like to print either: base64 (at any alignment, both alphabets), percent-encoding, JSON.
"""

import base64
import functools
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

MASK = "*****"
_MASK = MASK.encode()
_SHORTEST_SECRET = 3  # characters; shorter ones are in every text
_SHORTEST_LINE = 4  # of a secret of several lines
_SHORTEST_BASE64 = 8  # shorter pieces of base64 occur by chance
_HEAD = 3  # bytes of a pattern by which its beginning is searched at the end of a chunk
_DFA_BYTES = 4096  # up to this many bytes of patterns the fastest automaton stays small


class _Search:
    """Finds patterns in bytes, and the beginnings of patterns at their end."""

    def __init__(self, patterns: list[bytes]) -> None:
        small = sum(map(len, patterns)) <= _DFA_BYTES
        self._patterns = BytesAhoCorasick(
            patterns,
            matchkind=MatchKind.LeftmostLongest,
            implementation=Implementation.DFA if small else Implementation.ContiguousNFA,
        )
        by_head: dict[bytes, list[bytes]] = {}
        for pattern in patterns:
            by_head.setdefault(pattern[:_HEAD], []).append(pattern)
        self._by_head = list(by_head.values())
        self._heads = BytesAhoCorasick(list(by_head))
        self._short_heads = {head[:length] for head in by_head for length in range(1, _HEAD)}
        self._window = max(map(len, patterns)) - 1

    def matches(self, data: bytes) -> list[tuple[int, int, int]]:
        """Return (pattern, start, end) of what is to be masked, ascending."""
        return self._patterns.find_matches_as_indexes(data)

    def beginnings(self, data: bytes) -> Iterator[int]:
        """Yield, ascending, each position from which ``data`` ends in the beginning of a secret."""
        base = max(0, len(data) - self._window)
        for head, start, _ in self._heads.find_matches_as_indexes(data[base:], overlapping=True):
            tail = data[base + start :]
            if any(len(pattern) > len(tail) and pattern.startswith(tail) for pattern in self._by_head[head]):
                yield base + start
        for length in range(_HEAD - 1, 0, -1):
            if data[-length:] in self._short_heads and len(data) >= length:
                yield len(data) - length


@functools.lru_cache(maxsize=64)  # the logs of a build mask the same, and to prepare that takes a while
def _search_for(secrets: frozenset[str]) -> _Search | None:
    """Return how secrets are found; None where there is nothing to find."""
    patterns = sorted(_patterns(secrets))
    return _Search(patterns) if patterns else None


class Masker:
    """Masks one stream. Not for use by two threads at once.

    The output does not depend on how the input is cut into chunks: matching is leftmost-longest
    over the whole stream, and only bytes that may begin a secret are held back.

    Args:
        secrets: plain values; those under three characters are passed over.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._held = b""
        self._search = _search_for(frozenset(secrets))

    def widen(self, secrets: Iterable[str]) -> None:
        """Mask these from here on; they include those from before."""
        self._search = _search_for(frozenset(secrets))

    @property
    def holds(self) -> bool:
        """Whether bytes are held back that `flush` would give."""
        return bool(self._held)

    def feed(self, data: bytes) -> bytes:
        """Take the next chunk and return what is certain of the masked stream so far."""
        search = self._search
        if search is None:
            return data
        if self._held:
            data = self._held + data
        matches = search.matches(data)
        beginnings = search.beginnings(data)
        hold = next(beginnings, len(data))
        pieces: list[bytes] = []
        done = 0
        for _, start, end in matches:
            if start >= hold:
                break
            pieces += (data[done:start], _MASK)
            done = end
            while hold < done:  # that beginning is part of a secret which is masked already
                hold = next(beginnings, len(data))
        self._held = data[hold:]
        if not pieces and hold == len(data):
            return data
        pieces.append(data[done:hold])
        return b"".join(pieces)

    def flush(self) -> bytes:
        """Return what was held back, masked. The stream may go on afterwards."""
        held, self._held = self._held, b""
        if self._search is None or not held:
            return held
        pieces: list[bytes] = []
        done = 0
        for _, start, end in self._search.matches(held):
            pieces += (held[done:start], _MASK)
            done = end
        pieces.append(held[done:])
        return b"".join(pieces)


def mask_text(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` with every secret replaced by ``*****``."""
    masker = Masker(secrets)
    masked = masker.feed(_raw(text)) + masker.flush()
    return masked.decode(errors="surrogateescape")


def _patterns(secrets: Iterable[str]) -> set[bytes]:
    """Return all that is to be masked: values, their lines, their encoded forms."""
    patterns: set[bytes] = set()
    for secret in secrets:
        if len(secret) < _SHORTEST_SECRET or secret.isspace():
            continue
        for value in {secret, secret.strip()}:
            if len(value) >= _SHORTEST_SECRET:
                patterns.update(_forms(value))
        lines = [line.strip() for line in secret.splitlines()]
        if len(lines) > 1:
            patterns.add(_raw("\r\n".join(secret.splitlines())))  # as a terminal prints it
            for line in lines:
                patterns.update(_forms(line) if len(line) >= _SHORTEST_LINE else ())
    return patterns


def _raw(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _forms(value: str) -> set[bytes]:
    """Return a value as it is and as tools encode it."""
    raw = _raw(value)
    percent = {quote(raw, safe=safe) for safe in ("", "/", "!*'()~")} | {quote_plus(raw)}
    as_json = {json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    return {raw} | {_raw(text) for text in percent | as_json} | _base64_forms(raw)


def _base64_forms(raw: bytes) -> set[bytes]:
    """Return the characters of base64 that depend on ``raw`` alone, wherever in a text it stands."""
    forms = set()
    for shift in range(3):
        for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * shift + raw)
            core = text[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
            forms.add(core)
            if shift == 0:
                forms.add(text)
    return {form for form in forms if len(form) >= _SHORTEST_BASE64}
