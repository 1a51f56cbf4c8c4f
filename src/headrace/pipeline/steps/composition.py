"""``type: composition`` and ``launch-composition``: services together.

Source: Codefresh docs, "Composition step" and "Launch-composition step" (pipelines/steps).
"""

from collections.abc import Mapping
from typing import ClassVar

from headrace.pipeline import plan
from headrace.pipeline.fields import AnyMap, Either, Field, Text
from headrace.pipeline.steps.base import COMMON_FIELDS, TEXTS, StepSpec, StepType

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

    def plan(self, spec: StepSpec) -> plan.RunComposition:
        """What the step comes to: the document as written, and the candidates beside it."""
        return plan.RunComposition(
            composition=spec["composition"],
            candidates=spec["composition_candidates"],
            variables=spec["composition_variables"] or (),
            working_directory=spec["working_directory"],
            registry_contexts=spec["registry_contexts"] or (),
        )


class LaunchComposition(StepType):
    """Services that go on when the build has ended, as an environment of the account."""

    name = "launch-composition"
    refused = ("registry_context",)
    renamed = {  # noqa: RUF012  # declared once, never changed
        "composition-variables": "composition_variables",
        "environment-name": "environment_name",
    }
    fields: ClassVar[Mapping[str, Field]] = {
        **COMMON_FIELDS,
        **_SHARED,
        "environment_name": Text(),
        "entry_point": Text(),
    }

    def plan(self, spec: StepSpec) -> plan.LaunchComposition:
        """What the step comes to: the document as written, and what its environment is called."""
        return plan.LaunchComposition(
            composition=spec["composition"],
            variables=spec["composition_variables"] or (),
            working_directory=spec["working_directory"],
            registry_contexts=spec["registry_contexts"] or (),
            environment_name=spec["environment_name"],
            entry_point=spec["entry_point"],
        )
