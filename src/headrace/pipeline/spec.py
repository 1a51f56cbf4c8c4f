"""Reading a whole pipeline document: every field checked, every step with its type.

Both the validator and the compiler start here. Messages follow `reference/pipeline-yaml.md`, 11.3.
"""

import re
from collections.abc import Mapping as MappingOf
from typing import Any

import msgspec

from headrace.pipeline.document import Document
from headrace.pipeline.fields import AnyMap, Anything, Field, Flag, Items, Mapping, OneOf, StrictFlag, Text
from headrace.pipeline.findings import Findings, Place, as_javascript, shown
from headrace.pipeline.groups import group_body, multiplied, multiplier
from headrace.pipeline.hooks import DEFAULT_IMAGE, MOMENTS, REFUSED, Parts, read_hook, read_notes
from headrace.pipeline.steps.base import HOOKS, StepSpec, StepType
from headrace.pipeline.variables import Scope, TextTooLong, substitute


class _RootFlag(Flag):
    """``fail_fast`` of the root: the original takes any text, and a map; a build needs a Boolean."""

    def read(self, value: object, place: Place, found: Findings) -> Any:  # noqa: ANN401  # JSON's edge
        """Return a Boolean, or what is decided when the build starts."""
        if isinstance(value, dict):
            return as_javascript(value)
        attempt = found.attempt()
        read = super().read(value, place, attempt)
        if attempt.errors and isinstance(value, str) and value:
            return value
        found.errors += attempt.errors
        return read


ROOT_FIELDS: dict[str, Field] = {
    "version": Anything(required=True),
    "steps": AnyMap(required=True),
    "stages": Items(Text(), default=()),
    "mode": OneOf("sequential", "parallel", default="sequential"),
    "hooks": HOOKS,
    "fail_fast": _RootFlag(),
    "strict_fail_fast": StrictFlag(),
    "success_criteria": Anything(),
    "services": AnyMap(),
    "indicators": Items(Anything()),
    "build_version": OneOf("v1", "v2"),
}
_DASHES = {"fail-fast": "fail_fast", "working-directory": "working_directory"}
_BAD_IN_NAME = re.compile(r"[.#$\[\]]")
_LONGEST_NAME = 150
_SEMVER = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
LONGEST_EXPRESSION = 12_000
# Known, but without fields that are checked here.
LOOSE_TYPES = frozenset({"services", "freestyle-ssh", "github-action"})


class HookRead(msgspec.Struct, frozen=True):
    """One hook as read: what it says, and its steps."""

    parts: Parts
    steps: "tuple[StepRead, ...]" = ()


class StepRead(msgspec.Struct, frozen=True):
    """One step as read."""

    name: str
    type: str  # as written, ``freestyle`` where it is not
    place: Place
    body: dict[str, Any]  # dashes renamed, arguments lifted
    spec: StepSpec
    step_type: StepType | None  # None: not a type that is known here
    hooks: MappingOf[str, HookRead] = {}  # by `hooks.MOMENTS`; old-style fields are among them
    parent: str | None = None  # name of the parallel step that it is a member of


class SpecRead(msgspec.Struct, frozen=True):
    """One document as read; what was wrong reads as None."""

    root: dict[str, Any]
    written: dict[str, Any]
    place: Place
    steps: tuple[StepRead, ...]
    hooks: MappingOf[str, HookRead] = {}  # of the pipeline, by `hooks.MOMENTS`


def read_spec(
    document: Document,
    found: Findings,
    step_types: MappingOf[str, StepType],
    *,
    to_run: bool = False,
    known: Scope | None = None,
) -> SpecRead:
    """Read a ``codefresh.yml``, or the ``spec`` of a ``kind: pipeline`` document.

    Nothing raises: problems go to ``found``. Children of parallel steps follow their parents in
    `SpecRead.steps`.

    Args:
        document: as loaded.
        found: takes what is wrong.
        step_types: the known types, by name.
        to_run: for a build, which gives a hook's step the image that the validator misses, and
            makes groups of steps with ``scale`` or ``matrix``.
        known: with `to_run`, fills the types that are written as variables.
    """
    data, place = _definition(document.data)
    if not isinstance(data, dict):
        found.add(place, f'"{place.key}" must be an object{shown(data)}', hint="write version: and steps:")
        return SpecRead({}, {}, place, ())
    data = _renamed(data, {"fail-fast": "fail_fast"})
    if "version" in data and not _is_version_1(data["version"]):
        message = (
            f"Current version: {_version_text(data['version'])} is invalid. please change version to 1.0"
        )
        found.add(place / "version", message)
        return SpecRead({}, data, place, ())
    root = Mapping(ROOT_FIELDS, strict=False).read(data, place, found) or {}
    for name, value in data.items():
        if name not in ROOT_FIELDS:
            found.add(place / name, f'"{name}" is not allowed{shown(value)}')
    reader = _StepsReader(found, step_types, root.get("stages") or (), to_run=to_run, known=known)
    reader.read_all(root.get("steps") or {}, place / "steps")
    hooks = reader.hooks(root.get("hooks") or {}, place / "hooks")
    return SpecRead(root, data, place, tuple(reader.steps), hooks)


