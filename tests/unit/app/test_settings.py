"""Where a setting comes from, which source wins, and what is said of a wrong one."""

import pytest
from msgspec.structs import fields

from headrace.app.__main__ import serve
from headrace.app.settings import Settings, SettingsInvalid, documentation, read


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to start in: no configuration file of this checkout is read."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_any_source_the_defaults_hold():
    assert read({}, {}) == Settings()


def test_the_option_wins_over_the_variable_and_the_variable_over_the_file(folder):
    (folder / "headrace.toml").write_text("port = 1\nworkers = 1\nhost = 'file'\n")
    environment = {"HEADRACE_PORT": "2", "HEADRACE_WORKERS": "2"}
    found = read({"port": 3, "workers": None}, environment)
    assert (found.port, found.workers, found.host) == (3, 2, "file")


def test_another_file_can_be_named(folder):
    (folder / "other.toml").write_text("port = 7\n")
    assert read({}, {"HEADRACE_CONFIG": str(folder / "other.toml")}).port == 7


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("1", True), ("0", False)])
def test_a_variable_turns_a_switch_on_and_off(text, value):
    assert read({}, {"HEADRACE_NO_WORKER": text}).no_worker is value


def test_the_engine_is_where_docker_host_says_unless_a_setting_says_otherwise():
    docker = {"DOCKER_HOST": "tcp://engine:1"}
    assert read({}, docker).docker_host == "tcp://engine:1"
    assert read({}, docker | {"HEADRACE_DOCKER_HOST": "unix:///own.sock"}).docker_host == "unix:///own.sock"


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"HEADRACE_PORT": "many"}, "port"),
        ({"HEADRACE_PORT": "70000"}, "port"),
        ({"HEADRACE_RUNTIME": "vm"}, "runtime"),
        ({"HEADRACE_GRACE_S": "-1"}, "grace_s"),
        ({"HEADRACE_CONFIG": "nowhere.toml"}, "nowhere.toml"),
    ],
)
def test_a_wrong_value_is_refused_and_named(environment, named):
    with pytest.raises(SettingsInvalid, match=named):
        read({}, environment)


@pytest.mark.parametrize("content", [b"port =", b"colour = 'red'\n", b"\xff"])
def test_a_wrong_file_is_refused(folder, content):
    (folder / "headrace.toml").write_bytes(content)
    with pytest.raises(SettingsInvalid):
        read({}, {})


def test_the_database_is_in_the_data_folder_unless_it_is_named(folder):
    assert read({"data": "d"}, {}).effective_database_url == f"sqlite:///{folder / 'd' / 'headrace.db'}"
    assert read({"database_url": "postgresql://x/y"}, {}).effective_database_url == "postgresql://x/y"


def test_slots_are_those_asked_for_or_some_for_each_core():
    assert read({"workers": 3}, {}).slots == 3
    assert read({}, {}).slots >= 4


def test_every_setting_is_an_option_of_serve():
    assert {option.name for option in serve.params} >= {one.name for one in fields(Settings)}


def test_every_setting_is_on_its_page_with_its_variable():
    page = documentation()
    for name in Settings.__struct_fields__:
        assert f"| `--{name.replace('_', '-')}` | `HEADRACE_{name.upper()}` |" in page
