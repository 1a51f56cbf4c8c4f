"""Who belongs to an account: invited, made admins and taken out by the API."""

import pytest

from headrace.resources.users import repository, service

ADMIN_ROUTES = [
    ("POST", "/api/accounts/{account}/adduser"),
    ("DELETE", "/api/accounts/{account}/{member}"),
    ("POST", "/api/accounts/{account}/{member}/admin"),
    ("DELETE", "/api/accounts/{account}/{member}/admin"),
    ("POST", "/api/accounts/{account}/{member}/updateuser"),
    ("POST", "/api/accounts/{account}/updateuser"),
    ("POST", "/api/accounts/{account}/update"),
]
PLATFORM_ROUTES = [
    ("POST", "/api/accounts/{account}/{member}/adduser"),
    ("GET", "/api/admin/accounts"),
    ("POST", "/api/admin/accounts"),
    ("GET", "/api/admin/accounts/{account}"),
    ("POST", "/api/admin/accounts/addpendinguser"),
    ("POST", "/api/admin/accounts/{account}/update"),
    ("DELETE", "/api/admin/accounts/{account}"),
]
BODY = {"userDetails": "kim", "name": "new", "userName": "lee"}


@pytest.fixture
def acme(people):
    return people["admin"].active_account_id


@pytest.fixture
def place(people, acme):
    return lambda path: path.format(account=acme, member=people["member"].id)


def names(client, acme):
    return {user["userName"]: acme_admin(user) for user in client.get(f"/api/accounts/{acme}/users").json()}


def acme_admin(user):
    """Whether a user is an admin of the account that shows it."""
    return user["_id"] in user["account"][0]["admins"]


@pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES + PLATFORM_ROUTES)
def test_a_request_without_a_key_is_401_and_without_the_right_403(client, key_of, place, acme, method, path):
    body = {**BODY, "account": [acme]}
    assert client.with_key(None).call(method, place(path), json=body).status == 401
    assert client.with_key(key_of("admin", "pipeline")).call(method, place(path), json=body).status == 403
    assert client.with_key(key_of("member")).call(method, place(path), json=body).status == 403


@pytest.mark.parametrize(("method", "path"), PLATFORM_ROUTES)
def test_an_admin_of_an_account_is_none_of_the_installation(client, place, acme, method, path):
    answer = client.call(method, place(path), json={**BODY, "account": [acme]})
    assert answer.status == 403
    assert "only an admin of the installation" in answer.json()["message"]


@pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
def test_another_account_does_not_exist(stranger, place, method, path):
    assert stranger.call(method, place(path), json=BODY).status == 404


@pytest.mark.parametrize(("method", "path"), [route for route in ADMIN_ROUTES if "{member}" in route[1]])
def test_a_user_of_another_account_does_not_exist(client, acme, people, method, path):
    path = path.format(account=acme, member=people["stranger"].id)
    assert client.call(method, path).status == 404


def test_who_is_invited_logs_in_with_the_password_that_is_told_once(client, acme):
    made = client.post(f"/api/accounts/{acme}/adduser", {"userDetails": "kim@example.org"}).json()
    assert (made["userName"], made["email"], made["account"]) == (
        "kim@example.org",
        "kim@example.org",
        [acme],
    )
    login = {"user": "kim@example.org", "password": made["password"]}
    token = client.with_key(None).post("/api/auth/login", login).json()["accessToken"]
    kim = client.with_key(None).get("/api/user", headers={"x-access-token": token}).json()
    assert kim["_id"] == made["_id"]
    assert names(client, acme) == {"ada": True, "kim@example.org": False, "mel": False}
    assert made["password"] not in client.get(f"/api/accounts/{acme}/users").text
    assert client.post(f"/api/accounts/{acme}/adduser", {"userDetails": "kim@example.org"}).status == 409
    assert client.post(f"/api/accounts/{acme}/adduser", {"userDetails": " "}).status == 400


