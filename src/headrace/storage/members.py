"""Asks inside JSON that is stored as text, in the database, alike on both engines."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Boolean, ColumnElement, String, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import NullType


class has_member(GenericFunction[bool]):  # noqa: N801 - is written as a function
    """Whether a list has a member.

    ``has_member(column, "a")`` looks into a JSON list; ``has_member(column, "a", key="tags")`` into what
    a JSON object has below a key: a list, or one value alone. Members that are no texts have the text
    that JSON writes for them: ``true``, ``5``.
    """

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], member: str, *, key: str | None = None) -> None:
        super().__init__(column, _text(member), *([] if key is None else [_text(key)]))


class has_members(GenericFunction[bool]):  # noqa: N801 - is written as a function
    """Whether a list has any member at all; arguments but for the member as in `has_member`."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], *, key: str | None = None) -> None:
        super().__init__(column, *([] if key is None else [_text(key)]))


class is_one_of(GenericFunction[Any]):  # noqa: N801 - as above
    """Whether a text is among some, however many: they are one parameter of the statement."""

    type = NullType()  # SQLite has no Boolean: ``… IN (…) = 1`` would be read by no index
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], texts: Sequence[str]) -> None:
        super().__init__(column, _text(msgspec.json.encode(texts).decode()))


def _text(value: str) -> BindParameter[str]:
    return bindparam(None, value, type_=String, unique=True)


@compiles(has_member, "sqlite")
def _on_sqlite(element: has_member, compiler: SQLCompiler, **more: Any) -> str:  # noqa: ANN401 - of the compiler
    column, member, *key = [compiler.process(clause, **more) for clause in element.clauses]
    return _in_sqlite(column, key, f"{_sqlite_text('m')} = {member}")


@compiles(has_members, "sqlite")
def _any_on_sqlite(element: has_members, compiler: SQLCompiler, **more: Any) -> str:  # noqa: ANN401 - as above
    column, *key = [compiler.process(clause, **more) for clause in element.clauses]
    return _in_sqlite(column, key, "1 = 1")


def _in_sqlite(column: str, key: list[str], is_meant: str) -> str:
    source, of_key = f"json_each({column}) AS m", ""
    if key:  # compared as it is: a path of json_each could not say every key
        below = f"CASE o.type WHEN 'array' THEN o.value ELSE json_array({_sqlite_text('o')}) END"
        source, of_key = f"json_each({column}) AS o, json_each({below}) AS m", f" AND o.key = {key[0]}"
    return f"EXISTS (SELECT 1 FROM {source} WHERE {is_meant}{of_key})"  # noqa: S608 - compiled


def _sqlite_text(row: str) -> str:
    """Say what a row of json_each has as text: its value is 1 for ``true``."""
    words = "('true', 'false', 'null')"
    return f"CASE WHEN {row}.type IN {words} THEN {row}.type ELSE CAST({row}.value AS TEXT) END"


@compiles(has_member, "postgresql")
def _on_postgresql(element: has_member, compiler: SQLCompiler, **more: Any) -> str:  # noqa: ANN401 - as above
    column, member, *key = [compiler.process(clause, **more) for clause in element.clauses]
    return _in_postgresql(column, key, f"coalesce(m.t, 'null') = {member}")


@compiles(has_members, "postgresql")
def _any_on_postgresql(element: has_members, compiler: SQLCompiler, **more: Any) -> str:  # noqa: ANN401 - as above
    column, *key = [compiler.process(clause, **more) for clause in element.clauses]
    return _in_postgresql(column, key, "1 = 1")


def _in_postgresql(column: str, key: list[str], is_meant: str) -> str:
    source, of_key = f"jsonb_array_elements_text(CAST({column} AS jsonb)) AS m(t)", ""
    if key:
        below = "CASE jsonb_typeof(o.v) WHEN 'array' THEN o.v ELSE jsonb_build_array(o.v) END"
        source = f"jsonb_each(CAST({column} AS jsonb)) AS o(k, v), jsonb_array_elements_text({below}) AS m(t)"
        of_key = f" AND o.k = {key[0]}"
    return f"EXISTS (SELECT 1 FROM {source} WHERE {is_meant}{of_key})"  # noqa: S608 - as above


@compiles(is_one_of, "sqlite")
def _one_of_on_sqlite(element: is_one_of, compiler: SQLCompiler, **more: Any) -> str:  # noqa: ANN401 - as above
    column, texts = [compiler.process(clause, **more) for clause in element.clauses]
    return f"{column} IN (SELECT value FROM json_each({texts}))"  # noqa: S608 - as above


@compiles(is_one_of, "postgresql")
def _one_of_on_postgresql(element: is_one_of, compiler: SQLCompiler, **more: Any) -> str:  # noqa: ANN401 - as above
    column, texts = [compiler.process(clause, **more) for clause in element.clauses]
    return f"{column} = ANY(ARRAY(SELECT jsonb_array_elements_text(CAST({texts} AS jsonb))))"
