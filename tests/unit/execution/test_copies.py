"""The script that copies a part of a repository into the volume, with git, on a folder of this machine."""

import os
import subprocess

import pytest

from headrace.execution.clone import plan_clone
from headrace.execution.errors import StepRefused
from headrace.execution.ports import GitCredentials
from headrace.pipeline.plan import CloneRepository, CopyOut
from headrace.pipeline.variables import Scope
from headrace.runtimes.base import VOLUME

LOGIN = GitCredentials("https://git.example.org", "dev", "t0ken-of-dev")
WHO = {
    f"GIT_{who}_{what}": "dev@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


def planned(source, destination, *, is_folder=None, repo="acme/app", login=LOGIN, revision="main"):
    wanted = CopyOut(
        place="spec.externalResources.0", source=source, destination=destination, is_folder=is_folder
    )
    action = CloneRepository(repo=repo, revision=revision, depth=1, copy_out=wanted)
    return plan_clone(action, Scope({"UP": "../up"}), login, image="git", result="7", afresh=False)


@pytest.fixture
def origins(tmp_path):
    """A host with one repository, ``acme/app``: files, a folder, and links that lead out and in."""
    folder = tmp_path / "origins" / "acme" / "app.git"
    (folder / "ci" / "deep").mkdir(parents=True)
    (folder / "ci" / "a.yml").write_text("new a")
    (folder / "ci" / ".hidden").write_text("hidden")
    (folder / "ci" / "deep" / "run.sh").write_text("#!/bin/sh\n")
    (folder / "ci" / "deep" / "run.sh").chmod(0o755)
    (folder / "ci" / "link").symlink_to("a.yml")
    (folder / "out").symlink_to("/etc")
    for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "all")):
        subprocess.run(["git", "-C", folder, *words], env={**os.environ, **WHO}, check=True)
    return tmp_path / "origins"


@pytest.fixture
def volume(tmp_path):
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


@pytest.fixture
def copy(origins, volume, tmp_path):
    """Copy into `volume`; the exit code, and all that was printed."""

    def call(source, destination, **options):
        login = GitCredentials(origins.as_uri(), "", "")
        command = planned(source, destination, login=login, **options).command
        environment = {
            name: value.replace(VOLUME, str(volume)) for name, value in command.environment.items()
        }
        done = subprocess.run(
            ["/bin/sh", "-c", command.script],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environment},
            capture_output=True,
            text=True,
            check=False,
            cwd=volume,
        )
        return done.returncode, done.stdout + done.stderr

    return call


@pytest.mark.parametrize(
    ("destination", "place"),
    [
        ("conf/b.yml", "conf/b.yml"),
        (f"{VOLUME}/b.yml", "b.yml"),
        ("conf/", "conf/a.yml"),
        (VOLUME, "a.yml"),
    ],
)
def test_a_file_is_copied_and_the_log_says_so(copy, volume, destination, place):
    code, printed = copy("/ci/a.yml", destination)
    assert (code, (volume / place).read_text()) == (0, "new a"), printed
    assert "Copied file 'ci/a.yml' of file://" in printed
    assert printed.endswith(f"to {volume / place}\n")


def test_a_folder_is_laid_over_what_is_there(copy, volume):
    (volume / "tools").mkdir()
    (volume / "tools" / "kept").write_text("kept")
    (volume / "tools" / "a.yml").write_text("old a")
    code, printed = copy("ci", "tools", is_folder=True)
    assert code == 0, printed
    tools = volume / "tools"
    assert [(tools / name).read_text() for name in ("kept", "a.yml", ".hidden", "link")] == [
        *("kept", "new a", "hidden", "new a")
    ]
    assert os.access(tools / "deep" / "run.sh", os.X_OK)
    assert copy("ci", "tools")[0] == 0  # and once more, in a volume that is kept


def test_a_whole_repository_comes_without_its_history_and_leaves_no_clone(copy, volume):
    code, printed = copy("/", "all")
    assert code == 0, printed
    assert (volume / "all" / "ci" / "a.yml").is_file()
    assert not (volume / "all" / ".git").exists()
    assert list((volume / ".headrace" / "resources").iterdir()) == []


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        ("ci/none.yml", {}, "0.source: file://"),
        ("out/passwd", {}, "leads out of the repository by a symbolic link"),
        ("ci", {"is_folder": False}, "is a folder, not a file; change isFolder"),
        ("ci/a.yml", {"is_folder": True}, "is a file, not a folder; change isFolder"),
        ("ci/a.yml", {"revision": "none"}, "no branch, tag or commit 'none'"),
    ],
)
def test_what_is_not_there_to_copy_names_place_and_cure(copy, volume, source, options, words):
    code, printed = copy(source, "to", **options)
    assert (code, (volume / "to").exists()) == (1, False)
    assert words in printed


@pytest.mark.parametrize("destination", ["gone/b.yml", "gone/", "gone"])
def test_a_link_in_the_volume_is_not_followed(copy, volume, tmp_path, destination):
    outside = tmp_path / "outside"
    outside.mkdir()
    (volume / "gone").symlink_to(outside)
    for source in ("ci/a.yml", "ci"):
        code, printed = copy(source, destination)
        assert (code, list(outside.iterdir())) == (1, [])
        assert "gone is a symbolic link, which may lead out of the volume" in printed


def test_links_below_the_destination_are_replaced_and_not_followed(copy, volume, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.yml").write_text("not ours")
    (volume / "tools").mkdir()
    (volume / "tools" / "a.yml").symlink_to(outside / "a.yml")
    (volume / "tools" / "deep").symlink_to(outside)
    (volume / "in").mkdir()
    (volume / "in" / "a.yml").symlink_to(outside / "a.yml")
    code, printed = copy("ci", "tools")
    assert code == 0, printed
    assert (volume / "tools" / "a.yml").read_text() == "new a"
    assert copy("ci/a.yml", "in")[0] == 1
    assert {one.name: one.read_text() for one in outside.iterdir()} == {"a.yml": "not ours"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"destination": "${{UP}}"}, r"0\.destination: '../up' leads out of the volume"),
        ({"source": "${{UP}}"}, r"0\.source: '../up' is not in the repository"),
        ({"destination": "${{NONE}}/a"}, "NONE has no value"),
        (
            {"repo": "https://elsewhere.org/acme/app"},
            "https://elsewhere.org is not the host of the git context",
        ),
        ({"repo": "git@git.example.org:acme/app"}, "is not the host of the git context"),
        ({"repo": "https://me:pw@git.example.org/acme/app"}, "holds a login"),
        ({"repo": "acme/../app"}, "is no repository"),
        ({"repo": "https://git.example.org/acme/app", "login": None}, "is not the host"),
    ],
)
def test_what_the_texts_come_to_is_judged_when_they_are_known(fields, words):
    with pytest.raises(StepRefused, match=words):
        planned(**{"source": "a.yml", "destination": "a.yml", **fields})


def test_the_login_is_masked_and_the_host_may_not_send_git_elsewhere():
    command = planned("a.yml", "a.yml").command
    assert planned("a.yml", "a.yml").secrets == {LOGIN.password}
    assert {name for name, value in command.environment.items() if LOGIN.password in value} == {"HR_PASSWORD"}
    keys = {name: value for name, value in command.environment.items() if name.startswith("GIT_CONFIG_KEY")}
    place = next(name for name, value in keys.items() if value == "http.followRedirects")
    assert command.environment[place.replace("KEY", "VALUE")] == "false"
