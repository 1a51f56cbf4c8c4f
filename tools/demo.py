"""``make demo``: the whole story on this machine, on real input.

Starts a server, makes a key, creates a project and a pipeline with the client, runs it on a real
Git repository (this checkout, served on this machine), shows the log live, asks for the status
with curl, and lets one pipeline run another. Then the server stays up; with ONCE=1 the demo ends
with the exit code of the run.
"""

import asyncio
import contextlib
import functools
import http.server
import itertools
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headrace.runtimes import DEFAULT_ENGINE, choose

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("DEMO_HOME") or ROOT / ".demo")  # a test has a place of its own
BIN = Path(sys.executable).parent
REPOSITORY = "kostis-codefresh/nestjs-example"  # the one that the spec names
BRANCH = "master"
READY_S = 20.0
_OWNER = ("--account", "default", "--user", "admin")


def say(text: str) -> None:
    """Print a heading."""
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def show(*command: str, environment: dict[str, str] | None = None) -> int:
    """Print a command as a user would type it, run it, return its exit code."""
    words = [Path(command[0]).name, *command[1:]]
    shown = [
        "<your_key_here>" if before == "--api-key" else word
        for before, word in itertools.pairwise(["", *words])
    ]
    print(f"$ {shlex.join(shown)}", flush=True)
    return subprocess.run(command, env=environment, check=False).returncode


