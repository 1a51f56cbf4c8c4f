"""JavaScript regular expressions, as pipeline files write them, within a budget of steps.

Python's engine is not used: a pattern may come from anybody who edits a pipeline, and once it
backtracks it cannot be stopped; some patterns take hours on thirty characters. This one counts.
Not known: back references and Unicode properties, which are refused.
"""

import re
from collections.abc import Callable
from functools import lru_cache

MAX_PATTERN = 2_000  # characters
MAX_TEXT = 20_000  # characters
MAX_STEPS = 400_000  # of one search; a third of a second at most
_MAX_NESTING = 30  # groups within each other
_ENDLESS = 1_000_000  # more repetitions than a text has characters
_FLAGS = "gimsuy"
_BRACES = re.compile(r"\{(\d{1,6})(?:(,)(\d{0,6}))?\}", re.ASCII)
_CODE = re.compile(r"u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})")
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0"}
_LINE_ENDS = "\n\r\u2028\u2029"

_Test = Callable[[str], bool]
_Then = Callable[[int], bool]


class BadRegex(ValueError):
    """The pattern cannot be read, or costs too much; the text says which."""


def search(pattern: str, text: str, flags: str = "") -> bool:
    """Tell whether the pattern matches anywhere in the text.

    Args:
        pattern: in JavaScript's syntax, without slashes.
        text: what is searched, at most `MAX_TEXT` characters.
        flags: any of ``g i m s u y``; ``g``, ``u`` and ``y`` have no influence.

    Raises:
        BadRegex: the pattern is malformed, too long or too costly, or the text is too long.
    """
    if len(text) > MAX_TEXT:
        raise BadRegex(f"text is longer than {MAX_TEXT} characters")
    root = _compiled(pattern, flags)
    run = _Run(text)
    try:
        return any(root.match(run, start, lambda _: True) for start in range(len(text) + 1))
    except RecursionError:
        raise BadRegex(f"regular expression {pattern!r} repeats a group too often") from None


def spans(pattern: str, text: str) -> list[tuple[int, int]]:
    """Find every match, from left to right, without overlaps; (start, end) of each.

    Raises:
        BadRegex: as `search`.
    """
    if len(text) > MAX_TEXT:
        raise BadRegex(f"text is longer than {MAX_TEXT} characters")
    root = _compiled(pattern, "")
    run = _Run(text)
    found: list[tuple[int, int]] = []
    at = 0
    try:
        while at <= len(text):
            ends: list[int] = []
            if root.match(run, at, lambda end, ends=ends: ends.append(end) is None):  # type: ignore[misc]  # bound
                found.append((at, ends[0]))
            at = max(at + 1, ends[0] if ends else 0)
    except RecursionError:
        raise BadRegex(f"regular expression {pattern!r} repeats a group too often") from None
    return found


def split_literal(literal: str) -> tuple[str, str] | None:
    """Split ``/regex/flags`` into its parts; None where the text is no such literal."""
    parts = re.fullmatch(r"/(.+)/([gimsuy]*)", literal, re.DOTALL)
    return (parts[1], parts[2]) if parts else None


@lru_cache(maxsize=256)
def _compiled(pattern: str, flags: str) -> "_Node":
    if len(pattern) > MAX_PATTERN:
        raise BadRegex(f"regular expression is longer than {MAX_PATTERN} characters")
    if set(flags) - set(_FLAGS):
        raise BadRegex(f"unknown flag in {flags!r}, use any of {' '.join(_FLAGS)}")
    return _Reader(pattern, flags).whole()


class _Run:
    """One search: the text, and the steps that are left."""

    __slots__ = ("left", "text")

    def __init__(self, text: str) -> None:
        self.text, self.left = text, MAX_STEPS

    def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise BadRegex("regular expression takes too long on this text")


class _Node:
    """A part of a pattern. `single` parts match in one way at most, and have `end`."""

    single = True

    def end(self, run: _Run, at: int) -> int:
        """Where a match that begins here ends; -1 for none."""
        raise NotImplementedError

    def match(self, run: _Run, at: int, then: _Then) -> bool:
        """Tell whether this part matches here and the rest after it."""
        run.step()
        end = self.end(run, at)
        return end >= 0 and then(end)


class _Character(_Node):
    def __init__(self, test: _Test) -> None:
        self._test = test

    def end(self, run: _Run, at: int) -> int:
        run.step()
        return at + 1 if at < len(run.text) and self._test(run.text[at]) else -1


