"""Steps as containers of a Docker Engine, over its API socket (1.41 and later)."""

from headrace.runtimes.docker.runtime import DockerRuntime, DockerSettings

__all__ = ["DockerRuntime", "DockerSettings"]
