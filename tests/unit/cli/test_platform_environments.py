import pytest

ACCOUNTS = "GET /api/admin/accounts"
PLACE = "/api/admin/runtime-environments/account/modify/fast"


@pytest.fixture
def accounts(server):
    server.answers |= {
        ACCOUNTS: [{"_id": "1", "name": "acme"}, {"_id": "2", "name": "other"}],
        f"PUT {PLACE}": {},
        f"DELETE {PLACE}": {},
    }
    return server


@pytest.mark.parametrize(("verb", "method"), [("assign", "PUT"), ("unassign", "DELETE")])
def test_accounts_are_named_and_their_ids_are_sent(accounts, codefresh, verb, method):
    (codefresh.home / "names").write_text("other\n")
    code, out, err = codefresh(verb, "sys-re", "fast", "acme", "-f", "names")
    assert (code, out, err) == (0, f"Runtime-Environment 'fast' was {verb}ed.\n", "")
    assert accounts.bodies(f"{method} {PLACE}") == [{"accounts": ["1", "2"]}]


@pytest.mark.parametrize(
    ("words", "part"), [((), "name the accounts"), (("acme", "none"), "No such account: none")]
)
def test_a_name_that_is_missing_changes_nothing(accounts, codefresh, words, part):
    code, _, err = codefresh("assign", "system-runtime-environments", "fast", *words)
    assert (code, part in err) == (1, True)
    assert accounts.bodies(f"PUT {PLACE}") == []
