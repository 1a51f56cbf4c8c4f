"""Releases of Helm: read from the cluster, changed by builds."""

import base64
import io
import tarfile

import pytest
import yaml

from cluster import READER, TOKEN, small_cluster

pytestmark = pytest.mark.enable_socket
REGISTER = "/api/clusters/local/cluster"
AWAY = {
    "selector": "away",
    "host": "https://10.1.2.3:6443",
    "serviceAccountToken": TOKEN,
    "behindFirewall": True,
}
INSTALL = {"name": "web/shop", "repository": "https://charts.example.org", "namespace": "web"}
THERE = '--kube-context "$CF_HELM_KUBE_CONTEXT" --namespace "$CF_HELM_INSTALLATION_NAMESPACE"'
SOURCE = (
    '"$CF_HELM_SOURCE_RELEASE" --revision "$CF_HELM_REVISION" '
    '--kube-context "$CF_HELM_SOURCE_KUBE_CONTEXT" --namespace "$CF_HELM_SOURCE_NAMESPACE"'
)
READING = [
    ("GET", "/api/clusters/away/releases", None),
    ("GET", "/api/clusters/away/releases/shop", None),
    ("GET", "/api/clusters/away/releases/shop/history", None),
    ("GET", "/api/helm/cluster-config/away", None),
]
CHANGING = [
    ("POST", "/api/helm/cluster-config/away", {}),
    ("POST", "/api/kubernetes/chart/install?selector=away", INSTALL),
    (
        "POST",
        "/api/kubernetes/chart/promote/helm3?selector=away",
        {"releaseName": "a", "targetSelector": "b"},
    ),
    ("POST", "/api/kubernetes/releases/shop/delete?selector=away&namespace=web", {}),
    ("POST", "/api/kubernetes/releases/shop/test?selector=away&namespace=web", {}),
    ("GET", "/api/kubernetes/rollback/shop/1?selector=away&namespace=web", None),
]


@pytest.fixture(params=["sqlite"])
def engine_name(request):
    """What is stored is one row for a cluster."""
    return request.param


@pytest.fixture
def small(tmp_path):
    with small_cluster(tmp_path) as cluster:
        yield cluster


@pytest.fixture
def registered(client, small):
    """The client, after the small cluster was registered."""
    assert client.post(REGISTER, small.token_fields()).status == 200
    return client


def helm(client, answer):
    """The commands and variables of the build that an answer names."""
    assert answer.status == 200, answer.text
    build = client.get(f"/api/builds/{answer.json()['id']}").json()
    step = yaml.safe_load(build["userYamlDescriptor"])["steps"]["helm"]
    assert step["type"] == "helm"
    return step["arguments"]["commands"], variables_of(client, build["id"])


def variables_of(client, build_id):
    """The variables of a build by name; those that are secret are None."""
    found = client.get(f"/api/builds/{build_id}/variables").json()
    return {one["key"]: None if one["encrypted"] else one["value"] for one in found}


@pytest.mark.parametrize(("method", "path", "body"), READING + CHANGING)
def test_a_request_without_a_key_is_401_and_without_the_scope_403(client, key_of, method, path, body):
    assert client.with_key(None).call(method, path, json=body).status == 401
    narrow = "cluster:write" if (method, path, body) in READING else "cluster:read"
    for scope in ("helm", "pipeline", narrow):
        assert client.with_key(key_of("admin", scope)).call(method, path, json=body).status == 403


@pytest.mark.parametrize(("method", "path", "body"), READING + CHANGING)
def test_a_cluster_of_another_account_is_404(client, stranger, method, path, body):
    assert client.post(REGISTER, AWAY).status == 200
    answer = stranger.call(method, path, json=body)
    assert (answer.status, "could not find cluster 'away'" in answer.json()["message"]) == (404, True)


@pytest.mark.parametrize(("method", "path", "body"), [READING[1], CHANGING[0]])
def test_values_and_settings_are_for_admins(client, key_of, method, path, body):
    assert client.with_key(key_of("member")).call(method, path, json=body).status == 403


