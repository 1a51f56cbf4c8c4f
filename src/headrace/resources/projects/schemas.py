"""Projects on the wire; and the lists of variables that projects, pipelines and triggers have.

A variable is ``{key, value, encrypted}``. At rest the value of an encrypted one is sealed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec

from headrace.kit.crypto import SecretBox
from headrace.resources.contexts.schemas import (
    MASK,
    SealedText,
    mask,
    nothing_kept,
    seal,
    sealed_text,
    text_of,
    unseal,
)

Variables = list[dict[str, Any]]
Value = str | int | float | bool | None


class Variable(msgspec.Struct, kw_only=True):
    """One variable; ``*****`` as the value of an encrypted one keeps what is stored."""

    key: str
    value: Value = ""
    encrypted: bool | None = None


class NewProject(msgspec.Struct, kw_only=True, rename="camel"):
    """The body that creates a project."""

    project_name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    tags: list[str] = []
    variables: list[Variable] = []


class ProjectChange(msgspec.Struct, kw_only=True, rename="camel"):
    """The parts of a project to change; what is absent stays."""

    project_name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)] | None = None
    tags: list[str] | None = None
    variables: list[Variable] | None = None


class ProjectOut(msgspec.Struct, kw_only=True, rename="camel"):
    """A project as readers see it."""

    id: str
    project_name: str
    account_id: str
    tags: list[str]
    variables: list[dict[str, Any]]
    pipelines_number: int
    favorite: bool
    created_at: str
    updated_at: str


class ProjectsOut(msgspec.Struct):
    """A page of projects."""

    projects: list[ProjectOut]
    total: int


def plain(variables: Iterable[Variable]) -> Variables:
    """Return variables as JSON values."""
    return [{"key": one.key, "value": one.value, "encrypted": bool(one.encrypted)} for one in variables]


def problems(variables: object, place: str) -> list[str]:
    """Say what is wrong with a list of variables, with the place of each problem; empty when fine."""
    if not isinstance(variables, list):
        return [f"{place}: must be a list of {{key, value, encrypted}}"]
    found = []
    for at, one in enumerate(variables):
        try:
            msgspec.convert(one, Variable)
        except msgspec.ValidationError as problem:
            found.append(f"{place}.{at}: {problem}; a variable is {{key, value, encrypted}}")
            continue
        if not one["key"]:
            found.append(f"{place}.{at}.key: is not allowed to be empty")
    return found


def stored_variables(
    box: SecretBox,
    account_id: str,
    given: Sequence[Mapping[str, Any]],
    before: Sequence[Mapping[str, Any]] | None,
    *,
    place: str = "variables",
) -> Variables:
    """Return variables as they are stored: encrypted values sealed.

    Args:
        box: seals.
        account_id: whose secrets they are.
        given: a list without `problems`.
        before: what is stored now. A given ``*****`` keeps the sealed value of the same key; with
            ``encrypted`` turned off it becomes empty, for a secret is never shown again. None: they are of
            something new, made of a document that was read elsewhere; there ``*****`` becomes empty.
        place: of the list, for messages.

    Raises:
        BadRequest: ``*****`` is to keep a secret where none is stored.
    """
    sealed = {one["key"]: one["value"] for one in before or () if sealed_text(one.get("value"))}
    stored = []
    for one in given:
        key, value = one["key"], one.get("value", "")
        if value == MASK and key in sealed:
            value = sealed[key] if one.get("encrypted") else ""
        elif one.get("encrypted"):
            if value == MASK and before is not None:
                raise nothing_kept(f"{place}.{key}")
            value = "" if value == MASK else seal(box, account_id, text_of(value))
        stored.append({**one, "value": value})
    return stored


def masked(variables: Iterable[Mapping[str, Any]]) -> Variables:
    """Return stored variables as readers see them."""
    return [{**one, "value": mask(one.get("value", ""))} for one in variables]


def opened(box: SecretBox, account_id: str, variables: Iterable[Mapping[str, Any]]) -> Variables:
    """Return stored variables in clear."""
    return [{**one, "value": unseal(box, account_id, one.get("value", ""))} for one in variables]


def layer(variables: Iterable[Mapping[str, Any]]) -> dict[str, str | SealedText]:
    """Return stored variables as one level of a build's variables: name → value, sealed or text."""
    return {one["key"]: sealed_text(one.get("value")) or text_of(one.get("value", "")) for one in variables}
