"""Ends the steps of a server that died, also those that the kernel was told of too late.

bubblewrap asks the kernel to end it together with its parent, and so does its first process inside, each
for itself and some time after its start. Whoever asks after the parent has died asks for nothing. So a
shell holds the other end of a pipe of the server: it reads the end of the file when the server ends,
however it ends, and then kills what has the server's mark until nothing more comes. One shell for all steps.
"""

import os
import signal
from pathlib import Path

from headrace.kit.ids import new_id
from headrace.runtimes.local.sandbox import PATH

# $1: the folder of all builds; $2: the mark. Reading drops the zero bytes between the arguments.
_SCRIPT = """
read -r _
empty=0
while [ "$empty" -lt 5 ]; do
  empty=$((empty + 1))
  for process in /proc/[0-9]*; do
    name=
    { read -r name <"$process/cmdline"; } 2>/dev/null
    case $name in "$1"/*/"$2"*) kill -9 "${process#/proc/}" 2>/dev/null && empty=0 ;; esac
  done
  sleep 0.2
done
"""


class Guard:
    """The shell beside one server, and the mark of what that server starts.

    A mark is never used again, so the guard of a server that died leaves the steps of the next one alone.

    Args:
        root: folder of all builds.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._mark = new_id()
        self._held = -1  # our end of the pipe; closed by the kernel when we end
        self._pid = 0

    def name_of(self, folder: Path) -> str:
        """Return what the processes of a build in ``folder`` call themselves."""
        return f"{folder}/{self._mark}"

    def watch(self) -> None:
        """Start the shell, unless it is there. Raises `OSError`."""
        if self._held >= 0:
            return
        far, held = os.pipe()
        try:
            self._pid = os.posix_spawn(
                "/bin/sh",
                ["sh", "-c", _SCRIPT, "headrace-guard", str(self._root), self._mark],
                {"PATH": PATH},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, far, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
                setsid=True,  # what ends the server's group is not meant for it
                setsigmask=(),
                setsigdef=(signal.SIGPIPE,),
            )
        except OSError:
            os.close(held)
            raise
        finally:
            os.close(far)
        self._held = held

    def close(self) -> None:
        """End the shell: no step is left. May be called twice."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
