"""``printf``: Go's verbs."""

import json
import re

from headrace.pipeline.templates.values import Budget, Value, Wrong, kind, nested, number_text

_VERB = re.compile(r"%([-+# 0]*)(\d+|\*)?(?:\.(\d+|\*)?)?([a-zA-Z%])|%")
_WIDEST = 1_000  # characters that one value may be padded to


def printf(pattern: str, values: list[Value], budget: Budget) -> str:
    """Fill a pattern; mistakes show in the text, as in Go: ``%!d(string=x)``.

    Raises:
        Wrong: a width is taken from the arguments, or too wide.
    """
    left = list(values)
    parts: list[str] = []
    done = 0
    for found in _VERB.finditer(pattern):
        parts.append(pattern[done : found.start()])
        parts.append(_verb(found, left, budget))
        done = found.end()
    parts.append(pattern[done:])
    if left:
        extra = ", ".join(f"{kind(value)}={nested(value, budget)}" for value in left)
        parts.append(f"%!(EXTRA {extra})")
    budget.spend(sum(map(len, parts)))
    return "".join(parts)


def _verb(found: re.Match[str], left: list[Value], budget: Budget) -> str:
    flags, width, precision, verb = found.groups()
    if verb is None:
        return "%!(NOVERB)"
    if verb == "%":
        return "%"
    if "*" in (width, precision):
        raise Wrong("printf: '*' is not offered; write the width as a number")
    if not left:
        return f"%!{verb}(MISSING)"
    value = left.pop(0)
    size, digits = int(width or 0), None if "." not in found.group() else int(precision or 0)
    if max(size, digits or 0) > _WIDEST:
        raise Wrong(f"printf: a width over {_WIDEST}")
    text = _shown(verb, flags, value, digits, budget)
    if text is None:
        return f"%!{verb}({kind(value)}={nested(value, budget)})"
    return _padded(text, flags, size, numeric=isinstance(value, int | float) and verb not in "vsqt")


def _padded(text: str, flags: str, size: int, *, numeric: bool) -> str:
    if "-" in flags:
        return text.ljust(size)
    if "0" in flags and numeric:
        sign, digits = (text[0], text[1:]) if text[:1] in ("-", "+") else ("", text)
        return sign + digits.rjust(size - len(sign), "0")
    return text.rjust(size)


def _shown(verb: str, flags: str, value: Value, digits: int | None, budget: Budget) -> str | None:
    """One value; None where the verb does not fit it."""
    if verb in "vT":
        return kind(value) if verb == "T" else nested(value, budget)
    if isinstance(value, bool):
        return nested(value, budget) if verb == "t" else None
    if isinstance(value, list | dict):
        return nested(value, budget) if verb == "s" else None
    if isinstance(value, str):
        return _text(verb, value, digits)
    if isinstance(value, int):
        return _whole(verb, flags, value)
    return _number(verb, flags, value, digits) if isinstance(value, float) else None


def _text(verb: str, value: str, digits: int | None) -> str | None:
    cut = value[:digits]
    if verb == "s":
        return cut
    if verb == "q":
        return json.dumps(cut, ensure_ascii=False)
    if verb in "xX":
        coded = cut.encode().hex()
        return coded.upper() if verb == "X" else coded
    return None


def _whole(verb: str, flags: str, value: int) -> str | None:
    sign = "+" if "+" in flags else ""
    if verb in "dboxX":
        return format(value, sign + verb)
    if verb == "c":
        return chr(value) if 0 <= value < 0x110000 else "\ufffd"  # noqa: PLR2004  # the end of Unicode
    return None


def _number(verb: str, flags: str, value: float, digits: int | None) -> str | None:
    if verb == "g" and digits is None:
        return number_text(value)
    if verb in "feEgG":
        sign = "+" if "+" in flags else ""
        return format(value, f"{sign}.{6 if digits is None else digits}{verb}")
    return None
