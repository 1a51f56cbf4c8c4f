"""``headrace serve``: one process that answers HTTP and runs builds."""

import asyncio
import contextlib
import gc
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import uvicorn
import uvloop
from sqlalchemy.exc import SQLAlchemyError

from headrace.app.installation import VERSION, CannotOpenInstallation, Installation
from headrace.app.keeper import keeping
from headrace.app.logging import start_logging
from headrace.app.pages import json_page, metric, send_page
from headrace.app.protocol import Protocol
from headrace.app.settings import Settings
from headrace.app.worker import until_signal, working
from headrace.http.answers import Message, Receive, Send
from headrace.http.server import Api
from headrace.resources.builds import repository as builds
from headrace.resources.builds.feed import Addresses
from headrace.resources.builds.socket import LogSocket
from headrace.resources.users import service as users
from headrace.runtimes.base import Runtime
from headrace.storage import migrations
from headrace.web.pages import Pages

_log = logging.getLogger(__name__)

_BACKLOG = 1024
_CLOSE_S = 5  # seconds that open connections get at the end
_USES_S = 60.0
_YOUNG_OBJECTS = 10_000  # between two looks of the collector; 700 is for programs with little memory


class CannotListen(Exception):
    """The address is taken, or not one of this machine."""


class Application:
    """What the port answers (ASGI): the API, the log socket, health and metrics."""

    def __init__(self, installation: Installation, api: Api, sockets: LogSocket) -> None:
        self._installation = installation
        self._api = api
        self._sockets = sockets
        self._pages = {
            "/healthz": self._health,
            "/readyz": self._ready,
            "/metrics": self._metrics,
            "/nomios/version": lambda: json_page(200, {"version": VERSION}),
        }
        self._web = Pages()
        if not self._web:  # a checkout whose pages were not built
            self._pages["/"] = self._home

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Hand a request to who answers it."""
        path = "/" + scope["path"].lstrip("/")
        if scope["type"] == "websocket":
            await self._sockets(scope, receive, send)
        elif path == "/api" or path.startswith("/api/"):
            await self._api(scope, receive, send)
        else:
            page = self._pages.get(path)
            if page is None and self._web.has(scope):
                await self._web.send(scope, send)
                return
            if page is None:
                answer = json_page(404, {"status": 404, "message": f"could not find {path!r}"})
            else:
                answer = await asyncio.to_thread(page)
            await send_page(scope, receive, send, answer)

    def _home(self) -> tuple[int, str, str]:
        return json_page(200, {"name": "Headrace", "version": VERSION, "reference": "/api/"})

    def _health(self) -> tuple[int, str, str]:
        return json_page(200, {"status": "alive"})

    def _ready(self) -> tuple[int, str, str]:
        try:
            ready = migrations.at_head(self._installation.database)
        except SQLAlchemyError:
            return json_page(503, {"status": "no database"})
        return json_page(200, {"status": "ready"}) if ready else json_page(503, {"status": "migrating"})

    def _metrics(self) -> tuple[int, str, str]:
        with self._installation.database.reading() as db:
            by_status = builds.count_by_status(db)
        requests = (
            ({"method": method, "path": path, "status": str(status)}, float(number))
            for (method, path, status), number in sorted(self._api.requests.items())
        )
        text = metric("headrace_http_requests_total", "counter", "requests answered", requests)
        statuses = (({"status": status}, float(number)) for status, number in sorted(by_status.items()))
        text += metric("headrace_builds", "gauge", "builds by status", statuses)
        return 200, "text/plain; version=0.0.4", text


class _Server(uvicorn.Server):
    """Leaves signals to us: after SIGTERM the exit code is 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(settings: Settings) -> int:
    """Serve until a signal; return the exit code."""
    start_logging(settings.log_level)
    try:
        return uvloop.run(_serve(settings))
    except (CannotListen, CannotOpenInstallation, migrations.SchemaTooNew, ValueError) as problem:
        _log.error("%s", problem)
        return 1


async def _serve(settings: Settings) -> int:
    stop = until_signal()
    listeners = [_listen(settings.host, settings.port)]
    port = listeners[0].getsockname()[1]
    installation = Installation(settings)
    try:
        installation.open()
        _first_start(installation)
        runtime = None if settings.no_worker else installation.runtime()
        public = settings.public_url or f"http://{settings.host}:{port}"
        gateway = await _gateway(runtime) if settings.host in ("127.0.0.1", "localhost") else None
        if gateway is not None:
            listeners.append(_listen(gateway, port))
        step_url = settings.step_url or (f"http://{gateway}:{port}" if gateway else public)
        addresses = Addresses(public_url=public, step_url=step_url)
        api = installation.api(addresses)
        sockets = LogSocket(
            installation.database,
            installation.authenticator,
            installation.rules,
            installation.logs,
            installation.hub,
        )
        application = Application(installation, api, sockets)
        async with contextlib.AsyncExitStack() as stack:
            if runtime is not None:
                await stack.enter_async_context(working(installation, runtime, addresses))
            await stack.enter_async_context(_recording_uses(installation))
            await stack.enter_async_context(keeping(installation, public))
            name = "none" if runtime is None else runtime.name
            _log.info("headrace %s at %s, runtime %s, %d slots", VERSION, public, name, settings.slots)
            _settle_memory()
            await _answer(application, listeners, stop)
        api.close()
    finally:
        installation.close()
    return 0


def _settle_memory() -> None:
    """Take what the start has made, which stays, out of the collector's work."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)


async def _answer(application: Application, listeners: list[socket.socket], stop: asyncio.Event) -> None:
    """Answer requests until ``stop``."""
    server = _Server(
        uvicorn.Config(
            application,
            http=Protocol,
            ws="websockets-sansio",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=_CLOSE_S,
        )
    )

    async def end() -> None:
        await stop.wait()
        server.should_exit = True

    ending = asyncio.create_task(end())
    await server.serve(sockets=listeners)
    ending.cancel()


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=_BACKLOG, reuse_port=False)
    except OSError as problem:
        raise CannotListen(f"cannot listen on {host}:{port}: {problem.strerror}; choose --port") from None


async def _gateway(runtime: Runtime | None) -> str | None:
    """Return the address of this machine that containers reach, where steps are containers."""
    if runtime is None or runtime.name != "docker":
        return None
    from headrace.runtimes.docker import DockerRuntime  # noqa: PLC0415 - imported already, if at all

    return await runtime.gateway() if isinstance(runtime, DockerRuntime) else None


def _first_start(installation: Installation) -> None:
    """Make the first account and user of an empty installation; say the password, once."""
    with installation.database.transaction() as db:
        password = users.create_first(db, now=datetime.now(UTC))
    if password is not None:
        print(  # noqa: T201 - on standard output, and never again
            f"account 'default', user 'admin', one-time password: {password}", flush=True
        )


@contextlib.asynccontextmanager
async def _recording_uses(installation: Installation) -> AsyncIterator[None]:
    """Store when keys were last used, once a minute."""

    async def record() -> None:
        while True:
            await asyncio.sleep(_USES_S)
            try:
                await asyncio.to_thread(installation.authenticator.record_uses, installation.database)
            except SQLAlchemyError:
                _log.exception("the last uses of keys could not be stored")

    task = asyncio.create_task(record())
    try:
        yield
    finally:
        task.cancel()
