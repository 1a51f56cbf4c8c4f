"""Triggers, runtime environments, agents and data items with the official client and with ours."""

import re

import pytest

from e2e.town import rows

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

CRON = ("--type", "cron", "--kind", "codefresh", "--value", "expression=@daily", "--value", "message=hi")


def test_an_event_is_made_linked_listed_and_removed(cli, acme):
    acme.pipeline("ok")
    said = cli.ok("create", "trigger-event", *CRON, "--secret", "!generate")
    uri = re.fullmatch(r"Trigger event: (cron:codefresh:@daily:hi:[0-9a-f]{12}) was .*\n", said)[1]
    assert rows(cli.ok("get", "trigger-events"))[1][:4] == [uri, "cron", "codefresh", "false"]
    assert uri in cli.ok("get", "trigger-event", uri)
    linked = cli.ok("create", "trigger", uri, "p/ok")
    assert linked == f"Trigger: {uri} was successfully linked to the pipeline: p/ok\n"
    for words in ((), ("-p", "p/ok"), ("-e", uri)):
        head, link = rows(cli.ok("get", "triggers", *words))
        assert (head, link[0]) == (["EVENT", "PIPELINE"], uri)
    assert cli.ok("delete", "trigger", uri, "p/ok").startswith(f"Trigger: {uri} was unlinked")
    assert cli.ok("get", "triggers") == "no available resources\n"
    assert "successfully deleted" in cli.ok("delete", "trigger-event", uri, "--context", "none")
    assert cli.ok("get", "trigger-events") == "no available resources\n"


def test_the_types_of_events_are_listed_and_chosen(cli):
    found = rows(cli.ok("get", "trigger-types"))
    assert found[0] == ["TYPE", "KIND", "URI-TEMPLATE"]
    assert len(found) > len(rows(cli.ok("get", "trigger-types", "--type", "cron"))) == 2
    one = rows(cli.ok("get", "tt", "--type", "registry", "--kind", "dockerhub"))
    assert one[1][:2] == ["registry", "dockerhub"]


def test_the_environment_of_the_server_is_shown_and_chosen(cli, acme):
    head, found = rows(cli.ok("get", "runtime-environments"))
    assert head == ["NAME", "VERSION", "EXTENDS", "LAST_CHANGED_BY"]
    assert found[:2] == ["default", "1"]
    assert "default" in cli.ok("get", "re", "default", "-o", "json")
    cli.ok("patch", "re", "default", "--default", "--extends", "default", "-d", "ours")
    assert rows(cli.ok("get", "re", "default"))[1][1] == "2"
    assert "git-clone" in cli.ok("get", "runtime-environment-base-images", "default")
    acme.pipeline("ok")
    done = cli("run", "p/ok", "--runtime-name", "nowhere")
    assert done.code == 0
    assert "Runtime environment nowhere not found. Default runtime will be used." in done.stdout + done.stderr


def test_an_agent_is_made_shown_changed_and_deleted(cli):
    said = cli.ok("create", "agent", "far", "-r", "default").splitlines()
    assert said[0] == 'Agent: "far" created'
    assert re.fullmatch(r"[0-9a-f]{24}\.[0-9a-f]+", said[1])
    assert rows(cli.ok("get", "agents"))[1][:2] == ["far", "default"]
    agent_id = cli.ok("get", "agents", "-o", "id").strip()
    assert cli.ok("patch", "agent", agent_id, "-n", "near") == f'Agent: "{agent_id}" patched.\n'
    assert "near" in cli.ok("get", "agent", agent_id)
    assert "deleted." in cli.ok("delete", "agent", agent_id)
    assert cli("delete", "agent", agent_id).code == 1


def test_data_of_a_build_is_kept_and_shown(cli, acme):
    acme.pipeline("ok")
    build_id = cli.ok("run", "p/ok", "-d").strip()
    cli.write("data.json", '{"coverage": 75}')
    said = cli.ok("create", "workflow-data-item", "--workflow", build_id, "-f", "data.json")
    item = re.fullmatch(r"Workflow-Data-Item ([0-9a-f]{24}) created\n", said)[1]
    assert rows(cli.ok("get", "workflow-data-item", "--workflow", build_id))[1][0] == item
    shown = cli.ok("get", "workflow-data-item", item, "--decrypt", "--workflow", build_id)
    assert '{"coverage":75}' in shown


@pytest.mark.parametrize("component", ["api", "hermes", "nomios"])
def test_the_parts_of_the_server_have_a_version(cli, component):
    assert cli.ok("version", "-c", component).startswith(f"{component} version: ")