class _Place(_Node):
    r"""A condition on the position: ``^``, ``$``, ``\\b``."""

    def __init__(self, holds: Callable[[str, int], bool]) -> None:
        self._holds = holds

    def end(self, run: _Run, at: int) -> int:
        return at if self._holds(run.text, at) else -1


class _Look(_Node):
    """``(?=…)`` and its kin."""

    def __init__(self, body: _Node, *, ahead: bool, wanted: bool) -> None:
        self._body, self._ahead, self._wanted = body, ahead, wanted

    def end(self, run: _Run, at: int) -> int:
        if self._ahead:
            found = self._body.match(run, at, lambda _: True)
        else:
            found = any(self._body.match(run, start, at.__eq__) for start in range(at, -1, -1))
        return at if found == self._wanted else -1


class _Sequence(_Node):
    def __init__(self, parts: list[_Node]) -> None:
        self._parts = parts
        self.single = all(part.single for part in parts)

    def end(self, run: _Run, at: int) -> int:
        for part in self._parts:
            at = part.end(run, at)
            if at < 0:
                return -1
        return at

    def match(self, run: _Run, at: int, then: _Then) -> bool:
        return super().match(run, at, then) if self.single else self._from(0, run, at, then)

    def _from(self, index: int, run: _Run, at: int, then: _Then) -> bool:
        while index < len(self._parts) and self._parts[index].single:
            at = self._parts[index].end(run, at)
            if at < 0:
                return False
            index += 1
        if index == len(self._parts):
            return then(at)
        return self._parts[index].match(run, at, lambda end: self._from(index + 1, run, end, then))


class _Either(_Node):
    single = False

    def __init__(self, choices: list[_Node]) -> None:
        self._choices = choices

    def match(self, run: _Run, at: int, then: _Then) -> bool:
        run.step()
        return any(choice.match(run, at, then) for choice in self._choices)


class _Repeat(_Node):
    single = False

    def __init__(self, body: _Node, low: int, high: int, *, lazy: bool) -> None:
        self._body, self._low, self._high, self._lazy = body, low, high, lazy

    def match(self, run: _Run, at: int, then: _Then) -> bool:
        if self._body.single:
            return self._match_single(run, at, then)
        return self._again(0, run, at, then)

    def _match_single(self, run: _Run, at: int, then: _Then) -> bool:
        """Without recursion: the ends of each number of repetitions are a plain list."""
        ends = [at]
        while len(ends) <= self._high:
            if self._lazy and len(ends) > self._low and then(ends[-1]):
                return True
            run.step()
            end = self._body.end(run, ends[-1])
            if end < 0 or (end == ends[-1] and len(ends) > self._low):
                break
            ends.append(end)
        if self._lazy and len(ends) <= self._high:
            return False  # every shorter one was tried on the way
        tried = ends[self._low :] if not self._lazy else ends[-1:]
        return any(then(end) for end in reversed(tried))

    def _again(self, count: int, run: _Run, at: int, then: _Then) -> bool:
        run.step()

        def more() -> bool:
            return count < self._high and self._body.match(
                run,
                at,
                lambda end: (end > at or count < self._low) and self._again(count + 1, run, end, then),
            )

        if count < self._low:
            return more()
        return (then(at) or more()) if self._lazy else (more() or then(at))


def _is_word(text: str, at: int) -> bool:
    return 0 <= at < len(text) and _word(text[at])


def _word(char: str) -> bool:
    return char == "_" or (char.isascii() and char.isalnum())


def _digit(char: str) -> bool:
    return "0" <= char <= "9"


def _space(char: str) -> bool:
    return char.isspace() or char == "\ufeff"


_CLASSES: dict[str, _Test] = {"d": _digit, "w": _word, "s": _space}


