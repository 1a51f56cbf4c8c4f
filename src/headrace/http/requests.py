"""From bytes to values: the query string and the body of a request, with errors that name a place."""

import functools
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from headrace.http.errors import BadRequest

_MAX_FIELDS = 1000
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

    Raises:
        BadRequest: it is no JSON, nests too deeply, holds NUL, or has a wrong type at a place.
    """
    try:
        value = msgspec.json.decode(data or b"{}", type=kind, strict=True)
        if b"\\u0000" in data and holds_nul(msgspec.json.decode(data)):
            raise BadRequest("body: NUL characters are not accepted")
    except msgspec.ValidationError as problem:
        raise BadRequest(f"body: {problem}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise BadRequest(f"body is not valid JSON: {problem}") from None
    except RecursionError:
        raise BadRequest("body nests too deeply") from None
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
