"""Step types that come with Headrace: one YAML file each, named for the step type."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from semver import Version

from headrace.pipeline.document import load
from headrace.pipeline.step_type import StepTypeDefinition, read_step_type, reference


@cache
def documents() -> Mapping[str, Mapping[str, Any]]:
    """Return the documents by name; they are not to be changed."""
    found = sorted((entry for entry in files(__name__).iterdir()), key=lambda entry: entry.name)
    texts = (entry.read_text("utf-8") for entry in found if entry.name.endswith(".yml"))
    return {document["metadata"]["name"]: document for document in (load(text).data for text in texts)}


def resolve(text: str) -> StepTypeDefinition | None:
    """Find the step type that ``name`` or ``name:1.2.3`` asks for; None where there is none.

    There is one version of each; it stands in for the earlier ones, because files name those.
    """
    name, version = reference(text)
    if name not in documents():
        return None
    definition = _definition(name)
    if version is None:
        return definition
    is_served = Version.is_valid(version) and Version.parse(version) <= Version.parse(definition.version)
    return definition if is_served else None


@cache
def _definition(name: str) -> StepTypeDefinition:
    return read_step_type(documents()[name])
