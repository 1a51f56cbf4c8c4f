"""The lists of the API: how many rows a client may ask for, and the shapes of the answers."""

from typing import Annotated

import msgspec

MAX_LIMIT = 10_000  # what the official client sends for ``--all``

Limit = Annotated[int, msgspec.Meta(ge=0, le=MAX_LIMIT, description="at most this many rows; 0: no limit")]
Offset = Annotated[int, msgspec.Meta(ge=0, le=10_000_000, description="rows to pass over")]
Page = Annotated[int, msgspec.Meta(ge=1, le=1_000_000, description="page, the first is 1")]


class OffsetQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """Paging by offset, as most lists do it."""

    limit: Limit = 25
    offset: Offset = 0


def rows(limit: int) -> int:
    """Return how many rows a query may take: a limit of 0 asks for all there are."""
    return limit or MAX_LIMIT
