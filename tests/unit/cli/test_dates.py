import pytest

from headrace.cli.dates import since


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "a few seconds ago"),
        (50, "a minute ago"),
        (120, "2 minutes ago"),
        (3600, "an hour ago"),
        (7200, "2 hours ago"),
        (86_400, "a day ago"),
        (5 * 86_400, "5 days ago"),
        (31 * 86_400, "a month ago"),
        (90 * 86_400, "3 months ago"),
        (366 * 86_400, "a year ago"),
        (3 * 366 * 86_400, "3 years ago"),
        (-7200, "in 2 hours"),
    ],
)
def test_how_long_ago_is_told_in_words(seconds, words):
    assert since(seconds) == words
