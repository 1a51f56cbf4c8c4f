import pytest

from headrace.execution.commands import freestyle_command
from headrace.execution.errors import StepRefused
from headrace.pipeline.plan import RunCommands
from headrace.pipeline.variables import Scope


def command(variables=None, own=None, **fields):
    return freestyle_command(RunCommands(image="alpine", **fields), Scope(variables or {}), own or {})


def test_one_shell_runs_the_whole_list_and_stops_at_a_failure():
    script = command(commands=("cd /tmp", "pwd")).script
    assert script == 'export PATH="$PATH:/codefresh/volume"\nset -e\ncd /tmp\npwd\n'


def test_without_commands_there_is_no_shell():
    made = command(entry_point=("/bin/app",), cmd=("--flag", "${{X}}"), variables={"X": "1"})
    assert (made.script, made.entry_point, made.cmd) == (None, ("/bin/app",), ("--flag", "1"))


def test_the_steps_own_environment_wins_and_a_bare_name_keeps_the_builds_value():
    made = command({"A": "build", "B": "build"}, {"CF_STEP_NAME": "s"}, environment=("A=step=1", "B", "NONE"))
    assert made.environment == {"A": "step=1", "B": "build", "CF_STEP_NAME": "s"}


def test_variables_within_variables_are_filled_in_the_environment_too():
    made = command({"HOST": "example.org", "URL": "http://${{HOST}}", "CF_COMMIT_MESSAGE": "${{HOST}}"})
    assert made.environment["URL"] == "http://example.org"
    assert made.environment["CF_COMMIT_MESSAGE"] == "${{HOST}}"


@pytest.mark.parametrize("source", ["cache", "./cache", "/cache", "cache/"])
def test_the_source_of_a_volume_lies_in_the_shared_volume(source):
    assert command(volumes=(f"{source}:/root/.cache",)).volumes == (("cache", "/root/.cache"),)


@pytest.mark.parametrize("entry", ["../x:/y", "a/../../x:/y", "x:y"])
def test_a_volume_that_leaves_the_shared_volume_is_refused(entry):
    with pytest.raises(StepRefused):
        command(volumes=(entry,))
