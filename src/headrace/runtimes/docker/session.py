"""A BuildKit session: the engine asks us, during a build, for logins and secrets.

The engine is the client of this gRPC service, over a connection that we open to it (``POST
/session``) and that it then turns round. Files do not travel here: the context is the body of the
build request.
"""

import asyncio
import socket
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from grpclib.const import Cardinality, Status
from grpclib.const import Handler as Method
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError
from grpclib.server import Server, Stream

from headrace.runtimes.base import RegistryLogin
from headrace.runtimes.docker import wire

_HEAD_END = b"\r\n\r\n"
_MOST_HEAD_BYTES = 16 * 1024
_SERVING = 1
_HUB_HOSTS = ("registry-1.docker.io", "index.docker.io", "docker.io", "https://index.docker.io/v1/")
_CREDENTIALS = "/moby.filesync.v1.Auth/Credentials"
_SECRET = "/moby.buildkit.secrets.v1.Secrets/GetSecret"  # noqa: S105 - the name of a method
_HEALTH = "/grpc.health.v1.Health/Check"


class SessionRefused(Exception):
    """The engine does not open sessions; it has no BuildKit."""


class _Bytes(CodecBase):
    """Messages as they are; `wire` reads them."""

    __content_subtype__ = "proto"

    def encode(self, message: Any, message_type: Any) -> bytes:  # noqa: ANN401, ARG002 - the library's shape
        return bytes(message)

    def decode(self, data: bytes, message_type: Any) -> Any:  # noqa: ANN401, ARG002 - the library's shape
        return data


class _Answers:
    """What the engine may ask for."""

    def __init__(self, logins: Sequence[RegistryLogin], secrets: Mapping[str, bytes]) -> None:
        self._logins = {login.domain: login for login in logins}
        self._secrets = secrets

    def __mapping__(self) -> dict[str, Method]:
        found = {_HEALTH: self._health, _CREDENTIALS: self._credentials, _SECRET: self._secret}
        return {path: Method(answer, Cardinality.UNARY_UNARY, bytes, bytes) for path, answer in found.items()}

    async def _health(self, stream: "Stream[bytes, bytes]") -> None:
        await stream.recv_message()
        await stream.send_message(wire.integer(1, _SERVING))

    async def _credentials(self, stream: "Stream[bytes, bytes]") -> None:
        host = _first_text(await stream.recv_message())
        login = self._logins.get("docker.io" if host in _HUB_HOSTS else host)
        answer = b"" if login is None else wire.text(1, login.username) + wire.text(2, login.password)
        await stream.send_message(answer)

    async def _secret(self, stream: "Stream[bytes, bytes]") -> None:
        name = _first_text(await stream.recv_message())
        if name not in self._secrets:
            raise GRPCError(Status.NOT_FOUND, f"secret {name!r} is not among the step's secrets")
        await stream.send_message(wire.text(1, self._secrets[name]))


class _Service(Server):
    """A service on a connection that exists already, where the library would listen for one."""

    def protocol(self) -> asyncio.Protocol:
        return self._protocol_factory()


class Session:
    """One open session; its `id` goes with the build request. Close it after the build.

    Args:
        host: of the engine: ``unix:///path`` or ``tcp://host:port``.
        logins: for the registries that ``FROM`` names, and caches.
        secrets: content by id.
    """

    def __init__(self, host: str, *, logins: Sequence[RegistryLogin], secrets: Mapping[str, bytes]) -> None:
        self.id = uuid.uuid4().hex
        self._host = host
        self._answers = _Answers(logins, secrets)
        self._transport: asyncio.BaseTransport | None = None

    async def open(self) -> None:
        """Connect.

        Raises:
            OSError: the engine does not answer.
            SessionRefused: it does, and has no sessions.
        """
        loop = asyncio.get_running_loop()
        connection = await _connected(self._host)
        try:
            await loop.sock_sendall(connection, self._request())
            await _turned_round(connection)
            service = _Service([self._answers], codec=_Bytes())
            self._transport, _ = await loop.connect_accepted_socket(service.protocol, connection)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close the connection. Safe twice."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def _request(self) -> bytes:
        lines = [
            "POST /session HTTP/1.1",
            "Host: engine",
            "Connection: Upgrade",
            "Upgrade: h2c",
            "Content-Length: 0",
            f"X-Docker-Expose-Session-Uuid: {self.id}",
            "X-Docker-Expose-Session-Name: headrace",
            "X-Docker-Expose-Session-Sharedkey: ",
            *(f"X-Docker-Expose-Session-Grpc-Method: {path}" for path in self._answers.__mapping__()),
        ]
        return "\r\n".join(lines).encode() + _HEAD_END


def _first_text(message: bytes | None) -> str:
    found = dict(wire.fields(message or b"")).get(1, b"")
    return found.decode() if isinstance(found, bytes) else ""


async def _connected(host: str) -> socket.socket:
    kind, _, place = host.partition("://")
    loop = asyncio.get_running_loop()
    if kind == "unix":
        connection = socket.socket(socket.AF_UNIX)
        target: Any = place
    else:
        name, _, port = place.rpartition(":")
        found = await loop.getaddrinfo(name, int(port), type=socket.SOCK_STREAM)
        connection = socket.socket(found[0][0])
        target = found[0][4]
    connection.setblocking(False)
    try:
        await loop.sock_connect(connection, target)
    except BaseException:
        connection.close()
        raise
    return connection


async def _turned_round(connection: socket.socket) -> None:
    """Read the engine's consent, and not one byte more: what follows is its first request."""
    loop = asyncio.get_running_loop()
    head = b""
    while not head.endswith(_HEAD_END):
        byte = await loop.sock_recv(connection, 1)
        if not byte or len(head) > _MOST_HEAD_BYTES:
            break
        head += byte
    status = head.partition(b"\r\n")[0].decode(errors="replace")
    if " 101 " not in status:
        raise SessionRefused(f"the engine opens no BuildKit session: {status or 'it says nothing'}")
