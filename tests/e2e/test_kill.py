"""`kill -9` of a real server at seeded random moments: what `docs/execution.md` promises holds.

A chain of rounds on one data folder: builds are queued, watched, approved and terminated until the
server dies; it is started again, sometimes killed while it recovers, and must bring every build to
its end. The steps tell a witness in this process what really ran.
"""

import collections
import http.client
import random
import re
import socketserver
import threading
import time
from dataclasses import dataclass, field

import pytest

from e2e.server import FINAL, Process, Server, containers_of, engine, logs, make_key, processes_of, until
from headrace.execution.steps import LOST

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

ROUNDS = 5  # of a chain
CHATTY_LINES = 25
FINAL_STEPS = (*FINAL, "skipped", "approved")
GONE = (OSError, http.client.HTTPException)
DOCKER = pytest.mark.docker
CHAINS = [
    *(pytest.param("local", "sqlite", seed) for seed in range(6)),
    *(pytest.param("local", "postgresql", seed) for seed in range(6, 8)),
    pytest.param("docker", "sqlite", 8, marks=DOCKER),
    pytest.param("docker", "postgresql", 9, marks=DOCKER),
]
# Tells the witness, and goes on when it has taken note.
MARK = {
    "local": 'mark() { exec 3<>/dev/tcp/127.0.0.1/%d; echo "$CF_BUILD_ID $CF_STEP_NAME $1" >&3; '
    'read -r ok <&3; [ "$ok" = ok ]; }',
    "docker": 'mark() { [ "$(echo "$CF_BUILD_ID $CF_STEP_NAME $1" | nc host.docker.internal %d)" = ok ]; }',
}


