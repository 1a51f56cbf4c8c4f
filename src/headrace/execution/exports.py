"""``cf_export``: how a step hands variables to the steps after it.

The script appends ``NAME=VALUE`` lines to a file in the volume, which is read when the step has
ended. A line of a masked value begins with ``--mask``. Source: `reference/pipeline-yaml.md` 2.4.
"""

import re
from collections.abc import Iterable

import msgspec

SCRIPT_PATH = "cf_export"  # in the volume, and so on the PATH of every step with commands
SHARED_FILE = "env_vars_to_export"  # in the volume; a documented place, users write it too
FILE_VARIABLE = "CF_EXPORT_FILE"  # where steps run side by side, each has a file of its own
LINK = "_CF_OUTPUT_URL"  # what a step exports after its name is shown as its link
MAX_BYTES = 1_048_576  # of one step's exports; what comes after is cut
_MARK = "--mask "
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")

# POSIX sh and nothing but builtins: it must work in every image that has a shell.
SCRIPT = r"""#!/bin/sh
# cf_export NAME[=VALUE]... [--mask]: hand variables to the steps after this one.
mark=
for word in "$@"; do
  [ "$word" = --mask ] && mark='--mask '
done
for word in "$@"; do
  case $word in --mask) continue ;; esac
  name=${word%%=*}
  case $name in
  '' | [!A-Za-z_]* | *[!A-Za-z0-9_.-]*)
    printf 'cf_export: %s is no name of a variable; use cf_export NAME or cf_export NAME=VALUE\n' \
      "'$name'" >&2
    continue ;;
  esac
  case $word in
  *=*) value=${word#*=} ;;
  *)
    case $name in *[.-]*) continue ;; esac
    eval "[ -n \"\${$name+set}\" ]" || continue
    eval "value=\$$name" ;;
  esac
  value=${value%%
*}
  printf '%s%s=%s\n' "$mark" "$name" "$value" >>"${CF_EXPORT_FILE:-/codefresh/volume/env_vars_to_export}"
done
exit 0
"""


class Export(msgspec.Struct, frozen=True):
    """One exported variable."""

    name: str
    value: str
    masked: bool = False


def parse_exports(data: bytes) -> dict[str, Export]:
    """Read an export file: by name, later lines win; lines that are no ``NAME=VALUE`` are left out.

    A name that was masked once stays masked within the file.
    """
    found: dict[str, Export] = {}
    for line in data[:MAX_BYTES].decode(errors="replace").replace("\0", "").split("\n"):
        masked = line.startswith(_MARK)
        name, equals, value = line.removeprefix(_MARK).partition("=")
        if equals and _NAME.match(name):
            before = found.pop(name, None)
            found[name] = Export(name, value, masked or (before is not None and before.masked))
    return found


def join_exports(files: Iterable[bytes]) -> dict[str, Export]:
    """Read several export files as one, in order."""
    return parse_exports(b"\n".join(files))