@pytest.mark.parametrize("path", ["adduser", "{member}/admin"])
def test_a_key_with_scopes_makes_nobody_who_has_none(client, key_of, acme, people, path):
    narrow = client.with_key(key_of("admin", "general"))
    place = f"/api/accounts/{acme}/{path.format(member=people['member'].id)}"
    answer = narrow.post(place, {"userDetails": "kim"})
    assert answer.status == 403
    assert names(client, acme) == {"ada": True, "mel": False}


def test_an_admin_is_made_and_unmade_and_one_stays(client, key_of, acme, people):
    member = client.with_key(key_of("member"))
    place = f"/api/accounts/{acme}/{people['member'].id}/admin"
    assert acme_admin(client.post(place).json())
    assert member.get("/api/audit").status == 200
    assert not acme_admin(client.delete(place).json())
    assert member.get("/api/audit").status == 403
    assert client.delete(place).status == 200
    last = client.delete(f"/api/accounts/{acme}/{people['admin'].id}/admin")
    assert last.status == 409
    assert "would have no admin" in last.json()["message"]
    assert client.delete(f"/api/accounts/{acme}/{people['admin'].id}").status == 409
    assert names(client, acme) == {"ada": True, "mel": False}


def test_who_is_taken_out_has_nothing_left_here_and_does_not_get_it_back(
    client, key_of, acme, people, database
):
    user_id, key = people["member"].id, key_of("member")
    with database.transaction() as db:
        service.join(db, people["stranger"].active_account_id, user_id)
    team = client.post("/api/team", {"name": "ops", "users": [user_id]}).json()["_id"]
    assert client.delete(f"/api/accounts/{acme}/{user_id}").json() == {}
    assert client.with_key(key).get("/api/user").status == 401
    assert names(client, acme) == {"ada": True}
    with database.transaction() as db:
        assert repository.by_id(db, user_id).active_account_id == people["stranger"].active_account_id
        service.join(db, acme, user_id)
    assert client.with_key(key).get("/api/user").status == 401
    left = {one["_id"]: [user["userName"] for user in one["users"]] for one in client.get("/api/team").json()}
    assert left.pop(team) == []
    assert [*left.values()] == [["ada", "mel"]]  # the team of all users, into which whoever joins comes


def test_a_user_without_an_account_is_deleted_and_the_name_is_free(client, acme, people, database):
    assert client.delete(f"/api/accounts/{acme}/{people['member'].id}").status == 200
    with database.reading() as db:
        assert repository.by_id(db, people["member"].id) is None
    assert client.post(f"/api/accounts/{acme}/adduser", {"userDetails": "mel"}).status == 200


def test_the_last_account_of_an_admin_of_the_installation_is_kept(platform, acme, people):
    assert platform.post(f"/api/accounts/{acme}/{people['member'].id}/admin").status == 200
    answer = platform.delete(f"/api/accounts/{acme}/{people['admin'].id}")
    assert answer.status == 409
    assert "must have an account" in answer.json()["message"]


def test_an_admin_of_the_installation_sees_and_makes_accounts(platform, acme, people):
    made = platform.post("/api/admin/accounts", {"name": "new", "provider": "x"}).json()
    assert (made["name"], made["admins"]) == ("new", [])
    assert platform.get(f"/api/admin/accounts/{made['_id']}").json() == made
    listed = platform.get("/api/admin/accounts").json()
    assert [one["name"] for one in listed] == ["acme", "new", "other"]
    assert listed[0]["admins"] == [people["admin"].id]
    assert platform.get("/api/admin/accounts?name=new").json() == [made]
    assert [one["_id"] for one in platform.get(f"/api/admin/accounts?_id={acme}").json()] == [acme]
    assert platform.post("/api/admin/accounts", {"name": "new"}).status == 409
    assert platform.get("/api/admin/accounts/6923f0a41c2b9f3a7d000000").status == 404


