import base64
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from cluster import READER, TOKEN, pem, small_cluster
from factories import make_build
from headrace.app.installation import Installation
from headrace.app.settings import Settings
from headrace.resources.api_keys import service as api_keys

pytestmark = pytest.mark.enable_socket
REGISTER = "/api/clusters/local/cluster"
AWAY = {"selector": "away", "host": "https://10.1.2.3:6443", "serviceAccountToken": TOKEN}
BEHIND = {**AWAY, "behindFirewall": True}
ROUTES = [
    ("GET", "/api/clusters"),
    ("POST", REGISTER),
    ("DELETE", "/api/clusters/local/cluster/away"),
    ("GET", "/api/clusters/away/credentials"),
    ("POST", "/api/clusters/away/test"),
    ("GET", "/api/clusters/away/namespaces"),
    ("GET", "/api/clusters/away/services"),
    ("GET", "/api/clusters/away/workloads"),
    ("GET", "/api/clusters/away/pods"),
    ("POST", "/api/kubernetes/secrets/imagePullSecret?selector=away&namespace=default"),
]
CONTAINER = {"name": "app", "image": "acme/app:1"}


@pytest.fixture
def installation(database_url, tmp_path):
    """As everywhere, but clusters may be on this machine."""
    settings = Settings(
        data=str(tmp_path / "data"),
        database_url=database_url,
        runtime="fake",
        cluster_networks="127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
    )
    found = Installation(settings)
    yield found
    found.close()


@pytest.fixture
def small(tmp_path):
    with small_cluster(tmp_path) as cluster:
        yield cluster


@pytest.fixture
def registered(client, small):
    """The client, after the small cluster was registered."""
    answer = client.post(REGISTER, small.token_fields())
    assert answer.status == 200, answer.text
    return client


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_request_without_a_key_is_401(client, method, path):
    assert client.with_key(None).call(method, path, json=BEHIND).status == 401


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_key_without_the_scope_is_403(client, key_of, method, path):
    reads = method == "GET" and not path.endswith("/credentials")
    for scope in ("pipeline", "general", "cluster:write" if reads else "cluster:read"):
        if not path.endswith("/test") or scope != "cluster:read":
            assert client.with_key(key_of("admin", scope)).call(method, path, json=BEHIND).status == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [route for route in ROUTES if route[0] != "GET" and not route[1].endswith("/test")],
)
def test_only_admins_change_clusters(client, key_of, method, path):
    assert client.with_key(key_of("member")).call(method, path, json=BEHIND).status == 403


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if "away" in route[1]])
def test_a_cluster_of_another_account_is_404(client, stranger, method, path):
    assert client.post(REGISTER, BEHIND).status == 200
    answer = stranger.call(method, path, json={"registry": "main"})
    assert answer.status == 404
    assert "could not find cluster 'away'" in answer.json()["message"]


def test_a_cluster_is_registered_by_a_token_that_no_list_shows(registered, small, database):
    [one] = registered.get("/api/clusters").json()
    assert one == {
        "_id": one["_id"],
        "selector": "small",
        "provider": "local",
        "providerAgent": "custom",
        "behindFirewall": False,
        "url": small.url,
        "cluster": {"name": "small"},
        "tags": [],
    }
    with database.reading() as db:
        stored = str(db.exec_driver_sql("SELECT * FROM clusters").all())
    assert TOKEN not in stored
    assert "PRIVATE KEY" not in stored


def test_a_login_is_shown_to_admins_and_who_saw_it_is_noted(registered, small, key_of):
    path = "/api/clusters/small/credentials"
    assert registered.with_key(key_of("member")).get(path).status == 403
    assert registered.get(path).json() == {
        "auth": {"bearer": TOKEN},
        "ca": base64.b64encode(small.authority.encode()).decode(),
        "url": small.url,
    }
    noted = registered.get("/api/audit?action=clusters.credentials").json()["docs"]
    assert [(one["status"], one["entityId"]) for one in noted] == [(200, "small"), (403, "small")]


def test_the_key_of_a_build_shows_no_login(registered, database, people):
    build, admin = make_build(database, people["admin"]), people["admin"]
    with database.transaction() as db:
        key = api_keys.mint_for_build(
            db,
            build.id,
            account_id=build.account_id,
            user_id=admin.id,
            scopes=["cluster"],
            now=datetime.now(UTC),
        )
    answer = registered.with_key(key).get("/api/clusters/small/credentials")
    assert (answer.status, TOKEN in answer.text) == (403, False)


