"""What the first process of a container does that was started ahead of its step's turn.

It is the step's own shell, which reads one compound command from its standard input. That command
looks whether the network is as nobody had used it, takes the variables that differ, says `begun` and
replaces itself by what would have been the first process: the step's shell with its script.
"""

import re
import shlex
from collections.abc import Mapping
from typing import Any

import msgspec
from aiodocker.stream import Stream

from headrace.runtimes.base import VOLUME, Command
from headrace.runtimes.docker.services import is_ordinary

LABEL = "io.headrace.ahead"  # its value is the mark, or `NETWORK`
NETWORK = "network"  # the label's value on the container whose network the others have
BEGUN, CHANGED = "begun", "changed"
_STDOUT, _STDERR = 1, 2  # as the engine numbers them
_LONGEST_BYTES = 128 * 1024 - 1  # of one argument or variable
_MOST_BYTES = 512 * 1024  # of all; the kernel takes 2 MiB
_MOST_FILE_BYTES = 65_536
_MOST_CONNECTIONS = 500
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
# Shells set these themselves, or refuse to have them set.
_OF_SHELLS = re.compile(
    r"(_|_headrace.*|BASH(?!_ENV\Z).*|CDPATH|COMP_.*|DIRSTACK|E?UID|FUNCNAME|GLOBIGNORE|GROUPS|HISTCMD|IFS"
    r"|LD_.*|LINENO|OLDPWD|OPT(ARG|ERR|IND)|PIPESTATUS|POSIXLY_CORRECT|PPID|PWD|RANDOM|SECONDS|SHELLOPTS"
    r"|SHLVL)\Z"
)
# The three files of a network, which a step may write to: into `_headrace_t`.
_FILES = f"""_headrace_t=
for _headrace_f in /etc/hosts /etc/hostname /etc/resolv.conf; do
while IFS= read -r _headrace_l || [ -n "$_headrace_l" ]; do
_headrace_t="$_headrace_t$_headrace_l
"
[ ${{#_headrace_t}} -gt {_MOST_FILE_BYTES} ] && break 2
done <$_headrace_f
done
"""
# Connections that linger keep their port; those from ports that the kernel chose are in nobody's way.
_CONNECTIONS = f"""_headrace_n=0
for _headrace_f in /proc/net/tcp /proc/net/tcp6; do
[ -r $_headrace_f ] || continue
while read -r _headrace_a _headrace_l _headrace_b _headrace_s _headrace_c; do
_headrace_n=$((_headrace_n + 1))
case $_headrace_s:$_headrace_l in
0A:*) ;;
*:[0-7F]???) _headrace_n={_MOST_CONNECTIONS + 1} ;;
esac
[ $_headrace_n -gt {_MOST_CONNECTIONS} ] && break 2
done <$_headrace_f
done
"""


class Image(msgspec.Struct, frozen=True):
    """What of an image on the engine decides whether its containers may wait."""

    id: str
    may_wait: bool

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> "Image":
        """Read what the engine says of an image.

        One with a health check would have it run before the step's turn, and a folder of the volume
        that is its directory would be made.
        """
        config = shown.get("Config") or {}
        names = (entry.partition("=")[0] for entry in config.get("Env") or ())
        home = f"{config.get('WorkingDir') or '/'}/"
        quiet = not config.get("Healthcheck") and not home.startswith(f"{VOLUME}/")
        return cls(str(shown["Id"]), quiet and all(map(_is_safe, names)))


def may_wait(command: Command) -> bool:
    """Tell whether a container can be started before the turn of such a step.

    A mount would make its folder in the volume ahead of time, and a step without a script has no shell.
    """
    return (
        command.script is not None
        and is_ordinary(command)
        and not command.volumes
        and all(map(_is_safe, command.environment))
    )


def configured(config: dict[str, Any], command: Command, *, mark: str, network: str) -> dict[str, Any]:
    """Return the configuration of a container that waits, made from that of its step.

    Args:
        config: as it would be without waiting.
        command: what the step is expected to run.
        mark: no other output has it.
        network: id of the container whose network it gets.
    """
    host = {name: value for name, value in config["HostConfig"].items() if name != "ExtraHosts"}
    mounts = [{**mount, "VolumeOptions": {"NoCopy": True}} for mount in host["Mounts"]]
    waiting = {
        **config,
        "Labels": {**config["Labels"], LABEL: mark},
        "Entrypoint": [f"/bin/{command.shell}", *(["-p"] if command.shell == "bash" else [])],
        "Cmd": [],
        "OpenStdin": True,
        "StdinOnce": True,  # ends with the connection of the server that could give it its turn
        "AttachStdin": True,
        "HostConfig": {**host, "Mounts": mounts, "NetworkMode": f"container:{network}"},
    }
    if command.working_directory:
        waiting["WorkingDir"] = VOLUME  # is there; the step's own may not be yet
    return waiting