def test_a_user_is_made_in_accounts_or_joins_one(platform, acme, people, stranger):
    other = people["stranger"].active_account_id
    body = {"account": [acme, other], "userName": "lee", "provider": {"name": "github"}}
    made = platform.post("/api/admin/accounts/addpendinguser", body).json()
    assert made["account"] == [acme, other]
    assert names(stranger, other) == {"lee": False, "otto": True}
    joined = platform.post(f"/api/accounts/{acme}/{people['stranger'].id}/adduser")
    assert (joined.status, joined.json()["userName"]) == (200, "otto")
    assert platform.post(f"/api/accounts/{acme}/{people['stranger'].id}/adduser").status == 409
    assert platform.post(f"/api/accounts/{acme}/6923f0a41c2b9f3a7d000000/adduser").status == 404
    assert sorted(names(platform, acme)) == ["ada", "lee", "mel", "otto"]
    nowhere = {**body, "account": ["6923f0a41c2b9f3a7d000000"], "userName": "pat"}
    assert platform.post("/api/admin/accounts/addpendinguser", nowhere).status == 404
    assert platform.post("/api/admin/accounts/addpendinguser", {**body, "account": []}).status == 400


def test_an_admin_gives_a_member_another_name_and_another_address(client, key_of, acme, people):
    key, place = key_of("member"), f"/api/accounts/{acme}/{people['member'].id}/updateuser"
    changed = client.post(place, {"userName": " kim ", "email": "kim@example.org"}).json()
    assert (changed["userName"], changed["email"]) == ("kim", "kim@example.org")
    assert client.post(place, {"userDetails": "kim@example.com"}).json()["userName"] == "kim"
    assert client.post(place, {}).json()["email"] == "kim@example.com"
    assert client.post(place, {"email": ""}).json()["email"] == ""
    assert client.with_key(key).get("/api/user").json()["userName"] == "kim"
    assert client.post(place, {"userName": "ada"}).status == 409
    assert client.post(place, {"userName": "x" * 256}).status == 400
    own = client.post(f"/api/accounts/{acme}/updateuser", {"settings": {"userName": "lovelace"}})
    assert own.json()["_id"] == people["admin"].id
    assert names(client, acme) == {"kim": False, "lovelace": True}


def test_a_user_of_other_accounts_is_changed_by_an_admin_of_the_installation(client, acme, people, database):
    place = f"/api/accounts/{acme}/{people['member'].id}/updateuser"
    with database.transaction() as db:
        service.join(db, people["stranger"].active_account_id, people["member"].id)
    refused = client.post(place, {"userName": "kim"})
    assert refused.status == 403
    assert "an admin of the installation may change this" in refused.json()["message"]
    with database.transaction() as db:
        repository.change(db, people["admin"].id, is_platform_admin=True)
    assert client.post(place, {"userName": "kim"}).json()["userName"] == "kim"


def test_an_account_gets_another_name_from_an_admin_of_the_installation(client, platform, acme, people):
    other = people["stranger"].active_account_id
    body = {"accountDetails": {"name": " beta "}}
    assert platform.post(f"/api/admin/accounts/{other}/update", body).json()["name"] == "beta"
    assert platform.post(f"/api/admin/accounts/{other}/update", {"settings": {"name": "acme"}}).status == 409
    assert platform.post(f"/api/admin/accounts/{other}/update", {"name": "  "}).status == 400
    assert platform.post(f"/api/admin/accounts/{other}/update", {}).json()["name"] == "beta"
    assert platform.post("/api/admin/accounts/6923f0a41c2b9f3a7d000000/update", {"name": "x"}).status == 404
    assert client.post(f"/api/accounts/{acme}/update", {"name": "gamma"}).json()["name"] == "gamma"
    assert client.get("/api/user").json()["activeAccountName"] == "gamma"


def test_who_is_no_admin_of_the_installation_leaves_an_account_its_name(client, acme):
    own = f"/api/accounts/{acme}/update"
    assert client.post(own, {"name": "other-name"}).status == 403
    assert client.post(own, {"name": "acme"}).json()["name"] == "acme"
    assert client.post(own, {"notifications": [{"type": "slack"}]}).status == 501