def _class(letter: str) -> _Test:
    test = _CLASSES[letter.lower()]
    return test if letter.islower() else lambda char: not test(char)


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str, flags: str) -> None:
        self._pattern, self._at, self._depth = pattern, 0, 0
        self._fold = "i" in flags
        self._lines = "m" in flags
        self._all = "s" in flags

    def whole(self) -> _Node:
        node = self._choices()
        if self._at < len(self._pattern):
            raise self._failure("unmatched ')'")
        return node

    def _failure(self, what: str) -> BadRegex:
        return BadRegex(f"{what} at character {self._at + 1} of regular expression {self._pattern!r}")

    def _takes(self, text: str) -> bool:
        if self._pattern.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _next(self) -> str:
        if self._at >= len(self._pattern):
            raise self._failure("unexpected end")
        self._at += 1
        return self._pattern[self._at - 1]

    def _choices(self) -> _Node:
        self._depth += 1
        if self._depth > _MAX_NESTING:
            raise self._failure("nested too deep")
        choices = [self._sequence()]
        while self._takes("|"):
            choices.append(self._sequence())
        self._depth -= 1
        return choices[0] if len(choices) == 1 else _Either(choices)

    def _sequence(self) -> _Node:
        parts: list[_Node] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            parts.append(self._repeated(self._part()))
        return parts[0] if len(parts) == 1 else _Sequence(parts)

    def _repeated(self, part: _Node) -> _Node:
        low, high = 1, 1
        if self._takes("*"):
            low, high = 0, _ENDLESS
        elif self._takes("+"):
            low, high = 1, _ENDLESS
        elif self._takes("?"):
            low, high = 0, 1
        elif braces := _BRACES.match(self._pattern, self._at):
            self._at = braces.end()
            low = int(braces[1])
            high = low if braces[2] is None else int(braces[3] or _ENDLESS)
            if high < low:
                raise self._failure("numbers out of order")
        else:
            return part
        return _Repeat(part, low, high, lazy=self._takes("?"))

    def _part(self) -> _Node:
        char = self._next()
        if char == "(":
            return self._group()
        if char in "*+?":
            self._at -= 1
            raise self._failure("nothing to repeat")
        if char == "^":
            return _Place(lambda text, at: at == 0 or (self._lines and text[at - 1] in _LINE_ENDS))
        if char == "$":
            return _Place(lambda text, at: at == len(text) or (self._lines and text[at] in _LINE_ENDS))
        if char == ".":
            return _Character(lambda found: self._all or found not in _LINE_ENDS)
        if char == "[":
            return _Character(self._set())
        return self._escape() if char == "\\" else _Character(self._same(char))

    def _group(self) -> _Node:
        looks = {"(?=": (True, True), "(?!": (True, False), "(?<=": (False, True), "(?<!": (False, False)}
        self._at -= 1
        look = next((sides for opening, sides in looks.items() if self._takes(opening)), None)
        if look is None and not self._takes("(?:"):
            named = re.compile(r"\(\?<[A-Za-z_$][\w$]*>").match(self._pattern, self._at)
            self._at = named.end() if named else self._at + 1
            if not named and self._takes("?"):
                raise self._failure("unknown group")
        body = self._choices()
        if not self._takes(")"):
            raise self._failure("missing ')'")
        return body if look is None else _Look(body, ahead=look[0], wanted=look[1])

    def _same(self, char: str) -> _Test:
        if self._fold:
            folded = char.lower()
            return lambda found: found.lower() == folded
        return char.__eq__

    def _escape(self) -> _Node:
        letter = self._next()
        if letter in "bB":
            edge = letter == "b"
            return _Place(lambda text, at: (_is_word(text, at - 1) != _is_word(text, at)) == edge)
        if letter in "dDwWsS":
            return _Character(_class(letter))
        if letter in "123456789pPk":
            raise self._failure(f"'\\{letter}' is not supported")
        return _Character(self._same(self._escaped(letter)))

    def _escaped(self, letter: str) -> str:
        """The character that an escape stands for; its letter has been taken."""
        code = _CODE.match(self._pattern, self._at - 1)
        if code:
            self._at = code.end()
            number = int(code[1] or code[2] or code[3], 16)
            if number > 0x10FFFF:  # noqa: PLR2004  # the last of Unicode
                raise self._failure("no such character")
            return chr(number)
        return _CONTROLS.get(letter, letter)

    def _set(self) -> _Test:
        """What stands between brackets; the opening one has been taken."""
        inverted = self._takes("^")
        tests: list[_Test] = []
        while not self._takes("]"):
            low = self._member()
            is_range = self._pattern.startswith("-", self._at) and not self._pattern.startswith(
                "-]", self._at
            )
            if not isinstance(low, str) or not is_range:
                tests.append(self._same(low) if isinstance(low, str) else low)
                continue
            self._at += 1
            high = self._member()
            if isinstance(high, str):
                tests.append(self._range(low, high))
            else:  # ``[a-\d]``: three members
                tests += [self._same(low), "-".__eq__, high]
        return lambda char: any(test(char) for test in tests) != inverted

    def _member(self) -> str | _Test:
        char = self._next()
        if char != "\\":
            return char
        letter = self._next()
        if letter in "dDwWsS":
            return _class(letter)
        return "\b" if letter == "b" else self._escaped(letter)

    def _range(self, low: str, high: str) -> _Test:
        if low > high:
            raise self._failure("range out of order")
        if self._fold:
            return lambda char: any(low <= form <= high for form in (char, char.lower(), char.upper()))
        return lambda char: low <= char <= high
