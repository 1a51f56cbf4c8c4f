import pytest

from headrace.pipeline.compile import compile_step
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.plan import RunCommands


def test_a_string_of_words_becomes_their_list():
    action = compile_step("a", {"image": "x", "entry_point": "sh -c 'a b'", "cmd": ["c d"]})
    assert action == RunCommands(image="x", entry_point=("sh", "-c", "a b"), cmd=("c d",))


def test_an_open_quote_names_its_place():
    with pytest.raises(SpecErrors) as failure:
        compile_step("a", {"image": "x", "cmd": "echo 'a"})
    assert [error.path for error in failure.value.errors] == ["steps.a.cmd"]


def test_commands_keep_their_templates():
    body = {"image": "x", "commands": ["echo ${{A}}"], "shell": "bash", "volumes": ["./c:/d"]}
    action = compile_step("a", body)
    assert (action.commands, action.shell, action.volumes) == (("echo ${{A}}",), "bash", ("./c:/d",))
