import pytest

from headrace.resources.refused.table import LINES


@pytest.fixture(params=["sqlite"])
def engine_name(request):
    """Nothing is stored."""
    return request.param


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.method} {line.path}")
def test_an_operation_is_refused_with_a_cure_or_empty(client, line):
    path = "/api" + line.path.replace("{", "").replace("}", "")
    assert client.with_key(None).call(line.method, path).status == 401
    answer = client.call(line.method, path)
    if line.cure:
        assert (answer.status, answer.json()["name"]) == (501, "NOT_IMPLEMENTED")
        assert answer.json()["message"] == line.cure
    else:
        assert (answer.status, answer.json()) == (200, line.value)


def test_features_are_those_of_the_own_account(client, people):
    account = people["admin"].active_account_id
    assert client.get(f"/api/features/{account}").json() == {}
    other = client.get(f"/api/features/{people['stranger'].active_account_id}")
    assert other.status == 404
