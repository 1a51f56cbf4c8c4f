import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.kit.crypto import CannotOpen, SecretBox, add_key, open_key_file

OLD, NEW = b"o" * 32, b"n" * 32


@given(st.text())
def test_what_is_sealed_opens_for_its_owner(text):
    box = SecretBox({"k1": OLD})
    assert box.open(box.seal(text, "owner"), "owner") == text


def test_the_stored_form_names_its_key_and_differs_each_time():
    box = SecretBox({"k1": OLD})
    first, second = box.seal("x", "owner"), box.seal("x", "owner")
    assert first.startswith("v1.k1.")
    assert first != second


def test_another_owner_cannot_open():
    box = SecretBox({"k1": OLD})
    with pytest.raises(CannotOpen, match="another owner"):
        box.open(box.seal("x", "owner"), "other")


@pytest.mark.parametrize("sealed", ["", "x", "v1.k1", "v1.k1.%%%", "v1.k1.AAAA", "v2.k1.AAAA"])
def test_damaged_values_do_not_open(sealed):
    with pytest.raises(CannotOpen):
        SecretBox({"k1": OLD}).open(sealed, "owner")


def test_after_a_rotation_old_values_open_and_new_ones_use_the_new_key():
    sealed = SecretBox({"k1": OLD}).seal("x", "owner")
    ring = SecretBox({"k1": OLD, "k2": NEW})
    assert ring.open(sealed, "owner") == "x"
    assert not ring.is_current(sealed)
    assert ring.is_current(ring.seal("x", "owner"))
    with pytest.raises(CannotOpen, match="k1"):
        SecretBox({"k2": NEW}).open(sealed, "owner")


def test_the_key_file_is_made_once_and_readable_by_its_owner_alone(tmp_path):
    path = tmp_path / "data" / "secrets.key"
    sealed = open_key_file(path).seal("x", "owner")
    assert path.stat().st_mode & 0o777 == 0o600
    assert open_key_file(path).open(sealed, "owner") == "x"
    assert [file.name for file in path.parent.iterdir()] == ["secrets.key"]


def test_a_key_can_be_added_to_the_file(tmp_path):
    path = tmp_path / "secrets.key"
    before = open_key_file(path)
    key_id = add_key(path)
    after = open_key_file(path)
    assert after.key_id == key_id
    assert after.open(before.seal("x", "owner"), "owner") == "x"
    assert after.derive("sessions") == before.derive("sessions")


def test_a_broken_key_file_names_its_line(tmp_path):
    path = tmp_path / "secrets.key"
    open_key_file(path)
    path.write_text(path.read_text() + "k2 short\n")
    with pytest.raises(ValueError, match="line 2"):
        open_key_file(path)
