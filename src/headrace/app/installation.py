"""What a server and a worker put together from the same settings: database, keys, logs, builds."""

import contextlib
import importlib
import importlib.util
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from headrace.app.backup import KEY_FILE, LOGS_FOLDER, REPORTS_FOLDER
from headrace.app.settings import Settings
from headrace.execution.ports import ReportLimits
from headrace.execution.settings import ExecutionSettings
from headrace.execution.worker import Worker
from headrace.http.cors import Cors
from headrace.http.limits import RateLimit, Throttle
from headrace.http.reference import Reference
from headrace.http.reference import router as reference_router
from headrace.http.routing import Route, Router
from headrace.http.server import Api, Conduct
from headrace.integrations.clusters import Networks
from headrace.kit import structs
from headrace.kit.clock import SystemClock
from headrace.kit.crypto import open_key_file
from headrace.resources import RESOURCES
from headrace.resources.abac.service import TeamRules
from headrace.resources.answers.service import SealedAnswers
from headrace.resources.api_keys.service import Authenticator
from headrace.resources.audit.service import AuditLog
from headrace.resources.builds.feed import Addresses, DatabaseFeed, Place
from headrace.resources.builds.links import LogSettings
from headrace.resources.builds.marks import Marks
from headrace.resources.builds.secrets import DatabaseSecrets
from headrace.resources.builds.volumes import VolumeLimits
from headrace.resources.pipelines.records import DatabaseRecords
from headrace.resources.releases.looking import Reach
from headrace.resources.runtime_environments.service import BaseImages
from headrace.resources.users import service as users
from headrace.resources.users.sessions import Sessions
from headrace.runtimes import choose
from headrace.runtimes.base import Runtime
from headrace.storage import migrations
from headrace.storage.engine import Database
from headrace.storage.logs import LogStore
from headrace.storage.reports import ReportStore
from headrace.storage.signals import Signals

VERSION = version("headrace")
_MEGABYTE = 1024 * 1024
# SQLite computes in our process: of more threads, each waits for the interpreter that the other has.
_SQLITE_THREADS = 2
_THREADS = 8


def routers() -> Iterator[Router]:
    """Yield the routers of the reference and of each resource that has routes."""
    yield reference_router
    for name in RESOURCES:
        module = f"headrace.resources.{name}.routes"
        if importlib.util.find_spec(module) is not None:
            found = vars(importlib.import_module(module)).values()
            yield from (router for router in found if isinstance(router, Router))


def routes() -> list[Route]:
    """Return every operation of the API."""
    return [route for router in routers() for route in router.routes]


def _without_password(url: str) -> str:
    return re.sub(r"(//[^/@:]*):[^/@]*@", r"\1:***@", url)


class CannotOpenInstallation(Exception):
    """The data folder or the database cannot be used; the message names it and the cure."""


