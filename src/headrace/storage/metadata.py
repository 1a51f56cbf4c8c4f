"""The one MetaData that all tables share, and the column types that both engines store alike."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Column, DateTime, ForeignKey, MetaData, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ID_DIGITS = 24


class UtcTime(TypeDecorator[datetime]):
    """A moment: aware and in UTC in Python, microseconds on both engines.

    SQLite stores text of fixed width, so that text order is time order; PostgreSQL stores
    ``timestamptz``. A naive datetime is refused with `ValueError`.
    """

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column type of an engine."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401 - as declared
        """Turn a moment into what the engine stores."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the time {value!r} has no zone; use an aware datetime")
        value = value.astimezone(UTC)
        if dialect.name == "postgresql":
            return value
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401 - as declared
        """Turn what the engine stores into a moment."""
        if value is None:
            return None
        if dialect.name == "postgresql":
            return value.astimezone(UTC)  # type: ignore[no-any-return]
        return datetime.fromisoformat(value)


class JsonText(TypeDecorator[Any]):
    """Any JSON value, stored as text on both engines; NULL is None, as is JSON ``null``."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401, ARG002 - as declared
        """Encode a value; `msgspec.Struct`s are taken too."""
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002 - as declared
        """Decode the stored text."""
        return None if value is None else msgspec.json.decode(value)


def id_column() -> Column[str]:
    """Return the primary key ``id``: 24 hex digits of `kit.ids.new_id`."""
    return Column("id", String(_ID_DIGITS), primary_key=True)


def reference(name: str, target: str | None = None, *, nullable: bool = False) -> Column[str]:
    """Return a column that holds the id of another row.

    Args:
        name: of the column, for example ``account_id``.
        target: ``table.column`` of a foreign key whose deletion takes this row along; None for an
            id without one.
        nullable: whether the row may do without.
    """
    constraints = [] if target is None else [ForeignKey(target, ondelete="CASCADE")]
    return Column(name, String(_ID_DIGITS), *constraints, nullable=nullable)
