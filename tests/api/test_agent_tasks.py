"""Runner agents are asked to look at clusters that this server cannot reach."""

from datetime import timedelta

import pytest

from headrace.resources.agents import repository

CLUSTER = {
    "selector": "away",
    "host": "https://10.1.2.3:6443",
    "serviceAccountToken": "s3cret-of-the-cluster",
    "behindFirewall": True,
}
ROUTES = [
    ("GET", "/api/agent/{agent}/tasks"),
    ("POST", "/api/agent/{agent}/tasks"),
    ("GET", "/api/agent/{agent}/tasks/{task}"),
    ("POST", "/api/agent/{agent}/tasks/{task}/statuses"),
]
DONE = {"status": "Success", "occurredAt": "2026-01-02T03:04:05Z", "statusRevision": 1, "isRetriable": False}


@pytest.fixture
def agent(client):
    """An agent: its id, and the client that holds its key."""
    assert client.post("/api/clusters/local/cluster", CLUSTER).status == 200
    made = client.post("/api/agents", {"name": "far", "runtimes": ["dc/east"]}).json()
    return made["id"], client.with_key(made["token"])


@pytest.fixture
def task(client, agent):
    """The id of a task, and the path of it."""
    answer = client.post(f"/api/agent/{agent[0]}/tasks", {"cluster": "away"})
    assert answer.status == 200, answer.text
    assert answer.json()["status"] == "Pending"
    return answer.json()["_id"], f"/api/agent/{agent[0]}/tasks/{answer.json()['_id']}"


def body_of(path):
    return {"cluster": "away"} if path.endswith("/tasks") else DONE


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_request_is_401_403_and_404_for_those_who_may_not(
    client, stranger, key_of, agent, task, method, path
):
    body, path = body_of(path), path.format(agent=agent[0], task=task[0])
    assert client.with_key(None).call(method, path, json=body).status == 401
    assert client.with_key(key_of("admin", "pipeline")).call(method, path, json=body).status == 403
    assert stranger.call(method, path, json=body).status == 404


def test_only_an_admin_asks_an_agent_for_something(client, key_of, agent):
    member = client.with_key(key_of("member"))
    assert member.post(f"/api/agent/{agent[0]}/tasks", {"cluster": "away"}).status == 403
    assert client.post(f"/api/agent/{agent[0]}/tasks", {"cluster": "none"}).status == 404


def test_an_agent_reads_its_task_with_the_login_and_nobody_else_does(client, agent, task):
    (told,) = agent[1].get(f"/api/agent/{agent[0]}/tasks?waitForStatusReport=true").json()
    assert (told["_id"], told["type"]) == (task[0], "AgentTask")
    assert {**told["metadata"], "createdAt": ""} == {
        "createdAt": "",
        "reName": "dc/east",
        "workflowId": "",
        "currentStatusRevision": 0,
        "shouldReportStatus": True,
    }
    params = {"url": "https://10.1.2.3:6443/version", "method": "GET"}
    assert told["spec"] == {"type": "proxy", "params": {**params, "token": "s3cret-of-the-cluster"}}
    others = client.get(f"/api/agent/{agent[0]}/tasks")
    assert others.json()[0]["spec"]["params"] == {**params, "token": "*****"}
    assert "s3cret" not in others.text


def test_a_login_is_nowhere_in_the_database_as_it_is(database, people, agent, task):
    with database.reading() as db:
        (stored,) = repository.tasks_of(db, people["admin"].active_account_id, agent[0])
    assert stored.id == task[0]
    assert "s3cret" not in str(stored)


def test_a_report_ends_a_task_and_the_same_again_changes_nothing(client, agent, task):
    first = agent[1].post(f"{task[1]}/statuses", DONE)
    assert (first.status, first.json()["status"]) == (200, "Success")
    late = {**DONE, "status": "Error", "statusRevision": 2, "reason": "late"}
    assert agent[1].post(f"{task[1]}/statuses", DONE).json() == first.json()
    assert agent[1].post(f"{task[1]}/statuses", late).json() == first.json()
    assert agent[1].get(f"/api/agent/{agent[0]}/tasks").json() == []
    assert client.get(task[1]).json() == first.json()


def test_an_error_that_may_be_tried_again_leaves_the_task_with_the_agent(client, agent, task):
    failed = {**DONE, "status": "Error", "isRetriable": True, "reason": "no route to host"}
    assert agent[1].post(f"{task[1]}/statuses", failed).json()["status"] == "Pending"
    (told,) = agent[1].get(f"/api/agent/{agent[0]}/tasks").json()
    assert told["metadata"]["currentStatusRevision"] == 1
    final = {**failed, "isRetriable": False, "statusRevision": 2}
    assert agent[1].post(f"{task[1]}/statuses", final).json()["status"] == "Error"
    assert client.get(task[1]).json()["reason"] == "no route to host"


def test_nobody_else_reports_for_an_agent(client, task):
    other = client.with_key(client.post("/api/agents", {"name": "near"}).json()["token"])
    for somebody in (client, other):
        answer = somebody.post(f"{task[1]}/statuses", DONE)
        assert answer.status == 403
        assert "only the key of the agent 'far'" in answer.json()["message"]
    assert client.get(task[1]).json()["status"] == "Pending"


@pytest.mark.parametrize("body", [{}, {"status": "Maybe"}, {**DONE, "statusRevision": 0}])
def test_a_report_of_another_form_is_refused(agent, task, body):
    assert agent[1].post(f"{task[1]}/statuses", body).status == 400


def test_a_task_that_nobody_reports_expires(client, database, people, agent, task):
    account_id = people["admin"].active_account_id
    with database.transaction() as db:
        (stored,) = repository.tasks_of(db, account_id, agent[0])
        earlier = stored.created_at - timedelta(minutes=11)
        repository.change_task(db, account_id, task[0], created_at=earlier)
    assert client.get(task[1]).json()["status"] == "Expired"
    assert agent[1].get(f"/api/agent/{agent[0]}/tasks").json() == []


def test_an_agent_that_does_not_poll_is_given_no_more_than_a_hundred_tasks(client, agent):
    path = f"/api/agent/{agent[0]}/tasks"
    statuses = [client.post(path, {"cluster": "away"}).status for _ in range(101)]
    assert statuses == [200] * 100 + [409]


def test_tasks_end_with_their_agent(client, agent, task):
    assert client.delete(f"/api/agent/{agent[0]}").status == 200
    assert client.get(task[1]).status == 404
