"""From bytes to values: the query string and the body of a request, with errors that name a place."""

import functools
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from headrace.http.errors import BadRequest

_MAX_FIELDS = 1000
_GOT_NUMBER = ("got `int`", "got `float`")
Query = TypeVar("Query", bound=msgspec.Struct)


def read_query(text: str) -> dict[str, list[str]]:
    """Split a query string: name → values in order. Brackets stay part of the name.

    Raises:
        BadRequest: it is no UTF-8, holds NUL, or has over 1,000 fields.
    """
    if not text:
        return {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as problem:
        raise BadRequest(f"query string: {problem}") from None
    query: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\0" in value or "\0" in name:
            raise BadRequest("query string: NUL characters are not accepted")
        query.setdefault(name, []).append(value)
    return query


def fill_query(kind: type[Query], query: Mapping[str, list[str]]) -> Query:
    """Make the declared query object: lists take every value, scalars the last, dicts ``name[key]``.

    Raises:
        BadRequest: a value does not fit; the message names the parameter.
    """
    values: dict[str, Any] = {}
    for name, shape in _shapes(kind):
        if shape == "dict":
            values[name] = _bracketed(name, query)
        elif name in query:
            values[name] = query[name] if shape == "list" else query[name][-1]
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as problem:
        raise BadRequest(f"query string: {problem}") from None


@functools.cache
def _shapes(kind: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """Return the wire name of each field, and how its values are read."""
    return tuple((field.encode_name, _shape(field.type)) for field in msgspec.structs.fields(kind))


def _shape(annotation: Any) -> str:  # noqa: ANN401 - any annotation
    kind = _bare(msgspec.inspect.type_info(annotation))
    kinds = [_bare(one) for one in kind.types] if isinstance(kind, msgspec.inspect.UnionType) else [kind]
    if any(isinstance(one, msgspec.inspect.DictType) for one in kinds):
        return "dict"
    lists = (msgspec.inspect.ListType, msgspec.inspect.VarTupleType)
    return "list" if any(isinstance(one, lists) for one in kinds) else "scalar"


def _bare(kind: msgspec.inspect.Type) -> msgspec.inspect.Type:
    """Return a type without its description."""
    return kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind


def _bracketed(name: str, query: Mapping[str, list[str]]) -> dict[str, str]:
    """Read ``labels[tags]=a`` and the short form ``labels=tags=a``."""
    found = {
        key[len(name) + 1 : -1]: values[-1]
        for key, values in query.items()
        if key.startswith(name + "[") and key.endswith("]")
    }
    for short in query.get(name, ()):
        key, equals, value = short.partition("=")
        if equals:
            found[key] = value
    return found


def read_body(kind: Any, data: bytes) -> Any:  # noqa: ANN401 - the declared type of the body
    """Decode a JSON body into the declared type. An empty body is an empty object.

    A number where a text is declared is that text: ``-b 2024`` leaves the npm client as a number.

    Raises:
        BadRequest: it is no JSON, nests too deeply, holds NUL, or has a wrong type at a place.
    """
    try:
        try:
            value = msgspec.json.decode(data or b"{}", type=kind, strict=True)
        except msgspec.ValidationError as problem:
            if not any(got in str(problem) for got in _GOT_NUMBER):
                raise
            plain = _numbers_as_texts(msgspec.json.decode(data), _type_of(kind))
            value = msgspec.json.decode(msgspec.json.encode(plain), type=kind, strict=True)
        if b"\\u0000" in data and holds_nul(msgspec.json.decode(data)):
            raise BadRequest("body: NUL characters are not accepted")
    except msgspec.ValidationError as problem:
        raise BadRequest(f"body: {problem}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise BadRequest(f"body is not valid JSON: {problem}") from None
    except RecursionError:
        raise BadRequest("body nests too deeply") from None
    return value


_type_of = functools.cache(msgspec.inspect.type_info)


def _numbers_as_texts(value: Any, kind: msgspec.inspect.Type) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value whose numbers are texts where the type takes a text and no number."""
    shapes = msgspec.inspect
    bare = _bare(kind)
    kinds = tuple(map(_bare, bare.types)) if isinstance(bare, shapes.UnionType) else (bare,)
    if isinstance(value, int | float) and not isinstance(value, bool):
        numbers = (shapes.IntType, shapes.FloatType, shapes.AnyType)
        takes_text = any(isinstance(one, shapes.StrType) for one in kinds)
        if takes_text and not any(isinstance(one, numbers) for one in kinds):
            return msgspec.json.encode(value).decode()
    for one in kinds:
        if isinstance(value, dict) and isinstance(one, shapes.StructType):
            types = {field.encode_name: field.type for field in one.fields}
            return {
                name: _numbers_as_texts(part, types[name]) if name in types else part
                for name, part in value.items()
            }
        if isinstance(value, dict) and isinstance(one, shapes.DictType):
            return {name: _numbers_as_texts(part, one.value_type) for name, part in value.items()}
        if isinstance(value, list) and isinstance(one, shapes.ListType | shapes.VarTupleType):
            return [_numbers_as_texts(part, one.item_type) for part in value]
    return value


def holds_nul(value: object) -> bool:
    """Tell whether a NUL character is anywhere in a JSON value: databases refuse it in text."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            if "\0" in one:
                return True
        elif isinstance(one, dict):
            pending.extend(one.keys())
            pending.extend(one.values())
        elif isinstance(one, list):
            pending.extend(one)
    return False