def test_each_release_is_listed_with_its_newest_revision(registered, small):
    small.release("shop", 1, status="superseded")
    small.release("shop", 9, status="failed", info={"status": "failed", "description": "no room"})
    small.release("shop", 10)
    small.release("api", 1, space="web")
    small.add("secrets", "other", data={"release": "x"})
    found = registered.get("/api/clusters/small/releases").json()
    assert [(each["namespace"], each["name"], each["revision"]) for each in found] == [
        ("default", "shop", 10),
        ("web", "api", 1),
    ]
    assert found[0] == {
        "name": "shop",
        "namespace": "default",
        "revision": 10,
        "status": "deployed",
        "updated": "2026-11-24T09:00:00.123Z",
        "chart": "shop",
        "chartVersion": "1.2.3",
        "appVersion": "7",
        "description": "",
    }
    assert [each["name"] for each in registered.get("/api/clusters/small/releases?namespace=web").json()] == [
        "api"
    ]


def test_where_releases_are_may_be_said_once_for_the_cluster(registered, small):
    small.release("shop")
    small.release("api", space="web")
    place = "/api/helm/cluster-config/small"
    assert registered.post(place, {"releaseNamespaces": ["web"]}).status == 200
    assert registered.get(place).json()["releaseNamespaces"] == ["web"]
    assert [each["name"] for each in registered.get("/api/clusters/small/releases").json()] == ["api"]
    assert registered.get("/api/clusters/small/releases/shop").status == 404
    assert all("/namespaces/web/" in path for _, path in small.asked if "/secrets" in path)


def test_the_history_is_told_newest_first(registered, small):
    for revision in (1, 2, 11):
        small.release("shop", revision, status="deployed" if revision == 11 else "superseded")
    found = registered.get("/api/clusters/small/releases/shop/history").json()
    assert [(each["revision"], each["status"]) for each in found] == [
        (11, "deployed"),
        (2, "superseded"),
        (1, "superseded"),
    ]


def test_a_revision_shows_what_it_was_made_of(registered, small):
    chart = {"metadata": {"name": "shop", "dependencies": [{"name": "redis"}]}, "values": {"replicas": 1}}
    small.release("shop", 1, config={"replicas": 3}, chart=chart, status="superseded")
    small.release("shop", 2)
    found = registered.get("/api/clusters/small/releases/shop?revision=1").json()
    assert (found["values"], found["chartValues"]) == ({"replicas": 3}, {"replicas": 1})
    assert (found["dependencies"], found["manifest"]) == (["redis"], "kind: Service")
    assert registered.get("/api/clusters/small/releases/shop").json()["revision"] == 2
    missing = registered.get("/api/clusters/small/releases/shop?revision=7")
    assert (missing.status, "there are 2, 1" in missing.json()["message"]) == (404, True)


@pytest.mark.parametrize("name", ["shop%2Cstatus!=failed", "-x", "A"])
def test_a_name_that_no_release_can_have_is_not_asked_for(registered, small, name):
    small.release("shop")
    assert registered.get(f"/api/clusters/small/releases/{name}/history").status == 404
    assert not [path for _, path in small.asked if "/secrets" in path]


def test_a_name_in_two_namespaces_asks_for_one(registered, small):
    small.release("shop")
    small.release("shop", space="web")
    answer = registered.get("/api/clusters/small/releases/shop")
    assert (answer.status, "'default', 'web'" in answer.json()["message"]) == (409, True)
    assert registered.get("/api/clusters/small/releases/shop?namespace=web").json()["namespace"] == "web"


@pytest.mark.parametrize("data", ["", "!", base64.b64encode(b"no gzip").decode()])
def test_a_secret_that_holds_no_release_is_told(registered, small, data):
    small.release("shop")
    small.objects["secrets", "default", "sh.helm.release.v1.shop.v1"]["data"]["release"] = data
    answer = registered.get("/api/clusters/small/releases")
    assert (answer.status, "holds no release" in answer.json()["message"]) == (400, True)


def test_a_login_that_may_not_read_secrets_is_told(client, small):
    assert client.post(REGISTER, small.token_fields(READER)).status == 200
    answer = client.get("/api/clusters/small/releases")
    assert (answer.status, "answers 403" in answer.json()["message"]) == (400, True)


