"""A worker that lets a container wait, or gives it its turn, says so, and waits to be killed.

python waiting_worker.py FOLDER SCRIPT
"""

import asyncio
import sys
from pathlib import Path

from conformance.runtime_kinds import KINDS, until_open
from headrace.runtimes.base import Command


async def main(folder: str, script: str) -> None:
    """Play the worker; without a script the container's turn never comes."""

    async def say(_line):
        pass

    workspace = await KINDS["docker"](Path(folder)).runtime.open("crashed")
    await workspace.expect([("next-1", Command(image="alpine:latest", script="touch ran"))])
    await until_open(workspace)
    if script:
        running = await workspace.start("next-1", Command(image="alpine:latest", script=script), say=say)
        assert b"up" in await anext(running.output())
    print("started", flush=True)  # noqa: T201 - what the test waits for
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
