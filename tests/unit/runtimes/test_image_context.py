"""What a build is given to copy, and what its engine's messages say."""

import contextlib
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.runtimes.docker import wire
from headrace.runtimes.docker.context import Ignore, add_file, pack_folder, repack
from headrace.runtimes.docker.progress import EngineFailed, Progress


@pytest.mark.parametrize(
    ("rules", "path", "kept"),
    [
        ("", "a", True),
        ("a", "a", False),
        ("/a", "a", False),
        ("a", "a/b/c", False),
        ("a", "b/a", True),
        ("*/a", "b/a", False),
        ("**/a", "a", False),
        ("**/a", "b/c/a", False),
        ("*.log", "x.log", False),
        ("*.log", "b/x.log", True),
        ("**/*.log", "b/x.log", False),
        ("a?", "ab", False),
        ("a?", "a/", True),
        ("[ab]c", "bc", False),
        ("a.b", "axb", True),
        ("a/**", "a/b/c", False),
        ("# a\n\n", "# a", True),
        ("./a/../b", "b", False),
        ("*\n!a", "a", True),
        ("*\n!a", "b", False),
        ("a\n!a/b", "a/b", True),
        ("a\n!a/b\na/b", "a/b", False),
        (r"a\*", "a*", False),
        (r"a\*", "ab", True),
        ("[", "[", False),
        ("[^a]", "b", False),
        ("[^a]", "a", True),
        ("[[x]", "[", False),
        ("[a--]", "b", True),
    ],
)
def test_the_last_rule_that_fits_decides(rules, path, kept):
    assert Ignore(rules).keeps(path) is kept


def test_the_dockerfile_is_sent_whatever_the_rules_say():
    ignore = Ignore("**", always=frozenset({"build/Dockerfile"}))
    assert ignore.keeps("build/Dockerfile")
    assert ignore.enters("build")
    assert not ignore.enters("other")


@given(st.text(max_size=60), st.text("ab/*.", max_size=20))
def test_no_rule_fails(rules, path):
    assert Ignore(rules).keeps(path) in (True, False)


def names(packed):
    packed.seek(0)
    with tarfile.open(fileobj=packed) as archive:
        return {member.name: member for member in archive}


def test_a_folder_is_packed_without_owners_and_with_links_as_links(tmp_path):
    (tmp_path / "app/below").mkdir(parents=True)
    (tmp_path / "app/below/file").write_text("text")
    (tmp_path / "app/link").symlink_to("/etc/passwd")
    out = io.BytesIO()
    pack_folder(tmp_path, "app", Ignore(), out)
    add_file(out, "more", b"added")
    found = names(out)
    assert sorted(found) == ["below", "below/file", "link", "more"]
    assert (found["below/file"].uid, found["below/file"].uname) == (0, "")
    assert (found["link"].issym(), found["link"].linkname) == (True, "/etc/passwd")


def test_a_folder_behind_a_link_is_not_packed(tmp_path):
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(OSError, match="link"):
        pack_folder(tmp_path, "link", Ignore(), io.BytesIO())


def test_a_tar_of_the_engine_becomes_a_context():
    given_tar, out = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=given_tar, mode="w") as archive:
        for name in ("app/a", "app/b/c"):
            member = tarfile.TarInfo(name)
            member.uid = 1000
            archive.addfile(member, io.BytesIO())
    given_tar.seek(0)
    repack(given_tar, Ignore("b"), out)
    assert {name: member.uid for name, member in names(out).items()} == {"a": 0}


@given(st.lists(st.tuples(st.integers(1, 500), st.binary(max_size=300) | st.integers(0, 2**62))))
def test_fields_are_read_as_they_were_written(fields):
    written = b"".join(
        wire.integer(number, value) if isinstance(value, int) else wire.text(number, value)
        for number, value in fields
    )
    assert list(wire.fields(written)) == fields


@given(st.binary(max_size=60))
def test_what_is_no_message_is_a_value_error_at_worst(data):
    with contextlib.suppress(ValueError):
        assert list(wire.fields(data)) is not None


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"error": "x", "errorDetail": {"code": 7, "message": "x"}}, 7),
        ({"error": "executor failed running [/bin/sh -c exit 9]: exit code: 9"}, 9),
        ({"error": "no such image"}, 1),
        ({"error": "failed: exit code: 0"}, 1),
    ],
)
def test_a_failure_has_the_exit_code_of_its_instruction(message, code):
    with pytest.raises(EngineFailed) as failure:
        Progress().take(message)
    assert failure.value.exit_code == code


def test_progress_of_layers_is_shown_when_it_is_over():
    progress = Progress()
    assert progress.take({"status": "Pushing", "id": "a", "progressDetail": {"current": 1}}) == b""
    assert progress.take({"status": "Preparing", "id": "a", "progressDetail": {}}) == b""
    assert progress.take({"status": "Pushed", "id": "a", "progressDetail": {}}) == b"a: Pushed\n"
    assert Progress(quiet=True).take({"stream": "noise"}) == b""
