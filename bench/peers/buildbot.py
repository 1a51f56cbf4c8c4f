"""Buildbot: master (SQLite, REST API) and one worker process with 8 slots, from PyPI.

Builds are started with the force scheduler's REST call and watched with
GET /api/v2/buildrequests/ID every BENCH_POLL seconds (20 ms), as a client would."""

import os
import shutil
import subprocess
import sys
import time

import lib

MODES = ("host", "docker")
WORKLOADS = ("W1", "W2", "W3", "W4", "W5", "W6", "W7")
VENV = lib.HOME / "buildbot"
BIN = VENV / "bin"


def install():
    if not (BIN / "buildbot-worker").exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        subprocess.run(
            [BIN / "pip", "install", "-q", "buildbot", "buildbot-worker", "buildbot-www"], check=True
        )


def version():
    return (
        subprocess.run([BIN / "buildbot", "--version"], capture_output=True, text=True)
        .stdout.replace("\n", ", ")
        .strip(", ")
    )


class Peer:
    server = True

    def __init__(self, mode):
        self.mode, self.procs = mode, {}
        self.base = lib.WORK / "buildbot"

    def up(self):
        if self.procs:
            return
        master, work = self.base / "master", self.base / "worker"
        web, pb = lib.free_port(), lib.free_port()
        self.url = f"http://127.0.0.1:{web}/api/v2"
        self.base.mkdir(parents=True, exist_ok=True)
        if not master.exists():
            subprocess.run(
                [BIN / "buildbot", "create-master", "-q", str(master)], check=True, stdout=subprocess.DEVNULL
            )
        (master / "master.cfg").write_text(lib.render("buildbot/master.cfg", WEB=web, PB=pb))
        shutil.rmtree(work, ignore_errors=True)
        subprocess.run(
            [BIN / "buildbot-worker", "create-worker", "-q", str(work), f"127.0.0.1:{pb}", "w", "bench"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        env = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
        for name, argv in (
            ("master", ["buildbot", "start", "--nodaemon"]),
            ("worker", ["buildbot-worker", "start", "--nodaemon"]),
        ):
            self.procs[name] = subprocess.Popen(
                [BIN / argv[0], *argv[1:]],
                cwd=self.base / name,
                env=env,
                stdout=open(self.base / f"{name}.out", "wb"),
                stderr=subprocess.STDOUT,
            )
        lib.wait_http(self.url + "/masters")
        end = time.time() + 60
        while not any(w["connected_to"] and w["name"] == "w" for w in self.get("/workers")["workers"]):
            if time.time() > end:
                raise lib.Failed("the worker did not connect")
            time.sleep(0.05)

    def down(self):
        for p in reversed(list(self.procs.values())):
            p.terminate()
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.procs = {}

    def pids(self):
        return {k: p.pid for k, p in self.procs.items()}

    def tree(self):
        return [VENV]

    def get(self, path):
        return lib.http("GET", self.url + path)

    def force(self, w):
        body = {"id": 1, "jsonrpc": "2.0", "method": "force", "params": {"owner": "bench", "reason": w}}
        return next(
            iter(
                lib.http("POST", f"{self.url}/forceschedulers/force-{w}-{self.mode}", body)["result"][
                    1
                ].values()
            )
        )

    def finish(self, request, limit=600):
        end = time.time() + limit
        while True:
            r = self.get(f"/buildrequests/{request}")["buildrequests"][0]
            if r["complete"]:
                if r["results"] != 0:
                    raise lib.Failed(f"build request {request}: result {r['results']}")
                return r
            if time.time() > end:
                raise lib.Failed(f"build request {request} did not finish")
            time.sleep(lib.POLL)

    def once(self, w):
        begin = time.perf_counter()
        request = self.force(w)
        self.finish(request)
        row = {"wall": time.perf_counter() - begin}
        if w == "W4":
            build = self.get(f"/builds?buildrequestid={request}")["builds"][0]["buildid"]
            step = self.get(f"/builds/{build}/steps")["steps"][-1]["stepid"]
            lines = self.get(f"/steps/{step}/logs")["logs"][0]["num_lines"]
            if lines < lib.LOG_LINES:
                raise lib.Failed(f"log lines lost: {lines}")
        return row

    def burst(self, n):
        begin, triggers, requests = time.perf_counter(), [], []
        for _ in range(n):
            triggers.append(time.time())
            requests.append(self.force("W5"))
        queued = time.perf_counter() - begin
        for r in requests[::-1]:
            self.finish(r)
        return {
            "wall": time.perf_counter() - begin,
            "queue_all_s": round(queued, 3),
            "triggers": triggers,
            "starts": lib.read_marks() if self.mode == "host" else [],
        }

    def api(self):
        while len(self.get("/builds?limit=50")["builds"]) < 50:
            self.once("W1")
        last = self.get("/builds?limit=1&order=-buildid")["builds"][0]["buildid"]
        return {"one": f"{self.url}/builds/{last}", "list": f"{self.url}/builds?limit=50&order=-buildid"}