def test_a_chart_is_installed_by_a_build(client):
    client.post(REGISTER, AWAY)
    body = {
        **INSTALL,
        "version": "^1.2",
        "set": [{"key": "tag", "value": "1.0; id"}, {"key": "on", "value": True}],
    }
    commands, variables = helm(client, client.post("/api/kubernetes/chart/install?selector=away", body))
    chart = '"$CF_HELM_CHART_NAME" --repo "$CF_HELM_CHART_REPO_URL" --version "$CF_HELM_CHART_VERSION"'
    assert commands == [
        f'set -- upgrade "$CF_HELM_RELEASE" {chart} --install {THERE}',
        'set -- "$@" --set "$CF_HELM_SET_0"',
        'set -- "$@" --set "$CF_HELM_SET_1"',
        'helm "$@"',
    ]
    assert variables["CF_HELM_RELEASE"] == "shop"
    assert variables["CF_HELM_KUBE_CONTEXT"] == "away"
    assert (variables["CF_HELM_SET_0"], variables["CF_HELM_SET_1"]) == ("tag=1.0; id", "on=true")


def made(client, name, kind, data):
    """Store a context."""
    body = {"metadata": {"name": name}, "spec": {"type": kind, "data": data}}
    assert client.post("/api/contexts", body).status == 200


def test_a_repository_and_values_may_be_contexts_whose_secrets_stay_secret(client):
    client.post(REGISTER, AWAY)
    login = {"HELMREPO_USERNAME": "ci", "HELMREPO_PASSWORD": "pass-word"}
    made(client, "charts", "helm-repository", {"repositoryUrl": "https://c.example.org/", "variables": login})
    made(client, "plain", "yaml", {"replicas": 2})
    made(client, "hidden", "secret-yaml", {"token": "very-hidden"})
    body = {**INSTALL, "repository": "charts", "values": [{"name": "plain"}, {"name": "hidden"}]}
    answer = client.post("/api/kubernetes/chart/install?selector=away", body)
    commands, variables = helm(client, answer)
    assert '--username "$CF_HELM_CHART_REPO_USER" --password "$CF_HELM_CHART_REPO_PASSWORD"' in commands[0]
    assert 'printf %s "$CF_HELM_VALUES_1" > /tmp/values_1.yml' in commands
    assert variables["CF_HELM_CHART_REPO_URL"] == "https://c.example.org"
    assert variables["CF_HELM_VALUES_0"] == "replicas: 2\n"
    assert (variables["CF_HELM_VALUES_1"], variables["CF_HELM_CHART_REPO_PASSWORD"]) == (None, None)
    whole = client.get(f"/api/builds/{answer.json()['id']}").text
    assert "very-hidden" not in whole
    assert "pass-word" not in whole


def test_a_chart_of_a_registry_has_its_whole_address(client):
    client.post(REGISTER, AWAY)
    body = {**INSTALL, "repository": "oci://registry.example.org/charts"}
    commands, variables = helm(client, client.post("/api/kubernetes/chart/install?selector=away", body))
    assert '"$CF_HELM_CHART_REPO_URL/$CF_HELM_CHART_NAME" --install' in commands[0]
    assert variables["CF_HELM_CHART_REPO_URL"] == "oci://registry.example.org/charts"


def test_a_login_of_a_registry_comes_before_its_chart(client):
    client.post(REGISTER, AWAY)
    login = {"HELMREPO_USERNAME": "ci", "HELMREPO_PASSWORD": "pass-word"}
    made(
        client,
        "charts",
        "helm-repository",
        {"repositoryUrl": "oci://r.example.org:5000/c", "variables": login},
    )
    body = {**INSTALL, "repository": "charts"}
    commands, variables = helm(client, client.post("/api/kubernetes/chart/install?selector=away", body))
    assert commands[0].endswith('--username "$CF_HELM_CHART_REPO_USER" --password-stdin')
    assert variables["CF_HELM_REGISTRY"] == "r.example.org:5000"
    assert variables["CF_HELM_CHART_REPO_PASSWORD"] is None


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"repository": "kubeapps"}, 404, "could not find a Helm repository 'kubeapps'"),
        ({"repository": "https://user:secret@c.example.org"}, 400, "is no address"),
        ({"name": "--post-renderer"}, 400, "name"),
        ({"name": "a b"}, 400, "name"),
        ({"releaseName": "-x"}, 400, "releaseName"),
        ({"version": "--debug"}, 400, "version"),
        ({"namespace": "../x"}, 400, "namespace"),
        ({"values": [{"name": "none"}]}, 404, "could not find a context 'none'"),
    ],
)
def test_what_cannot_be_installed_starts_nothing(client, changes, status, words):
    client.post(REGISTER, AWAY)
    answer = client.post("/api/kubernetes/chart/install?selector=away", {**INSTALL, **changes})
    assert (answer.status, words in answer.json()["message"]) == (status, True)
    assert client.get("/api/workflow").json()["workflows"]["docs"] == []


