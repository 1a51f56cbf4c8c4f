"""``type: freestyle`` as a command: templates filled in, one script for the whole list.

Source: `reference/pipeline-yaml.md` 2.1 (environment), 3.2 (freestyle), 3.10 (directory).
"""

import posixpath

from headrace.execution.errors import StepRefused
from headrace.pipeline.plan import RunCommands
from headrace.pipeline.variables import Scope, parse_environment, substitute, working_directory
from headrace.runtimes.base import VOLUME, Command

# One shell runs the whole list: `cd`, `export` and `set +e` of one line reach the next.
_PROLOGUE = f'export PATH="$PATH:{VOLUME}"\nset -e\n'


def freestyle_command(action: RunCommands, scope: Scope, own: dict[str, str]) -> Command:
    """Make the command of a freestyle step.

    Args:
        action: as planned; its texts are filled in here.
        scope: what the texts may refer to; its variables are the step's environment.
        own: variables of this very step, over those of the scope and under ``environment:``.

    Raises:
        StepRefused: a volume or the image cannot be.
        DirectoryUnknown: the working directory refers to a step that has not run.
        TextTooLong: a text grew too long.
    """
    image = substitute(action.image, scope).strip()
    if not image:
        raise StepRefused(f"image {action.image!r} is empty here; give the name of an image")

    def filled(texts: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if texts is None else tuple(substitute(text, scope) for text in texts)

    commands = filled(action.commands)
    return Command(
        image=image,
        script=None if commands is None else _PROLOGUE + "\n".join(commands) + "\n",
        shell=action.shell,
        entry_point=filled(action.entry_point),
        cmd=filled(action.cmd),
        environment=_environment(action, scope, own),
        working_directory=working_directory(action.working_directory, scope),
        volumes=tuple(_volume(substitute(entry, scope)) for entry in action.volumes),
    )


def _environment(action: RunCommands, scope: Scope, own: dict[str, str]) -> dict[str, str]:
    merged = {name: _expanded(name, value, scope) for name, value in scope.variables.items()}
    merged |= own
    entries = parse_environment(substitute(entry, scope) for entry in action.environment)
    # An entry without `=` asks for the value that the build has: it is there already.
    merged |= {name: value for name, value in entries.items() if value is not None}
    return {name: value for name, value in merged.items() if name and "=" not in name}


def _expanded(name: str, value: str, scope: Scope) -> str:
    """A variable's value with the variables within it filled in, as a template would show it."""
    return substitute("${{" + name + "}}", scope) if "${{" in value else value


def _volume(entry: str) -> tuple[str, str]:
    source, _, target = entry.partition(":")
    path = posixpath.normpath(source.lstrip("/") or ".")
    if path == ".." or path.startswith("../"):
        raise StepRefused(f"volume {entry!r} leaves the shared volume; name a folder inside of it")
    if not target.startswith("/"):
        raise StepRefused(f"volume {entry!r} has no absolute target; write 'source:/target'")
    return path, target
