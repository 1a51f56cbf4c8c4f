"""As much of a shell as the fake runtime needs.

Understood: `echo`, `printf '%s'` (one argument), `true`, `false`, `:`, `exit N`, `sleep N`,
`cat FILE`, `cd`, `pwd`, `mkdir`, `set`, `export NAME=value`, `NAME=value`, `trap '' TERM`,
`cf_export`; quotes, `$NAME`, `${NAME}`, `;`, `&&`, `||`, `>` and `>>` into a file, comments.
Definitions of functions are passed over. Anything else is printed as a note and succeeds.
"""

import posixpath
import re
import shlex
from typing import Protocol

from headrace.runtimes.base import VOLUME, Command

EXPORT_FILE = "env_vars_to_export"
_SHELLS = frozenset({"sh", "bash"})
_NAME = re.compile(r"[A-Za-z_]\w*")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)\Z", re.DOTALL)
_FUNCTION = re.compile(r"\s*(?:function\s+)?[A-Za-z_][\w-]*\s*\(\)\s*\{?")
_SEPARATORS = ("&&", "||", ";", "\n")


class Process(Protocol):
    """What a script acts on."""

    ignores_term: bool

    def print(self, data: bytes) -> None:
        """Add to the output."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class Exited(Exception):
    """The script ended before its last line."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit {code}")
        self.code = code


def missing_shell(command: Command) -> str | None:
    """Say why a command has nothing to run; None where it has."""
    if command.script is not None and command.shell not in _SHELLS:
        return f"shell {command.shell!r} is not there; use one of {sorted(_SHELLS)}"
    if command.entry_point and command.entry_point[0].startswith("/nonexistent"):
        return f"no such program: {command.entry_point[0]!r}"
    return None


def served(command: Command) -> str | None:
    """Return what a service runs, as a script; None where its image decides."""
    words = [*(command.entry_point or ()), *(command.cmd or ())]
    if words[:1] and words[0].rpartition("/")[2] in _SHELLS and words[1:2] == ["-c"]:
        return " ".join(words[2:3])
    return shlex.join(words) if words else None


class Script:
    """One run of a script: its variables, its folder, and where its output goes."""

    def __init__(self, process: Process, command: Command, files: dict[str, bytes]) -> None:
        self._process = process
        self._files = files
        self._binds = command.volumes
        self._variables = dict(command.environment)
        self._folder = command.working_directory or "/"
        self._stops_at_failure = False

    async def run(self, text: str) -> int:
        """Run the whole script and return its exit code."""
        code = 0
        joined = "then"
        try:
            for piece, separator in _pieces(_without_functions(text)):
                if joined == "then" or (joined == "&&") == (code == 0):
                    code = await self._statement(piece)
                    if code and self._stops_at_failure and separator not in ("&&", "||"):
                        return code
                joined = separator if separator in ("&&", "||") else "then"
        except Exited as exited:
            return exited.code
        return code

    async def _statement(self, piece: str) -> int:
        words = _words(piece, self._variables)
        target, append = None, False
        for sign in (">>", ">"):
            if sign in words[:-1]:
                place = words.index(sign)
                target, append = words[place + 1], sign == ">>"
                words = words[:place] + words[place + 2 :]
                break
        if not words:
            return 0
        printed, code = await self._call(words)
        if target is None or target == "/dev/null":
            self._process.print(b"" if target else printed)
        else:
            path = self._path(target)
            self._files[path] = (self._files.get(path, b"") if append else b"") + printed
        return code

    async def _call(self, words: list[str]) -> tuple[bytes, int]:
        name, rest = words[0], words[1:]
        if assigned := _ASSIGNMENT.match(name):
            self._variables[assigned[1]] = assigned[2]
            return b"", 0
        if name == "exit":
            raise Exited(int(rest[0]) % 256 if rest else 0)
        if name == "sleep":
            await self._process.sleep(float(rest[0]))
            return b"", 0
        builtin = getattr(self, f"_do_{name}", None) if _NAME.fullmatch(name) else None
        if builtin is not None:
            printed, code = builtin(rest)
            return printed, code
        if name == ":":
            return b"", 0
        return f"(not run in memory: {shlex.join(words)})\n".encode(), 0

    def _path(self, name: str) -> str:
        """The key of a file: relative to the volume, or absolute outside it."""
        path = posixpath.normpath(posixpath.join(self._folder, name))
        for source, target in self._binds:
            if path.startswith(f"{target}/"):
                return posixpath.join(source, path.removeprefix(f"{target}/"))
        return path.removeprefix(VOLUME).lstrip("/") if path.startswith(f"{VOLUME}/") else path

    def _do_true(self, _: list[str]) -> tuple[bytes, int]:
        return b"", 0

    def _do_false(self, _: list[str]) -> tuple[bytes, int]:
        return b"", 1

    def _do_mkdir(self, _: list[str]) -> tuple[bytes, int]:
        return b"", 0

    def _do_echo(self, rest: list[str]) -> tuple[bytes, int]:
        if rest[:1] == ["-n"]:
            return " ".join(rest[1:]).encode(), 0
        return (" ".join(rest) + "\n").encode(), 0

    def _do_printf(self, rest: list[str]) -> tuple[bytes, int]:
        text = rest[0].replace("\\n", "\n") if rest else ""
        for value in rest[1:]:
            text = text.replace("%s", value, 1)
        return text.encode(), 0

    def _do_pwd(self, _: list[str]) -> tuple[bytes, int]:
        return f"{self._folder}\n".encode(), 0

    def _do_cd(self, rest: list[str]) -> tuple[bytes, int]:
        self._folder = posixpath.normpath(posixpath.join(self._folder, rest[0] if rest else "/"))
        return b"", 0

    def _do_cat(self, rest: list[str]) -> tuple[bytes, int]:
        printed = b""
        for name in rest:
            content = self._files.get(self._path(name))
            if content is None:
                return printed + f"cat: {name}: No such file or directory\n".encode(), 1
            printed += content
        return printed, 0

    def _do_set(self, rest: list[str]) -> tuple[bytes, int]:
        if "-e" in rest or "+e" in rest:
            self._stops_at_failure = "-e" in rest
        return b"", 0

    def _do_export(self, rest: list[str]) -> tuple[bytes, int]:
        for word in rest:
            if assigned := _ASSIGNMENT.match(word):
                self._variables[assigned[1]] = assigned[2]
        return b"", 0

    def _do_trap(self, rest: list[str]) -> tuple[bytes, int]:
        if "TERM" in rest[1:]:
            self._process.ignores_term = rest[0] == ""
        return b"", 0

    def _do_cf_export(self, rest: list[str]) -> tuple[bytes, int]:
        lines = []
        mark = "--mask " if "--mask" in rest else ""
        for word in rest:
            if word == "--mask":
                continue
            name, equals, value = word.partition("=")
            if equals or name in self._variables:  # a variable that is unset exports nothing
                lines.append(f"{mark}{name}={value if equals else self._variables[name]}\n")
        path = self._path(self._variables.get("CF_EXPORT_FILE", f"{VOLUME}/{EXPORT_FILE}"))
        self._files[path] = self._files.get(path, b"") + "".join(lines).encode()
        return b"", 0


