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


def test_the_reader_sees_what_differs():
    (line,) = side_by_side.chapters("[a]\ncure ~ x")["a"]
    official = side_by_side.Outcome(1, "", "Error: no")
    assert side_by_side.difference(line, official, side_by_side.Outcome(1, "", "Error: no; do this")) == ""
    assert "stderr" in side_by_side.difference(line, official, side_by_side.Outcome(1, "", "Error: other"))
    assert "code" in side_by_side.difference(line, official, side_by_side.Outcome(0, "", "Error: no"))
    strict = side_by_side.Line("x", reason="stricter")
    assert "refused" in side_by_side.difference(strict, official, side_by_side.Outcome(0, "", ""))
