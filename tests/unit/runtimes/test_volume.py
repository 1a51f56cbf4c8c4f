"""A build's folder, as the server touches it: never through a link, never outside."""

import os

import pytest

from headrace.runtimes import volume


@pytest.fixture
def root(tmp_path):
    (tmp_path / "secret").write_text("of the server")
    folder = tmp_path / "volume"
    folder.mkdir()
    (folder / "out").symlink_to(tmp_path)
    (folder / "file").write_bytes(b"x")
    (folder / "link").symlink_to(tmp_path / "secret")
    return folder


@pytest.mark.parametrize("path", ["link", "out/secret", "absent", "file/below", ".", "out"])
def test_only_real_files_can_be_read(root, path):
    if path == ".":
        path = "./absent/."
    assert volume.read(root, path) is None


@pytest.mark.parametrize("path", ["../secret", "a/../../secret", "/.."])
def test_a_path_cannot_leave_the_volume(root, path):
    with pytest.raises(ValueError, match="leaves the volume"):
        volume.read(root, path)


def test_a_pipe_is_no_file_and_nobody_waits_for_it(root):
    os.mkfifo(root / "pipe")
    assert volume.read(root, "pipe") is None


def test_writing_replaces_a_link_and_not_its_target(root, tmp_path):
    volume.write(root, "link", b"mine", 0o600)
    assert (root / "link").read_bytes() == b"mine"
    assert (root / "link").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "secret").read_text() == "of the server"


def test_writing_through_a_linked_folder_is_refused(root, tmp_path):
    with pytest.raises(NotADirectoryError):
        volume.write(root, "out/new", b"mine", 0o644)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("path", ["file", "new/deep", "/new", "."])
def test_files_and_folders_can_be_mounted_elsewhere(root, path):
    volume.make_source(root, path)
    assert (root / path.lstrip("/")).exists()


@pytest.mark.parametrize("path", ["link", "out", "out/folder", "file/below"])
def test_what_leads_out_cannot_be_mounted_elsewhere(root, path):
    with pytest.raises(ValueError, match="link or a file"):
        volume.make_source(root, path)


def test_a_tree_goes_with_what_a_step_made_read_only(root, tmp_path):
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "file").touch()
    (root / "a" / "b").chmod(0)
    (root / "a").chmod(0o500)
    volume.remove_tree(root)
    volume.remove_tree(root)
    assert not root.exists()
    assert (tmp_path / "secret").exists()