def network_holder(config: Mapping[str, Any], *, mark: str) -> dict[str, Any]:
    """Return the configuration of the container whose network others get: it says its files, and waits.

    Args:
        config: image, labels and network; it needs a `/bin/sh`.
        mark: a line that ends its output.
    """
    # Its standard input stays open without us: steps that go on without us keep their network.
    text = f"{_FILES}printf '%s%s\\n' \"$_headrace_t\" {mark}\nread -r _headrace_l"
    return {
        **config,
        "Entrypoint": ["/bin/sh"],
        "Cmd": ["-c", text],
        "Healthcheck": {"Test": ["NONE"]},
        "OpenStdin": True,
        "StdinOnce": False,
        "AttachStdout": True,
    }


def fits(expected: Command, command: Command) -> bool:
    """Tell whether a container that waits for one command can be given another: variables may differ.

    A variable of the container cannot be taken back, and what is set must survive the waiting shell.
    """
    texts = [command.script or "", *(f"{name}={value}" for name, value in command.environment.items())]
    sizes = [len(text.encode()) for text in texts]
    return (
        may_wait(command)
        and expected.image == command.image
        and expected.shell == command.shell
        and bool(expected.working_directory) == bool(command.working_directory)
        and not expected.environment.keys() - command.environment.keys()
        and max(sizes) < _LONGEST_BYTES - 64  # what the runtime puts before a script
        and sum(sizes) < _MOST_BYTES
        and not any("\0" in text for text in (*texts, command.working_directory))
    )


def turn(expected: Command, command: Command, script: str, *, mark: str, files: str) -> bytes:
    """Return what the waiting shell is to read.

    It prints the mark with `BEGUN` into both outputs, or with `CHANGED` where a step before left something
    in the network, and nothing where it cannot begin otherwise.

    Args:
        expected: what the container was made for.
        command: what the step runs; it `fits`.
        script: of the command, as its shell gets it.
        mark: of the container.
        files: of the network, as `network_holder` said them.
    """
    exports = [
        f"export {name}={shlex.quote(value)}"
        for name, value in command.environment.items()
        if expected.environment.get(name) != value
    ]
    folder = command.working_directory
    is_untouched = f'[ $_headrace_n -le {_MOST_CONNECTIONS} ] && [ "$_headrace_t" = {shlex.quote(files)} ]'
    lines = [
        # One compound command: it is read to its end before any of it runs.
        "{",
        f'{_FILES}{_CONNECTIONS}{is_untouched} || {{ printf "%s\\n" {mark}:{CHANGED}; exit 1; }}',
        *([f"cd {shlex.quote(folder)} 2>/dev/null || exit 1"] if folder not in ("", VOLUME) else []),
        "unset PWD OLDPWD SHLVL",  # the next shell finds them out by itself
        *exports,
        "exec </dev/null",
        f'printf "%s\\n" {mark}:{BEGUN}; printf "%s\\n" {mark}:{BEGUN} >&2',
        f"exec /bin/{command.shell} -c {shlex.quote(script)}",
        "}",
    ]
    return "\n".join([*lines, ""]).encode()


async def heard(stream: Stream, mark: str) -> tuple[str, bytes]:
    """Read what a container says of its turn, and what its step printed meanwhile; "" where it ended.

    Both outputs have the mark: the engine reads each by itself, so that one may overtake the other.

    Args:
        stream: of its outputs.
        mark: of the container.

    Returns:
        `BEGUN`, `CHANGED`, or "" where it ended without a word; and the step's output so far.
    """
    before = {_STDOUT: b"", _STDERR: b""}  # of those whose mark did not come yet
    printed = b""
    while before and (message := await stream.read_out()):
        if message.stream not in before:
            printed += message.data
            continue
        before[message.stream] += message.data
        _, found, rest = before[message.stream].partition(f"{mark}:".encode())
        word, line_ends, after = rest.partition(b"\n")
        if found and line_ends:
            if word.decode() != BEGUN:
                return word.decode(), b""
            del before[message.stream]
            printed += after
    return ("", b"") if before else (BEGUN, printed)


def _is_safe(name: str) -> bool:
    return _NAME.match(name) is not None and _OF_SHELLS.match(name) is None
