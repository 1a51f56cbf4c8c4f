"""Reports on the wire.

Source: Codefresh docs, "Analytics API"; spans are milliseconds, as in its examples.
"""

import datetime as dt
from typing import Annotated, Literal

import msgspec

Granularity = Literal["hour", "day", "week", "month"]
_Ids = Annotated[list[str], msgspec.Meta(max_length=100)]


class ReportQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """What a report is about."""

    date_range: Annotated[
        list[dt.date], msgspec.Meta(description="first and last day, both included, in UTC; two values")
    ] = []
    granularity: Annotated[
        Granularity | None, msgspec.Meta(description="a row for each; absent: one row for the whole time")
    ] = None
    filters: Annotated[
        str,
        msgspec.Meta(
            max_length=10_000,
            description="JSON: an object of `projectId`, `pipelineId`, `status`, each a list of texts",
        ),
    ] = ""


class Filters(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which builds: all must match, of several values any."""

    project_id: _Ids = []
    pipeline_id: _Ids = []
    status: list[Literal["success", "error", "terminated"]] = []


class Spans(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """Builds that have ended, put together."""

    time: Annotated[str | None, msgspec.Meta(description="begin of the hour, day, week or month")] = None
    pipeline_id: str | None = None
    pipeline_name: str | None = None
    total_builds: int
    successful_builds: int
    success_rate: Annotated[float, msgspec.Meta(description="percent")]
    total_duration: Annotated[int, msgspec.Meta(description="from asked for to ended")]
    running_duration: Annotated[int, msgspec.Meta(description="from begun to ended, of those that began")]
    delay_duration: Annotated[int, msgspec.Meta(description="from asked for to begun")]


class TimeDimensions(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """The time of a report."""

    date_range: list[str] = []
    granularity: str | None = None


class ReportOut(msgspec.Struct, kw_only=True, rename="camel"):
    """A report. Times without a build have no row."""

    data: list[Spans]
    time_dimensions: TimeDimensions


class ReportKind(msgspec.Struct, kw_only=True, rename="camel"):
    """What a report can be asked."""

    name: str
    description: str
    granularities: list[str]
    filters: list[str]
