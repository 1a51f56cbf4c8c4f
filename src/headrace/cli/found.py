"""What may be there or not: asking for it, without an error where it is not."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from headrace.client.errors import ApiError

Found = TypeVar("Found")


def found_by(get: Callable[[str], Found], name: str) -> Found | None:
    """What a call gets by a name or an id; None where the server has none.

    Args:
        get: a method of the client.
        name: as the user wrote it; what cannot be an id (400) is none.

    Raises:
        ApiError: the server refused for another reason.
    """
    try:
        return get(name)
    except ApiError as error:
        if error.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND):
            return None
        raise
