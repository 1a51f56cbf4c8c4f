"""The sparse index of a log, and the search in it."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.storage.logs import Place, search
from headrace.storage.logs.marks import STRIDE_BYTES, Indexes
from headrace.storage.logs.search import LONGEST_LINE, SCAN_BYTES

STAMP = "[2026-11-23T21:00:00.000Z] "


def starts(data):
    """The offsets at which lines begin."""
    return [0, *(at + 1 for at, byte in enumerate(data) if byte == 10)]


@given(
    st.lists(st.integers(0, 3 * STRIDE_BYTES), max_size=12),
    st.lists(st.integers(0, 6 * STRIDE_BYTES), max_size=4),
)
def test_marks_are_beginnings_of_lines_however_the_log_grows(tmp_path_factory, lengths, cuts):
    data = b"".join(b"x" * length + b"\n" for length in lengths)
    path = tmp_path_factory.mktemp("marks") / "0.log"
    indexes, end = Indexes(), 0
    for cut in [*sorted(cuts), len(data)]:
        path.touch()
        with path.open("ab") as file:
            file.write(data[end:cut])
        end = max(end, min(cut, len(data)))
        extent = indexes.extent(path)
        stored = data[:end]
        assert extent.size == end
        assert extent.lines == len(stored.splitlines())
        begins = starts(stored)
        assert all(begins[mark.line] == mark.offset for mark in extent.marks)
        for mark, following in zip(extent.marks, extent.marks[1:], strict=False):
            # A read of a stride from a mark shows where every line up to the next mark begins.
            inside = [one for one in begins if mark.offset <= one < following.offset]
            assert inside[-1] < mark.offset + STRIDE_BYTES <= following.offset


def test_marks_that_are_known_are_not_told_again(tmp_path):
    path = tmp_path / "0.log"
    path.write_bytes((b"x" * 99 + b"\n") * 3_000)
    indexes = Indexes()
    whole = indexes.extent(path).marks
    assert len(whole) > 3
    assert indexes.extent(path, after=whole[1].offset).marks == whole[2:]
    assert indexes.extent(path, after=whole[-1].offset).marks == ()


def test_many_readers_share_one_index(tmp_path):
    path = tmp_path / "0.log"
    path.write_bytes((b"x" * 99 + b"\n") * 20_000)
    indexes, found = Indexes(), []
    threads = [threading.Thread(target=lambda: found.append(indexes.extent(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert {one.lines for one in found} == {20_000}
    assert len({one.marks for one in found}) == 1


def lines_of(data, text, **more):
    """All lines that are found, and their offsets, call by call."""
    found, place = [], Place()
    while place is not None:
        answer = search(
            lambda offset, most: data[offset : offset + most], text, place=place, **{"limit": 100, **more}
        )
        found += answer.hits
        place = answer.next
    for hit in found:
        assert starts(data)[hit.line - 1] == hit.offset
    return [hit.line for hit in found]


def log(*lines):
    return "".join(f"{STAMP}{line}\n" for line in lines).encode()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("timeout", [2, 4]),
        ("TIMEOUT", [2, 4]),
        ("grün", [1, 3]),
        ("GRÜN", [1, 3]),
        ("red line", [5]),  # in colours, word by word
        ("2026-11", []),  # the time is no text of the step
        ("[", []),
        ("absent", []),
    ],
)
def test_lines_are_found_as_they_are_seen(text, lines):
    data = log(
        "alles grün", "a timeout", "GRÜN again", "Timeout timeout", "\x1b[31mred\x1b[0m \x1b]8;;x\x07line"
    )
    assert lines_of(data, text) == lines


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_search_goes_on_where_it_stopped(limit):
    data = log(*(f"line {number} é{'!' if number % 3 else ''}" for number in range(20)))
    assert lines_of(data, "!", limit=limit) == [n + 1 for n in range(20) if n % 3]


def test_the_unfinished_last_line_is_searched_too():
    assert lines_of(log("one") + f"{STAMP}two".encode(), "two", limit=1) == [2]


def test_bytes_that_are_no_text_hide_nothing():
    assert lines_of(log("a") + STAMP.encode() + b"\xff\xfe b\xc3\n" + log("b"), "b") == [2, 3]


def test_a_very_long_line_is_one_line():
    long = "y" * (LONGEST_LINE + 700_000)
    assert lines_of(log("x", f"needle {long}", "needle", "x", "needle"), "needle") == [2, 3, 5]


def test_one_call_reads_a_bounded_part():
    data = log("x" * 200) * (2 * SCAN_BYTES // 228)
    asked = []

    def read(offset, most):
        asked.append(most)
        return data[offset : offset + most]

    answer = search(read, "y", place=Place(), limit=10)
    assert answer.next is not None
    assert sum(asked) <= SCAN_BYTES + 2 * LONGEST_LINE
    assert lines_of(data, "y") == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("ERROR: no such file", True),
        ("2 tests failed", True),
        ("Traceback (most recent call last):", True),
        ("sh: foo: not found", True),
        ("Fatal error", True),
        ("0 errors, 0 failed", False),
        ("errors: 0", False),
        ("gcc -Werror error-prone.c src/error/x.py", False),
        ("all is well", False),
    ],
)
def test_what_looks_like_an_error(line, wrong):
    assert lines_of(log("fine", line, "fine"), None) == ([2] if wrong else [])