def test_a_release_is_rolled_back_where_it_is_found(registered, small):
    small.release("shop", 1, space="web", status="superseded")
    small.release("shop", 2, space="web")
    path = "/api/kubernetes/rollback/shop/1?selector=small&tillerNamespace=kube-system"
    commands, variables = helm(registered, registered.get(path))
    where = THERE.replace("_INSTALLATION", "")
    assert commands == [f'helm rollback "$CF_HELM_RELEASE" "$CF_HELM_REVISION" {where}']
    assert (variables["CF_HELM_NAMESPACE"], variables["CF_HELM_REVISION"]) == ("web", "1")


@pytest.mark.parametrize(
    ("place", "status"), [("gone/1", 404), ("shop/7", 404), ("shop/x", 400), ("-x/1", 404)]
)
def test_what_is_not_there_is_not_rolled_back(registered, small, place, status):
    small.release("shop")
    assert registered.get(f"/api/kubernetes/rollback/{place}?selector=small").status == status


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, ' --timeout "${CF_HELM_TIMEOUT}s" --keep-history'),
        ({"purge": True, "timeout": "60"}, ' --timeout "${CF_HELM_TIMEOUT}s"'),
        ({"noHooks": True}, " --keep-history --no-hooks"),
    ],
)
def test_a_release_is_deleted(registered, small, body, words):
    small.release("shop")
    answer = registered.post("/api/kubernetes/releases/shop/delete?selector=small", body)
    commands, variables = helm(registered, answer)
    assert commands[0].endswith(words)
    assert variables["CF_HELM_TIMEOUT"] == str(body.get("timeout", 300))


def test_a_release_is_tested(registered, small):
    small.release("shop")
    path = "/api/kubernetes/releases/shop/test?selector=small&tillerNamespace=default"
    commands, _ = helm(registered, registered.post(path, {"timeout": 5}))
    assert commands[0].startswith('helm test "$CF_HELM_RELEASE"')


def test_behind_a_firewall_the_namespace_must_be_named(client):
    client.post(REGISTER, AWAY)
    path = "/api/kubernetes/releases/shop/test?selector=away"
    answer = client.post(path, {})
    assert (answer.status, "name the namespace" in answer.json()["message"]) == (400, True)
    assert client.post(f"{path}&namespace=web", {}).status == 200


def test_a_pipeline_of_the_account_runs_in_the_place_of_the_step(registered, small):
    small.release("shop")
    steps = {"undo": {"image": "alpine", "commands": ["true"]}}
    document = {"metadata": {"name": "ops/undo"}, "spec": {"steps": steps}}
    pipeline = registered.post("/api/pipelines", document).json()["metadata"]["id"]
    config = {"helmVersion": "helm3", "rollbackPipeline": "ops/undo"}
    stored = registered.post("/api/helm/cluster-config/small", config).json()
    assert stored["rollbackPipeline"] == pipeline
    answer = registered.get("/api/kubernetes/rollback/shop/1?selector=small").json()
    build = registered.get(f"/api/builds/{answer['id']}").json()
    assert build["pipelineName"] == "ops/undo"
    variables = variables_of(registered, build["id"])
    assert (variables["CF_HELM_RELEASE"], variables["CF_HELM_REVISION"]) == ("shop", "1")


