"""`headrace serve` from its first start to its end: what it prints, refuses, finishes and keeps secret."""

import socket
import subprocess

import pytest

from e2e.server import HEADRACE, Process, Server, containers_of, engine, prepare, processes_of, until
from headrace.execution.report import INITIALIZING

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

SECRETS = ("given-s3cret-value", "exported-s3cret-value")
ENDS_S = 20


@pytest.fixture(params=["local", pytest.param("docker", marks=[pytest.mark.docker])])
def runtime(request):
    if request.param == "docker" and engine() is None:
        pytest.skip("no Docker engine answers at DOCKER_HOST; tools/engine-up brings one up")
    return request.param


@pytest.fixture
def start(tmp_path, migrated_sqlite):
    """Start a server on this test's installation, again and again."""
    data = tmp_path / "data"
    key = prepare(data, migrated_sqlite)
    started = []

    def begin(*words):
        started.append(Server(data, *words, key=key))
        return started[-1]

    yield begin
    for server in started:
        server.stop()  # not killed: what it was just removing from the engine goes with it


def echo(*commands, **fields):
    return {"image": "alpine:latest", "commands": list(commands), **fields}


# Its beginning


def test_the_first_start_says_a_password_once_and_it_logs_in(tmp_path):
    data = tmp_path / "data"
    with Server(data, "--runtime", "local") as server:
        words = server.out.read_text().split()
        body = {"user": "admin", "password": words[-1]}
        status, session = server.call("POST", "/api/auth/login", body)
        assert status == 200, session
        headers = {"x-access-token": session["accessToken"]}
        status, user = server.call("GET", "/api/user", headers=headers)
        assert (status, user["userName"]) == (200, "admin")
        assert server.stop() == 0
    assert words[-1] not in server.said
    with Server(data, "--runtime", "local") as again:
        assert again.out.read_text().count("password") == 1
        assert again.call("POST", "/api/auth/login", body)[0] == 200


def test_a_port_that_is_taken_is_an_error_that_says_so(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = ("serve", "--data", str(tmp_path / "data"), "--port", str(port))
        with Process(*words, folder=tmp_path / "run") as process:
            assert process.process.wait(ENDS_S) == 1
            assert f"cannot listen on 127.0.0.1:{port}" in process.said
            assert "Traceback" not in process.said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--workers", "many"), "workers"),
        (("--runtime", "nosuch"), "runtime"),
        (("--database-url", "nosuch://x"), "database"),
        (("--database-url", "postgresql://u@127.0.0.1:1/x"), "database"),
        (("--data", "/dev/null/x"), "/dev/null/x"),
    ],
)
@pytest.mark.parametrize("verb", [("serve", "--port", "0"), ("worker",)], ids=lambda verb: verb[0])
def test_a_setting_that_cannot_work_is_an_error_that_names_it(verb, words, said, tmp_path):
    data = () if "--data" in words else ("--data", str(tmp_path / "data"))
    with Process(*verb, *data, "--runtime", "local", *words, folder=tmp_path / "run") as process:
        assert process.process.wait(ENDS_S) == 1
        assert said in process.said
        assert "Traceback" not in process.said


def test_a_full_disk_is_an_error_that_says_so(tmp_path):
    command = f"ulimit -f 0; exec {HEADRACE} serve --data {tmp_path / 'data'} --port 0 --runtime local"
    done = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, timeout=ENDS_S, check=False
    )
    assert done.returncode == 1
    assert str(tmp_path / "data") in done.stderr
    assert "Traceback" not in done.stderr


# Its end


def test_what_runs_goes_to_its_end_or_on_when_the_server_is_asked_to_stop(start, runtime):
    server = start("--runtime", runtime, "--workers", "1")
    slow = server.run({"a": echo("for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.2; done")})
    next_one = server.run({"a": echo("echo second")})
    until(lambda: "line 1" in server.log(slow, "a"), "the step to begin")
    assert server.stop() == 0
    assert server.log(next_one, INITIALIZING) == ""
    server = start("--runtime", runtime)
    assert [server.ended(each)["status"] for each in (slow, next_one)] == ["success", "success"]
    said = [line.partition("] ")[2] for line in server.log(slow, "a").splitlines() if "line" in line]
    assert said == [f"line {number}" for number in range(1, 9)]
    assert server.steps(slow)["a"]["attempt"] == 1


def test_a_local_build_is_ended_after_the_grace_time_and_taken_up_again(start):
    server = start("--runtime", "local", "--drain-s", "0.2")
    build_id = server.run({"a": echo('[ -e was-here ] || { touch was-here; sleep 60; }; echo "at last"')})
    until(lambda: "Running" in server.log(build_id, "a"), "the step to begin")
    until(lambda: any("was-here" in line for line in processes_of(server.data)), "its process")
    assert server.stop() == 0
    assert processes_of(server.data) == []
    server = start("--runtime", "local")
    assert server.ended(build_id)["status"] == "success"
    assert server.steps(build_id)["a"]["attempt"] == 2


# What cannot start


@pytest.mark.parametrize(
    ("runtime", "step", "reason"),
    [
        ("local", {"image": "x", "entry_point": ["/no/such/program"]}, "/no/such/program"),
        ("local", echo("pwd", working_directory="/etc/passwd/x"), "passwd"),
        ("docker", {"image": "127.0.0.1:1/none:1", "commands": ["pwd"]}, "127.0.0.1:1"),
        ("docker", {"image": "alpine:latest", "shell": "bash", "commands": ["pwd"]}, "/bin/bash"),
        ("docker", echo("pwd", working_directory="/etc/passwd/x"), "passwd"),
    ],
    indirect=["runtime"],
)
def test_a_step_that_cannot_start_ends_the_build_and_says_why(start, runtime, step, reason):
    server = start("--runtime", runtime)
    build_id = server.run({"broken": step, "after": echo("echo never")})
    assert server.ended(build_id)["status"] == "error"
    assert reason in server.log(build_id, "broken")
    assert reason in server.steps(build_id)["broken"]["reason"]
    assert server.steps(build_id)["after"]["status"] == "pending"


# What it keeps


def test_no_secret_is_anywhere_in_the_data_folder(start, runtime):
    server = start("--runtime", runtime)
    variables = [{"key": "GIVEN", "value": SECRETS[0], "encrypted": True}]
    build_id = server.run(
        {
            "one": echo(f"cf_export OWN={SECRETS[1][:8]}${{TAIL}} --mask", 'echo "key $CF_API_KEY $GIVEN"'),
            "two": echo('echo "own $OWN given $GIVEN"; [ "$OWN" = "$WHOLE" ]'),
        },
        variables=[*variables, {"key": "TAIL", "value": SECRETS[1][8:]}, {"key": "WHOLE", "value": "x"}],
    )
    assert server.ended(build_id)["status"] == "error"  # `two` fails: its log has a report
    assert "own ***** given *****" in server.log(build_id, "two")
    assert "key ***** *****" in server.log(build_id, "one")
    until(lambda: not any((server.data / "builds").glob("*/*")), "the build's folder to be gone")
    found = secrets_in(server.data, (*SECRETS, server.key.partition(".")[2]))
    assert server.stop() == 0
    assert found + secrets_in(server.data, (*SECRETS, server.key.partition(".")[2])) == []
    if runtime == "docker":
        assert containers_of(server.data) == []


def secrets_in(data, secrets):
    """Return (file, secret) for each secret that stands in a file."""
    files = [path for path in data.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    return [(path, secret) for path in files for secret in secrets if secret.encode() in path.read_bytes()]
