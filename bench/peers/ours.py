"""A Codefresh-compatible server, driven by its public REST API alone.

Settings (environment):
  OURS_URL      base URL (default http://127.0.0.1:8080)
  OURS_KEY      API key, sent as the Authorization header
  OURS_START    shell command that starts the server in the foreground; without
                it the server at OURS_URL is used as it is (no cold figure)
  OURS_TREE     folder of the installed server (its cached pages are dropped for a cold start)
  OURS_PIDS     name=pid,... of a server that is already running, for memory
  OURS_RUNTIME  name of the runtime environment: OURS_RUNTIME_HOST and
                OURS_RUNTIME_DOCKER choose one for each mode
  OURS_MODES    modes it has, default "docker,host"
  OURS_REPO_URL what the git-clone step of W7 clones (default: the local folder as file://)
  OURS_LIST     path of the list call (default /api/workflow?limit=50)
  OURS_LOG      path that answers a build's stored log as text, with {id} and {progress};
                without it W4 does not check that every line was stored
The pipelines are bench/configs/codefresh/W*.yml; they are created under the
project ci-bench through POST /api/projects and POST /api/pipelines."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse

import lib

MODES = tuple(os.environ.get("OURS_MODES", "docker,host").split(","))
WORKLOADS = ("W1", "W2", "W3", "W4", "W5", "W6", "W7")
URL = os.environ.get("OURS_URL", "http://127.0.0.1:8080").rstrip("/")
PROJECT = "ci-bench"
PYLIB = lib.HOME / "ours-lib"
GOOD, BAD = {"success"}, {"error", "terminated", "denied", "pending-approval"}


def install():
    try:
        import yaml  # noqa: F401
    except ImportError:
        if not PYLIB.exists():
            subprocess.run(
                [sys.executable, "-m", "pip", "install", "-q", "--target", str(PYLIB), "pyyaml"], check=True
            )
        sys.path.insert(0, str(PYLIB))


def version():
    return os.environ.get("OURS_VERSION", "ours")


def epoch(text):
    return dt.datetime.fromisoformat(text).timestamp() if text else None


class Peer:
    server = True

    def __init__(self, mode):
        self.mode, self.proc, self.ids = mode, None, {}
        self.headers = {"Authorization": os.environ["OURS_KEY"]} if "OURS_KEY" in os.environ else {}

    # -- the API ------------------------------------------------------------
    def call(self, method, path, body=None, raw=False):
        return lib.http(method, URL + path, body, self.headers, raw)

    def up(self):
        if os.environ.get("OURS_START") and not self.proc:
            self.proc = subprocess.Popen(
                "exec " + os.environ["OURS_START"],  # so that the process is the server, not a shell
                shell=True,
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        lib.wait_http(URL + "/api/projects", headers=self.headers)
        if not self.ids:
            self.create()

    def down(self):
        if self.proc:
            os.killpg(self.proc.pid, signal.SIGTERM)
            self.proc.wait(30)
            self.proc = None

    def create(self):
        try:
            self.call("POST", "/api/projects", {"projectName": PROJECT})
        except urllib.error.HTTPError as e:
            if e.code not in (400, 409):  # it is there already
                raise
        for w in ("W1", "W2", "W3", "W4", "W5", "W7"):
            self.define(w)

    def define(self, w):
        """Create or replace the pipeline of configs/codefresh/<w>.yml."""
        import yaml

        repo = os.environ.get("OURS_REPO_URL", f"file://{lib.WORK / 'repo10k'}")
        runtime = os.environ.get(f"OURS_RUNTIME_{self.mode.upper()}")
        spec = yaml.safe_load(lib.render(f"codefresh/{w}.yml", REPO_URL=repo))
        spec.pop("version")
        if runtime:
            spec["runtimeEnvironment"] = {"name": runtime}
        name = f"{PROJECT}/{w}-{self.mode}"
        body = {
            "version": "1.0",
            "kind": "pipeline",
            "metadata": {"name": name, "project": PROJECT},
            "spec": {"triggers": [], "contexts": [], "variables": [], "stages": [], **spec},
        }
        try:
            made = self.call("POST", "/api/pipelines", body)
        except urllib.error.HTTPError as e:
            if e.code not in (400, 409):
                raise
            made = self.call("PUT", "/api/pipelines/" + urllib.parse.quote(name, safe=""), body)
        self.ids[w] = made["metadata"]["id"]

    def trigger(self, w):
        answer = self.call("POST", f"/api/builds/{self.ids[w]}", {})
        return answer if isinstance(answer, str) else answer["id"]

    def finish(self, build, limit=600):
        end = time.time() + limit
        while True:
            got = self.call("GET", f"/api/builds/{build}")
            if got["status"] in GOOD:
                return got
            if got["status"] in BAD or time.time() > end:
                raise lib.Failed(f"build {build}: {got['status']}")
            time.sleep(lib.POLL)

    # -- the workloads --------------------------------------------------------
    def once(self, w):
        begin = time.perf_counter()
        build = self.trigger(w)
        got = self.finish(build)
        row = {"wall": time.perf_counter() - begin}
        if w == "W4" and os.environ.get("OURS_LOG"):
            path = os.environ["OURS_LOG"].format(id=build, progress=got.get("progress"))
            stored = self.call("GET", path, raw=True).count(lib.LINE.encode())
            if stored < lib.LOG_LINES:
                raise lib.Failed(f"log lines lost: {stored}")
        return row

    def burst(self, n):
        begin, triggers, builds = time.perf_counter(), [], []
        for _ in range(n):
            triggers.append(time.time())
            builds.append(self.trigger("W5"))
        queued = time.perf_counter() - begin
        for b in builds[::-1]:
            self.finish(b)
        wall = time.perf_counter() - begin
        starts = [epoch(self.call("GET", f"/api/builds/{b}").get("started")) for b in builds]
        return {
            "wall": wall,
            "queue_all_s": round(queued, 3),
            "triggers": triggers,
            "starts": starts if all(starts) else [],
        }

    def api(self):
        build = [self.once("W1") and self.trigger("W1") for _ in range(25)][-1]
        self.finish(build)
        return {
            "one": f"{URL}/api/builds/{build}",
            "list": URL + os.environ.get("OURS_LIST", "/api/workflow?limit=50"),
            "headers": self.headers,
        }

    def pids(self):
        named = dict(p.split("=") for p in os.environ.get("OURS_PIDS", "").split(",") if p)
        named = {k: int(v) for k, v in named.items()}
        if self.proc:
            named["server"] = self.proc.pid
        return named

    def tree(self):
        return [os.environ["OURS_TREE"]] if "OURS_TREE" in os.environ else []
