"""Step types of the catalogue that talk to the server they run on."""

import pytest

from e2e.server import until

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]
FINAL = ("success", "error", "denied", "terminated")


def ended(account, build_id):
    def look():
        status = account.build(build_id)["status"]
        return status if status in FINAL else None

    return until(look, f"build {build_id} to end")


def test_a_pipeline_runs_another_with_codefresh_run_and_sees_how_it_ends(acme):
    child = {"say": {"image": "alpine", "commands": ["echo hello $WHO from $CF_BRANCH", "exit $CODE"]}}
    acme.pipeline("child", steps=child)
    arguments = {"PIPELINE_ID": "p/child", "BRANCH": "main", "VARIABLE": ["WHO=${{NAME}}", "CODE=${{CODE}}"]}
    steps = {
        "run": {"type": "codefresh-run:1.5.3", "arguments": arguments},
        "after": {"image": "alpine", "commands": ["echo of ${{steps.run.output.BUILD_ID}}"]},
    }
    acme.pipeline("parent", steps=steps)
    good = acme.run("p/parent", variables={"NAME": "ada", "CODE": "0"})
    assert ended(acme, good) == "success"
    assert [build["status"] for build in acme.builds()] == ["success", "success"]
    bad = acme.run("p/parent", variables={"NAME": "ada", "CODE": "3"})
    assert ended(acme, bad) == "error"
    assert [build["status"] for build in acme.builds()][:2] == ["error", "error"]
