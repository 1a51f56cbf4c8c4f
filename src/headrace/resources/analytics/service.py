"""The rules of reports: what each is, how long a time it may have, and what its rows say."""

from datetime import UTC, date, datetime, time, timedelta

import msgspec
from sqlalchemy import Connection

from headrace.http.errors import BadRequest
from headrace.http.rights import Rights
from headrace.resources.analytics.schemas import (
    Filters,
    ReportKind,
    ReportOut,
    ReportQuery,
    Spans,
    TimeDimensions,
)
from headrace.resources.builds import service as builds
from headrace.resources.builds.schemas import Measured, Wanted
from headrace.resources.projects import service as projects

_MOST_DAYS = {None: 366, "hour": 7, "day": 92, "week": 366, "month": 366}
_PERCENTS = {"Avg": None, "P50": 50, "P90": 90}
_WORDS = {"Avg": "mean", "P50": "median (P50)", "P90": "90th percentile (P90)"}
_DURATIONS = {f"build{kind}Duration": percent for kind, percent in _PERCENTS.items()}
_BY_PIPELINE = {f"pipeline{kind}Duration": percent for kind, percent in _PERCENTS.items()}


def kinds() -> list[ReportKind]:
    """Return what reports there are."""
    filters = ["projectId", "pipelineId", "status"]
    every = [step for step in _MOST_DAYS if step]
    found = []
    for kind, words in _WORDS.items():
        text = f"{words} duration of builds that have ended, with how many went well"
        found.append(
            ReportKind(
                name=f"build{kind}Duration",
                description=text,
                granularities=every,
                filters=filters,
            )
        )
        found.append(
            ReportKind(
                name=f"pipeline{kind}Duration",
                description=f"{text}: a row for each pipeline",
                granularities=[],
                filters=filters,
            )
        )
    return sorted(found, key=lambda each: each.name)


def report(db: Connection, rights: Rights, name: str, query: ReportQuery) -> ReportOut:
    """Return a report about the builds that the caller may read.

    Raises:
        BadRequest: there is none of that name, or the time, its steps or the filters cannot be.
        NotFound: a project is named that the account has not.
    """
    account_id = rights.caller.account_id
    filters = _filters(query.filters)
    if name not in _DURATIONS | _BY_PIPELINE:
        raise BadRequest(f"invalid report name {name[:60]!r}; GET /api/analytics/metadata lists them")
    if name in _BY_PIPELINE and query.granularity:
        raise BadRequest(f"report {name!r} has a row for each pipeline; leave 'granularity' out")
    begin, end = _time(query)
    for one in filters.project_id:
        rights.admit(db, "read", "project", one)
    wanted = Wanted(
        created_from=begin,
        created_before=end,
        by="pipeline" if name in _BY_PIPELINE else query.granularity or "",
        percent=(_DURATIONS | _BY_PIPELINE)[name],
        # As in the list of builds, a build that was denied is among those that failed.
        statuses=[*filters.status, *(["denied"] if "error" in filters.status else [])],
        pipeline_ids=filters.pipeline_id,
        projects=[projects.find(db, account_id, one).name for one in filters.project_id],
        seen=rights.seen(db, "pipeline"),
    )
    rows = [_row(one, wanted.by) for one in builds.measured(db, account_id, wanted)]
    last = end - timedelta(milliseconds=1)
    told = [each.replace(tzinfo=None).isoformat(timespec="milliseconds") for each in (begin, last)]
    return ReportOut(
        data=rows, time_dimensions=TimeDimensions(date_range=told, granularity=query.granularity)
    )


def _row(one: Measured, by: str) -> Spans:
    is_pipeline = by == "pipeline"
    return Spans(
        time=one.key if by and not is_pipeline else None,
        pipeline_id=one.key if is_pipeline else None,
        pipeline_name=one.name if is_pipeline else None,
        total_builds=one.total,
        successful_builds=one.succeeded,
        success_rate=round(100 * one.succeeded / one.total, 2),
        total_duration=round(one.total_ms),
        running_duration=round(one.running_ms or 0),
        delay_duration=round(one.delay_ms or 0),
    )


def _time(query: ReportQuery) -> tuple[datetime, datetime]:
    if len(query.date_range) != 2:  # noqa: PLR2004 - first and last
        raise BadRequest("dateRange is needed twice: dateRange=2026-01-01&dateRange=2026-01-31")
    first, last = sorted(query.date_range)
    days, most = (last - first).days + 1, _MOST_DAYS[query.granularity]
    if days > most:
        steps = f"granularity {query.granularity!r}" if query.granularity else "one report"
        raise BadRequest(f"dateRange has {days} days; {steps} has at most {most}")
    return _midnight(first), _midnight(last) + timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _filters(text: str) -> Filters:
    try:
        return msgspec.json.decode(text or "{}", type=Filters)
    except msgspec.MsgspecError as problem:
        raise BadRequest(f"filters: {problem}; write {{'status': ['success']}} as JSON") from None