def free_port(wanted: int) -> int:
    """Return ``wanted`` where it is free, else any free port."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def mirror() -> Path:
    """Make a bare copy of this checkout that plain HTTP can serve; return the folder to serve."""
    folder = HOME / "git"
    bare = folder / f"{REPOSITORY}.git"
    if (ROOT / ".git").exists():
        git = ["git", "-C", str(bare)]
        subprocess.run(["git", "clone", "--quiet", "--bare", str(ROOT), str(bare)], check=True)
    else:  # an unpacked archive: its files become one commit
        git = ["git", "-C", str(ROOT), f"--git-dir={bare}", f"--work-tree={ROOT}"]
        subprocess.run(["git", "init", "--quiet", "--bare", str(bare)], check=True)
        subprocess.run([*git, "add", "README.md", "src", "docs"], check=True)
        author = ["-c", "user.name=demo", "-c", "user.email=demo@localhost"]
        subprocess.run([git[0], *author, *git[1:], "commit", "--quiet", "-m", "demo"], check=True)
    subprocess.run([*git, "branch", "--force", BRANCH, "HEAD"], check=False, capture_output=True)
    subprocess.run([*git, "update-server-info"], check=True)
    return folder


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def git_server(address: str) -> Iterator[str]:
    """Serve this checkout by HTTP on an address that steps can reach; yield the server's URL."""
    handler = functools.partial(_Quiet, directory=str(mirror()))
    server = http.server.ThreadingHTTPServer((address, 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{address}:{server.server_port}"
    finally:
        server.shutdown()


@contextlib.contextmanager
def headrace_server(port: int) -> Iterator[str]:
    """Start ``headrace serve`` on a fresh data folder; yield what it printed on its first start."""
    url = f"http://127.0.0.1:{port}"
    print(f"$ headrace serve --data {os.path.relpath(HOME / 'data')} --port {port}", flush=True)
    output = (HOME / "server.out").open("w")
    errors = (HOME / "server.log").open("w")
    command = [str(BIN / "headrace"), "serve", "--data", str(HOME / "data"), "--port", str(port)]
    server = subprocess.Popen(command, stdout=output, stderr=errors)
    try:
        deadline = time.monotonic() + READY_S
        while not _ready(url):
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the server did not start:\n{(HOME / 'server.log').read_text()}")
            time.sleep(0.02)
        yield (HOME / "server.out").read_text()
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url + "/readyz", timeout=1) as answer:
            return bool(answer.status == http.HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False


def runtime_facts() -> tuple[str, str]:
    """Return the runtime that the server chooses here, and the address where steps reach us."""
    host = os.environ.get("DOCKER_HOST") or DEFAULT_ENGINE
    if choose("auto", docker_host=host) == "local":
        return "local", "127.0.0.1"
    from headrace.runtimes.docker import DockerRuntime, DockerSettings  # noqa: PLC0415 - only where needed

    async def gateway() -> str | None:
        runtime = DockerRuntime(DockerSettings(host=host))
        try:
            return await runtime.gateway()
        finally:
            await runtime.close()

    return "docker", asyncio.run(gateway()) or "127.0.0.1"


def story(url: str, git_url: str) -> int:
    """Do what the seed page does; return the exit code of the run."""
    codefresh = str(BIN / "codefresh")
    key = subprocess.run(
        [BIN / "headrace", "key", "create", "--data", HOME / "data", *_OWNER, "--name", "demo"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    environment = {**os.environ, "CFCONFIG": str(HOME / "cfconfig")}
    for name in ("CF_API_KEY", "CF_URL"):
        environment.pop(name, None)
    use = functools.partial(show, codefresh, environment=environment)
    examples = ROOT / "docs" / "examples"

    say("2. The client gets its key")
    use("auth", "create-context", "demo", "--api-key", key, "--url", url)
    say("3. A git context, a project, a pipeline from a spec")
    context = {
        "apiVersion": "v1",
        "kind": "context",
        "metadata": {"name": "github-1"},
        "spec": {"type": "git.github", "data": {"auth": {"type": "basic", "apiHost": git_url}}},
    }
    (HOME / "github-1.json").write_text(json.dumps(context))
    use("create", "-f", str(HOME / "github-1.json"))
    use("create", "project", "my-project")
    use("create", "pipeline", "-f", str(examples / "seed-pipeline.yml"))
    use("get", "pipelines")
    say("4. Run it: the log is live")
    code = use("run", "my-project/my-basic-pipeline", "-b", BRANCH, "-t", "my-trigger")
    use("get", "builds", "-l", "1")
    say("5. The status by the API")
    newest = _ask(url, key, "/api/workflow?limit=1")["workflows"]["docs"][0]["id"]
    print(f"$ curl -H 'Authorization: <your_key_here>' {url}/api/builds/{newest}", flush=True)
    build = _ask(url, key, f"/api/builds/{newest}")
    names = ("id", "status", "pipelineName", "branchName", "started", "finished")
    print(json.dumps({name: build[name] for name in names}, indent=2), flush=True)
    say("6. A pipeline runs another one, when a pull request for 'production' was opened")
    use("create", "pipeline", "-f", str(examples / "calls-another.yml"))
    pull_request = ("-v", "CF_PULL_REQUEST_TARGET=production", "-v", "CF_PULL_REQUEST_ACTION=opened")
    second = use("run", "my-project/pipeline-a", "-b", BRANCH, *pull_request)
    use("get", "builds", "-l", "3")
    return code or second


def _ask(url: str, key: str, path: str) -> dict[str, Any]:
    """Ask the API with curl, which reads the key from its input, where ``ps`` does not see it."""
    if shutil.which("curl"):
        command = ["curl", "--silent", "--fail", "--header", "@-", url + path]
        answer = subprocess.run(
            command, input=f"Authorization: {key}".encode(), check=True, capture_output=True
        )
        return json.loads(answer.stdout)
    request = urllib.request.Request(url + path, headers={"Authorization": key})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def main() -> int:
    """Tell the story."""
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    runtime, address = runtime_facts()
    if runtime == "docker":
        subprocess.run([sys.executable, str(ROOT / "tools" / "cli-image"), "--keep-other"], check=True)
    port = free_port(8080)
    url = f"http://127.0.0.1:{port}"
    say(f"1. A server with its embedded defaults (steps run with: {runtime})")
    with headrace_server(port) as printed, git_server(address) as git_url:
        print(printed.strip(), flush=True)
        code = story(url, git_url)
        if os.environ.get("ONCE") == "1":
            return code
        say(f"The server is up: {url}, API reference {url}/api/")
        print(printed.strip())
        print("Ctrl-C stops it.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    return code


if __name__ == "__main__":
    sys.exit(main())
