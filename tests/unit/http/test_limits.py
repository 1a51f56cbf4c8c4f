"""Buckets of tokens: how much one caller may ask."""

import pytest

from headrace.http.errors import TooManyRequests
from headrace.http.limits import RateLimit, Throttle


class Seconds:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    return Seconds()


def refused(work, *arguments):
    with pytest.raises(TooManyRequests) as failure:
        work(*arguments)
    return failure.value


def test_a_caller_over_its_rate_is_told_when_to_go_on(seconds):
    rate = RateLimit(6, seconds)
    assert [int(rate.spend("a")["RateLimit-Remaining"]) for _ in range(6)] == [5, 4, 3, 2, 1, 0]
    error = refused(rate.spend, "a")
    assert error.status == 429
    assert error.headers == {
        "RateLimit-Limit": "6",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "60",
        "Retry-After": "10",
    }
    seconds.now += 10
    assert rate.spend("a")["RateLimit-Remaining"] == "0"
    refused(rate.spend, "a")


def test_one_caller_takes_nothing_from_another(seconds):
    rate = RateLimit(1, seconds)
    rate.spend("a")
    refused(rate.spend, "a")
    assert rate.spend("b")["RateLimit-Remaining"] == "0"


def test_a_limit_of_nought_is_none(seconds):
    rate, throttle = RateLimit(0, seconds), Throttle(0, seconds)
    for _ in range(1000):
        assert rate.spend("a") == {}
        throttle.begin_login("192.0.2.1", "ada")
        throttle.wrong_key("192.0.2.1")


def test_logins_that_went_well_are_not_counted(seconds):
    throttle = Throttle(2, seconds)
    for _ in range(10):
        throttle.begin_login("192.0.2.1", "ada")
        throttle.end_login("192.0.2.1", "ada")


def test_an_address_that_guesses_is_stopped_and_others_are_not(seconds):
    throttle = Throttle(2, seconds)
    throttle.begin_login("192.0.2.1", "ada")
    throttle.begin_login("192.0.2.1", "eve")
    assert refused(throttle.begin_login, "192.0.2.1", "ada").headers == {"Retry-After": "30"}
    throttle.begin_login("192.0.2.2", "ada")


def test_many_addresses_that_guess_at_one_name_are_stopped(seconds):
    throttle = Throttle(2, seconds)
    for number in range(10):
        throttle.begin_login(f"192.0.2.{number}", "ada")
    refused(throttle.begin_login, "192.0.2.99", "ada")
    throttle.begin_login("192.0.2.99", "mel")


def test_a_network_of_new_addresses_is_one_client(seconds):
    throttle = Throttle(2, seconds)
    throttle.wrong_key("2001:db8:1:2::1")
    throttle.wrong_key("2001:db8:1:2:ffff::9")
    refused(throttle.wrong_key, "2001:db8:1:2::77")
    throttle.wrong_key("2001:db8:1:3::1")
