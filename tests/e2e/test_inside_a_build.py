"""A step with `image: codefresh/cli` is logged in: scenario A47, on each runtime."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from e2e.conftest import new_town
from e2e.server import engine, until
from e2e.town import TRIGGER, step

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = yaml.safe_load((ROOT / "docs/examples/calls-another.yml").read_text())
PULL_REQUEST = {"CF_PULL_REQUEST_TARGET": "production", "CF_PULL_REQUEST_ACTION": "opened"}
FINAL = ("success", "error", "denied", "terminated")
DOCKER = pytest.mark.docker


@pytest.fixture(scope="module")
def docker_town(tmp_path_factory):
    """A server whose steps are containers, on an engine that has the image of our client."""
    if engine() is None:
        pytest.skip("no Docker engine answers at DOCKER_HOST")
    subprocess.run([sys.executable, ROOT / "tools/cli-image"], check=True, capture_output=True, timeout=300)
    words = ("--runtime", "docker", "--docker-host", os.environ["DOCKER_HOST"])
    server, made = new_town(tmp_path_factory.mktemp("docker-town") / "data", *words)
    yield made
    made.database.close()
    assert server.stop() == 0


@pytest.fixture(params=["local", pytest.param("docker", marks=DOCKER)])
def acme(request):
    """An account of this test only, on a server of each runtime."""
    return request.getfixturevalue("town" if request.param == "local" else "docker_town").account()


def ended(account, build_id):
    """Wait for the end of a build; return it."""

    def look():
        build = account.build(build_id)
        return build if build["status"] in FINAL else None

    return until(look, f"the end of build {build_id}")


def pair(account):
    """Make the two pipelines of the seed page, where the first calls the second."""
    account.pipeline("seed", name="my-project/my-basic-pipeline", triggers=[TRIGGER])
    account.pipeline("a", name="my-project/pipeline-a", steps=EXAMPLE["spec"]["steps"])


def status_of(account, build_id, name):
    """The status of a step of a build."""
    steps = account.call("GET", f"/api/builds/{build_id}/steps")
    return next(each["status"] for each in steps if each["name"] == name)


def test_a47_a_step_runs_another_pipeline_without_a_login(acme):
    acme.pipeline("ok")
    acme.pipeline("parent", steps={"call": step("codefresh run p/ok -d", image="codefresh/cli")})
    parent = acme.run("p/parent")
    assert ended(acme, parent)["status"] == "success", acme.server.log(parent, "call")
    child = next(build for build in acme.builds() if build["pipelineName"] == "p/ok")
    assert child["id"] in acme.server.log(parent, "call")
    annotations = acme.call("GET", f"/api/annotations?entityId={child['id']}&entityType=workflow")
    assert {"cf_predecessor": parent}.items() <= {each["key"]: each["value"] for each in annotations}.items()
    assert ended(acme, child["id"])["status"] == "success"


def test_the_seeds_pipeline_calls_another_when_a_pull_request_for_production_was_opened(acme):
    pair(acme)
    variables = [{"key": name, "value": value} for name, value in PULL_REQUEST.items()]
    parent = acme.run("my-project/pipeline-a", branch="master", variables=variables)
    assert ended(acme, parent)["status"] == "success", acme.server.log(parent, "myTriggerStep")
    assert status_of(acme, parent, "myTriggerStep") == "success"
    child = next(build for build in acme.builds() if build["pipelineName"] == "my-project/my-basic-pipeline")
    assert (child["status"], child["branchName"]) == ("success", "master")
    assert "Listing files" in acme.server.log(parent, "myTriggerStep")  # the call followed the log


def test_the_seeds_pipeline_calls_none_on_a_push(acme):
    pair(acme)
    parent = acme.run("my-project/pipeline-a", branch="master")
    assert ended(acme, parent)["status"] == "success"
    assert status_of(acme, parent, "myTriggerStep") == "skipped"
    assert [build["id"] for build in acme.builds()] == [parent]


def test_the_key_of_a_build_has_its_scopes_and_dies_with_it(acme):
    # The step takes the key out of the log's reach: written backwards it is not masked.
    commands = ("codefresh create project z || echo refused with $?", 'echo "$CF_API_KEY" | rev')
    acme.pipeline("key", steps={"tell": step(*commands, image="codefresh/cli")})
    build_id = acme.run("p/key")
    assert ended(acme, build_id)["status"] == "success", acme.server.log(build_id, "tell")
    log = acme.server.log(build_id, "tell")
    assert "You do not have permissions to perform this action" in log
    assert "refused with 1" in log
    backwards = re.search(r"(\S+)\.[0-9a-f]{24}$", log, re.MULTILINE)
    key = backwards[0][::-1]
    assert acme.server.call("GET", "/api/user", headers={"Authorization": key})[0] == 401
