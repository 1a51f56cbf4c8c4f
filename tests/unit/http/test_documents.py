"""ETags and encodings, as headers name them."""

import pytest

from headrace.http import documents

TAG = documents.tag_of(b"{}")


@pytest.mark.parametrize(
    ("header", "weakly", "strongly"),
    [
        ("*", True, True),
        (TAG, True, True),
        (f"W/{TAG}", True, False),
        (f'"x", {TAG}', True, True),
        (documents.packed_tag(TAG), True, True),
        ('"x"', False, False),
        (TAG.strip('"'), False, False),
        ("", False, False),
    ],
)
def test_a_header_names_the_document(header, weakly, strongly):
    assert documents.names(header, TAG, weakly=True) is weakly
    assert documents.names(header, TAG, weakly=False) is strongly


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5, br", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip;q=1.0", True),
        ("br", False),
        ("", False),
        ("notgzip", False),
    ],
)
def test_gzip_is_sent_to_those_who_take_it(header, takes):
    assert documents.takes_gzip(header) is takes


def test_what_is_short_or_no_text_is_sent_as_it_is():
    assert not documents.is_worth_packing(b"x" * 1000, "application/json; charset=utf-8")
    assert documents.is_worth_packing(b"x" * 2000, "application/json; charset=utf-8")
    assert not documents.is_worth_packing(b"x" * 2000, "font/woff2")
