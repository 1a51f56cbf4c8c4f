import pytest

CREATE = "POST /api/clusters/local/cluster"
ONE = {"_id": "5", "selector": "prod", "provider": "local", "providerAgent": "custom"}
BODY = {"selector": "", "kubeconfig": "{}", "kubeContext": "", "behindFirewall": False}


@pytest.fixture
def kubeconfig(codefresh):
    folder = codefresh.home / ".kube"
    folder.mkdir()
    (folder / "config").write_text("{}")


@pytest.mark.usefixtures("kubeconfig")
@pytest.mark.parametrize(
    ("words", "sent"),
    [
        ((), {}),
        (("prod", "--kc", "c"), {"selector": "prod", "kubeContext": "c"}),
        (("--behind-firewall",), {"behindFirewall": True}),
    ],
)
def test_a_cluster_is_registered_from_the_users_kubeconfig(server, codefresh, words, sent):
    server.answers[CREATE] = ONE
    assert codefresh("create", "clusters", *words) == (0, "Cluster: prod created\n", "")
    assert server.bodies(CREATE) == [{**BODY, **sent}]


def test_the_kubeconfig_may_be_elsewhere(server, codefresh):
    (codefresh.home / "k").write_text("other")
    server.answers[CREATE] = ONE
    assert codefresh("create", "cluster", env={"KUBECONFIG": "k:l"})[0] == 0
    assert codefresh("create", "cluster", "--kube-config-path", "k")[0] == 0
    assert [body["kubeconfig"] for body in server.bodies(CREATE)] == ["other", "other"]


def test_a_kubeconfig_that_is_not_there_is_named(server, codefresh):
    code, _, err = codefresh("create", "clusters")
    assert (code, ".kube/config" in err, server.lines) == (1, True, [])


def test_clusters_are_shown_and_deleted_by_name(server, codefresh):
    server.answers |= {"GET /api/clusters": [ONE], "DELETE /api/clusters/local/cluster/5": {}}
    assert codefresh("get", "clusters", "-o", "wide")[1].split() == [
        *("ID", "NAME", "PROVIDER", "PROVIDERAGENT"),
        *("5", "prod", "local", "custom"),
    ]
    assert codefresh("delete", "cluster", "prod") == (0, "Cluster: prod deleted\n", "")
    code, _, err = codefresh("delete", "cluster", "none")
    assert (code, "No such cluster: none" in err) == (1, True)


def test_a_pull_secret_is_generated(server, codefresh):
    server.answers["POST /api/kubernetes/secrets/imagePullSecret"] = {"name": "s"}
    done = codefresh("generate", "image-pull-secret", "--cluster", "prod", "--registry", "main")
    assert done == (0, "Image pull secret: s created\n", "")
    assert server.lines == ["POST /api/kubernetes/secrets/imagePullSecret?selector=prod&namespace=default"]