def _without_functions(text: str) -> str:
    """Drop definitions of functions: from ``name() {`` to the line that is a lone brace."""
    kept, inside = [], False
    for line in text.splitlines():
        if inside:
            inside = line.strip() != "}"
        elif _FUNCTION.match(line):
            inside = not line.rstrip().endswith("}")
        else:
            kept.append(line)
    return "\n".join(kept)


def _pieces(text: str) -> list[tuple[str, str]]:
    """Split a script at ``;``, ``&&``, ``||`` and line ends that no quote holds; drop comments.

    Returns:
        (statement, the separator after it), in order; the last separator is a line end.
    """
    pieces: list[tuple[str, str]] = []
    start = place = 0
    while place < len(text):
        sign = text[place]
        if sign in "'\"":
            place = _after_quote(text, place)
            continue
        if sign == "\\":
            place += 2
            continue
        if sign == "#" and (place == 0 or text[place - 1].isspace()):
            end = text.find("\n", place)
            text = text[:place] + (text[end:] if end >= 0 else "")
            continue
        separator = next((mark for mark in _SEPARATORS if text.startswith(mark, place)), None)
        if separator:
            pieces.append((text[start:place], separator))
            start = place = place + len(separator)
            continue
        place += 1
    return [*pieces, (text[start:], "\n")]


def _after_quote(text: str, place: int) -> int:
    """Where the quote that opens at ``place`` has closed; the end of the text if it never does."""
    quote, place = text[place], place + 1
    while place < len(text) and text[place] != quote:
        place += 2 if quote == '"' and text[place] == "\\" else 1
    return place + 1


def _words(piece: str, variables: dict[str, str]) -> list[str]:
    """Split a statement into words as a shell does, with variables filled in.

    A value is never split at its blanks again, also without quotes.
    """
    words: list[str] = []
    word: str | None = None
    place = 0
    while place < len(piece):
        sign = piece[place]
        if sign == "'":
            end = _after_quote(piece, place)
            word = (word or "") + piece[place + 1 : end - 1]
        elif sign == '"':
            end = _after_quote(piece, place)
            word = (word or "") + _expanded(piece[place + 1 : end - 1], variables)
        elif sign.isspace():
            end = place + 1
            words += [] if word is None else [word]
            word = None
        elif sign == ">":
            words += [] if word is None else [word]
            word, end = None, place + (2 if piece.startswith(">>", place) else 1)
            words.append(piece[place:end])
        else:
            end = place + 1
            while end < len(piece) and not piece[end].isspace() and piece[end] not in "'\">":
                end += 1
            word = (word or "") + _expanded(piece[place:end], variables)
        place = end
    return words + ([] if word is None else [word])


_EXPANSION = re.compile(r"\\(.)|\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}|\$([A-Za-z_]\w*)", re.DOTALL)


def _expanded(text: str, variables: dict[str, str]) -> str:
    """Fill in ``$NAME``, ``${NAME}`` and ``${NAME:-default}``; a backslash keeps its next sign."""

    def value(found: re.Match[str]) -> str:
        if found[1] is not None:
            return found[1]
        return variables.get(found[2] or found[4], "") or found[3] or ""

    return _EXPANSION.sub(value, text)
