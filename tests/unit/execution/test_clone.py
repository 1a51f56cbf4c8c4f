import os
import subprocess

import pytest

from headrace.execution.clone import plan_clone
from headrace.execution.errors import StepRefused
from headrace.execution.ports import GitCredentials
from headrace.pipeline.plan import CloneRepository
from headrace.pipeline.variables import Scope
from headrace.runtimes.base import VOLUME

LOGIN = GitCredentials("https://git.example.org", "dev", "t0ken-of-dev")


def clone(repo, login=LOGIN, *, afresh=False, **fields):
    action = CloneRepository(repo=repo, **fields)
    return plan_clone(action, Scope({"R": "main"}), login, image="git", result="0", afresh=afresh)


def test_owner_and_name_are_looked_up_at_the_context():
    planned = clone("acme/app")
    assert planned.command.environment["HR_URL"] == "https://git.example.org/acme/app.git"
    assert planned.members == {"repo": "acme/app", "workingDirectory": f"{VOLUME}/app"}


def test_credentials_are_only_in_two_variables():
    planned = clone("acme/app")
    holders = {name for name, value in planned.command.environment.items() if LOGIN.password in value}
    assert holders == {"HR_PASSWORD"}
    assert LOGIN.password not in planned.command.script
    assert planned.secrets == {LOGIN.password}


def test_credentials_never_go_to_another_host():
    assert "HR_PASSWORD" not in clone("https://elsewhere.org/acme/app").command.environment
    assert "HR_PASSWORD" not in clone("http://git.example.org/acme/app").command.environment


def test_credentials_in_a_url_are_taken_out_of_it():
    planned = clone("https://me:p%40ss-word@elsewhere.org/acme/app.git")
    assert planned.command.environment["HR_URL"] == "https://elsewhere.org/acme/app.git"
    assert planned.command.environment["HR_PASSWORD"] == "p@ss-word"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"repo": "acme/app", "login": None}, "needs a git context"),
        ({"repo": "acme/app", "revision": "--upload-pack=x"}, "starts with a dash"),
        ({"repo": "file:///tmp/.."}, "has no name"),
    ],
)
def test_what_cannot_be_cloned_is_refused_with_a_cure(fields, words):
    with pytest.raises(StepRefused, match=words):
        clone(**fields)


def git(folder, *words):
    environment = {
        **os.environ,
        **{
            f"GIT_{who}_{what}": "dev@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }
    done = subprocess.run(
        ["git", "-C", folder, *words], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def origin(tmp_path):
    """Three commits: `first` is tagged v1, `second` is main, `third` is on a branch."""
    folder = tmp_path / "origin" / "app"
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    for name in ("first", "second", "third"):
        if name == "third":
            git(folder, "checkout", "-q", "-b", "feature/x")
        (folder / name).write_text(name)
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", name)
        if name == "first":
            git(folder, "tag", "v1")
    git(folder, "checkout", "-q", "main")
    return folder


@pytest.fixture
def run_clone(origin, tmp_path):
    """Run the script of a clone step with the volume at a folder of this test."""
    volume = tmp_path / "volume"
    volume.mkdir()

    def call(*, afresh=False, **fields):
        command = clone(origin.as_uri(), afresh=afresh, **fields).command
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
        result = volume / ".headrace/clones/0"
        revision = result.read_text() if result.exists() and done.returncode == 0 else None
        return done, revision, volume / "app"

    return call


@pytest.mark.parametrize(
    ("fields", "commit"),
    [
        ({}, "main"),
        ({"revision": "${{R}}"}, "main"),
        ({"revision": "v1"}, "v1"),
        ({"revision": "feature/x"}, "feature/x"),
        ({"revision": "feature/x", "depth": 1}, "feature/x"),
        ({"depth": 1}, "main"),
        ({"revision": "v1", "depth": 1, "exclude_blobs": True}, "v1"),
    ],
)
def test_a_branch_a_tag_or_nothing_is_checked_out(run_clone, origin, fields, commit):
    done, revision, _ = run_clone(**fields)
    assert revision == git(origin, "rev-parse", commit), done.stderr


@pytest.mark.parametrize("length", [40, 10])
@pytest.mark.parametrize("depth", [None, 1])
def test_a_commit_is_checked_out_by_its_hash(run_clone, origin, length, depth):
    first = git(origin, "rev-parse", "v1")
    done, revision, _ = run_clone(revision=first[:length], depth=depth)
    assert revision == first, done.stderr


def test_a_clone_that_is_there_is_updated_and_cleaned_but_keeps_ignored_files(run_clone, origin):
    _, _, folder = run_clone()
    (origin / ".gitignore").write_text("cache\n")
    git(origin, "add", ".")
    git(origin, "commit", "-q", "-m", "ignore")
    run_clone()
    (folder / "cache").write_text("kept")
    (folder / "junk").write_text("dropped")
    (folder / "first").write_text("changed")

    done, revision, _ = run_clone()

    assert revision == git(origin, "rev-parse", "main"), done.stderr
    assert (folder / "cache").exists()
    assert not (folder / "junk").exists()
    assert (folder / "first").read_text() == "first"


def test_an_index_lock_is_an_error_unless_the_clone_starts_afresh(run_clone):
    _, _, folder = run_clone()
    (folder / ".git/index.lock").touch()
    done, revision, _ = run_clone()
    assert done.returncode != 0
    assert "index.lock" in done.stderr
    done, revision, _ = run_clone(afresh=True)
    assert revision is not None, done.stderr


def test_a_revision_that_is_nowhere_fails_with_its_name(run_clone):
    done, _, _ = run_clone(revision="nowhere")
    assert done.returncode != 0
    assert "no branch, tag or commit 'nowhere'" in done.stderr
