"""Dates in tables: fixed forms, relative ones, and patterns as moment.js reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

DATE = "YYYY-MM-DD"
DATETIME = "YYYY-MM-DD, hh:mm:ss"  # a 12-hour clock, as the official client prints
RELATIVE = "relative"
NAMED = {"date": DATE, "datetime": DATETIME, "date-diff": RELATIVE}
_TOKEN = re.compile(r"\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|DD|D|dddd|ddd|HH|H|hh|h|mm|m|ss|s|SSS|A|a|ZZ|Z|X|x")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def parse(text: object) -> datetime | None:
    """A moment of the API (``2024-01-02T03:04:05.678Z``); None for none or another text."""
    if not isinstance(text, str) or not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def show(moment: datetime, pattern: str) -> str:
    """Write a moment in local time by a pattern, or as the time since then."""
    if pattern == RELATIVE:
        return since((datetime.now(UTC) - moment).total_seconds())
    local = moment.astimezone()
    return _TOKEN.sub(lambda found: found[1] if found[1] is not None else _part(found[0], local), pattern)


def _part(token: str, moment: datetime) -> str:
    code = {
        "YYYY": "%Y",
        "YY": "%y",
        "MMMM": "%B",
        "MMM": "%b",
        "MM": "%m",
        "DD": "%d",
        "dddd": "%A",
        "ddd": "%a",
        "HH": "%H",
        "hh": "%I",
        "mm": "%M",
        "ss": "%S",
        "A": "%p",
        "ZZ": "%z",
        "X": "%s",
    }.get(token)
    if code is not None:
        return moment.strftime(code)
    numbers = {
        "M": moment.month,
        "D": moment.day,
        "H": moment.hour,
        "h": moment.hour % 12 or 12,
        "m": moment.minute,
        "s": moment.second,
        "x": int(moment.timestamp() * 1000),
    }
    if token in numbers:
        return str(numbers[token])
    if token == "SSS":  # noqa: S105 — milliseconds, no secret
        return f"{moment.microsecond // 1000:03d}"
    if token == "a":  # noqa: S105 — am or pm
        return moment.strftime("%p").lower()
    zone = moment.strftime("%z")
    return f"{zone[:3]}:{zone[3:]}"


def since(seconds: float) -> str:
    """How long ago in words, ``3 years ago``; negative seconds lie ahead, ``in 2 hours``."""
    words = _span(abs(seconds))
    return f"in {words}" if seconds < 0 else f"{words} ago"


def _span(seconds: float) -> str:
    """Steps and roundings of moment.js: 45 seconds make a minute, 22 hours a day, and so on."""
    minutes, hours, days = round(seconds / _MINUTE), round(seconds / _HOUR), round(seconds / _DAY)
    months, years = round(seconds / (_DAY * 30.436875)), round(seconds / (_DAY * 365.2425))
    for value, limit, one, many in (
        (round(seconds), 45, "a few seconds", "a few seconds"),
        (minutes, 45, "a minute", "minutes"),
        (hours, 22, "an hour", "hours"),
        (days, 26, "a day", "days"),
        (months, 11, "a month", "months"),
    ):
        if value < limit:
            return one if value <= 1 or one == many else f"{value} {many}"
    return "a year" if years <= 1 else f"{years} years"