def _definition(data: Any) -> tuple[Any, Place]:  # noqa: ANN401  # JSON's edge
    if not isinstance(data, dict) or data.get("kind") != "pipeline":
        return data, Place()
    place = Place(("spec",))
    spec = data.get("spec")
    if not isinstance(spec, dict):
        return spec, place
    own = {name: spec[name] for name in ROOT_FIELDS if name in spec}
    return {"version": data.get("version", "1.0"), "steps": {}} | own, place


def _renamed(body: dict[str, Any], names: MappingOf[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in body.items()}


def _is_version_1(value: object) -> bool:
    if isinstance(value, str):
        return re.fullmatch(r"\s*1(\.0*)?\s*", value, re.ASCII) is not None
    return value == 1 and not isinstance(value, bool)


def _version_text(value: object) -> str:
    text = as_javascript(value)
    return f"{text}.0" if re.fullmatch(r"\d+", text, re.ASCII) else text


class _StepsReader:
    """Reads maps of steps; knows the names and stages of the whole file."""

    def __init__(
        self,
        found: Findings,
        step_types: MappingOf[str, StepType],
        stages: tuple[str | None, ...] = (),
        *,
        to_run: bool,
        within_hook: bool = False,
        known: Scope | None = None,
    ) -> None:
        self._found, self._types, self._known = found, step_types, known or Scope()
        self._to_run, self._within_hook = to_run, within_hook
        self._stages = [stage for stage in stages if stage is not None]
        self._names: set[str] = set()
        self.steps: list[StepRead] = []

    def read_all(self, steps: dict[str, Any], place: Place, *, parent: str | None = None) -> None:
        for name, body in steps.items():
            here = Place((*place.path, name), "" if self._within_hook else name)
            self._check_name(name, here)
            if not isinstance(body, dict):
                outside = Place(here.path)  # the original reports this one for the workflow
                self._found.add(outside, f'"{name}" must be an object{shown(body)}')
                if body is not None:
                    self._found.add(here, '"value" must be an object')
                continue
            self.read_one(name, body, here, parent=parent)

    def hooks(self, written: dict[str, Any], place: Place) -> dict[str, HookRead]:
        """Read the hooks of a step or of the pipeline."""
        place = Place(place.path)  # what is wrong in a hook is reported for the workflow
        read = {
            moment: self._hook(written[moment], place / moment) for moment in MOMENTS if moment in written
        }
        return {moment: hook for moment, hook in read.items() if hook is not None}

    def _hook(self, written: object, place: Place) -> HookRead | None:
        parts = read_hook(written, place, self._found)
        if parts is None:
            return None
        reader = _StepsReader(
            self._found, self._types, to_run=self._to_run, within_hook=True, known=self._known
        )
        if parts.is_one_step:
            for name, body in parts.steps.items():
                reader.read_one(name, body, parts.place)
        else:
            reader.read_all(dict(parts.steps), parts.place)
        return HookRead(parts, tuple(reader.steps))

    def _hooks_of(self, body: dict[str, Any], place: Place) -> dict[str, HookRead]:
        """Read the hooks of a step, in the new form and in the old one."""
        written = body.get("hooks")
        hooks = self.hooks(written if isinstance(written, dict) else {}, place / "hooks")
        for moment in MOMENTS[1:]:
            if isinstance(old := body.get(moment), dict):
                annotate, describe = read_notes(old, place / moment, self._found)
                hooks.setdefault(moment, HookRead(Parts(annotate=annotate, describe=describe)))
        annotate, describe = read_notes(body, place, self._found)
        if annotate or describe:  # on the step itself: what is to be noted of a success
            hook = hooks.get("on_success", HookRead(Parts()))
            parts = msgspec.structs.replace(
                hook.parts,
                annotate=(*annotate, *hook.parts.annotate),
                describe=(*describe, *hook.parts.describe),
            )
            hooks["on_success"] = msgspec.structs.replace(hook, parts=parts)
        return hooks

    def _check_name(self, name: str, place: Place) -> None:
        if name in self._names:
            self._found.add(place, "step name exist more than once")
        self._names.add(name)
        if _BAD_IN_NAME.search(name):
            self._found.add(place, 'step name cannot contain ".", "#", "$", "[", or "]"')
        if len(name) > _LONGEST_NAME:
            self._found.add(place, f"step name length is limited to {_LONGEST_NAME}")

    def read_one(self, name: str, body: dict[str, Any], place: Place, *, parent: str | None = None) -> None:
        """Read the body of one step.

        Args:
            name: of the step.
            body: as written.
            place: of the body.
            parent: the parallel step that it is a member of.
        """
        if self._to_run and multiplier(body):
            self._read_multiplied(name, body, place, parent)
            return
        written = body.get("type", "freestyle")
        if not isinstance(written, str) or not written:
            self._found.add(place / "type", f'"type" must be a string{shown(written)}')
            return
        written = self._filled(written, place / "type")
        step_type = self._types.get(written)
        if step_type is None and self._to_run:  # a built-in type is the same in every version
            step_type = self._built_in(written)
        renames = {**_DASHES, **(step_type.renamed if step_type else {})}
        body = _renamed(body, renames)
        if self._within_hook:
            body = self._of_hook(body, place)
        if (parent is not None or self._within_hook) and written == "pending-approval":
            self._found.add(place / "type", '"type" can\'t be pending-approval')
        if written == "parallel":
            self._read_parallel(name, body, place, parent)
            return
        if step_type is None or step_type.versioned:
            self._check_version(written, place)
        if step_type is None:
            hooks = {} if self._within_hook else self._hooks_of(body, place)
            self.steps.append(StepRead(name, written, place, body, {}, None, hooks, parent))
            return
        written_body, body = body, _lifted(body)
        spec = step_type.read(body, place, self._found)
        self._check_shared(body, spec, place)
        if step_type.versioned:  # its arguments stay what they are
            body = written_body
        hooks = {} if self._within_hook else self._hooks_of(body, place)
        self.steps.append(StepRead(name, written, place, body, spec, step_type, hooks, parent))

    def _filled(self, written: str, place: Place) -> str:
        """The type of a step, which a variable may say."""
        try:
            return substitute(written, self._known)
        except TextTooLong as error:
            self._found.add(place, str(error))
            return written

    def _built_in(self, written: str) -> StepType | None:
        step_type = self._types.get(written.partition(":")[0])
        return None if step_type is None or step_type.versioned else step_type

    def _of_hook(self, body: dict[str, Any], place: Place) -> dict[str, Any]:
        """Refuse what no step of a hook may have; give the image that the list form has too."""
        for key in REFUSED:
            if key in body:
                self._found.add(place / key, f'"{key}" is not allowed', hint="leave it out of the hook")
        if self._to_run and "image" not in body and body.get("type", "freestyle") == "freestyle":
            body = {"image": DEFAULT_IMAGE, **body}
        return {key: value for key, value in body.items() if key not in REFUSED}

    def _read_multiplied(self, name: str, body: dict[str, Any], place: Place, parent: str | None) -> None:
        self.steps.append(StepRead(name, "parallel", place, group_body(body), {}, None, {}, parent))
        for child, its_body, here in multiplied(name, body, place, self._found):
            self._check_name(child, here)
            self.read_one(child, its_body, here, parent=name)

    def _read_parallel(self, name: str, body: dict[str, Any], place: Place, parent: str | None) -> None:
        steps = body.get("steps")
        hooks = self._hooks_of(body, place) if self._to_run and not self._within_hook else {}
        self.steps.append(StepRead(name, "parallel", place, body, {}, None, hooks, parent))
        if not steps or not isinstance(steps, dict | list):
            self._found.add(place / "steps", '"steps" is required and must be an array of type steps')
        elif isinstance(steps, dict):
            self.read_all(steps, place / "steps", parent=name)

    def _check_version(self, written: str, place: Place) -> None:
        if written in LOOSE_TYPES or "${{" in written:
            return
        _, colon, version = written.partition(":")
        if not colon:
            words = (
                "Step version not specified. The latest version will be used, "
                "which may result in breaking changes."
            )
            self._found.add(place / "type", words, kind="Warning")
        elif not _SEMVER.fullmatch(version):
            self._found.add(place / "type", f'Invalid semantic version "{version}" for step.', kind="Warning")

    def _check_shared(self, body: dict[str, Any], spec: StepSpec, place: Place) -> None:
        stage = spec.get("stage")
        if stage is not None and stage not in self._stages and "${{" not in stage:
            known = ", ".join(self._stages)
            self._found.add(place / "stage", f'"stage" must be one of [{known}]{shown(stage)}')
        hooks = body.get("hooks")
        old = {"on_success", "on_fail", "on_finish"}
        if isinstance(hooks, dict) and old & hooks.keys() and old & body.keys():
            words = 'Either old "on_success/on_fail/on_finish" or new "hooks" should be used'
            self._found.add(place / "hooks", words)
        for form, expressions in (((spec.get("when") or {}).get("condition")) or {}).items():
            for label, text in (expressions or {}).items():
                if text is not None and len(text) > LONGEST_EXPRESSION:
                    at = place / "when" / "condition" / form / label
                    self._found.add(at, f'"{label}" is longer than {LONGEST_EXPRESSION} characters')


def _lifted(body: dict[str, Any]) -> dict[str, Any]:
    """Put ``arguments`` on the step itself; a key of the step stays."""
    arguments = body.get("arguments")
    if not isinstance(arguments, dict):
        return body
    own = {key: value for key, value in body.items() if key != "arguments"}
    return {**arguments, **own}
