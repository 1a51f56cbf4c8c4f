"""JavaScript regular expressions, as pipeline files write them."""

import re


class BadRegex(ValueError):
    """The pattern cannot be read, or costs too much; the text says which."""


def search(pattern: str, text: str, flags: str = "") -> bool:
    """Tell whether the pattern matches anywhere in the text.

    Args:
        pattern: in JavaScript's syntax, without slashes.
        text: what is searched.
        flags: any of ``g i m s u y``; ``g``, ``u`` and ``y`` have no influence.

    Raises:
        BadRegex: the pattern is malformed or too costly.
    """
    bits = re.IGNORECASE if "i" in flags else re.NOFLAG
    try:
        return re.search(pattern, text, bits) is not None
    except (re.error, OverflowError, RecursionError) as error:
        raise BadRegex(f"{error} in regular expression {pattern!r}") from None


def split_literal(literal: str) -> tuple[str, str] | None:
    """Split ``/regex/flags`` into its parts; None where the text is no such literal."""
    parts = re.fullmatch(r"/(.+)/([gimsuy]*)", literal, re.DOTALL)
    return (parts[1], parts[2]) if parts else None
