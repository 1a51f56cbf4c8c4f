"""What builds deploy: `DatabaseRecords` and the integration, against a small cluster."""

import base64
import json
from copy import deepcopy

import msgspec
import pytest

from cluster import READER, TOKEN, small_cluster
from factories import make_build
from headrace.execution.ports import Deployment, Rollout
from headrace.integrations.clusters import Credentials, Networks, secrets_of, to_kubeconfig
from headrace.integrations.clusters.client import Cluster
from headrace.integrations.clusters.credentials import from_kubeconfig
from headrace.resources.pipelines.records import DatabaseRecords

pytestmark = pytest.mark.enable_socket
IMAGE = "r.example.org/acme/shop:2"
ORDER = Deployment(cluster="small", namespace="web", service="shop", image=IMAGE, mark="b/s")
SHOP = Rollout("Deployment", "shop", "web")
MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: 'acme/api:1'}]}
"""


@pytest.fixture
def engine_name():
    """What a cluster is asked for does not depend on the database."""
    return "sqlite"


@pytest.fixture
def small(tmp_path):
    with small_cluster(tmp_path) as cluster:
        cluster.add("services", "shop", space="web", spec={"selector": {"app": "shop"}})
        deploy(cluster, "shop", {"app": "shop", "tier": "web"}, "r.example.org/acme/shop:1", "envoy:1")
        deploy(cluster, "other", {"app": "other"}, "r.example.org/acme/shop:1")
        yield cluster


def deploy(cluster, name, labels, *images):
    containers = [{"name": f"c{index}", "image": image} for index, image in enumerate(images)]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    cluster.add("deployments", name, space="web", spec=spec)


@pytest.fixture
def records(database, box):
    return DatabaseRecords(database, box, Networks.read("127.0.0.0/8,::1/128"))


@pytest.fixture
def build_id(client, database, people, small):
    fields = {**small.token_fields(), "behindFirewall": True}
    assert client.post("/api/clusters/local/cluster", fields).status == 200
    return make_build(database, people["admin"]).id


def template(small, name="shop"):
    return small.objects["deployments", "web", name]["spec"]["template"]


async def test_the_container_with_that_repository_gets_the_image(records, build_id, small):
    assert await records.deploy(build_id, ORDER) == (SHOP,)
    assert [each["image"] for each in template(small)["spec"]["containers"]] == [IMAGE, "envoy:1"]
    assert template(small)["metadata"]["annotations"] == {"headrace/deployed-by": "b/s"}
    assert [each["image"] for each in template(small, "other")["spec"]["containers"]] != [IMAGE]
    assert await records.missing(build_id, "small", (SHOP,)) == ""


async def test_the_same_asked_again_changes_nothing(records, build_id, small):
    await records.deploy(build_id, ORDER)
    before = deepcopy(template(small))
    await records.deploy(build_id, ORDER)
    assert template(small) == before
    await records.deploy(build_id, msgspec.structs.replace(ORDER, mark="b/again"))
    assert template(small) != before


async def test_what_has_no_pods_yet_is_told(records, build_id, small):
    small.stuck = True
    await records.deploy(build_id, ORDER)
    assert await records.missing(build_id, "small", (SHOP,)) == "Deployment 'shop': 0 of 2 are ready"


async def test_without_an_image_the_pods_start_anew(records, build_id, small):
    await records.deploy(build_id, Deployment(cluster="small", namespace="web", service="shop", mark="b/s"))
    assert template(small)["metadata"]["annotations"] == {"headrace/deployed-by": "b/s"}
    assert template(small)["spec"]["containers"][0]["image"] == "r.example.org/acme/shop:1"


async def test_the_login_of_the_registry_comes_along(records, build_id, small, client):
    await client.send(
        "POST",
        "/api/registries",
        json={"name": "main", "domain": "r.example.org", "username": "ci", "password": "p"},
    )
    order = msgspec.structs.replace(ORDER, registry="main")
    await records.deploy(build_id, order)
    [secret] = template(small)["spec"]["imagePullSecrets"]
    stored = small.objects["secrets", "web", secret["name"]]["data"][".dockerconfigjson"]
    assert json.loads(base64.b64decode(stored))["auths"]["r.example.org"]["password"] == "p"


async def test_a_manifest_is_applied_and_its_workloads_are_followed(records, build_id, small):
    order = Deployment(cluster="small", namespace="web", manifest=MANIFEST, mark="b/s")
    assert await records.deploy(build_id, order) == (Rollout("Deployment", "api", "web"),)
    assert ("configmaps", "web", "settings") in small.objects
    assert await records.missing(build_id, "small", [Rollout("Deployment", "api", "web")]) == ""


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"cluster": "gone"}, "could not find cluster 'gone'"),
        ({"registry": "gone"}, "could not find registry 'gone'"),
        ({"service": "gone"}, 'services "gone" not found'),
        ({"namespace": "default", "service": "alone"}, "no deployment of namespace 'default' is behind"),
        ({"service": "../secrets"}, "is no name in Kubernetes"),
        ({"service": ""}, "service '' is no name in Kubernetes"),
        ({"namespace": ""}, "namespace '' is no name in Kubernetes"),
        ({"image": "acme/cart:1"}, "no container of deployment 'shop' has an image like 'acme/cart:1'"),
        ({"manifest": "kind: {"}, "the manifest cannot be read"),
        ({"manifest": "{apiVersion: acme/v1, kind: Thing}"}, "the manifest cannot be read"),
    ],
)
async def test_what_cannot_be_deployed_says_why(records, build_id, small, order, words):
    small.add("services", "alone", spec={"selector": {"app": "shop"}})
    with pytest.raises(LookupError) as refusal:
        await records.deploy(build_id, msgspec.structs.replace(ORDER, **order))
    assert words in str(refusal.value)


async def test_a_right_that_the_login_has_not_is_told(records, build_id, small, client):
    await client.send("DELETE", "/api/clusters/local/cluster/small")
    fields = {**small.token_fields(READER), "behindFirewall": True}
    await client.send("POST", "/api/clusters/local/cluster", json=fields)
    with pytest.raises(LookupError, match="answers 403"):
        await records.deploy(build_id, ORDER)


async def test_steps_get_a_kubeconfig_that_reaches_the_cluster(records, build_id, small):
    found = await records.kubeconfig(build_id)
    assert found.secrets == {TOKEN}
    name, login = from_kubeconfig(found.text)
    assert (name, login.url, login.authority) == ("small", small.url, small.authority)
    with Cluster(login, Networks.read("127.0.0.0/8,::1/128")) as cluster:
        cluster.check()


@pytest.mark.parametrize(
    ("info", "names"),
    [
        ({"injectAll": True}, ["prod", "small"]),
        ({"injectAll": False, "clusters": ["prod"]}, ["prod"]),
        ({"clusters": ["small", "gone"]}, ["small"]),
        ({"injectAll": False, "clusters": []}, []),
        (None, ["prod", "small"]),
    ],
)
async def test_a_pipeline_chooses_the_clusters_of_its_builds(records, client, small, info, names):
    for name in ("small", "prod"):
        fields = {**small.token_fields(), "selector": name, "behindFirewall": True}
        assert (await client.send("POST", "/api/clusters/local/cluster", json=fields)).status == 200
    spec = {"steps": {"a": {"image": "alpine", "commands": ["true"]}}, "clustersInfo": info}
    body = {"metadata": {"name": "p/chooses"}, "spec": {key: value for key, value in spec.items() if value}}
    await client.send("POST", "/api/pipelines", json=body)
    started = await client.send("POST", "/api/pipelines/run/p%2Fchooses", json={})
    found = await records.kubeconfig(started.json())
    contexts = json.loads(found.text)["contexts"] if found.text else []
    assert [each["name"] for each in contexts] == names


def test_a_certificate_is_masked_by_its_key_and_read_back_as_it_was(small):
    parts = {"certificate": "PEM c", "key": "PEM k", "server_name": "x"}
    login = Credentials(url=small.url, authority=small.authority, **parts)
    text = to_kubeconfig({"small": login})
    assert from_kubeconfig(text) == ("small", login)
    assert secrets_of(login) == {"PEM k", base64.b64encode(b"PEM k").decode()}
