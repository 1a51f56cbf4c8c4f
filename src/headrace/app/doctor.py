"""`headrace doctor`: looks at an installation and says what is wrong with it, and the cure."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from headrace.app.backup import KEY_FILE
from headrace.kit.crypto import open_key_file
from headrace.storage import migrations
from headrace.storage.engine import Database

_LOW_DISK_BYTES = 1 << 30


class Finding(msgspec.Struct, frozen=True):
    """What one check found."""

    level: Literal["ok", "warn", "fail"]
    subject: str
    text: str


def examine(data: Path, database_url: str) -> Iterator[Finding]:
    """Check the data folder, the key, the database and what steps run with; changes nothing."""
    checks: tuple[Callable[[], Finding], ...] = (
        lambda: _data_folder(data),
        lambda: _key(data / KEY_FILE),
        lambda: _database(data, database_url),
        _git,
        _runtimes,
    )
    for check in checks:
        yield check()


def _data_folder(data: Path) -> Finding:
    if not data.is_dir():
        return Finding("warn", "data", f"{data} does not exist yet; 'headrace serve' makes it")
    if not os.access(data, os.W_OK | os.X_OK):
        return Finding("fail", "data", f"{data} is not writable; change its owner or mode")
    free = shutil.disk_usage(data).free
    if free < _LOW_DISK_BYTES:
        return Finding("warn", "data", f"{data} has {free >> 20} MB left; free some space")
    return Finding("ok", "data", f"{data}, {free >> 30} GB free")


def _key(path: Path) -> Finding:
    if not path.exists():
        return Finding("warn", "secrets key", f"{path} does not exist yet; 'headrace serve' makes it")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Finding("fail", "secrets key", f"{path} has mode {mode:04o}; run 'chmod 600 {path}'")
    try:
        box = open_key_file(path)
    except (ValueError, OSError) as problem:
        return Finding("fail", "secrets key", f"{problem}; put the file back from a backup")
    return Finding("ok", "secrets key", f"seals with key {box.key_id}")


def _database(data: Path, url: str) -> Finding:
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        return Finding("warn", "database", f"there is none in {data} yet; 'headrace serve' makes it")
    db = Database(url)
    try:
        found, wanted = migrations.revision(db), migrations.head()
    except SQLAlchemyError as problem:
        reason = str(problem).partition("\n")[0]
        return Finding("fail", "database", f"no answer ({reason}); check --database-url and the server")
    finally:
        db.close()
    if found != wanted:
        return Finding("warn", "database", f"revision {found}, want {wanted}; run 'headrace migrate'")
    return Finding("ok", "database", f"{db.engine.dialect.name}, revision {found}")


def _git() -> Finding:
    path = shutil.which("git")
    if path is None:
        return Finding("warn", "git", "not found; the local runtime needs it for git-clone steps")
    return Finding("ok", "git", path)


def _runtimes() -> Finding:
    if Path("/var/run/docker.sock").exists():
        return Finding("ok", "runtimes", "docker (default socket), local")
    return Finding("ok", "runtimes", "local; no Docker at the default socket (DOCKER_HOST names another)")
