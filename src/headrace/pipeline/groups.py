"""Steps that are groups by their own word: ``type: parallel``, ``scale``, ``matrix``.

Source: `reference/pipeline-yaml.md` 3.9, 4.2, 4.4 (scale and matrix), 4.7 (success criteria).
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

from headrace.pipeline.fields import AnyMap, Items, MapOf, Mapping, Text
from headrace.pipeline.findings import Findings, Place
from headrace.pipeline.plan import Action, Group, SuccessCriteria
from headrace.pipeline.steps.base import COMMON_FIELDS, StepSpec, StepType

MOST_MEMBERS = 256  # that one matrix may make
MULTIPLIERS = ("scale", "matrix")
# What belongs to the group that a multiplied step becomes; all else belongs to its members.
_OF_GROUP = ("when", "fail_fast", "strict_fail_fast", "success_criteria")
_SHARED = ("title", "description", "stage")


class _Names(Items):
    """At least one name of a step."""

    def read(self, value: object, place: Place, found: Findings) -> tuple[Any, ...] | None:
        """Return the names."""
        if value == []:
            found.add(place, f'"{place.key}" must contain at least 1 items')
        return super().read(value, place, found)


class _CountedSteps(AnyMap):
    """``success_criteria.steps``: a list, which means only these, or ``only`` and ``ignore``."""

    _forms = Mapping(only=_Names(Text()), ignore=_Names(Text()))

    def read(self, value: object, place: Place, found: Findings) -> dict[str, Any] | None:
        """Return ``only`` and ``ignore``, each a tuple of names or None."""
        if isinstance(value, list):
            return {"only": _Names(Text()).read(value, place, found), "ignore": None}
        return self._forms.read(value, place, found)

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written."""
        return {"anyOf": [_Names(Text()).schema(), self._forms.schema()]}


_EXPRESSIONS = MapOf(Text(), names=r"[a-zA-Z0-9_]+")
CRITERIA = Mapping(steps=_CountedSteps(), condition=Mapping(all=_EXPRESSIONS, any=_EXPRESSIONS))


def criteria(read: dict[str, Any] | None) -> SuccessCriteria | None:
    """Return what `CRITERIA` read, as a plan holds it."""
    if read is None:
        return None
    steps, condition = read["steps"] or {}, read["condition"] or {}
    return SuccessCriteria(
        only=steps.get("only"),
        ignore=steps.get("ignore") or (),
        all_of=_pairs(condition.get("all")),
        any_of=_pairs(condition.get("any")),
    )


def _pairs(read: dict[str, str] | None) -> tuple[tuple[str, str], ...] | None:
    return None if read is None else tuple(read.items())


class _Parallel(StepType):
    """The group itself; its members are read as steps of their own."""

    name = "parallel"
    fields = COMMON_FIELDS | {"success_criteria": CRITERIA}

    def plan(self, spec: StepSpec) -> Action:
        """Return the group."""
        return Group(mode="parallel", success_criteria=criteria(spec["success_criteria"]))


PARALLEL = _Parallel()


def multiplier(body: dict[str, Any]) -> str | None:
    """Which of `MULTIPLIERS` a step has; None where it has neither."""
    return next((key for key in MULTIPLIERS if body.get(key) not in (None, {})), None)


def group_body(body: dict[str, Any]) -> dict[str, Any]:
    """The fields of the group that a multiplied step becomes."""
    return {key: body[key] for key in (*MULTIPLIERS, *_OF_GROUP, *_SHARED) if key in body}


def multiplied(
    name: str, body: dict[str, Any], place: Place, found: Findings
) -> Iterator[tuple[str, dict[str, Any], Place]]:
    """The members of a step with ``scale`` or ``matrix``: name, body and place of each.

    A ``scale`` on a step that has a ``matrix`` too makes members that are multiplied in turn.
    """
    key = multiplier(body)
    if key is None:
        return
    parent = {field: value for field, value in body.items() if field not in (key, *_OF_GROUP)}
    make = _scaled if key == "scale" else _combined
    for child, overrides, at in make(name, body[key], Place((*place.path, key), name), found):
        yield child, _merged(parent, overrides, child), Place(at.path, child)


def _scaled(
    name: str,  # noqa: ARG001  # as of `_combined`
    written: object,
    place: Place,
    found: Findings,
) -> Iterator[tuple[str, dict[str, Any], Place]]:
    if not isinstance(written, dict):
        found.add(
            place, '"scale" must be an object', hint="write the name of each step, then what it changes"
        )
        return
    for child, overrides in written.items():
        if overrides is None or isinstance(overrides, dict):
            yield child, overrides or {}, place / child
        else:
            found.add(place / child, f'"{child}" must be an object')


def _combined(
    name: str, written: object, place: Place, found: Findings
) -> Iterator[tuple[str, dict[str, Any], Place]]:
    if not isinstance(written, dict):
        found.add(place, '"matrix" must be an object', hint="write a list of values for each field")
        return
    size = 1
    for field, values in written.items():
        if not isinstance(values, list) or not values:
            found.add(place / field, f'"{field}" must be an array', hint="write at least one value")
            return
        size *= len(values)
    if size > MOST_MEMBERS:
        found.add(place, f'"matrix" comes to {size} steps, at most {MOST_MEMBERS} are allowed')
        return
    for number, values in enumerate(product(*written.values()), 1):
        yield f"{name}_{number}", dict(zip(written, values, strict=True)), place / str(number)


def _merged(parent: dict[str, Any], overrides: dict[str, Any], child: str) -> dict[str, Any]:
    body = {**parent, **{key: _joined(key, parent.get(key), value) for key, value in overrides.items()}}
    if isinstance(parent.get("title"), str) and "title" not in overrides:
        body["title"] = f"{parent['title']} ({child})"
    return body


def _joined(key: str, old: object, new: object) -> object:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **new}
    if key == "environment" and isinstance(old, list) and isinstance(new, list):
        return [*old, *new]
    return new
