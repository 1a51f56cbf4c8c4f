import pytest

from headrace.cli import __main__ as command
from unit.cli.stub import KEY, running_stub


@pytest.fixture
def server(socket_enabled):  # noqa: ARG001 — opens the socket
    with running_stub() as stub:
        yield stub


@pytest.fixture
def codefresh(server, tmp_path, capfd, monkeypatch):
    """Run a command line against the stub, logged in; gives exit code, stdout and stderr."""
    config = tmp_path / ".cfconfig"
    monkeypatch.chdir(tmp_path)

    def log_in():
        config.write_text(
            f"contexts:\n  local:\n    type: APIKey\n    name: local\n    url: '{server.url}'\n"
            f"    token: {KEY}\n    beta: false\n    onPrem: false\ncurrent-context: local\n"
        )

    def run(*words, env=None, logged_in=True):
        if logged_in and not config.exists():
            log_in()
        fast = ["--request-retry-delay", "1"]
        code = command.run([*fast, *words], {"HOME": str(tmp_path), **(env or {})})
        out, err = capfd.readouterr()
        assert KEY not in out + err, "a key must never be printed"
        return code, out, err

    run.config = config
    run.home = tmp_path
    return run
