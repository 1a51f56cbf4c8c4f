"""The text of a pipeline's file, ``metadata.originalYamlString``, and the fields that are made from it.

An editor sends the text, other clients the fields; the text keeps comments and the form of its
author. Readers always see both.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from headrace.pipeline.document import load
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.spec import ROOT_FIELDS

Document = Mapping[str, Any]


def settled(body: Document, before: Document | None) -> Document:
    """Decide between the text and the inline steps of a document that is to be stored.

    Args:
        body: as given; its parts may have any shape.
        before: what is stored now; None for a new pipeline.

    Returns:
        The body, without inline fields of the file where its text is what counts: it has no steps,
        or only its text is another than the stored one. Steps that were changed win over the text.
    """
    metadata, spec = body.get("metadata"), body.get("spec")
    if not isinstance(metadata, dict) or not isinstance(spec, dict) or not _text(metadata):
        return body
    if "steps" in spec:
        if before is None or _text(metadata) == _text(before["metadata"]):
            return body
        if _inline(spec) != _inline(before["spec"]):
            return body
    return {**body, "spec": {name: value for name, value in spec.items() if name not in ROOT_FIELDS}}


def standing(document: Document) -> str:
    """Return the text that stands for the steps; ``""`` where they are inline."""
    spec = document.get("spec") or {}
    return "" if "steps" in spec else _text(document["metadata"])


def filled(document: Document) -> dict[str, Any]:
    """Return a valid document with the fields that its text stands for."""
    text = standing(document)
    spec = document.get("spec") or {}
    if not text or spec.get("specTemplate"):
        return dict(document)
    said = _said(text)
    version = {"version": said["version"]} if "version" in said else {}
    return {**document, **version, "spec": {**spec, **_inline(said)}}


def agreeing(document: Document) -> str:
    """Return the text where it says what the inline fields say, the order of keys included; else ``""``."""
    text, spec = _text(document["metadata"]), document.get("spec") or {}
    if not text or "steps" not in spec:
        return text
    try:
        said = _inline(_said(text))
    except SpecErrors:
        return ""
    return text if _written(said) == _written(_inline(spec)) else ""


def _text(metadata: Document) -> str:
    text = metadata.get("originalYamlString")
    return text if isinstance(text, str) and text.strip() else ""


def _said(text: str) -> Document:
    """What a text says at its root, or in the ``spec`` of the whole document that it is."""
    data = load(text).data
    if not isinstance(data, dict):
        return {}
    spec = data.get("spec")
    return spec if data.get("kind") == "pipeline" and isinstance(spec, dict) else data


def _inline(spec: Document) -> dict[str, Any]:
    return {name: spec[name] for name in ROOT_FIELDS if name in spec and name != "version"}


def _written(fields: Document) -> bytes:
    return msgspec.json.encode(fields)
