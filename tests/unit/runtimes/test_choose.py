"""Which runtime a setting means."""

import contextlib
import socket
import threading

import pytest

from headrace.runtimes import BUILT_IN, choose, engine_answers


@contextlib.contextmanager
def listening(path, answer):
    """A socket that says ``answer`` to one caller."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve():
            caller, _ = server.accept()
            with caller:
                caller.recv(1000)
                caller.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"unix://{path}"
        thread.join()


@pytest.fixture
def socket_path(tmp_path):
    return tmp_path / "s"


def test_auto_takes_docker_where_an_engine_answers(socket_path):
    with listening(socket_path, b"HTTP/1.1 200 OK\r\n\r\nOK") as host:
        assert choose("auto", docker_host=host) == "docker"


def test_auto_takes_local_where_something_else_answers(socket_path):
    with listening(socket_path, b"HTTP/1.1 503 No\r\n\r\n") as host:
        assert choose("auto", docker_host=host) == "local"


@pytest.mark.parametrize("host", ["unix:///nowhere", "tcp://127.0.0.1:1", "tcp://nonsense", "rubbish", ""])
def test_an_engine_that_is_not_there_does_not_answer(host):
    assert not engine_answers(host)


def test_auto_takes_local_where_nothing_answers():
    assert choose("auto", docker_host="unix:///nowhere") == "local"


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_name_is_itself(name):
    assert choose(name) == name


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="no runtime named 'podman'; choose one of auto, fake, local"):
        choose("podman")