@pytest.mark.parametrize("query", ["namespace", "tillerNamespace"])
def test_a_namespace_leads_nowhere_else(registered, small, query):
    path = f"/api/kubernetes/releases/shop/test?selector=small&{query}=..%2Fpods"
    assert registered.post(path, {}).status == 400
    assert registered.get("/api/clusters/small/releases?namespace=..%2Fpods").status == 400
    board = registered.post("/api/helm/boards", {"name": "stages"}).json()["_id"]
    fields = {"boardId": board, "name": "dev", "section": "small/../pods"}
    registered.post("/api/helm/boards/sections", fields)
    body = {"board": "stages", "sourceSection": "dev", "targetSection": "dev", "releaseName": "shop"}
    answer = registered.post("/api/kubernetes/chart/promote/helm3", body)
    assert (answer.status, "is no name of a namespace" in answer.json()["message"]) == (400, True)
    assert not [place for _, place in small.asked if "pods" in place]


def test_values_that_no_process_could_be_given_are_refused(client):
    client.post(REGISTER, AWAY)
    made(client, "large", "yaml", {"text": "\N{SNOWMAN}" * 50_000})
    body = {**INSTALL, "values": [{"name": "large"}]}
    answer = client.post("/api/kubernetes/chart/install?selector=away", body)
    assert (answer.status, "too large to be handed on" in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize(
    ("config", "status"), [({"helmVersion": "helm2"}, 400), ({"rollbackPipeline": "none"}, 404)]
)
def test_settings_that_cannot_be_are_refused(registered, config, status):
    assert registered.post("/api/helm/cluster-config/small", config).status == status


def test_settings_go_with_their_cluster(registered, small):
    registered.post("/api/helm/cluster-config/small", {"releaseNamespaces": ["web"]})
    registered.delete("/api/clusters/local/cluster/small")
    registered.post(REGISTER, small.token_fields())
    assert registered.get("/api/helm/cluster-config/small").json()["releaseNamespaces"] is None


CHART = {
    "metadata": {"name": "shop", "version": "1.0.0", "apiVersion": "v2"},
    "templates": [{"name": "templates/web.yaml", "data": base64.b64encode(b"kind: Service").decode()}],
    "files": [{"name": "README.md", "data": base64.b64encode(b"Hello").decode()}],
    "values": {"replicas": 1},
}


def test_a_release_is_promoted_with_its_chart_and_its_values(registered, small):
    small.release("shop", 3, space="web", chart=CHART)
    registered.post(REGISTER, AWAY)
    path = "/api/kubernetes/chart/promote/helm3?selector=small"
    body = {"releaseName": "shop", "targetSelector": "away", "targetNamespace": "live", "set": []}
    commands, variables = helm(registered, registered.post(path, body))
    assert commands == [
        'printf %s "$CF_HELM_CHART_ARCHIVE" | base64 -d > /tmp/chart.tgz',
        f"helm get values {SOURCE} --output yaml > /tmp/source.yml",
        f'set -- upgrade "$CF_HELM_RELEASE" /tmp/chart.tgz --install {THERE} --values /tmp/source.yml',
        'helm "$@"',
    ]
    assert variables["CF_HELM_SOURCE_NAMESPACE"] == "web"
    assert (variables["CF_HELM_INSTALLATION_NAMESPACE"], variables["CF_HELM_REVISION"]) == ("live", "3")
    packed = io.BytesIO(base64.b64decode(variables["CF_HELM_CHART_ARCHIVE"]))
    with tarfile.open(fileobj=packed) as tar:
        content = {each.name: tar.extractfile(each).read() for each in tar}
    assert content == {
        "shop/Chart.yaml": b"name: shop\nversion: 1.0.0\napiVersion: v2\n",
        "shop/values.yaml": b"replicas: 1\n",
        "shop/templates/web.yaml": b"kind: Service",
        "shop/README.md": b"Hello",
    }


def test_the_places_of_a_promotion_may_be_sections_of_a_board(registered, small):
    small.release("shop", space="web", chart=CHART)
    board = registered.post("/api/helm/boards", {"name": "stages"}).json()["_id"]
    for name, section in (("dev", "small/web"), ("live", "small/default")):
        fields = {"boardId": board, "name": name, "section": section}
        registered.post("/api/helm/boards/sections", fields)
    body = {"board": "stages", "sourceSection": "dev", "targetSection": "live", "releaseName": "shop"}
    answer = registered.post("/api/kubernetes/chart/promote/helm3?tillerNamespace=kube-system", body)
    _, variables = helm(registered, answer)
    assert (variables["CF_HELM_SOURCE_NAMESPACE"], variables["CF_HELM_NAMESPACE"]) == ("web", "default")
    assert variables["CF_HELM_BOARD"] == "stages"
    del body["targetSection"]
    assert registered.post("/api/kubernetes/chart/promote/helm3", body).status == 400


@pytest.mark.parametrize(
    ("chart", "words"),
    [
        ({"metadata": {"name": "shop", "dependencies": [{"name": "redis"}]}}, "depends on 'redis'"),
        ({"metadata": {"name": "shop"}, "files": [{"name": "../x", "data": ""}]}, "leads out of its folder"),
        ({"metadata": {"name": "shop"}, "files": [{"name": "x", "data": "*"}]}, "is no base64"),
    ],
)
def test_a_chart_that_a_release_does_not_hold_is_not_promoted(registered, small, chart, words):
    small.release("shop", chart=chart)
    body = {"releaseName": "shop", "targetSelector": "small", "targetNamespace": "web"}
    answer = registered.post("/api/kubernetes/chart/promote/helm3?selector=small", body)
    assert (answer.status, words in answer.json()["message"]) == (400, True)


def test_a_promotion_by_a_pipeline_needs_the_right_to_run_it(registered, small, key_of):
    small.release("shop", chart=CHART)
    body = {"releaseName": "shop", "targetSelector": "small", "pipelineId": "ops/promote"}
    path = "/api/kubernetes/chart/promote/helm3?selector=small"
    narrow = registered.with_key(key_of("admin", "cluster:write"))
    assert narrow.post(path, body).status == 403
    wide = registered.with_key(key_of("admin", "cluster:write", "pipeline:run"))
    assert wide.post(path, body).status == 404


def test_a_promotion_by_a_pipeline_needs_a_rule_to_run_it(registered, small, key_of, people):
    small.release("shop", chart=CHART)
    steps = {"say": {"image": "alpine", "commands": ["true"]}}
    for name in ("ops/promote", "ops/secret"):
        document = {
            "kind": "pipeline",
            "version": "1.0",
            "metadata": {"name": name},
            "spec": {"steps": steps},
        }
        document["metadata"]["labels"] = {"tags": [name.partition("/")[2]]}
        assert registered.post("/api/pipelines", document).status == 200
    before = [one["id"] for one in registered.get("/api/abac").json()]
    team = registered.post("/api/team", {"name": "ops", "users": [people["member"].id]}).json()["_id"]
    rules = [
        {"team": team, "resource": "cluster", "action": "read", "tags": []},
        {"team": team, "resource": "cluster", "action": "update", "tags": []},
        {"team": team, "resource": "pipeline", "action": "read", "tags": ["promote"]},
    ]
    assert registered.post("/api/abac/batch", {"create": rules, "delete": before}).status == 200
    member = registered.with_key(key_of("member"))

    def promote(pipeline):
        body = {"releaseName": "shop", "targetSelector": "small", "targetNamespace": "web"}
        path = "/api/kubernetes/chart/promote/helm3?selector=small"
        return member.post(path, {**body, "pipelineId": pipeline}).status

    assert [promote("ops/promote"), promote("ops/secret"), promote("ops/absent")] == [403, 404, 404]
    run = {"team": team, "resource": "pipeline", "action": "run", "tags": ["promote"]}
    assert registered.post("/api/abac", run).status == 200
    assert promote("ops/promote") == 200


def test_values_of_contexts_need_the_scope_of_contexts(client, key_of):
    client.post(REGISTER, AWAY)
    key = client.with_key(key_of("admin", "cluster", "pipeline", "build"))
    answer = key.post(
        "/api/kubernetes/chart/install?selector=away", {**INSTALL, "values": [{"name": "hidden"}]}
    )
    assert (answer.status, answer.json()["context"]) == (403, {"missingScopes": ["general"]})
