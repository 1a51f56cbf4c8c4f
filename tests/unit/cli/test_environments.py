"""``get environments`` and ``delete environment``."""

import json

ONE = {"_id": "5", "name": "shop", "status": "stopped", "creationStatus": "stopped", "instances": []}
TWO = {"_id": "6", "name": "web", "status": "running", "creationStatus": "done", "instances": []}


def test_environments_are_listed_with_their_status_on_wide_lines(server, codefresh):
    server.answers["GET /api/environments"] = [ONE, TWO]
    plain = codefresh("get", "environments")[1]
    assert [line.split() for line in plain.splitlines()] == [["ID", "NAME"], ["5", "shop"], ["6", "web"]]
    wide = codefresh("get", "env", "-o", "wide")[1]
    assert [line.split()[-1] for line in wide.splitlines()] == ["STATUS", "stopped", "done"]


def test_named_ones_are_asked_for_one_by_one(server, codefresh):
    server.answers |= {"GET /api/environments/shop": ONE, "GET /api/environments/6": TWO}
    shown = codefresh("get", "environment", "shop", "6", "-o", "json")[1]
    assert [one["name"] for one in json.loads(shown)] == ["shop", "web"]


def test_one_that_is_not_there_is_an_error(server, codefresh):
    server.answers["GET /api/environments/gone"] = (404, {"message": "could not find environment 'gone'"})
    code, out, err = codefresh("get", "environment", "gone")
    assert (code, out) == (1, "")
    assert "could not find environment 'gone'" in err


def test_an_environment_is_terminated(server, codefresh):
    server.answers["GET /api/environments/shop/terminate"] = ONE
    assert codefresh("delete", "env", "shop") == (0, "Environment: 'shop' deleted\n", "")


def test_as_json_an_environment_has_the_fields_of_the_official_client(server, codefresh):
    runs = {"serviceName": "web", "image": "nginx", "urls": ["http://a"], "container": "c1"}
    server.answers["GET /api/environments"] = [TWO | {"instances": [runs]}]
    shown = json.loads(codefresh("get", "environments", "-o", "json")[1])
    assert shown == {
        "id": "6",
        "status": "done",
        "name": "web",
        "servicesInfo": [
            {"serviceName": "web", "image": "nginx"}
            | {"sha": None, "branch": None, "repoName": None, "serviceURL": ["http://a"]}
        ],
    }
