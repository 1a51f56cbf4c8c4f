"""Every command, right and wrong, by both clients on one server: equal, or differing for a reason."""

from pathlib import Path

import pytest

from e2e import side_by_side
from e2e.town import OURS, Cli

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

CHAPTERS = side_by_side.chapters(Path(__file__).with_name("every_command.txt").read_text())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_both_clients_do_the_same_but_for_a_reason(town, official_program, tmp_path, chapter):
    readers = []
    for name, program in (("official", official_program), ("ours", OURS)):
        account = town.account()
        cli = Cli(program, tmp_path / name, account.server.url, account.key())
        readers.append(side_by_side.Reader(cli, side_by_side.prepare(account, cli)))
    found = [side_by_side.difference(*one) for one in side_by_side.both(CHAPTERS[chapter], readers)]
    assert [one for one in found if one] == []


# Done, refused, printed at its end, given up before a request.
ALIKE = ("create project p", "create project p", "get projects -o yaml", "wait xyz")


@pytest.mark.timeout(300)
def test_in_a_process_of_its_own_the_official_client_does_the_same(town, official_program, tmp_path):
    ran = []
    for program in (official_program, official_program.program):
        account = town.account()
        cli = Cli(program, tmp_path / program.__class__.__name__, account.server.url, account.key())
        reader = side_by_side.Reader(cli, {"ACCOUNT": account.name})
        ran.append([reader.run(side_by_side.Line(text)) for text in ALIKE])
    assert ran[0] == ran[1]
    assert {outcome.code for outcome in ran[0]} == {0, 1}


def test_the_reader_sees_what_differs():
    (line,) = side_by_side.chapters("[a]\ncure ~ x")["a"]
    official = side_by_side.Outcome(1, "", "Error: no")
    assert side_by_side.difference(line, official, side_by_side.Outcome(1, "", "Error: no; do this")) == ""
    assert "stderr" in side_by_side.difference(line, official, side_by_side.Outcome(1, "", "Error: other"))
    assert "code" in side_by_side.difference(line, official, side_by_side.Outcome(0, "", "Error: no"))
    strict = side_by_side.Line("x", reason="stricter")
    assert "refused" in side_by_side.difference(strict, official, side_by_side.Outcome(0, "", ""))
