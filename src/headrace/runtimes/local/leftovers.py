"""Processes that outlived their server.

The kernel and the guard end a step's processes together with the server; this waits for that.
"""

import contextlib
import os
import select
import signal
from pathlib import Path

from headrace.runtimes.local.process import descendants

_GONE_WITHIN_MS = 5000


def end_processes(folder: str, spared: set[int]) -> None:
    """Kill the bubblewrap processes of one build and all below them; wait for their end.

    Args:
        folder: of the build; they call themselves by a name in it, see `guard.Guard.name_of`.
        spared: processes to leave alone (the server's own, by their top).
    """
    found = [pid for pid in _processes_of(folder) if pid not in spared]
    found += [below for top in found for below in descendants(top)]
    watched = []
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            watched.append(os.pidfd_open(pid))
    for pidfd in watched:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    for pidfd in watched:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.poll(_GONE_WITHIN_MS)
        os.close(pidfd)


def _processes_of(folder: str) -> list[int]:
    wanted = f"{folder}/".encode()
    found = []
    for entry in os.listdir("/proc"):  # noqa: PTH208 - hundreds of names, no objects
        if entry.isdigit():
            with contextlib.suppress(OSError):
                if Path("/proc", entry, "cmdline").read_bytes().startswith(wanted):
                    found.append(int(entry))
    return found
