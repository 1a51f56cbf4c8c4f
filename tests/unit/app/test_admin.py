import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from headrace.app.admin import COMMANDS
from headrace.storage.engine import Database, sqlite_url

BY_NAME = {command.name: command for command in COMMANDS}


@pytest.fixture
def run(tmp_path):
    def call(*words, data=tmp_path / "data", fails=False, **more):
        command, *rest = words
        options = [] if command == "version" else ["--data", str(data)]
        result = CliRunner().invoke(BY_NAME[command], [*rest, *options], **more)
        assert (result.exit_code != 0) is fails, result.output
        return result

    return call


@pytest.fixture
def acme(run):
    run("account", "create", "acme")
    run("user", "create", "ada", "--account", "acme", "--admin", "--password-stdin", input="correct horse\n")


def test_creating_a_key_prints_only_the_key(run, acme):  # noqa: ARG001
    made = run("key", "create", "--account", "acme", "--user", "ada", "--name", "ci", "--scope", "build:read")
    key_id, _, secret = made.stdout.strip().partition(".")
    assert (len(key_id), len(secret)) == (24, 64)
    listed = run("key", "list", "--account", "acme").stdout
    assert listed == f"{key_id}\t{secret[:8]}\tbuild:read\tci\n"


def test_a_revoked_key_is_in_no_list(run, acme):  # noqa: ARG001
    made = run("key", "create", "--account", "acme", "--user", "ada", "--name", "ci").stdout
    run("key", "revoke", made.partition(".")[0], "--account", "acme")
    assert run("key", "list", "--account", "acme").stdout == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["account", "create", "acme"], "exists already"),
        (["user", "create", "ada", "--account", "acme"], "exists already"),
        (["user", "create", "bob", "--account", "none"], "could not find an account"),
        (["key", "create", "--account", "acme", "--user", "bob", "--name", "x"], "could not find a user"),
        (
            ["key", "create", "--account", "acme", "--user", "ada", "--name", "x", "--scope", "nonsense"],
            "'nonsense' is not known",
        ),
        (["key", "revoke", "6923f0a41c2b9f3a7d000000", "--account", "acme"], "could not find the API key"),
    ],
)
def test_what_cannot_be_done_says_why_on_stderr(run, acme, words, says):  # noqa: ARG001
    result = run(*words, fails=True)
    assert says in result.stderr
    assert result.stdout == ""


def test_a_new_user_gets_a_password_that_is_printed_alone(run, acme):  # noqa: ARG001
    printed = run("user", "create", "bob", "--account", "acme").stdout
    assert len(printed.strip()) == 20


def test_the_version_is_printed(run):
    assert run("version").stdout.count(".") == 2


def test_migrate_says_what_it_did(run):
    assert "now at revision" in run("migrate").stderr
    assert "already at revision" in run("migrate").stderr


def test_the_doctor_finds_a_key_that_others_can_read(run, acme, tmp_path):  # noqa: ARG001
    assert "fail" not in run("doctor").stdout
    (tmp_path / "data" / "secrets.key").touch(mode=0o644)
    assert "chmod 600" in run("doctor", fails=True).stdout


def test_a_backup_restores_into_a_new_folder(run, acme, tmp_path):  # noqa: ARG001
    key = run("key", "create", "--account", "acme", "--user", "ada", "--name", "ci").stdout.strip()
    (tmp_path / "data" / "secrets.key").write_text("k1 x\n")
    logs = tmp_path / "data" / "logs" / "6923f0a41c2b9f3a7d000000"
    logs.mkdir(parents=True)
    (logs / "0.log").write_bytes(b"text\n")
    file = tmp_path / "all.tar.gz"
    run("backup", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    there = tmp_path / "there"
    run("restore", str(file), data=there)
    assert key.partition(".")[0] in run("key", "list", "--account", "acme", data=there).stdout
    assert (there / "secrets.key").read_text() == "k1 x\n"
    assert (there / "logs" / logs.name / "0.log").read_bytes() == b"text\n"
    assert "not empty" in run("restore", str(file), data=there, fails=True).stderr


def test_a_backup_moves_from_one_engine_to_the_other(run, acme, tmp_path, empty_database):  # noqa: ARG001
    file, url = tmp_path / "all.tar.gz", empty_database.engine.url.render_as_string(hide_password=False)
    run("backup", str(file))
    run("restore", str(file), "--database-url", url, data=tmp_path / "there")
    back = tmp_path / "back.tar.gz"
    run("backup", str(back), "--database-url", url)
    run("restore", str(back), data=tmp_path / "again")

    def rows(path):
        db = Database(sqlite_url(path / "headrace.db"))
        with db.reading() as connection:
            found = [
                connection.execute(select(text("*")).select_from(text(name)).order_by(text("1"))).fetchall()
                for name in ("accounts", "users", "memberships")
            ]
        db.close()
        return found

    assert rows(tmp_path / "again") == rows(tmp_path / "data")


def test_something_else_is_no_backup(run, tmp_path):
    (tmp_path / "x").write_text("hello")
    assert str(tmp_path / "x") in run("restore", str(tmp_path / "x"), fails=True).stderr
