"""``type: deploy``; and the older test types, which are checked and not run.

Source: Codefresh docs, "Deploy step" (pipelines/steps/deploy).
"""

from typing import Any

from headrace.pipeline.fields import AnyMap, Anything, Items, Mapping, Text
from headrace.pipeline.findings import Findings, Place
from headrace.pipeline.plan import Deploy as DeployAction
from headrace.pipeline.steps.base import COMMON_FIELDS, StepSpec, StepType


class Deploy(StepType):
    """A new image, or a manifest, in a cluster."""

    name = "deploy"
    fields = COMMON_FIELDS | {
        "kind": Text(required=True),
        "cluster": Text(required=True),
        "namespace": Text(required=True),
        "service": Text(),
        "file_path": Text(),
        "candidate": Mapping(image=Text(required=True), registry=Text(required=True)),
        "timeout": Anything(),  # a number of seconds here
    }

    def read(self, body: dict[str, Any], place: Place, found: Findings) -> StepSpec:
        """Read the time of the roll-out, which is none of the step: a text in a map."""
        spec = super().read(body, place, found)
        timeout = spec.get("timeout")
        return {**spec, "timeout": None if timeout is None else {"seconds": str(timeout)}}

    def plan(self, spec: StepSpec) -> DeployAction:
        """What the step comes to."""
        candidate = spec["candidate"] or {}
        return DeployAction(
            cluster=spec["cluster"],
            namespace=spec["namespace"],
            service=spec["service"],
            file_path=spec["file_path"],
            image=candidate.get("image"),
            registry=candidate.get("registry"),
            timeout=spec["timeout"]["seconds"] if spec["timeout"] else None,
        )

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