class Installation:
    """The parts of one installation. Order of calls: `open`, then any, then `close`.

    Args:
        settings: of the server or worker.

    Raises:
        CannotOpenInstallation: here and in `open`.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.data: Path = settings.data_path
        with self._usable():
            self.data.mkdir(parents=True, exist_ok=True)
            self.database = Database(settings.effective_database_url)
            self.box = open_key_file(self.data / KEY_FILE)
        self.clock = SystemClock()
        self.networks = Networks.read(settings.cluster_networks)
        self.hub = Signals(self.database)
        self.logs = LogStore(self.data / LOGS_FOLDER, limit_bytes=settings.log_limit_mb * _MEGABYTE)
        self.reports = ReportStore(
            self.data / REPORTS_FOLDER,
            limits=ReportLimits(most_bytes=settings.report_limit_mb * _MEGABYTE),
        )
        self.sessions = Sessions(self.box.derive("sessions"), self.clock)
        self.rules = TeamRules()
        self.authenticator = Authenticator(
            lambda db, token: users.presence(db, self.sessions, token), self.clock
        )

    def open(self) -> None:
        """Bring the database to the schema of this release, and hear other servers."""
        structs.prepare()
        with self._usable():
            migrations.upgrade(self.database)
        self.hub.start()

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        """Name what cannot be used."""
        try:
            yield
        except OSError as problem:
            raise CannotOpenInstallation(
                f"data folder {self.data}: {problem.strerror}; give this user a folder with room by --data"
            ) from problem
        except SQLAlchemyError as problem:
            url = self.settings.database_url
            place = f"given by --database-url {_without_password(url)}" if url else f"in {self.data}"
            reason = " ".join(str(getattr(problem, "orig", None) or problem).split())
            raise CannotOpenInstallation(f"database {place}: {reason}") from problem

    def close(self) -> None:
        """Store what is pending and close all connections. Safe twice."""
        self.authenticator.record_uses(self.database)
        self.hub.close()
        self.database.close()

    def forget_files(self, build_id: str) -> None:
        """Delete the logs and the reports of a build; nothing happens where there are none."""
        self.logs.delete(build_id)
        self.reports.delete(build_id)

    def api(self, addresses: Addresses) -> Api:
        """Return the API over this installation."""
        found = routes()
        structs.prepare()  # of the resources, too, which are imported by now
        return Api(
            found,
            database=self.database,
            authenticate=self.authenticator,
            provide={
                Addresses: addresses,
                Database: self.database,
                BaseImages: BaseImages({"git-clone": self.settings.git_image}),
                LogSettings: LogSettings(transport=self.settings.log_transport),
                LogStore: self.logs,
                Marks: Marks(),
                Networks: self.networks,
                Reach: Reach(self.database, self.box, self.networks),
                ReportStore: self.reports,
                Reference: Reference(found, version=VERSION),
                Sessions: self.sessions,
                Signals: self.hub,
                SystemClock: self.clock,
                type(self.box): self.box,
            },
            conduct=self._conduct(),
            rules=self.rules,
            threads=_SQLITE_THREADS if self.database.is_sqlite else _THREADS,
        )

    def _conduct(self) -> Conduct:
        settings = self.settings
        return Conduct(
            rate=RateLimit(settings.rate_limit),
            throttle=Throttle(settings.failure_limit),
            cors=Cors([origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]),
            answers=SealedAnswers(self.box, self.clock),
            audit=AuditLog(self.clock),
        )

    def runtime(self) -> Runtime:
        """Return the runtime that the settings name.

        Raises:
            ValueError: no runtime has that name.
        """
        host = self.settings.docker_host
        name = choose(self.settings.runtime, docker_host=host)
        if name == "docker":
            from headrace.runtimes.docker import DockerRuntime, DockerSettings  # noqa: PLC0415 - 0.3 s

            return DockerRuntime(
                DockerSettings(
                    host=host,
                    installation=self.box.derive("name").hex()[:12],
                    logins=Path(self.settings.docker_config) / "config.json",
                    ahead=not self.settings.no_start_ahead,
                    environment_address=self.settings.environment_address,
                )
            )
        if name == "fake":
            from headrace.runtimes.fake import FakeRuntime  # noqa: PLC0415 - for tests and trials

            return FakeRuntime(self.clock)
        from headrace.runtimes.local import LocalRuntime, LocalSettings  # noqa: PLC0415 - as above

        return LocalRuntime(self.data / "builds", LocalSettings(hidden=(self.data,)))

    def worker(self, runtime: Runtime, addresses: Addresses) -> tuple[Worker, DatabaseFeed]:
        """Return a worker on a runtime, and the feed that it claims from."""
        secrets = DatabaseSecrets(self.database, self.box, self.networks)
        feed = DatabaseFeed(
            self.database,
            self.hub,
            secrets=secrets,
            locks=self.data / "workers",
            addresses=addresses,
            place=Place(
                environment=self.settings.environment, runtime=runtime.name, capacity=self.settings.slots
            ),
            limits=VolumeLimits(days=self.settings.volume_days, total_gb=self.settings.volume_gb),
        )
        settings = self.settings
        worker = Worker(
            runtime=runtime,
            feed=feed,
            logs=self.logs,
            secrets=secrets,
            records=DatabaseRecords(self.database, self.box, self.networks),
            reports=self.reports,
            clock=self.clock,
            settings=ExecutionSettings(
                git_image=settings.git_image,
                stop_grace_s=settings.grace_s,
                debug_session_s=settings.debug_minutes * 60,
                debug_image=settings.debug_image,
            ),
            slots=settings.slots,
            alive=feed.alive,
            surplus=feed.surplus,
        )
        return worker, feed
