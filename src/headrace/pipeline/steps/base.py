"""What a step type is, and the fields that all of them share."""

from collections.abc import Mapping as MappingOf
from typing import Any, ClassVar

from headrace.pipeline.fields import (
    AnyMap,
    Anything,
    Duration,
    Either,
    Field,
    Flag,
    Items,
    MapOf,
    Mapping,
    OneOf,
    PositiveNumber,
    StrictFlag,
    Text,
)
from headrace.pipeline.findings import Findings, Place, nearest, shown
from headrace.pipeline.plan import Action

StepSpec = dict[str, Any]  # every declared field: what it means, or its default

RESULTS = (
    "success",
    "running",
    "failure",
    "skipped",
    "pending",
    "terminating",
    "terminated",
    "finished",
    "approved",
    "denied",
)
_ONE_STEP = Mapping(name=Text(required=True), on=Items(OneOf(*RESULTS), default=("success",)))
_EXPRESSIONS = MapOf(Text(), names=r"[a-zA-Z0-9_]+")


class StepsField(AnyMap):
    """``when.steps``: a list, which means all of them, or ``all`` or ``any`` over a list."""

    _forms = Mapping(all=Items(_ONE_STEP), any=Items(_ONE_STEP), exclusive=[("all", "any")])

    def read(self, value: object, place: Place, found: Findings) -> dict[str, Any] | None:
        """Return ``all`` and ``any``, each a list or None."""
        if isinstance(value, list):
            return {"all": Items(_ONE_STEP).read(value, place, found), "any": None}
        return self._forms.read(value, place, found)

    def kind(self) -> dict[str, Any]:
        """JSON Schema of what may be written."""
        return {"anyOf": [Items(_ONE_STEP).schema(), self._forms.schema()]}


WHEN = Mapping(
    branch=Mapping(only=Items(Text()), ignore=Items(Text())),
    condition=Mapping(all=_EXPRESSIONS, any=_EXPRESSIONS),
    steps=StepsField(),
)
RETRY = Mapping(
    maxAttempts=PositiveNumber(), delay=PositiveNumber(), exponentialFactor=PositiveNumber(), strict=False
)
HOOKS = Mapping(on_elected=Anything(), on_success=Anything(), on_fail=Anything(), on_finish=Anything())
COMMON_FIELDS: dict[str, Field] = {
    "description": Text(),
    "title": Text(),
    "fail_fast": Flag(),
    "strict_fail_fast": StrictFlag(),
    "docker_machine": AnyMap(),
    "arguments": AnyMap(),
    "when": WHEN,
    "stage": Text(),
    "retry": RETRY,
    "debug": AnyMap(),
    "env": AnyMap(),
    "hooks": HOOKS,
    "timeout": Duration(),
}
POST_FIELDS: dict[str, Field] = {"on_success": AnyMap(), "on_fail": AnyMap(), "on_finish": AnyMap()}
TEXTS = Items(Text())
WORDS = Either(Text(), Items(Text()))

# Fields of any step that the engine does not carry out; a plan refuses them.
LATER = (
    "docker_machine",
    "env",
)


class StepType:
    """One ``type:``. A subclass declares its fields and what they come to.

    `plan` is called for a step without problems only.
    """

    name: ClassVar[str]
    fields: ClassVar[MappingOf[str, Field]] = COMMON_FIELDS
    strict: ClassVar[bool] = False  # whether an unknown key is an error
    runs: ClassVar[bool] = True  # whether the engine carries this type out
    versioned: ClassVar[bool] = False  # published with versions, though its fields are known here
    later: ClassVar[tuple[str, ...]] = LATER  # fields that it does not carry out
    conflicts: ClassVar[tuple[tuple[str, str], ...]] = ()  # (key, the key that it forbids)
    refused: ClassVar[tuple[str, ...]] = ()  # keys of a sibling type that people write here
    renamed: ClassVar[MappingOf[str, str]] = {}  # dash spellings of this type

    def read(self, body: dict[str, Any], place: Place, found: Findings) -> StepSpec:
        """Check a step's map; return every field with what it means."""
        spec = Mapping({**self.fields, **POST_FIELDS}, strict=False).read(body, place, found) or {}
        for key, peer in self.conflicts:
            if key in body and peer in body:
                words = f'"{key}" conflict with forbidden peer "{peer}"'
                found.add(place / key, words + shown(body[key]), hint=f"write one of {key}, {peer}")
        for key in self.refused:
            if key in body:
                found.add(place / key, f"'{key}' not allowed")
        if self.strict:
            self._refuse_unknown(body, place, found)
        self.check(body, place, found)
        return spec

    def _refuse_unknown(self, body: dict[str, Any], place: Place, found: Findings) -> None:
        common = [*COMMON_FIELDS, "type"]
        own = [name for name in self.fields if name not in COMMON_FIELDS]
        allowed = [*common, *own, *POST_FIELDS]
        for name in body:
            if name not in allowed:
                found.add(place / name, f'"{name}" is not allowed', suggestion=nearest(name, allowed))

    def check(self, body: dict[str, Any], place: Place, found: Findings) -> None:
        """Check what no single field can say; most types have nothing to add."""

    def plan(self, spec: StepSpec) -> Action:
        """What the step comes to."""
        raise NotImplementedError(f"step type {self.name!r} has no plan: {sorted(spec)}")
