"""The context of an image build: a folder of the volume as a tar, without what ``.dockerignore`` names.

Entries have neither owner nor links that lead anywhere on this machine: links are packed as links.
Source of the pattern rules: the Dockerfile reference, ".dockerignore file".
"""

import contextlib
import io
import os
import posixpath
import re
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from headrace.runtimes import volume

_CLASS = re.compile(r"(\^?)([^\]/]+)\]")  # after its opening bracket
_SPECIAL = re.compile(r"[\[&~|\\]|(?<=-)-")  # of Python's classes alone
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Ignore:
    """The rules of one ``.dockerignore``.

    Args:
        text: of the file; empty keeps everything.
        always: paths that are sent whatever the rules say: the Dockerfile.
    """

    def __init__(self, text: str = "", *, always: frozenset[str] = frozenset()) -> None:
        self._always = always
        self._rules = [rule for line in text.splitlines() if (rule := _rule(line)) is not None]
        self._takes_back = any(keeps for keeps, _ in self._rules)

    def keeps(self, path: str) -> bool:
        """Tell whether a file or folder is sent; the last rule that fits decides."""
        if path in self._always:
            return True
        kept = True
        for keeps, pattern in self._rules:
            if keeps != kept and any(pattern.fullmatch(each) for each in _with_parents(path)):
                kept = keeps
        return kept

    def enters(self, folder: str) -> bool:
        """Tell whether anything below a folder may be sent."""
        below = any(each.startswith(f"{folder}/") for each in self._always)
        return below or self._takes_back or self.keeps(folder)


def _rule(line: str) -> tuple[bool, re.Pattern[str]] | None:
    """Read a line: (whether it takes files back, what it fits); None for blank lines and comments."""
    if line.startswith("#") or not line.strip():
        return None
    text = line.strip().removeprefix("\ufeff")
    takes_back = text.startswith("!")
    path = posixpath.normpath(text.removeprefix("!").strip()).lstrip("/")
    if path in ("", "."):
        return None
    try:
        return takes_back, re.compile(_expression(path), re.DOTALL)
    except re.error:
        return takes_back, re.compile(re.escape(path))


def _expression(path: str) -> str:
    out, at = "", 0
    while at < len(path):
        sign, rest = path[at], path[at + 1 :]
        at += 1
        if sign == "*" and rest.startswith("*"):
            at += 2 if rest.startswith("*/") else 1
            out += ".*" if at >= len(path) else "(.*/)?"
        elif sign == "*":
            out += "[^/]*"
        elif sign == "?":
            out += "[^/]"
        elif sign == "\\" and rest:
            out += re.escape(rest[0])
            at += 1
        elif sign == "[" and (found := _CLASS.match(path, at)):
            out += f"[{found[1]}{_SPECIAL.sub(_escaped, found[2])}]"
            at = found.end()
        else:
            out += re.escape(sign)
    return out


def _escaped(found: re.Match[str]) -> str:
    return "\\" + found[0]


def _with_parents(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]


def pack_folder(root: Path, folder: str, ignore: Ignore, out: IO[bytes]) -> None:
    """Write a folder of the volume as a tar.

    Args:
        root: the volume.
        folder: path below it; no link in it is followed.
        ignore: what stays behind.
        out: takes the tar.

    Raises:
        OSError: there is no such folder, or something of it cannot be read.
    """
    with tarfile.open(fileobj=out, mode="w") as archive, volume.opened_folder(root, folder) as handle:
        for place, folders, files, within in os.fwalk(".", dir_fd=handle):
            base = posixpath.normpath(place)
            prefix = "" if base == "." else f"{base}/"
            folders[:] = sorted(name for name in folders if ignore.enters(prefix + name))
            for name in sorted([*folders, *files]):
                if ignore.keeps(prefix + name):
                    with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                        _add(archive, prefix + name, name, within)


def _add(archive: tarfile.TarFile, path: str, name: str, folder: int) -> None:
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    member = tarfile.TarInfo(path)
    member.mode, member.mtime = stat.S_IMODE(found.st_mode), int(found.st_mtime)
    if stat.S_ISLNK(found.st_mode):
        member.type, member.linkname = tarfile.SYMTYPE, os.readlink(name, dir_fd=folder)
        archive.addfile(member)
    elif stat.S_ISDIR(found.st_mode):
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
    elif stat.S_ISREG(found.st_mode):
        with os.fdopen(os.open(name, _READ, dir_fd=folder), "rb") as stream:
            member.size = os.fstat(stream.fileno()).st_size
            archive.addfile(member, stream)


def repack(source: IO[bytes], ignore: Ignore, out: IO[bytes]) -> None:
    """Write the context from the tar of a folder, as the engine gives it: its name leads every path."""
    with tarfile.open(fileobj=source) as given, tarfile.open(fileobj=out, mode="w") as archive:
        for member in given:
            path = member.name.strip("/").partition("/")[2]
            if path and ignore.keeps(path):
                member.name, member.uid, member.gid, member.uname, member.gname = path, 0, 0, "", ""
                if member.islnk():
                    member.linkname = member.linkname.strip("/").partition("/")[2]
                archive.addfile(member, given.extractfile(member) if member.isreg() else None)


def add_file(context: IO[bytes], path: str, content: bytes) -> None:
    """Add a file to a tar that was written before."""
    context.seek(0)
    with tarfile.open(fileobj=context, mode="a") as archive:
        member = tarfile.TarInfo(path)
        member.size, member.mode = len(content), 0o644
        archive.addfile(member, io.BytesIO(content))
