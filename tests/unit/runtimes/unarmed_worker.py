"""A worker whose step does not end with it, as one made in the moment of a crash; waits to be killed.

python unarmed_worker.py FOLDER
"""

import asyncio
import sys
from pathlib import Path

from headrace.runtimes.base import Command
from headrace.runtimes.local import LocalRuntime, runtime

ARMED = runtime.prefix


def unarmed(hidden):
    """The view without the request to the kernel: one that is made too late has no more effect."""
    return tuple(word for word in ARMED(hidden) if word != "--die-with-parent")


async def main(folder):
    async def say(_line):
        pass

    workspace = await LocalRuntime(Path(folder)).open("crashed")
    await workspace.start("unit-1", Command(image="alpine", script="sleep 300"), say=say)
    print("started", flush=True)  # noqa: T201 - what the test waits for
    await asyncio.Event().wait()


runtime.prefix = unarmed
asyncio.run(main(sys.argv[1]))
