"""What the client knows of an operation; the table of all of them is made from the API document."""

from __future__ import annotations

from typing import NamedTuple


class Operation(NamedTuple):
    """One operation of the API.

    Attributes:
        method: of the request.
        path: below ``/api``, with ``{names}``.
        path_names: the names in it, in order, as on the wire.
        query: names of the query string.
        has_body: it takes a JSON body.
        is_stream: it answers with server-sent events.
        is_keyed: the server keeps the answer under an idempotency key: sent twice, done once.
        has_effect: sent twice, it may do something twice, unless it is keyed.
    """

    method: str
    path: str
    path_names: tuple[str, ...]
    query: tuple[str, ...]
    has_body: bool
    is_stream: bool
    is_keyed: bool
    has_effect: bool
