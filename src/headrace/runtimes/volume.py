"""The folder that a build sees as ``/codefresh/volume``.

Steps put what they like into it, symbolic links to anywhere included. Paths are therefore walked
folder by folder and no link is ever followed: the server neither reads nor writes outside it.
"""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

_BLOCK_BYTES = 512  # what `stat` counts in, whatever the file system does
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


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
    *folders, name = parts(path)
    try:
        with _opened(root, folders, make=False) as folder:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = os.open(name, flags, dir_fd=folder)
    except OSError:
        return None
    with os.fdopen(file, "rb") as stream:
        return stream.read() if stat.S_ISREG(os.fstat(file).st_mode) else None


def write(root: Path, path: str, content: bytes, mode: int) -> None:
    """Write a file whole, making its folders; what was there before is replaced, not changed."""
    *folders, name = parts(path)
    with _opened(root, folders, make=True) as folder:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(name, flags, mode, dir_fd=folder)
        with os.fdopen(file, "wb") as stream:
            os.fchmod(file, mode)
            stream.write(content)


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
