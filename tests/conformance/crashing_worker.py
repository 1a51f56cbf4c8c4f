"""A worker that starts one step, says so, and waits to be killed.

python crashing_worker.py RUNTIME FOLDER SCRIPT
"""

import asyncio
import sys
from pathlib import Path

from conformance.runtime_kinds import KINDS
from headrace.runtimes.base import Command


async def main(name: str, folder: str, script: str) -> None:
    async def say(_line):
        pass

    workspace = await KINDS[name](Path(folder)).runtime.open("crashed")
    running = await workspace.start("unit-1", Command(image="alpine:latest", script=script), say=say)
    async for chunk in running.output():
        if b"up" in chunk:
            print("started", flush=True)  # noqa: T201 - what the test waits for
            break
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