def test_a_token_in_base64_is_the_same(client, small):
    fields = small.token_fields(base64.b64encode(TOKEN.encode()).decode())
    assert client.post(REGISTER, fields).status == 200
    assert client.post("/api/clusters/small/test", {}).json() == {"ok": True}


def test_a_cluster_is_registered_by_a_kubeconfig(client, small):
    key, certificate = small.client
    user = {
        "client-certificate-data": base64.b64encode(pem(certificate).encode()).decode(),
        "client-key-data": base64.b64encode(pem(key).encode()).decode(),
    }
    assert client.post(REGISTER, {"kubeconfig": small.kubeconfig(user=user)}).json()["selector"] == "small"
    assert client.get("/api/clusters/small/namespaces").status == 200


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"serviceAccountToken": "head.claims.wrong"}, "answers 401: Unauthorized"),
        ({"clientCa": ""}, "CERTIFICATE_VERIFY_FAILED"),
        ({"host": "https://127.0.0.1:1"}, "127.0.0.1 does not answer"),
        ({"host": "http://127.0.0.1:1"}, "none of a cluster"),
        ({"host": "https://169.254.169.254"}, "where nobody is called; see HEADRACE_CLUSTER_NETWORKS"),
        ({"host": "https://user@10.0.0.1"}, "none of a cluster"),
        ({"serviceAccountToken": ""}, "there is no login"),
        ({"serviceAccountToken": "a\nb"}, "signs that no token has"),
        ({"clientCa": "-----BEGIN CERTIFICATE-----"}, "no PEM"),
        ({"clientCa": "*"}, "no base64 of PEM"),
        ({"selector": ""}, "selector is required"),
        ({"kubeconfig": "{}"}, "give a kubeconfig, or a host"),
    ],
)
def test_what_cannot_be_called_is_refused_with_the_reason(client, small, fields, words):
    answer = client.post(REGISTER, {**small.token_fields(), **fields})
    assert answer.status == 400
    assert words in answer.json()["message"]
    assert client.get("/api/clusters").json() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"user": {"exec": {"command": "touch", "apiVersion": "v1"}}}, "uses 'exec'"),
        ({"user": {"tokenFile": "/etc/passwd"}}, "uses 'tokenFile'"),
        ({"user": {"client-certificate": "/etc/passwd"}}, "uses 'client-certificate'"),
        ({"certificate-authority": "/etc/passwd"}, "uses 'certificate-authority'"),
        ({"insecure-skip-tls-verify": True}, "uses 'insecure-skip-tls-verify'"),
        ({"proxy-url": "http://127.0.0.1"}, "uses 'proxy-url'"),
        ({"server": "https://"}, "none of a cluster"),
    ],
)
def test_a_kubeconfig_that_reaches_into_this_machine_is_refused(client, small, changes, words):
    answer = client.post(REGISTER, {"kubeconfig": small.kubeconfig(**changes)})
    assert answer.status == 400
    assert words in answer.json()["message"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no YAML"),
        ("[]", "no mapping"),
        ("{}", "no current-context"),
        ("{current-context: a}", "no context 'a'"),
        ("{current-context: a, contexts: [{name: a, context: {cluster: c}}]}", "no cluster 'c'"),
    ],
)
def test_a_kubeconfig_that_lacks_something_says_what(client, text, words):
    answer = client.post(REGISTER, {"kubeconfig": text})
    assert (answer.status, words in answer.json()["message"]) == (400, True)


def test_a_name_is_taken_once(registered, small):
    assert registered.post(REGISTER, small.token_fields()).status == 409


def test_a_provider_that_nobody_knows_is_refused(client):
    assert client.post("/api/clusters/moon/cluster", BEHIND).status == 400


def test_a_cluster_behind_a_firewall_is_not_called(client):
    assert client.post(REGISTER, BEHIND).json()["behindFirewall"] is True


def test_a_cluster_is_deleted_by_its_id(registered):
    [one] = registered.get("/api/clusters").json()
    assert registered.delete(f"/api/clusters/local/cluster/{one['_id']}").json() == {}
    assert registered.get("/api/clusters").json() == []


