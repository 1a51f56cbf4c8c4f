"""Processes that outlived their server.

The kernel ends a step's processes together with the server; this waits for that, and helps
where one was made in the very moment of the crash.
"""

import contextlib
import os
import select
import signal
from pathlib import Path

from headrace.runtimes.local.process import descendants

_GONE_WITHIN_MS = 5000


def end_processes(marker: str, spared: set[int]) -> None:
    """Kill processes that call themselves ``marker`` and all below them; wait for their end.

    Args:
        marker: what bubblewrap processes of one build call themselves: the path of its folder.
        spared: processes to leave alone (the server's own, by their top).
    """
    found = [pid for pid in _processes_named(marker) if pid not in spared]
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


def _processes_named(marker: str) -> list[int]:
    wanted = marker.encode() + b"\0"
    found = []
    for entry in os.listdir("/proc"):  # noqa: PTH208 - hundreds of names, no objects
        if entry.isdigit():
            with contextlib.suppress(OSError):
                if Path("/proc", entry, "cmdline").read_bytes().startswith(wanted):
                    found.append(int(entry))
    return found
