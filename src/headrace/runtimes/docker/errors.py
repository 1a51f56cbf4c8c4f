"""What an engine's refusal says to people."""

import aiohttp
from aiodocker.exceptions import DockerError

_NO_CONNECTION = 900  # aiodocker's own status


def reason(error: Exception) -> str:
    """Return the cause of a failed call, with the cure where there is one."""
    if isinstance(error, aiohttp.ClientError) or getattr(error, "status", None) == _NO_CONNECTION:
        return f"the Docker engine does not answer ({error}); start it, or choose --runtime local"
    return error.message if isinstance(error, DockerError) else str(error)
