"""One file of a repository, or of the web, for a server that keeps no clones.

A host with an API is asked by `Host.file`; what has no API is fetched with git, the one commit and
nothing more where the server of the repository can. Addresses that somebody wrote are judged
before they are called.
"""

import os
import shutil
import subprocess
import tempfile
from urllib.parse import urlsplit

from headrace.execution.clone import configuration, origin_of
from headrace.execution.ports import GitCredentials
from headrace.integrations import web
from headrace.integrations.clusters import Networks
from headrace.integrations.git.base import FileMissing, HostFailed

_GIT_TIMEOUT_S = 30.0


def from_web(url: str, networks: Networks) -> bytes:
    """Return what is at a URL. Redirects are not followed.

    Raises:
        FileMissing: the answer is another than 200.
        HostFailed: the address may not be called, or nobody answers.
    """
    try:
        answer = web.call("GET", url, networks, headers={"Accept": "*/*"})
    except web.NoAnswer as problem:
        raise HostFailed(str(problem)) from None
    parts = urlsplit(url)
    if answer.status in web.REDIRECTS:
        place = answer.headers.get("location")
        raise FileMissing(f"{parts.hostname} leads elsewhere, to {place!r}; write that address")
    if answer.status not in web.OK:
        raise FileMissing(f"{parts.hostname} answers {answer.status} to GET {parts.path}")
    return answer.content


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
    try:
        host, port, address = web.judged(url, networks)
    except web.NoAnswer as problem:
        raise HostFailed(str(problem)) from None
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
        return _git("show", f"FETCH_HEAD:{path}", environment=environment)


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
