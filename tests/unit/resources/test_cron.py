"""Cron expressions in the dialect of pipeline files."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from headrace.resources.triggers.kinds.cron import ALIASES, BadExpression, problems, read

NOW = datetime(2026, 11, 24, 0, 30, tzinfo=UTC)  # a Tuesday


def following(expression, moment=NOW):
    found = read(expression).after(moment)
    return found and found.strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("expression", "when"),
    [
        ("0 6 * * *", "2026-11-24 06:00"),
        ("0 6 * * 1-5", "2026-11-24 06:00"),
        ("0 6 * * SAT", "2026-11-28 06:00"),
        ("0 0 1 JAN *", "2027-01-01 00:00"),
        ("@daily", "2026-11-25 00:00"),
        ("@HOURLY", "2026-11-24 01:00"),
        ("@yearly", "2027-01-01 00:00"),
        ("@weekly", "2026-11-29 00:00"),
        ("5/20 * * * ?", "2026-11-24 00:45"),
        ("0/1 * 1/1 * *", "2026-11-24 00:31"),
        ("0 9 1/1 * MON", "2026-11-30 09:00"),
        ("0 9 ? * MON", "2026-11-30 09:00"),
        ("1,2/10 * * * *", "2026-11-24 00:32"),
        ("*/20 0-3 * * *", "2026-11-24 00:40"),
        ("0 0 13 * 5", "2026-11-27 00:00"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        ("* * * * * 2028", "2028-01-01 00:00"),
        ("0 0 1 1 ? 2030/5", "2030-01-01 00:00"),
        ("0 0 1 1 ? *", "2027-01-01 00:00"),
        ("0 0 1 1 ? 2020", None),
    ],
)
def test_an_expression_comes_true_next_at(expression, when):
    assert following(expression) == when


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * *",
        "61 * * * *",
        "0 0 30 2 *",
        "a b c d e",
        "* * * * * 20",
        "*/0 * * * *",
        "@never",
        "0 " * 200,
    ],
)
def test_what_is_no_expression_is_refused(expression):
    with pytest.raises(BadExpression):
        read(expression)


def test_the_minute_itself_is_past():
    assert following("30 0 * * *") == "2026-11-25 00:30"


@given(
    some.integers(0, 59),
    some.integers(0, 23),
    some.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=some.just(UTC)),  # noqa: DTZ001
)
def test_a_time_of_day_comes_once_within_the_next_day(minute, hour, moment):
    found = read(f"{minute} {hour} * * *").after(moment)
    assert moment < found <= moment + timedelta(days=1)
    assert (found.minute, found.hour, found.second) == (minute, hour, 0)


@given(some.integers(0, 59), some.integers(1, 59))
def test_n_through_k_is_n_to_the_end_by_k(first, step):
    moment, found = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(seconds=1), []
    schedule = read(f"{first}/{step} 0 1 1 *")
    while (moment := schedule.after(moment)).year == 2026:
        found.append(moment.minute)
    assert found == list(range(first, 60, step))


@given(some.text(max_size=40))
def test_no_text_makes_the_reader_fail(text):
    try:
        read(text).after(NOW)
    except BadExpression:
        return


@pytest.mark.parametrize("alias", sorted(ALIASES))
def test_an_alias_is_its_five_fields(alias):
    assert following(alias) == following(alias.upper()) == following(ALIASES[alias])


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({}, []),
        ({"message": "a!"}, ["message"]),
        ({"message": "nightly build #1"}, []),
        ({"branch": "main"}, ["gitTriggerId"]),
        ({"branch": "main", "gitTriggerId": "x"}, []),
        ({"expression": 5}, ["expression"]),
    ],
)
def test_the_fields_of_a_trigger_are_checked(more, fields):
    trigger = {"expression": "@daily", "message": "hi"} | more
    assert [field for field, _, _ in problems(trigger)] == fields
