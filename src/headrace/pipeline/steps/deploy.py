"""``type: deploy`` and the older test types. Checked, not run yet.

Source: Codefresh docs, "Deploy step" (pipelines/steps/deploy).
"""

from typing import Any

from headrace.pipeline.fields import AnyMap, Anything, Items, Mapping, Text
from headrace.pipeline.findings import Findings, Place
from headrace.pipeline.steps.base import COMMON_FIELDS, StepType


class Deploy(StepType):
    """A new image, or a manifest, in a cluster."""

    name = "deploy"
    runs = False
    fields = COMMON_FIELDS | {
        "kind": Text(required=True),
        "cluster": Text(required=True),
        "namespace": Text(required=True),
        "service": Text(),
        "file_path": Text(),
        "candidate": Mapping(image=Text(required=True), registry=Text(required=True)),
        "timeout": Anything(),  # a number of seconds here
    }

    def check(self, body: dict[str, Any], place: Place, found: Findings) -> None:
        """Ask for a service or a manifest, not both."""
        if "service" not in body and "file_path" not in body:
            found.add(place / "service", '"service" is required', hint="name a service, or give file_path")
        elif "service" in body and "file_path" in body:
            found.add(place / "service", '"service" is not allowed', hint="remove service or file_path")


class Helm(StepType):
    """``type: helm``, which the original knows by name only."""

    name = "helm"
    runs = False
    versioned = True


class IntegrationTest(StepType):
    """``type: integration-test``."""

    name = "integration-test"
    runs = False
    fields = COMMON_FIELDS | {
        "services": AnyMap(),
        "preconfigured_services": Items(Text()),
        "test": AnyMap(required=True),
    }


class Travis(StepType):
    """``type: travis``."""

    name = "travis"
    runs = False
    fields = COMMON_FIELDS | {"services": AnyMap(required=True), "test": AnyMap(required=True)}


class SimpleTravis(StepType):
    """``type: simple_travis``."""

    name = "simple_travis"
    runs = False
    fields = COMMON_FIELDS | {"services": Items(Text(), required=True), "test": AnyMap(required=True)}
