"""The forms of a hook, of annotations and of metadata, each read into one shape.

A hook is a list of commands, one step, several steps, or only data; ``exec`` may stand around the
steps. Source: `reference/pipeline-yaml.md`, 5.3 (forms of a hook), 5.4 (annotations), 5.5 (metadata).
"""

import re
from collections.abc import Mapping as MappingOf
from typing import Any

import msgspec

from headrace.pipeline.fields import AnyMap, Field, Flag, Items, Mapping, OneOf, StrictFlag, Text
from headrace.pipeline.findings import Findings, Place, as_javascript, shown
from headrace.pipeline.plan import Annotate, DescribeImage, Entry

MOMENTS = ("on_elected", "on_success", "on_fail", "on_finish")
REFUSED = ("debug", "on_start", "on_finish", "on_fail", "hooks", "stage")  # in steps of a hook
DEFAULT_IMAGE = "alpine"  # of a list of commands
_ONE = "exec"  # what the only step of a hook is called
_NAME = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
_REFERENCE = "${{"
_MANY: dict[str, Field] = {
    "mode": OneOf("sequential", "parallel", default="sequential"),
    "fail_fast": Flag(),
    "strict_fail_fast": StrictFlag(),
    "steps": AnyMap(required=True),
}
_DATA = ("annotations", "metadata")


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What one hook says, whatever its form."""

    mode: str = "sequential"
    fail_fast: bool | str | None = None  # default of its steps
    strict_fail_fast: bool | str | None = None
    steps: MappingOf[str, Any] = {}  # bodies by name
    place: Place = Place()  # of the map of steps
    is_one_step: bool = False  # `place` is that of the step itself
    annotate: tuple[Annotate, ...] = ()
    describe: tuple[DescribeImage, ...] = ()


def read_hook(value: object, place: Place, found: Findings) -> Parts | None:
    """Read one hook in any of its forms; None where it says nothing, or nothing right."""
    if value is None:
        return None
    if isinstance(value, list):
        return _commands(value, place, found)
    if not isinstance(value, dict):
        found.add(place, f'"{place.key}" must be an object{shown(value)}', hint="write commands, or a step")
        return None
    annotate, describe = read_notes(value, place, found)
    body = {key: item for key, item in value.items() if key not in _DATA}
    parts = Parts()
    if _ONE in body:
        if len(body) > 1:
            peer = next(key for key in body if key != _ONE)
            found.add(
                place / peer, f'"{peer}" conflict with forbidden peer "{_ONE}"', hint="write it in exec"
            )
        parts = _exec(body[_ONE], place / _ONE, found)
    elif body:
        parts = _steps(body, place, found)
    return msgspec.structs.replace(parts, annotate=annotate, describe=describe)


def _exec(value: object, place: Place, found: Findings) -> Parts:
    if isinstance(value, list):
        return _commands(value, place, found)
    if isinstance(value, dict):
        return _steps(value, place, found)
    found.add(place, f'"{_ONE}" must be an object{shown(value)}', hint="write commands, or a step")
    return Parts()


def _commands(value: list[Any], place: Place, found: Findings) -> Parts:
    attempt = found.attempt()
    Items(Text()).read(value, place, attempt)
    found.errors += attempt.errors
    if attempt.errors:
        return Parts()
    body = {"image": DEFAULT_IMAGE, "commands": value}
    return Parts(steps={_ONE: body}, place=place, is_one_step=True)


def _steps(body: dict[str, Any], place: Place, found: Findings) -> Parts:
    """Several steps under ``steps``, or the body of one step."""
    if "steps" not in body or body.get("type") == "parallel":
        return Parts(steps={_ONE: body}, place=place, is_one_step=True)
    read = Mapping(_MANY).read(body, place, found) or {}
    return Parts(
        mode=read["mode"] or "sequential",
        fail_fast=read["fail_fast"],
        strict_fail_fast=read["strict_fail_fast"],
        steps=read["steps"] or {},
        place=place / "steps",
    )


def read_notes(
    body: MappingOf[str, Any], place: Place, found: Findings
) -> tuple[tuple[Annotate, ...], tuple[DescribeImage, ...]]:
    """Read ``annotations`` and ``metadata`` of a hook, of an old-style field, or of a step."""
    annotations, metadata = body.get("annotations"), body.get("metadata")
    annotate = _annotations(annotations, place / "annotations", found) if annotations is not None else ()
    describe = _metadata(metadata, place / "metadata", found) if metadata is not None else ()
    return annotate, describe


_ENTITY: dict[str, Field] = {
    "entity_id": Text(),
    "entity_type": OneOf("project", "pipeline", "build", "image", default="build"),
}
_SET = Mapping({**_ENTITY, "annotations": Items(AnyMap(), required=True), "display": Text()})
_UNSET = Mapping({**_ENTITY, "annotations": Items(Text(), required=True)})


def _annotations(value: object, place: Place, found: Findings) -> tuple[Annotate, ...]:
    read = Mapping(set=AnyList(), unset=AnyList()).read(value, place, found) or {}
    notes: list[Annotate] = []
    for index, item in enumerate(read.get("set") or ()):
        here = place / "set" / index
        own = _entity(item, _SET, here, found)
        if own is not None:
            entries = _entries(item.get("annotations"), here / "annotations", found)
            notes.append(Annotate(**_target(own), set=entries, display=own["display"]))
    for index, item in enumerate(read.get("unset") or ()):
        here = place / "unset" / index
        own = _entity(item, _UNSET, here, found)
        if own is not None:
            names = _entries(item.get("annotations"), here / "annotations", found)
            notes.append(Annotate(**_target(own), unset=tuple(entry.name for entry in names)))
    return tuple(notes)


class AnyList(AnyMap):
    """A list that is not looked into."""

    def read(self, value: object, place: Place, found: Findings) -> Any:  # noqa: ANN401  # JSON's edge
        """Return the list."""
        if isinstance(value, list):
            return value
        found.add(place, f'"{place.key}" must be an array{shown(value)}')
        return None

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written."""
        return {"type": "array"}


