"""What our client has beyond the official one, against a real server: live, stopped, completed."""

import signal
import subprocess

import pytest

from e2e.server import until
from e2e.town import OURS, Cli

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]


class Running:
    """A command that goes on, its output in files."""

    def __init__(self, cli, *words):
        self._out, self._err = cli.home / "out.txt", cli.home / "err.txt"
        environment = {"HOME": str(cli.home), "CF_API_KEY": cli.key, "CF_URL": cli.url}
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen([str(OURS), *words], stdout=out, stderr=err, env=environment)

    @property
    def out(self):
        return self._out.read_text()

    def interrupted(self):
        """Press Ctrl-C; return the exit code and what was said to the person."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20), self._err.read_text()


@pytest.fixture
def ours(acme, tmp_path):
    return Cli(OURS, tmp_path / "home", acme.server.url, acme.key())


@pytest.fixture
def start(ours):
    """Start commands that end with the test."""
    # A shell lets what runs in its background, perhaps these tests, ignore Ctrl-C, and that is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    started = []

    def begin(*words):
        started.append(Running(ours, *words))
        return started[-1]

    yield begin
    for one in started:
        one.process.kill()
        one.process.wait()


def test_ctrl_c_leaves_a_followed_build_running_and_says_how_to_go_on(acme, start):
    acme.pipeline("slow")
    command = start("run", "p/slow")
    until(lambda: "now I sleep" in command.out, "the log of the step")
    code, said = command.interrupted()
    (build,) = acme.builds()
    assert (code, acme.build(build["id"])["status"]) == (130, "running")
    assert f"codefresh logs -f {build['id']}, or stop it: codefresh terminate {build['id']}" in said
    assert "Traceback" not in said


def test_watched_builds_are_told_as_they_change(acme, ours, start):
    acme.pipeline("ok")
    command = start("watch", "builds")
    first = acme.run("p/ok")
    until(lambda: f"{first} p/ok success\n" in command.out, "the end of the first build")
    second = acme.run("p/ok")
    until(lambda: f"{second} p/ok success\n" in command.out, "the end of the second build")
    assert command.out.count(f"{first} p/ok success\n") == 1
    assert command.interrupted() == (130, "\n")
    watched = ours("watch", "build", second)
    assert (watched.code, watched.stdout.splitlines()[-1]) == (0, "p/ok success")


def test_a_pipeline_is_opened_completed_and_called_by_any_name(acme, ours):
    acme.pipeline("fail")
    assert ours.ok("open", "p/fail") == f"{acme.server.url}/pipelines/p%2Ffail\n"
    assert ours.ok("__complete", "run", "p/") == "p/fail\n"
    assert '"name": "p/fail"' in ours.ok("api", "pipelines.get", "name=p/fail")
    assert ours("watch", "build", acme.run("p/fail")).code == 1


def test_a_missing_scope_is_named_with_where_to_add_it(acme, ours):
    done = ours.having(acme.key("build:read"))("get", "pipelines")
    assert done.code == 1
    assert (
        f"What helps: the key lacks the scope pipeline:read: edit it at {acme.server.url}/user/keys"
        in done.stderr
    )
