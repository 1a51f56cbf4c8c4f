"""Commands of the official client that this one lacks, and what does their work here."""

from headrace.cli.errors import Refused

_RUNNERS = "a server runs builds itself, and more workers are started with: headrace worker"
_PLATFORM = "an environment is what workers serve; 'assign' and 'unassign' say whose it is"

_SYSTEM = ("system-runtime-environments", "system-runtime-environment", "sys-re")
ABSENT = {
    **{f"{verb} {noun}": _PLATFORM for verb in ("delete", "diff", "patch") for noun in _SYSTEM},
    "attach": _RUNNERS,
    "components": "it has no parts to download",
    "install": _RUNNERS,
    "offline-logs": "logs are files in the data folder of the server",
    "runner": _RUNNERS,
    "uninstall": _RUNNERS,
    "upgrade": _RUNNERS,
}


def refuse(command: str) -> None:
    """Raise `Refused` for a command, as typed, that is not offered here; return for any other."""
    if command in ABSENT:
        raise Refused(f"'codefresh {command}' is not offered here; {ABSENT[command]}")
