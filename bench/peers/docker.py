"""The floor with containers. Mode docker: `docker run` for each step (what a
pipeline engine with one container a step must do at least). Mode exec: one
container for the build, `docker exec` for each step. Mode api: as docker, but
create, start, wait and remove straight on the engine's socket, without the
command-line client."""

import http.client
import importlib.util
import json
import os
import socket
import subprocess
import time

import lib

MODES = ("docker", "exec", "api")
WORKLOADS = ("W1", "W2", "W3", "W4", "W5", "W7")
spec = importlib.util.spec_from_file_location("sh", lib.HERE / "peers" / "sh.py")
sh = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sh)


def install():
    """The images are the user's to bring; see bench/README.md."""


def version():
    return (
        "engine "
        + subprocess.run(
            ["docker", "version", "-f", "{{.Server.Version}}, client {{.Client.Version}}"],
            capture_output=True,
            text=True,
        ).stdout.strip()
    )


class Engine(http.client.HTTPConnection):
    def __init__(self):
        super().__init__("localhost")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").split("://", 1)[1])

    def call(self, method, path, body=None):
        self.request(
            method,
            "/v1.41" + path,
            json.dumps(body) if body is not None else None,
            {"Content-Type": "application/json"},
        )
        r = self.getresponse()
        text = r.read()
        if r.status >= 300:
            raise lib.Failed(f"{method} {path}: {r.status} {text[:300]}")
        return json.loads(text) if text.strip() else None

    def run(self, image, argv):
        spec = {"Image": image, "Cmd": argv, "HostConfig": {"NetworkMode": lib.NETWORK}}
        c = self.call("POST", "/containers/create", spec)["Id"]
        try:
            self.call("POST", f"/containers/{c}/start")
            code = self.call("POST", f"/containers/{c}/wait")["StatusCode"]
        finally:
            self.call("DELETE", f"/containers/{c}?force=1")
        if code:
            raise lib.Failed(f"exit {code}")


class Peer(sh.Peer):
    def step(self, *argv, image=None, opts=(), out=None):
        if self.mode == "api" and not (image or opts or out):
            return Engine().run(lib.IMAGE, list(argv))
        return lib.timed(
            ["docker", "run", "--rm", "--network", lib.NETWORK, *opts, image or lib.IMAGE, *argv], out=out
        )

    def in_one(self, steps, width=1):
        name = f"ci-bench-{os.getpid()}"
        lib.timed(
            [
                "docker",
                "run",
                "-d",
                "--init",
                "--network",
                lib.NETWORK,
                "--name",
                name,
                lib.IMAGE,
                "sleep",
                "3600",
            ]
        )
        try:
            lib.pool([lambda: lib.timed(["docker", "exec", name, "true"])] * steps, width)
        finally:
            lib.timed(["docker", "rm", "-f", name])

    def once(self, w):
        begin = time.perf_counter()
        if w in ("W1", "W2", "W3"):
            steps, width = {"W1": (1, 1), "W2": (lib.STEPS, 1), "W3": (lib.STEPS, lib.LIMIT)}[w]
            if self.mode == "exec":
                self.in_one(steps, width)
            else:
                lib.pool([lambda: self.step("true")] * steps, width)
        elif w == "W4":
            log = lib.WORK / "docker.log"
            row = self.step("sh", "-c", f"yes {lib.LINE} | head -n {lib.LOG_LINES} || true", out=log)
            if lib.count_lines(log) != lib.LOG_LINES:
                raise lib.Failed("log lines lost")
            return row
        elif w == "W7":
            volume = f"ci-bench-{os.getpid()}"
            lib.timed(["docker", "volume", "create", volume])
            try:
                self.step(
                    "git",
                    "clone",
                    "-q",
                    "file:///repo",
                    "/w/src",
                    image=lib.GIT_IMAGE,
                    opts=["-v", f"{lib.repo10k()}:/repo:ro", "-v", f"{volume}:/w"],
                )
                self.step("true", opts=["-v", f"{volume}:/w", "-w", "/w/src"])
                wall = time.perf_counter() - begin
            finally:
                lib.timed(["docker", "volume", "rm", "-f", volume])
            return {"wall": wall}
        return {"wall": time.perf_counter() - begin}
