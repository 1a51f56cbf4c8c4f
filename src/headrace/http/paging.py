"""The lists of the API: how many rows a client may ask for, and where its next page begins.

A client counts pages as the official ones do, by ``offset`` or ``page``. Or it follows the header
``Link`` of an answer: the address with ``rel="next"`` has a cursor, the place of the last row that
was shown. A page by cursor begins there, in an index, whatever came before it and whatever was
added or removed meanwhile; so the last page costs what the first one costs.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, urlencode

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    bindparam,
    func,
    select,
    tuple_,
)

from headrace.http.errors import BadRequest
from headrace.storage.metadata import UtcTime

MAX_LIMIT = 10_000  # what the official client sends for ``--all``
_DEFAULT_LIMIT = 25
_ALL = 1 << 31
_PLACES = ("after", "offset", "page")  # what says where a page begins

Limit = Annotated[int, msgspec.Meta(ge=0, le=MAX_LIMIT, description="at most this many rows; 0: no limit")]
Offset = Annotated[int, msgspec.Meta(ge=0, le=10_000_000, description="rows to pass over")]
Page = Annotated[int, msgspec.Meta(ge=1, le=1_000_000, description="page, the first is 1")]
After = Annotated[
    str,
    msgspec.Meta(
        max_length=4096,
        description='the cursor in the header `Link` of the page before (`rel="next"`); '
        "instead of counting rows",
    ),
]

Item = TypeVar("Item")


class PageQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """Paging of lists that are whole unless a limit is given."""

    limit: Limit = 0
    after: After = ""


class OffsetQuery(PageQuery, kw_only=True, rename="camel"):
    """Paging by offset, as most lists do it."""

    limit: Limit = _DEFAULT_LIMIT
    offset: Offset = 0


def rows(limit: int) -> int:
    """Return how many rows a query may take: a limit of 0 asks for all there are."""
    return limit or MAX_LIMIT


class Pages:
    """The page of a list that one request asks for; learns where the next one begins.

    Args:
        limit: at most this many rows; by default all there are.
        offset: rows to pass over, where there is no cursor.
        after: a cursor; empty: begin with the first row.
    """

    def __init__(self, *, limit: int = _ALL, offset: int = 0, after: str = "") -> None:
        self.limit, self.offset, self.after = limit, 0 if after else offset, after
        self.next = ""  # the cursor of the next page; empty: this one is the last

    @classmethod
    def of(cls, query: Any) -> "Pages":  # noqa: ANN401 - any struct with some of the three fields
        """Return the page that a query string asks for."""
        limit, offset = getattr(query, "limit", None), getattr(query, "offset", None)
        return cls(
            limit=rows(_DEFAULT_LIMIT if limit is None else limit),
            offset=offset or 0,
            after=getattr(query, "after", None) or "",
        )

    def read(
        self, db: Connection, query: Select[Any], *order: ColumnElement[Any], descending: bool = False
    ) -> Sequence[RowMapping]:
        """Read the rows of the page.

        Args:
            db: an open connection.
            query: the whole list, in no order; has the columns of ``order`` under their own names.
            order: what the list is ordered by; the last one tells all rows apart. None is ever NULL,
                each is text or a time.
            descending: the highest first.

        Raises:
            BadRequest: the cursor is none of such a list.
        """
        key = tuple_(*order)
        ordered = query.order_by(*(column.desc() if descending else column for column in order))
        if self.after:
            place = tuple_(*_bound(order, self._place([_is_time(column) for column in order])))
            ordered = ordered.where(key < place if descending else key > place)
        elif self.offset:
            # Rows are passed over in the index alone; those that are shown are read whole.
            first = ordered.with_only_columns(*order).limit(1).offset(self.offset)
            found = db.execute(first).first()
            if found is None:
                return ()
            place = tuple_(*_bound(order, found))
            ordered = ordered.where(key <= place if descending else key >= place)
        page = db.execute(ordered.limit(self.limit + 1)).mappings().all()
        if len(page) > self.limit:
            page = page[: self.limit]
            self.next = _cursor([page[-1][column] for column in order])
        return page

    def cut(self, items: Iterable[Item], name: Callable[[Item], str]) -> Sequence[Item]:
        """Return the page of a list that is in memory, by name.

        Args:
            items: the whole list.
            name: of an item; no other has it.

        Raises:
            BadRequest: the cursor is none of such a list.
        """
        found = sorted(items, key=name)
        if self.after:
            (last,) = self._place([False])
            found = [item for item in found if name(item) > last]
        page = found[self.offset : self.offset + self.limit]
        if page and len(found) > self.offset + self.limit:
            self.next = _cursor([name(page[-1])])
        return page

    def _place(self, times: Sequence[bool]) -> list[Any]:
        """Read the cursor: a text for each column, for some the text of a time."""
        try:
            padded = self.after + "=" * (-len(self.after) % 4)
            values = msgspec.json.decode(
                base64.b64decode(padded, altchars=b"-_", validate=True), type=list[str]
            )
            read = [
                msgspec.convert(value, _Moment) if is_time else value
                for value, is_time in zip(values, times, strict=True)
            ]
        except (ValueError, binascii.Error, msgspec.MsgspecError):
            raise self._bad() from None
        if any("\0" in value for value in values):
            raise self._bad()
        return read

    def _bad(self) -> BadRequest:
        cure = (
            "take it from the header Link of a page of the same list, or leave it out to begin at the start"
        )
        return BadRequest(f"query string: after: {self.after[:80]!r} is no cursor of this list; {cure}")

    def link(self, path: str, query: str) -> str:
        """Return the value of the header ``Link``; empty where this page is the last.

        Args:
            path: of the request, as the client wrote it.
            query: its query string.
        """
        if not self.next:
            return ""
        pairs = [
            (name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name not in _PLACES
        ]
        return f'<{path}?{urlencode([*pairs, ("after", self.next)])}>; rel="next"'


_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


def total(db: Connection, table: Table, *conditions: ColumnElement[bool]) -> int:
    """Return how many rows of a table match all conditions."""
    return int(db.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one())


def _is_time(column: ColumnElement[Any]) -> bool:
    return isinstance(column.type, UtcTime)


def _bound(order: Sequence[ColumnElement[Any]], values: Sequence[Any]) -> list[BindParameter[Any]]:
    both = zip(order, values, strict=True)
    return [bindparam(None, value, type_=column.type, unique=True) for column, value in both]


def _cursor(values: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).rstrip(b"=").decode()