class Witness(socketserver.ThreadingTCPServer):
    """Takes note of what steps say, each line acknowledged."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("0.0.0.0", 0), _Testimony)  # noqa: S104 - containers speak to it
        self.heard = collections.defaultdict(list)  # (build, step) → words
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Testimony(socketserver.StreamRequestHandler):
    def handle(self):
        build_id, step, word = self.rfile.readline().decode().split()
        self.server.heard[build_id, step].append(word)
        self.wfile.write(b"ok\n")


@dataclass
class Queued:
    """A build that was acknowledged, and what is known of it."""

    build_id: str
    kind: str
    status: str = ""
    terminated: bool = False  # the request to terminate was acknowledged
    crashes: int = 0  # that it may have seen
    ended_steps: dict = field(default_factory=dict)  # step → words heard when it was first seen ended
    seen: dict = field(default_factory=dict)  # step → log bytes that a reader got


class Story:
    """The builds of one chain of rounds, and what must hold of them."""

    def __init__(self, runtime, witness, data, rng):
        self.runtime, self.witness, self.data, self.rng = runtime, witness, data, rng
        self.builds = []
        self.posts = 0
        self.unanswered = None  # a request that the crash cut off: (kind, number)
        self.logs = logs(data)

    # What is run

    def step(self, *commands, **fields):
        marked = [MARK[self.runtime] % self.witness.server_address[1], "mark begin", *commands, "mark end"]
        shell = {"shell": "bash"} if self.runtime == "local" else {}
        return {"image": "alpine:latest", "commands": marked, **shell, **fields}

    def document(self, kind):
        if kind == "ordered":
            return {
                "steps": {
                    "one": self.step("cf_export NUMBER=1"),
                    "two": self.step('cf_export "NUMBER=${NUMBER}2"'),
                    "three": self.step('echo "exported $NUMBER"; [ "$NUMBER" = 12 ]'),
                }
            }
        if kind == "chatty":
            loop = f"for i in $(seq {CHATTY_LINES}); do echo line $i; sleep 0.02; done"
            return {"steps": {"talk": self.step(loop), "after": self.step("echo after")}}
        if kind == "parallel":
            waits = {"when": {"steps": [{"name": "left"}, {"name": "right"}]}}
            return {
                "steps": {
                    "left": self.step("cf_export LEFT=1"),
                    "right": self.step("cf_export RIGHT=2"),
                    "join": self.step('[ "$LEFT$RIGHT" = 12 ]', **waits),
                },
                "mode": "parallel",
            }
        if kind == "failing":
            return {"steps": {"fail": self.step("mark end; exit 3"), "never": self.step("echo never")}}
        if kind == "asking":
            ask = {"type": "pending-approval"}
            return {"steps": {"before": self.step("true"), "ask": ask, "after": self.step("true")}}
        return {"steps": {"hang": self.step("sleep 60")}}  # doomed

    def post(self, server, kind, number):
        self.unanswered = kind, number
        document = self.document(kind)
        path = f"/api/pipelines/run?reqId=round-{number}"
        build_id = server.run(document["steps"], mode=document.get("mode"), path=path)
        self.unanswered = None
        self.builds.append(Queued(build_id, kind))

    # One round

    def load(self, server, at_most):
        """Queue builds and watch them until the server is gone."""
        kinds = ["ordered", "chatty", "parallel", "failing", "asking", "doomed"]
        try:
            while True:
                if at_most:
                    at_most -= 1
                    self.posts += 1
                    self.post(server, self.rng.choice(kinds), self.posts)
                self.look(server)
                server.get("/healthz")  # also when all builds have ended, to see the server go
        except GONE:
            return

    def look(self, server):
        """Read logs and states; approve what waits, terminate what is doomed."""
        for build in self.builds:
            if build.status in FINAL:
                continue
            for step, length in self.logs.steps(build.build_id):
                build.seen[step] = self.logs.read(build.build_id, step, limit=length)
            for name, step in server.steps(build.build_id).items():
                if step["status"] in FINAL_STEPS:
                    words = tuple(self.witness.heard[build.build_id, name])
                    build.ended_steps.setdefault(name, (step["status"], words))
            shown = server.build(build.build_id)
            build.status = shown["status"]
            if build.status == "pending-approval":
                status, answer = server.call(
                    "GET", f"/api/workflow/{build.build_id}/pending-approval/approve"
                )
                assert status == 200, answer
            if build.kind == "doomed" and build.status == "running" and not build.terminated:
                status, answer = server.call("DELETE", f"/api/progress/{shown['progress']}")
                assert status == 200, answer
                build.terminated = True

    def crashed(self):
        """Count a crash for the builds that it may have hit."""
        for build in self.builds:
            build.crashes += build.status not in FINAL

    def settle(self, server):
        """Watch until all builds have ended and nothing of them is left."""
        if self.unanswered is not None:
            self.post(server, *self.unanswered)

        def all_ended():
            self.look(server)
            return all(build.status in FINAL for build in self.builds)

        until(all_ended, "all builds to end")
        total = server.get("/api/workflow?limit=1")["workflows"]["total"]
        assert total == len(self.builds), "a build was lost, or one request made two"

    # What must hold

    def verify(self, server):
        for build in self.builds:
            steps = server.steps(build.build_id)
            twice_lost = [
                name for name, step in steps.items() if (step["status"], step["reason"]) == ("error", LOST)
            ]
            assert not twice_lost or (build.crashes > 1 and self.runtime == "local"), (build, steps)
            if not twice_lost:
                expected = {"failing": "error", "doomed": "terminated"}.get(build.kind, "success")
                assert build.status == expected, (build, steps)
            for name, step in steps.items():
                self.verify_step(build, name, step)
            if build.kind == "chatty" and steps["talk"]["status"] == "success":
                self.verify_talk(build)

    def verify_step(self, build, name, step):
        words = tuple(self.witness.heard[build.build_id, name])
        begun = words.count("begin")
        assert begun <= (1 if self.runtime == "docker" else step["attempt"]), (build, name, words, step)
        if name in build.ended_steps:
            assert (step["status"], words) == build.ended_steps[name], "a step that had ended ran again"
        if step["status"] == "success":
            assert words[-1] == "end", (build, name, words)
        if name == "never":
            assert (step["status"], words) == ("pending", ())
        log = self.logs.read(build.build_id, name)
        seen = build.seen.get(name, b"")
        assert log.startswith(seen), (build.build_id, name, seen[-200:], log[-400:])

    def verify_talk(self, build):
        text = self.logs.read(build.build_id, "talk").decode()
        if self.runtime == "local":  # the attempt before was cut off
            text = text.rpartition("it is started again")[2]
        said = re.findall(r"(?m)^\[\S+\] line (\d+)$", text)
        assert said == [str(number + 1) for number in range(CHATTY_LINES)], (build.build_id, text)

    def verify_nothing_is_left(self):
        until(lambda: not processes_of(self.data), "the steps' processes to be gone")
        folder = self.data / "builds"
        kept = {"volumes"}  # for the next build of the pipeline
        until(
            lambda: not folder.exists() or {one.name for one in folder.iterdir()} <= kept,
            "the builds' folders to be gone",
        )
        if self.runtime == "docker":
            for kind in ("containers", "networks"):  # the volume is kept for the next build
                until(lambda kind=kind: not containers_of(self.data, kind), f"the {kind} to be gone")


@pytest.fixture
def witness():
    server = Witness()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("runtime", "engine_name", "seed"), CHAINS)
def test_a_killed_server_goes_on_where_it_was(runtime, engine_name, seed, database_url, tmp_path, witness):  # noqa: ARG001 - `database_url` is of that engine
    if runtime == "docker" and engine() is None:
        pytest.skip("no Docker engine answers at DOCKER_HOST; tools/engine-up brings one up")
    rng = random.Random(seed)  # noqa: S311 - moments, not secrets
    data = tmp_path / "data"
    words = ("--runtime", runtime, "--database-url", database_url, "--workers", "4")
    story = Story(runtime, witness, data, rng)
    key = make_key(database_url)
    slow = 3.0 if runtime == "docker" else 1.0
    server = Server(data, *words, key=key)
    try:
        for _ in range(ROUNDS):
            killer = threading.Timer(rng.uniform(0.05, 0.8) * slow, server.kill)
            killer.start()
            story.load(server, at_most=6 if runtime == "docker" else 10)
            killer.join()
            story.crashed()
            if rng.random() < 1 / 3:  # once more, while it starts or takes up what it finds
                with Process("serve", "--data", str(data), "--port", "0", *words, folder=tmp_path / "second"):
                    time.sleep(rng.uniform(0.0, 1.5))  # the moment of the crash, not a wait
                story.crashed()
            server = Server(data, *words, key=key)
            story.settle(server)
            story.verify(server)
            story.verify_nothing_is_left()
        assert server.stop() == 0
    finally:
        server.kill()
