"""The folder that a build sees as ``/codefresh/volume``.

Steps put what they like into it, symbolic links to anywhere included. Paths are therefore walked
folder by folder and no link is ever followed: the server neither reads nor writes outside it.
"""

import contextlib
import io
import os
import posixpath
import shutil
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_BLOCK_BYTES = 512  # what `stat` counts in, whatever the file system does
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class TooMuch(Exception):
    """A folder holds more than was wanted of it; the text says how much may be."""


class Packing:
    """Writes files into a tar, without owners, links and what is no file, as long as there is room.

    Args:
        out: takes the tar.
        most_bytes: of all files together.
        most_files: their number.
    """

    def __init__(self, out: IO[bytes], *, most_bytes: int, most_files: int) -> None:
        self._archive = tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - `close`
        self._most_bytes, self._most_files = most_bytes, most_files
        self._bytes = self._files = 0

    def add(self, path: str, size_bytes: int, stream: IO[bytes]) -> None:
        """Add one file. Raises `TooMuch` before anything of it is written."""
        self._bytes += size_bytes
        self._files += 1
        if self._files > self._most_files:
            raise TooMuch(f"more than {self._most_files} files")
        if self._bytes > self._most_bytes:
            raise TooMuch(f"more than {self._most_bytes // 1024 // 1024} MB")
        member = tarfile.TarInfo(path)
        member.size = size_bytes
        self._archive.addfile(member, _Padded(stream))

    def close(self) -> None:
        """Write the end of the tar."""
        self._archive.close()


class _Padded(io.RawIOBase):
    """A file that somebody makes shorter while it is read; the tar has its size already."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """Return as many bytes as are asked for."""
        return self._stream.read(size).ljust(max(size, 0), b"\0")


def pack(root: Path, path: str, packing: Packing) -> None:
    """Pack a folder of the volume, or one file; no link is followed, in the path or below it.

    Raises:
        TooMuch: see `Packing`.
        OSError: there is nothing at that path, or it cannot be read.
    """
    *folders, name = [".", *parts(path)]
    with _opened(root, folders, make=False) as above:
        if stat.S_ISDIR(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode):
            folder = os.open(name, _FOLDER, dir_fd=above)
            try:
                for place, below, files, within in os.fwalk(".", dir_fd=folder):
                    below.sort()
                    for one in sorted(files):
                        with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                            _pack_file(packing, posixpath.normpath(f"{place}/{one}"), one, within)
            finally:
                os.close(folder)
        else:
            _pack_file(packing, name, name, above)


def pack_whole(root: Path, path: str, out: IO[bytes], *, most_bytes: int, most_files: int) -> None:
    """Write what is at a path of the volume as a tar; see `pack`."""
    packing = Packing(out, most_bytes=most_bytes, most_files=most_files)
    pack(root, path, packing)
    packing.close()


def _pack_file(packing: Packing, path: str, name: str, folder: int) -> None:
    if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        return
    with os.fdopen(os.open(name, _FILE, dir_fd=folder), "rb") as stream:
        packing.add(path, os.fstat(stream.fileno()).st_size, stream)


def parts(path: str) -> list[str]:
    """Split a path below the volume; a leading ``/`` or ``./`` makes no difference.

    Raises:
        ValueError: the path has a ``..``.
    """
    names = [name for name in path.split("/") if name not in ("", ".")]
    if ".." in names:
        raise ValueError(f"path {path!r} leaves the volume; name it without '..'")
    return names


def read(root: Path, path: str) -> bytes | None:
    """Return the content of a regular file; None if there is none at that path."""
    stream = opened_file(root, path)
    if stream is None:
        return None
    with stream:
        return stream.read()


def opened_file(root: Path, path: str) -> IO[bytes] | None:
    """Open a regular file for reading; None if there is none at that path. The caller closes it."""
    *folders, name = [".", *parts(path)]
    try:
        with _opened(root, folders, make=False) as folder:
            file = os.open(name, _FILE, dir_fd=folder)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(file).st_mode):
        return os.fdopen(file, "rb")
    os.close(file)
    return None


def write(root: Path, path: str, content: bytes, mode: int) -> None:
    """Write a file whole, making its folders; what was there before is replaced, not changed."""
    with created(root, path, mode) as stream:
        stream.write(content)


@contextlib.contextmanager
def created(root: Path, path: str, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """Open a new file for writing, making its folders; what was there before is replaced, not changed."""
    *folders, name = parts(path)
    with _opened(root, folders, make=True) as folder:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(name, flags, mode, dir_fd=folder)
        with os.fdopen(file, "wb") as stream:
            os.fchmod(file, mode)
            yield stream


def opened_folder(root: Path, path: str) -> contextlib.AbstractContextManager[int]:
    """Open a folder for reading, as a descriptor while the block lasts.

    Raises:
        OSError: on entering: there is none, or a link or a file is in the way.
    """
    return _opened(root, parts(path), make=False)


def make_folder(root: Path, path: str) -> None:
    """Make a folder and those above it. Raises `OSError` where a link or a file is in the way."""
    with _opened(root, parts(path), make=True):
        pass


def make_source(root: Path, path: str) -> None:
    """Make sure that a path can be mounted elsewhere: it is a file or a folder, made if missing.

    Raises:
        ValueError: a symbolic link or a file is in the way; mounted, it could lead out.
    """
    *folders, name = [".", *parts(path)]
    try:
        with _opened(root, folders, make=True) as folder:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=folder)
            kind = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except NotADirectoryError:
        kind = 0
    if not (stat.S_ISDIR(kind) or stat.S_ISREG(kind)):
        raise ValueError(f"volume source {path!r} passes through a link or a file; name a real folder")


def remove_tree(path: Path) -> None:
    """Remove a folder with all in it, also what a step made read-only. Safe twice."""
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except PermissionError:
        for folder, names, _ in os.walk(path):
            for name in names:
                below = Path(folder, name)
                if not below.is_symlink():
                    below.chmod(stat.S_IRWXU)
        shutil.rmtree(path)


def size_bytes(path: Path) -> int:
    """Return what a folder takes on the disk; what vanishes meanwhile counts nothing."""
    total = 0
    waiting = [str(path)]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * _BLOCK_BYTES
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    return total


@contextlib.contextmanager
def _opened(root: Path, folders: list[str], *, make: bool) -> Iterator[int]:
    """Open the folder at the end of a path of names, one by one."""
    folder = os.open(root, _FOLDER)
    try:
        for name in folders:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, dir_fd=folder)
            below = os.open(name, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = below
        yield folder
    finally:
        os.close(folder)
