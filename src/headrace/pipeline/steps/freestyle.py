"""``type: freestyle``: run commands, or an image's own program, in a container.

Source: Codefresh docs, "Freestyle step" (pipelines/steps/freestyle).
"""

import posixpath
import re
import shlex
from typing import Any

from headrace.pipeline.fields import Anything, Items, Like, OneOf, Text
from headrace.pipeline.findings import Findings, Place
from headrace.pipeline.plan import KeepReports, RunCommands
from headrace.pipeline.steps.base import COMMON_FIELDS, LATER, TEXTS, WORDS, StepSpec, StepType

# The image of the original that uploads reports of tests; the engine does its work without it.
_REPORTS = re.compile(r"(?:[^\s/]+/)*codefresh/cf-docker-test-reporting(?:[:@]\S+)?")


class Freestyle(StepType):
    """A container that runs commands. The default type."""

    name = "freestyle"
    fields = COMMON_FIELDS | {
        "working_directory": Text(),
        "image": Text(required=True),
        "commands": TEXTS,
        "cmd": WORDS,
        "volumes": Items(Like(":", "/:/"), default=()),
        "environment": Items(Text(), default=()),
        "entry_point": WORDS,
        "shell": OneOf("sh", "bash", default="sh"),
        "services": Anything(),
        "registry_context": Text(),
        "role_arn": Text(),
    }
    later = (*LATER, "role_arn")
    conflicts = (("commands", "cmd"), ("shell", "cmd"))
    refused = ("registry_contexts",)

    def check(self, body: dict[str, Any], place: Place, found: Findings) -> None:
        """Refuse volumes that leave the shared volume, and word lists with an open quote."""
        volumes = body.get("volumes")
        for index, entry in enumerate(volumes if isinstance(volumes, list) else ()):
            source = str(entry).partition(":")[0].lstrip("/")
            if posixpath.normpath(source).split("/")[0] == "..":
                words = f'"{index}" leaves the shared volume'
                found.add(place / "volumes" / index, words, hint="name a directory inside /codefresh/volume")
        for key in ("cmd", "entry_point"):
            if isinstance(body.get(key), str):
                try:
                    shlex.split(body[key])
                except ValueError as error:
                    found.add(place / key, f'"{key}": {error}', hint="close the quote, or write a list")

    def plan(self, spec: StepSpec) -> RunCommands | KeepReports:
        """Commands as they are written; a string of words becomes the list it means."""
        if not (spec["commands"] or spec["cmd"] or spec["entry_point"]) and _REPORTS.fullmatch(spec["image"]):
            return KeepReports(environment=spec["environment"], working_directory=spec["working_directory"])
        return RunCommands(
            image=spec["image"],
            commands=spec["commands"],
            shell=spec["shell"],
            entry_point=_words(spec["entry_point"]),
            cmd=_words(spec["cmd"]),
            environment=spec["environment"],
            working_directory=spec["working_directory"],
            volumes=spec["volumes"],
            registry_context=spec["registry_context"],
        )


def _words(value: str | tuple[str, ...] | None) -> tuple[str, ...] | None:
    return tuple(shlex.split(value)) if isinstance(value, str) else value
