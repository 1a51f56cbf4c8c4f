"""Answers from outside, between the tries of a transaction."""

from contextlib import contextmanager

import pytest

from headrace.http.errors import BadRequest, NotFound
from headrace.http.outside import NeededOutside, Outside, tried
from headrace.integrations.clusters import Networks


class Book:
    """Says whether a transaction is open, and counts its tries."""

    def __init__(self):
        self.is_open, self.tries = False, 0

    @contextmanager
    def transaction(self):
        self.is_open, self.tries = True, self.tries + 1
        try:
            yield
        finally:
            self.is_open = False


@pytest.fixture
def outside():
    return Outside(Networks())


def test_an_answer_is_fetched_once_and_never_within_a_transaction(outside):
    book, fetched = Book(), []

    def fetch():
        assert not book.is_open
        fetched.append("a")
        return "answer"

    def work():
        with book.transaction():
            return outside.get("a", fetch) + outside.get("a", fetch)

    assert tried(outside, work) == "answeranswer"
    assert (fetched, book.tries) == (["a"], 2)


def test_what_cannot_be_had_is_told_within_the_next_try(outside):
    def refuse():
        raise NotFound("could not find it")

    def work():
        try:
            return outside.get("a", refuse)
        except NotFound as problem:
            return problem.message

    assert tried(outside, work) == "could not find it"


def test_a_request_may_not_ask_for_ever(outside):
    keys = iter(range(1000))
    with pytest.raises(BadRequest, match="more than 20 files"):
        tried(outside, lambda: outside.get(next(keys), lambda: ""))


def test_the_need_names_what_is_needed(outside):
    with pytest.raises(NeededOutside, match="'a' from outside"):
        outside.get("a", lambda: "")
