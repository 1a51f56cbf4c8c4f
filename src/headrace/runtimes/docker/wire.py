"""Protocol buffers, as much as BuildKit's session and progress need: a reader and a writer of fields.

The messages are few and flat, so that classes made from ``.proto`` files would be more than this.
"""

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MORE, _SEVEN = 0x80, 0x7F
_WIDTHS = {_FIXED64: 8, _FIXED32: 4}


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield (number, value) of a message in order: an int, or bytes for texts and inner messages.

    Raises:
        ValueError: the data is no message.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            length, at = _varint(data, at)
        elif kind in _WIDTHS:
            length = _WIDTHS[kind]
        else:
            raise ValueError(f"field {number} has wire type {kind}, which no message has")
        if at + length > len(data):
            raise ValueError(f"field {number} is cut short")
        yield number, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & _SEVEN) << shift
        if byte < _MORE:
            return value, at
        shift += 7
    raise ValueError("a number is cut short")


def text(number: int, value: str | bytes) -> bytes:
    """Return one field that holds a text or bytes."""
    data = value.encode() if isinstance(value, str) else value
    return _number(number << 3 | _BYTES) + _number(len(data)) + data


def integer(number: int, value: int) -> bytes:
    """Return one field that holds a number, zero or above."""
    return _number(number << 3 | _VARINT) + _number(value)


def _number(value: int) -> bytes:
    out = bytearray()
    while value >= _MORE:
        out.append(value & _SEVEN | _MORE)
        value >>= 7
    out.append(value)
    return bytes(out)
