"""``type: cron``: times in UTC, in the dialect of `reference/pipeline-yaml.md`, section 7.3.

Five fields and an optional year. cronsim reads them; what it takes otherwise is brought into its
form first: ``N/k``, ``?``, the year, aliases in any case.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cronsim import CronSim, CronSimError

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))  # of the five fields
_MOST_TEXT = 150
_MESSAGE = re.compile(r"[A-Za-z0-9_+\s#?.:-]{2,128}", re.ASCII)
_YEAR = re.compile(r"(\*|\?|\d{4})(?:-(\d{4}))?(?:/(\d+))?", re.ASCII)
_LAST_YEAR = 2099


class BadExpression(ValueError):
    """A cron expression cannot be read, or never comes true; the text says which."""


def problems(trigger: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with a trigger: (field, complaint, cure)."""
    expression, message = trigger.get("expression"), trigger.get("message")
    if not isinstance(expression, str) or not expression:
        yield "expression", "is required and must be a text", "write '0 6 * * 1-5' or '@daily'"
    else:
        try:
            read(expression)
        except BadExpression as problem:
            yield "expression", str(problem), "write five fields, as '0 6 * * 1-5', or '@daily'"
    if not isinstance(message, str) or not _MESSAGE.fullmatch(message):
        yield (
            "message",
            "must be a text of 2 to 128 letters, digits, blanks and _+-#?.:",
            "write message: nightly",
        )
    if bool(trigger.get("gitTriggerId")) != bool(trigger.get("branch")):
        yield "gitTriggerId", "and branch need each other", "write both, or none"


class Schedule:
    """A cron expression that was read."""

    def __init__(self, fields: str, years: frozenset[int] | None) -> None:
        self._fields = fields
        self._years = years

    def after(self, moment: datetime) -> datetime | None:
        """Return the first time after a moment, aware, UTC; None where there is none any more."""
        start = moment.astimezone(UTC)
        if self._years is None:
            return self._next(start)
        for year in sorted(one for one in self._years if one >= start.year):
            # The second before a year, so that its first instant counts.
            found = self._next(max(start, datetime(year, 1, 1, tzinfo=UTC) - timedelta(seconds=1)))
            if found is not None and found.year == year:
                return found
        return None

    def _next(self, moment: datetime) -> datetime | None:
        try:
            return next(CronSim(self._fields, moment), None)
        except OverflowError:  # beyond the last year that Python knows
            return None


@lru_cache(maxsize=256)
def read(expression: str) -> Schedule:
    """Read an expression.

    Raises:
        BadExpression: it cannot be read, or it never comes true.
    """
    text = expression.strip()
    if len(text) > _MOST_TEXT:
        raise BadExpression(f"a cron expression has at most {_MOST_TEXT} characters")
    text = ALIASES.get(text.lower(), text)
    fields = text.upper().split()
    if not len(_RANGES) <= len(fields) <= len(_RANGES) + 1:
        raise BadExpression(f"{expression!r} has {len(fields)} fields, not five (and a year)")
    years = _years(fields[5]) if len(fields) > len(_RANGES) else None
    plain = " ".join(_field(field, *limits) for field, limits in zip(fields, _RANGES, strict=False))
    schedule = Schedule(plain, years)
    try:
        found = schedule.after(datetime(1970, 1, 1, tzinfo=UTC))
    except CronSimError as problem:
        raise BadExpression(f"{expression!r} is no cron expression: {str(problem).lower()}") from None
    if found is None:
        raise BadExpression(f"{expression!r} never comes true")
    return schedule


def _field(field: str, least: int, most: int) -> str:
    """Bring one field into the form of cronsim."""
    items = []
    for item in field.split(","):
        base, slash, step = item.partition("/")
        if base == "?":
            base = "*"
        if slash and "-" not in base and base != "*":
            base = f"{base}-{most}"
        # All there is, one by one, is no restriction: days of month and week are then not alternatives.
        if base in (f"{least}-{most}", "*") and (not slash or step == "1"):
            return "*"
        items.append(base + slash + step)
    return ",".join(items)


def _years(field: str) -> frozenset[int] | None:
    """Return the years of the sixth field; None for every one."""
    found: set[int] = set()
    for item in field.split(","):
        parts = _YEAR.fullmatch(item)
        if parts is None or parts[3] == "0":
            raise BadExpression(f"{item!r} is no year")
        every = parts[1] in ("*", "?")
        if every and not parts[3]:
            return None
        first = 1970 if every else int(parts[1])
        last = int(parts[2]) if parts[2] else _LAST_YEAR if parts[3] or every else first
        found |= set(range(first, min(last, _LAST_YEAR) + 1, int(parts[3] or 1)))
    return frozenset(found)
