import base64
import itertools
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.kit.masking import MASK, Masker, mask_text

LETTERS = "abc\n"  # few letters, so that secrets, their beginnings and overlaps are frequent
SECRETS = st.lists(st.text(LETTERS, min_size=1, max_size=9), max_size=4)
TEXTS = st.text(LETTERS, max_size=120)


def masked(secrets, chunks):
    masker = Masker(secrets)
    return b"".join([*(masker.feed(chunk) for chunk in chunks), masker.flush()])


@given(secrets=SECRETS, text=TEXTS, cuts=st.lists(st.integers(0, 120)))
def test_the_chunking_of_a_text_changes_nothing(secrets, text, cuts):
    data = text.encode()
    borders = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    chunks = [data[start:end] for start, end in itertools.pairwise(borders)]
    assert masked(secrets, chunks) == masked(secrets, [data])


@given(secrets=SECRETS, text=TEXTS)
def test_no_secret_survives(secrets, text):
    output = mask_text(text, secrets)
    assert not [
        secret for secret in secrets if len(secret) >= 3 and not secret.isspace() and secret in output
    ]


@given(text=st.binary(max_size=200), secrets=st.lists(st.text(max_size=8), max_size=3))
def test_any_bytes_pass_where_no_secret_is(text, secrets):
    harmless = [secret for secret in secrets if len(secret) < 3]
    assert masked(harmless, [text]) == text


def test_without_secrets_the_chunk_itself_comes_back():
    chunk = b"x" * 1000
    assert Masker([]).feed(chunk) is chunk


def test_only_the_possible_beginning_of_a_secret_is_held_back():
    masker = Masker(["hunter2"])
    assert masker.feed(b"Password: hun") == b"Password: "
    assert masker.holds
    assert masker.feed(b"ger\n> ") == b"hunger\n> "
    assert not masker.holds


def test_a_flush_masks_a_shorter_secret_that_a_longer_one_held_back():
    masker = Masker(["hunter2", "hunter22"])
    assert masker.feed(b"hunter2") == b""
    assert masker.flush() == MASK.encode()


def test_the_longest_of_overlapping_secrets_wins():
    assert mask_text("open sesame now", ["open", "open sesame"]) == "***** now"


def test_a_secret_within_the_beginning_of_another_is_masked():
    assert mask_text("xabcdy", ["abcde", "bcd"]) == "xa*****y"


def test_every_line_of_four_characters_of_a_long_secret_is_masked():
    key = "-----BEGIN-----\nMIIEabcd\nab\n-----END-----\n"
    assert mask_text("a MIIEabcd b ab", [key]) == "a ***** b ab"
    assert mask_text(f"<{key.replace(chr(10), chr(13) + chr(10))}>", [key]).count("MIIE") == 0


def test_values_under_three_characters_are_left():
    assert mask_text("1 22 333", ["1", "22", "", "333"]) == "1 22 *****"


@pytest.mark.parametrize("before", ["", "u", "us"])
@pytest.mark.parametrize("encode", [base64.standard_b64encode, base64.urlsafe_b64encode])
def test_base64_is_masked_at_any_alignment(before, encode):
    secret = "p?ssw>rd-of-the-house"
    text = encode(f"{before}{secret}:tail".encode()).decode()
    masked_text = mask_text(text, [secret])
    assert MASK in masked_text
    left = masked_text.replace(MASK, "")  # what stands around it shares a character at each end
    assert len(left) <= len(encode(f"{before}:tail".encode())) + 2


@pytest.mark.parametrize("encode", [quote, lambda text: quote(text, safe=""), json.dumps])
def test_encoded_forms_are_masked(encode):
    secret = 'a/b c"d&é'
    assert MASK in mask_text(encode(secret), [secret])


def test_text_that_is_no_unicode_survives():
    assert mask_text("a\udcff secret", ["secret"]) == "a\udcff *****"


def forms_of(secret):
    """How tools print a value: as it is, percent-encoded, in JSON, in base64 behind other bytes."""
    raw = secret.encode()
    yield secret
    yield from (quote(raw), quote(raw, safe=""), json.dumps(secret)[1:-1])
    yield from (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode())


@given(
    secret=st.text(
        st.characters(exclude_characters=" \n.", exclude_categories=["Cs", "Z", "Cc"]), min_size=8
    ),
    form=st.integers(0, 5),
    around=st.tuples(st.text(" \n.", max_size=9), st.text(" \n.", max_size=9)),
    cuts=st.lists(st.integers(0, 400), max_size=6),
)
def test_no_form_of_a_secret_survives_any_chunking(secret, form, around, cuts):
    written = list(forms_of(secret))[form]
    data = written.join(around).encode()
    borders = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    output = masked([secret], [data[start:end] for start, end in itertools.pairwise(borders)])
    assert output == MASK.join(around).encode()


@given(
    lines=st.lists(st.text("abcdefgh01", min_size=4, max_size=12), min_size=2, max_size=5),
    cuts=st.lists(st.integers(0, 80), max_size=6),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_no_line_of_a_secret_survives_any_chunking(lines, cuts, end):
    data = end.join(reversed(lines)).encode()
    borders = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    output = masked(["\n".join(lines)], [data[start:end_] for start, end_ in itertools.pairwise(borders)])
    assert not any(line.encode() in output for line in lines)


def test_a_line_of_a_secret_is_masked_in_its_encoded_forms():
    secret = "first line\nuser:pass+word"
    assert mask_text("user%3Apass%2Bword", [secret]) == MASK
    assert mask_text(base64.b64encode(b"user:pass+word").decode(), [secret]) == MASK