def _entity(item: object, fields: Mapping, place: Place, found: Findings) -> dict[str, Any] | None:
    """Check one entry of ``set`` or ``unset`` but for its annotations."""
    if not isinstance(item, dict):
        found.add(place, f'"{place.key}" must be an object{shown(item)}')
        return None
    if isinstance(item.get("annotations"), list):
        item = {**item, "annotations": []}
    return fields.read(item, place, found)


def _target(read: MappingOf[str, Any]) -> dict[str, Any]:
    return {"entity_type": read["entity_type"] or "build", "entity_id": read["entity_id"]}


def _metadata(value: object, place: Place, found: Findings) -> tuple[DescribeImage, ...]:
    """Read ``set``: keys of the step's own image, or lists of keys by image."""
    read = Mapping(set=AnyList(required=True)).read(value, place, found) or {}
    own: list[Entry] = []
    notes: list[DescribeImage] = []
    for index, item in enumerate(read.get("set") or ()):
        here = place / "set" / index
        if isinstance(item, dict) and any(isinstance(inner, list) for inner in item.values()):
            for image, inner in item.items():
                entries = _entries(inner, here / image, found)
                notes.append(DescribeImage(image=image, set=entries))
        else:
            own += _entries([item], here, found)
    return (*((DescribeImage(set=tuple(own)),) if own else ()), *notes)


def _entries(value: object, place: Place, found: Findings) -> tuple[Entry, ...]:
    """Read a list of names and of ``name: value`` maps."""
    entries: list[Entry] = []
    for index, item in enumerate(value if isinstance(value, list) else ()):
        here = place / index
        if isinstance(item, str):
            entries += _entry(item, "", here, found)
        elif isinstance(item, dict) and item:
            for name, text in item.items():
                entries += _entry(name, text, here / name, found)
        else:
            found.add(
                here, f'"{here.key}" must be a string{shown(item)}', hint="write a name, or name: value"
            )
    return tuple(entries)


def _entry(name: str, value: object, place: Place, found: Findings) -> list[Entry]:
    if not _NAME.fullmatch(name):
        words = f'"{name}" with value "{name}" fails to match the required pattern: /^[A-Za-z0-9_]+$/'
        found.add(place, words, hint="use letters, digits and _")
        return []
    if isinstance(value, dict):
        expression = value.get("evaluate")
        if set(value) == {"evaluate"} and isinstance(expression, str) and expression:
            return [Entry(name=name, text=expression, evaluate=True)]
        found.add(place / "evaluate", '"evaluate" must be a string', hint="write one expression")
        return []
    if isinstance(value, list):
        found.add(
            place, f'"{name}" must be a string{shown(value)}', hint="write a text, a number or a Boolean"
        )
        return []
    return [Entry(name=name, text="" if value is None else as_javascript(value))]
