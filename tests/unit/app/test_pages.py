"""What the server answers outside the API: health, metrics, and the way to who answers."""

import pytest

from asgi import Client
from headrace.app.installation import VERSION, Installation
from headrace.app.pages import metric
from headrace.app.server import Application
from headrace.app.settings import Settings
from headrace.resources.builds.feed import Addresses


@pytest.fixture
def installation(tmp_path):
    found = Installation(Settings(data=str(tmp_path / "data")))
    yield found
    found.close()


@pytest.fixture
def client(installation):
    api = installation.api(Addresses(public_url="http://testserver", step_url="http://testserver"))
    yield Client(Application(installation, api, sockets=None))
    api.close()


def test_a_server_is_alive_before_its_database_is_ready(client, installation):
    assert client.get("/healthz").status == 200
    assert (client.get("/readyz").status, client.get("/readyz").json()) == (503, {"status": "migrating"})
    installation.open()
    assert (client.get("/readyz").status, client.get("/readyz").json()) == (200, {"status": "ready"})


def test_metrics_count_requests_and_builds(client, installation):
    installation.open()
    client.get("/api/user")
    client.get("/api/nowhere/at/all")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert 'headrace_http_requests_total{method="GET",path="/user",status="401"} 1' in lines
    assert 'headrace_http_requests_total{method="GET",path="unknown",status="404"} 1' in lines
    assert "# TYPE headrace_builds gauge" in lines


def test_the_version_of_the_trigger_service_is_ours(client):
    assert client.get("/nomios/version").json() == {"version": VERSION}


@pytest.mark.parametrize("path", ["/api", "/api/", "//api/"])
def test_the_reference_is_at_the_root_of_the_api(client, path):
    answer = client.get(path)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("path", ["/nowhere", "/apis", "/../x"])
def test_what_is_not_there_is_404_as_json(client, path):
    answer = client.get(path)
    assert answer.status == 404
    assert "could not find" in answer.json()["message"]


def test_head_answers_without_a_body(client):
    answer = client.call("HEAD", "/healthz")
    assert (answer.status, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


def test_a_label_cannot_break_out_of_its_line():
    text = metric("m", "counter", "words", [({"path": 'a"b\\c\nd'}, 1.0)])
    assert text.splitlines()[-1] == 'm{path="a\\"b\\\\c\\nd"} 1'


def test_a_metric_without_labels_is_a_bare_name():
    assert metric("m", "gauge", "words", [({}, 2.5)]).splitlines()[-1] == "m 2.5"