def test_what_a_cluster_has_is_listed(registered, small):
    small.add("services", "web", spec={"ports": [{"port": 80}], "clusterIP": "10.0.0.7"})
    spec = {"selector": {}, "replicas": 2, "template": {"spec": {"containers": [CONTAINER]}}}
    small.add("deployments", "app", spec=spec, status={"readyReplicas": 1})
    counts = dict.fromkeys(("desiredNumberScheduled", "currentNumberScheduled", "numberReady"), 3)
    small.add("daemonsets", "app", spec=spec, status={**counts, "numberMisscheduled": 0})
    waiting = {"waiting": {"reason": "ImagePullBackOff"}}
    status = {"name": "app", "ready": False, "restartCount": 2, "state": waiting, "image": "", "imageID": ""}
    pod = {"phase": "Pending", "containerStatuses": [status]}
    small.add("pods", "app-1", space="web", spec={"containers": [CONTAINER], "nodeName": "n"}, status=pod)
    at = {"created": "2026-11-24T10:00:00Z"}
    namespaces = registered.get("/api/clusters/small/namespaces").json()
    assert namespaces == [{"name": name, "status": "Active", **at} for name in ("default", "web")]
    assert registered.get("/api/clusters/small/services").json() == [
        {
            "name": "web",
            "namespace": "default",
            "type": "ClusterIP",
            "clusterIP": "10.0.0.7",
            "selector": {},
            "ports": [{"name": "", "port": 80, "protocol": "TCP"}],
            **at,
        }
    ]
    workloads = registered.get("/api/clusters/small/workloads").json()
    assert [(each["kind"], each["replicas"], each["ready"]) for each in workloads] == [
        ("DaemonSet", 3, 3),
        ("Deployment", 2, 1),
    ]
    assert registered.get("/api/clusters/small/pods").json() == []
    [found] = registered.get("/api/clusters/small/pods?namespace=*").json()
    assert (found["phase"], found["reason"], found["restarts"]) == ("Pending", "ImagePullBackOff", 2)


def test_a_long_list_comes_in_pieces(registered, small):
    for number in range(1001):
        small.add("pods", f"p{number:04}", spec={"containers": [CONTAINER]}, status={"phase": "Running"})
    assert len(registered.get("/api/clusters/small/pods").json()) == 1001
    assert len([path for _, path in small.asked if "/pods" in path]) == 3


@pytest.mark.parametrize("namespace", ["default/secrets", "../x", "A", "a?b", "-", ""])
def test_a_namespace_leads_nowhere_else(registered, namespace):
    assert registered.get(f"/api/clusters/small/pods?namespace={quote(namespace)}").status == 400


def test_a_right_that_the_login_has_not_is_told(client, small):
    assert client.post(REGISTER, small.token_fields(READER)).status == 200
    client.post("/api/registries", {"name": "main", "domain": "r.example.org"})
    path = "/api/kubernetes/secrets/imagePullSecret?selector=small&namespace=default"
    answer = client.post(path, {"registry": "main"})
    assert (answer.status, "answers 403" in answer.json()["message"]) == (400, True)


def test_a_pull_secret_is_stored_and_renewed(registered, small):
    body = {"name": "Main_1", "domain": "r.example.org", "username": "ci", "password": "one"}
    registered.post("/api/registries", body)
    path = "/api/kubernetes/secrets/imagePullSecret?selector=small&namespace=web"
    for password in ("one", "two"):
        registered.call("PATCH", "/api/registries/Main_1", json={"password": password})
        name = registered.post(path, {"registry": "Main_1"}).json()["name"]
        assert name.startswith("codefresh-generated-r-example-org-main-1-")
        secret = small.objects["secrets", "web", name]
        assert secret["type"] == "kubernetes.io/dockerconfigjson"
        login = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]["r.example.org"]
        assert (login["username"], login["password"]) == ("ci", password)
        assert base64.b64decode(login["auth"]).decode() == f"ci:{password}"


@pytest.mark.parametrize(
    ("selector", "namespace", "registry", "status"),
    [("none", "web", "main", 404), ("small", "web", "none", 404), ("small", "gone", "main", 400)],
)
def test_a_pull_secret_needs_what_it_names(registered, selector, namespace, registry, status):
    registered.post("/api/registries", {"name": "main", "domain": "r.example.org"})
    path = f"/api/kubernetes/secrets/imagePullSecret?selector={selector}&namespace={namespace}"
    assert registered.post(path, {"registry": registry}).status == status


CLUSTERS = ["small", *(["real"] if os.environ.get("KUBECONFIG") else [])]


@pytest.mark.parametrize("which", CLUSTERS)
def test_the_whole_way_on_every_cluster_there_is(client, small, which):
    config = small.kubeconfig() if which == "small" else Path(os.environ["KUBECONFIG"]).read_text()
    assert client.post(REGISTER, {"selector": which, "kubeconfig": config}).status == 200
    names = [each["name"] for each in client.get(f"/api/clusters/{which}/namespaces").json()]
    assert "default" in names
    for what in ("services", "workloads", "pods"):
        assert client.get(f"/api/clusters/{which}/{what}?namespace=*").status == 200
