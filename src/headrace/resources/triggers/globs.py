"""Globs over changed files: ``{docs/**,*.md}``, ``!{vendor/**}``. Linear in pattern and path.

Source: `reference/pipeline-yaml.md`, section 7.1. Python's own globs know neither braces nor the
rule of dots, and what turns globs into regular expressions can be made to backtrack for hours.
"""

from collections.abc import Iterable

MAX_GLOB = 65_000  # characters
MAX_ALTERNATIVES = 1_000  # after braces are multiplied out
_DEEP = 30  # braces within each other


class BadGlob(ValueError):
    """A glob is too long, or has too many alternatives; the text says which."""


def any_matches(glob: str, files: Iterable[str]) -> bool:
    """Tell whether a changed file matches; an empty glob matches everything.

    With ``!`` in front: whether a changed file is outside of what follows.

    Raises:
        BadGlob: as `alternatives`.
    """
    text = glob.strip()
    if not text:
        return True
    inverted = text.startswith("!")
    patterns = [_segments(one) for one in alternatives(text[1:] if inverted else text)]
    for file in files:
        path = _segments(file)
        if any(_path_matches(pattern, path) for pattern in patterns) is not inverted:
            return True
    return False


def alternatives(glob: str) -> list[str]:
    """Multiply braces out: ``{a,b}/c`` gives ``a/c`` and ``b/c``.

    Raises:
        BadGlob: the glob is too long or comes to too many.
    """
    if len(glob) > MAX_GLOB:
        raise BadGlob(f"a glob has at most {MAX_GLOB} characters, this one has {len(glob)}")
    return [one.strip() for one in _expand(glob, 0)]


def _expand(text: str, depth: int) -> list[str]:
    if depth > _DEEP:
        raise BadGlob(f"braces nest deeper than {_DEEP}")
    done = [""]
    at = 0
    while at < len(text):
        end = _closing(text, at) if text[at] == "{" else -1
        if end < 0:  # a plain character, or a brace that is never closed
            stop = at + 1
            while stop < len(text) and text[stop] != "{":
                stop += 1
            done = [one + text[at:stop] for one in done]
            at = stop
            continue
        inner = [one for part in _parts(text[at + 1 : end]) for one in _expand(part.strip(), depth + 1)]
        if len(done) * len(inner) > MAX_ALTERNATIVES:
            raise BadGlob(f"a glob comes to at most {MAX_ALTERNATIVES} alternatives")
        done = [before + one for before in done for one in inner]
        at = end + 1
    return done


def _closing(text: str, start: int) -> int:
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return -1


def _parts(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for at, sign in enumerate(text):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def _segments(path: str) -> list[str]:
    return path.removeprefix("./").removeprefix("/").split("/")


def _path_matches(pattern: list[str], path: list[str]) -> bool:
    """Match folder by folder; ``**`` takes any number of folders that have no dot in front."""
    reach = {0}  # how many folders of the path are taken
    for index, segment in enumerate(pattern):
        last = index == len(pattern) - 1
        if segment == "**":
            wider = set(reach)
            for taken in reach:
                at = taken
                while at < len(path) and not path[at].startswith("."):
                    at += 1
                    wider.add(at)
            # `a/**` is what is below `a`, not `a` itself.
            reach = {one for one in wider if one == len(path) and one > min(reach)} if last else wider
        else:
            reach = {
                taken + 1 for taken in reach if taken < len(path) and _name_matches(segment, path[taken])
            }
        if not reach:
            return False
    return len(path) in reach


def _name_matches(pattern: str, name: str) -> bool:
    """Match one name: ``*``, ``?``, ``[a-z]``, a backslash before a sign that means itself."""
    if name.startswith(".") and not pattern.startswith((".", "\\.")):
        return False
    states = {0}
    parts = _signs(pattern)
    states = _past_stars(parts, states)
    for sign in name:
        following = set()
        for state in states:
            if state < len(parts):
                kind, what = parts[state]
                if kind == "*":
                    following.add(state)
                elif kind == "?" or (kind == "=" and what == sign) or (kind == "[" and _in_set(what, sign)):
                    following.add(state + 1)
        states = _past_stars(parts, following)
        if not states:
            return False
    return len(parts) in states


def _past_stars(parts: list[tuple[str, str]], states: set[int]) -> set[int]:
    found = set(states)
    for state in states:
        at = state
        while at < len(parts) and parts[at][0] == "*":
            at += 1
            found.add(at)
    return found


def _signs(pattern: str) -> list[tuple[str, str]]:
    """Split a name's pattern into (kind, text): ``=`` a sign, ``?`` any, ``*`` any number, ``[`` a set."""
    parts: list[tuple[str, str]] = []
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        end = pattern.find("]", at + 2) if sign == "[" else -1
        if sign == "\\" and at + 1 < len(pattern):
            parts.append(("=", pattern[at + 1]))
            at += 2
        elif end > 0:
            parts.append(("[", pattern[at + 1 : end]))
            at = end + 1
        else:
            if sign != "*" or not parts or parts[-1][0] != "*":
                parts.append((sign if sign in "*?" else "=", sign))
            at += 1
    return parts


def _in_set(text: str, sign: str) -> bool:
    inverted = text[:1] in ("!", "^")
    inner = text[1:] if inverted else text
    found, at = False, 0
    while at < len(inner):
        if inner[at + 1 : at + 2] == "-" and at + 2 < len(inner):
            found = found or inner[at] <= sign <= inner[at + 2]
            at += 3
        else:
            found = found or inner[at] == sign
            at += 1
    return found is not inverted
