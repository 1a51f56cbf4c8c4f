"""What runs steps. The contract is `base`; each runtime is imported only when it is chosen."""

import socket
from pathlib import Path

# name → where its class is; plugins add to it through `headrace.runtimes`.
BUILT_IN = {
    "fake": "headrace.runtimes.fake:FakeRuntime",
    "local": "headrace.runtimes.local:LocalRuntime",
    "docker": "headrace.runtimes.docker:DockerRuntime",
}
DEFAULT_ENGINE = "unix:///var/run/docker.sock"
_ANSWERS_WITHIN_S = 2.0


def choose(name: str, *, docker_host: str | None = None) -> str:
    """Return the runtime that a setting means.

    Args:
        name: ``auto``, or the name of a runtime.
        docker_host: where the engine is (``unix:///path`` or ``tcp://host:port``); None is the
            default socket.

    Returns:
        For ``auto``: ``docker`` where an engine answers, else ``local``. Any other name as it is.

    Raises:
        ValueError: no runtime has that name.
    """
    if name == "auto":
        return "docker" if engine_answers(docker_host or DEFAULT_ENGINE) else "local"
    if name not in BUILT_IN:
        raise ValueError(f"no runtime named {name!r}; choose one of auto, {', '.join(BUILT_IN)}")
    return name


def engine_answers(host: str) -> bool:
    """Tell whether a Docker Engine answers a ping at ``host`` within two seconds."""
    kind, _, place = host.partition("://")
    try:
        if kind == "unix":
            if not Path(place).is_socket():
                return False
            connection = socket.socket(socket.AF_UNIX)
        else:
            name, _, port = place.rpartition(":")
            connection = socket.create_connection((name, int(port)), _ANSWERS_WITHIN_S)
        with connection:
            connection.settimeout(_ANSWERS_WITHIN_S)
            if kind == "unix":
                connection.connect(place)
            connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n")
            return connection.recv(64).split(b" ", 2)[1:2] == [b"200"]
    except (OSError, ValueError):
        return False
