"""One file of a repository, or of the web, for a server that keeps no clones.

A host with an API is asked by `Host.file`; what has no API is fetched with git, the one commit and
nothing more where the server of the repository can. Addresses that somebody wrote are judged
before they are called.
"""

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
from typing import NoReturn
from urllib.parse import urlsplit

from headrace.execution.clone import configuration, origin_of
from headrace.execution.ports import GitCredentials
from headrace.integrations.clusters.addresses import AddressRefused, Networks
from headrace.integrations.git.base import FileMissing, HostFailed

TIMEOUT_S = 10.0
MOST_BYTES = 1024 * 1024
_GIT_TIMEOUT_S = 30.0
_OK = 200
_REDIRECTS = range(300, 400)


def from_web(url: str, networks: Networks) -> bytes:
    """Return what is at a URL. Redirects are not followed.

    Raises:
        FileMissing: the answer is another than 200.
        HostFailed: the address may not be called, or nobody answers.
    """
    host, port, address = _judged(url, networks)
    parts = urlsplit(url)
    connection = _Pinned(host, port, address, secure=parts.scheme == "https")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("GET", target, headers={"Accept": "*/*", "User-Agent": "headrace"})
        answer = connection.getresponse()
        content = answer.read(MOST_BYTES + 1)
    except (OSError, http.client.HTTPException) as problem:
        raise HostFailed(f"{host} does not answer: {type(problem).__name__}") from None
    finally:
        connection.close()
    if answer.status in _REDIRECTS:
        raise FileMissing(
            f"{host} leads elsewhere, to {answer.headers.get('location')!r}; write that address"
        )
    if answer.status != _OK:
        raise FileMissing(f"{host} answers {answer.status} to GET {parts.path}")
    return _limited(content, url)


def by_git(url: str, path: str, revision: str, login: GitCredentials | None, networks: Networks) -> bytes:
    """Return a file of any repository that git reaches over HTTP.

    Args:
        url: of the repository, without a login.
        path: of the file, from the root of the repository.
        revision: branch, tag or commit.
        login: for the host of the URL; None for none.
        networks: where the host may be.

    Raises:
        FileMissing: there is no such repository, revision or file.
        HostFailed: the address may not be called, or there is no git here.
    """
    host, port, address = _judged(url, networks)
    pinned = f"{host}:{port}:{address}"
    environment = {
        "PATH": os.defpath,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "http:https",
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        **configuration(origin_of(url), login),
    }
    options = ("-c", "http.followRedirects=false", "-c", f"http.curloptResolve={pinned}")
    with tempfile.TemporaryDirectory(prefix="headrace-file-") as folder:
        environment["GIT_DIR"] = folder
        _git("init", "-q", "--bare", folder, environment=environment)
        fetch = (*options, "fetch", "-q", "--no-tags")
        try:
            _git(*fetch, "--depth", "1", "--", url, revision, environment=environment)
        except FileMissing as problem:
            if "shallow" not in str(problem):
                raise
            _git(*fetch, "--", url, revision, environment=environment)
        return _limited(_git("show", f"FETCH_HEAD:{path}", environment=environment), f"{url}, {path}")


def _git(*arguments: str, environment: dict[str, str]) -> bytes:
    try:
        done = subprocess.run(
            (shutil.which("git") or "git", *arguments),
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError:
        raise HostFailed("there is no git on this server; install it") from None
    except subprocess.TimeoutExpired:
        raise HostFailed(f"git has not ended after {_GIT_TIMEOUT_S:g} s") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise FileMissing(f"git: {lines[0].removeprefix('fatal: ')[:300]}")
    return done.stdout


def _limited(content: bytes, what: str) -> bytes:
    if len(content) > MOST_BYTES:
        raise FileMissing(f"{what} has more than {MOST_BYTES} bytes")
    return content


def _judged(url: str, networks: Networks) -> tuple[str, int, str]:
    """Return host, port and the address to call."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        _refuse(url)
    if parts.scheme not in ("http", "https") or not host or any(each <= " " for each in url):
        _refuse(url)
    port = port or (443 if parts.scheme == "https" else 80)
    try:
        return host, port, networks.resolve(host, port)
    except AddressRefused as refusal:
        raise HostFailed(str(refusal)) from None


def _refuse(url: str) -> NoReturn:
    raise HostFailed(f"{url[:200]!r} is no address to fetch from; write 'https://host/path'")


class _Pinned(http.client.HTTPConnection):
    """Calls the address that was judged, under the name of the host."""

    def __init__(self, host: str, port: int, address: str, *, secure: bool) -> None:
        super().__init__(host, port, timeout=TIMEOUT_S)
        self._address, self._secure = address, secure
        self.default_port = 443 if secure else 80

    def connect(self) -> None:
        """Open the connection."""
        self.sock = socket.create_connection((self._address, self.port), TIMEOUT_S)
        if self._secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
