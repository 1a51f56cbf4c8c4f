"""Reads what the user names: documents for ``-f``, and ``KEY=VALUE`` words."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from headrace.cli.errors import Refused


def read_text(name: str) -> str:
    """The text of a file; raises `Refused` where it cannot be read."""
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # of bytes that are no UTF-8, or a name that no file has
        why = f"{name}: {error.strerror}" if isinstance(error, OSError) else error
        raise Refused(f"Failed to read file; caused by Error: {why}") from error


def replace_text(path: Path, text: str) -> None:
    """Replace a file at once, or make it and its folders; only its owner may read it.

    Raises:
        OSError: it cannot be written; an old one is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.resolve()
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name.lstrip('.')}")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(target)
    except (OSError, ValueError):  # no place, or a character that no file can hold
        Path(temporary).unlink(missing_ok=True)
        raise


def read_document(name: str) -> Any:  # noqa: ANN401 — whatever the file holds
    """The document of one local ``.yml``, ``.yaml`` or ``.json`` file.

    Raises:
        Refused: another extension, unreadable, or not of its form.
    """
    if not name.endswith((".yml", ".yaml", ".json")):
        raise Refused(f"Failed to read file; caused by Error: {name!r} must end in .yml, .yaml or .json")
    text = read_text(name)
    try:
        if name.endswith(".json"):
            return json.loads(text)
        from headrace.cli.yamltext import load_any

        return load_any(text)
    except ValueError as error:
        raise Refused(f"Failed to read file; caused by Error: {name}: {error}") from error


def read_resource(name: str) -> tuple[str, str, dict[str, Any]]:
    """A resource's document: its kind, its ``metadata.name`` (empty where absent), all of it.

    Raises:
        Refused: no mapping, no kind, no metadata.
    """
    document = read_document(name)
    if not isinstance(document, dict):
        raise Refused(
            f"{name}: expected a mapping with 'kind' and 'metadata', found {type(document).__name__}"
        )
    if document.get("kind") is None:
        raise Refused(f"Entity: undefined not supported; {name} needs a 'kind', for example: kind: pipeline")
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        raise Refused(f"{name}: 'metadata' is missing; it holds the resource's name")
    return str(document["kind"]), str(metadata.get("name") or ""), document


def pairs(words: Iterable[str]) -> list[dict[str, Any]]:
    """``K=V`` words as ``{"key", "value"}``; only the first ``=`` splits.

    Raises:
        Refused: a word without ``=``.
    """
    found = []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise Refused(f"Invalid environment variable format. please enter [key]=[value] (found {word!r})")
        found.append({"key": key, "value": value})
    return found


def mapping(words: Iterable[str]) -> dict[str, str]:
    """``K=V`` words as a mapping; the last of equal keys counts."""
    return {pair["key"]: pair["value"] for pair in pairs(words)}


def encrypt(variables: list[dict[str, Any]], names: Iterable[str]) -> list[dict[str, Any]]:
    """Mark the variables of these names as encrypted.

    Raises:
        Refused: a name that no variable has.
    """
    wanted = list(names)
    known = {variable["key"] for variable in variables}
    for name in wanted:
        if name not in known:
            raise Refused(f'Variable is not provided: "{name}"; give it with -v {name}=VALUE')
    return [
        variable | {"encrypted": True} if variable["key"] in wanted else variable for variable in variables
    ]
