"""``type: composition`` and ``launch-composition``: services together. Checked, not run yet.

Source: Codefresh docs, "Composition step" and "Launch-composition step" (pipelines/steps).
"""

from collections.abc import Mapping
from typing import ClassVar

from headrace.pipeline.fields import AnyMap, Either, Field, Text
from headrace.pipeline.steps.base import COMMON_FIELDS, TEXTS, StepType

_COMPOSITION = Either(AnyMap(), Text(), required=True)
_SHARED: dict[str, Field] = {
    "working_directory": Text(),
    "composition": _COMPOSITION,
    "composition_variables": TEXTS,
    "registry_contexts": TEXTS,
}


class Composition(StepType):
    """Candidates that run to their end beside services."""

    name = "composition"
    runs = False
    refused = ("registry_context",)
    renamed = {  # noqa: RUF012  # declared once, never changed
        "composition-candidates": "composition_candidates",
        "composition-variables": "composition_variables",
    }
    fields: ClassVar[Mapping[str, Field]] = {
        **COMMON_FIELDS,
        **_SHARED,
        "composition_candidates": AnyMap(required=True),
    }


class LaunchComposition(StepType):
    """Services that stay after the build."""

    name = "launch-composition"
    runs = False
    refused = ("registry_context",)
    renamed = {"composition-variables": "composition_variables"}  # noqa: RUF012  # declared once
    fields: ClassVar[Mapping[str, Field]] = {
        **COMMON_FIELDS,
        **_SHARED,
        "environment_name": Text(),
        "entry_point": Text(),
    }
