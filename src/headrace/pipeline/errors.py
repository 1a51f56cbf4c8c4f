"""What is wrong with a pipeline file, with its place and its cure."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

Level = Literal["workflow", "step"]
Kind = Literal["Validation", "Error", "Warning"]


class SpecError(msgspec.Struct, frozen=True):
    """One problem of a pipeline file.

    `type`, `level`, `step_name` and `key` are what the validator endpoint reports
    (`reference/pipeline-yaml.md`, 11.2).
    """

    message: str
    path: str = ""  # dotted, from the root: ``steps.unit.image``, ``steps.unit.commands.0``
    hint: str = ""  # what would be right
    line: int = 0  # 1-based; 0: not known
    type: Kind = "Validation"
    level: Level = "workflow"
    step_name: str = ""
    key: str = ""
    suggestion: tuple[str, str] | None = None  # (as written, as it was probably meant)
    code: int | None = None
    column: int = 0  # 1-based; 0: not known

    def __str__(self) -> str:
        """One line for people: place, what is wrong, what would be right."""
        place = self.path or "pipeline"
        if self.line:
            place = f"line {self.line}, {place}"
        return f"{place}: {self.message.strip()}" + (f" ({self.hint})" if self.hint else "")

    def to_dict(self) -> dict[str, Any]:
        """The problem as the API shows it in the context of a refusal; empty parts are left out."""
        shown = {
            "message": self.message,
            "path": self.path,
            "hint": self.hint,
            "line": self.line,
            "stepName": self.step_name,
        }
        return {name: value for name, value in shown.items() if value}


class SpecErrors(Exception):
    """All problems of one file; `errors` is sorted by line, never empty."""

    def __init__(self, errors: Iterable[SpecError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: error.line))
        super().__init__("\n".join(str(error) for error in self.errors))
