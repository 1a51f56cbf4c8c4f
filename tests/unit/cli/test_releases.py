import pytest

BUILD = {"id": "b1"}


@pytest.mark.parametrize(
    ("words", "asked", "body"),
    [
        (
            (
                "install-chart",
                "-c",
                "prod",
                "-n",
                "mongodb",
                "-r",
                "https://c.example",
                "--set",
                "a=1=2",
                "b=3",
            ),
            "POST /api/kubernetes/chart/install?selector=prod",
            {
                "name": "mongodb",
                "repository": "https://c.example",
                "namespace": "default",
                "values": [],
                "set": [{"key": "a", "value": "1=2"}, {"key": "b", "value": "3"}],
            },
        ),
        (
            ("helm-promotion", "-b", "stages", "-s", "dev", "-t", "live", "--sr", "shop", "-r", "3"),
            "POST /api/kubernetes/chart/promote/helm3",
            {
                "board": "stages",
                "sourceSection": "dev",
                "targetSection": "live",
                "releaseName": "shop",
                "revision": "3",
                "values": [],
                "set": [],
            },
        ),
        (
            ("delete-release", "shop", "-c", "prod", "--ns", "web", "-p", "--nh"),
            "POST /api/kubernetes/releases/shop/delete?selector=prod&namespace=web",
            {"purge": True, "timeout": 300, "noHooks": True},
        ),
        (
            ("test-release", "shop", "--cluster", "prod", "-n", "kube-system", "--timeout", "5"),
            "POST /api/kubernetes/releases/shop/test?selector=prod&tillerNamespace=kube-system",
            {"cleanup": False, "timeout": 5},
        ),
        (
            ("rollback-release", "shop", "-c", "prod", "-t", "2"),
            "GET /api/kubernetes/rollback/shop/2?selector=prod",
            None,
        ),
    ],
)
def test_a_release_is_changed_by_a_build_whose_id_is_printed(server, codefresh, words, asked, body):
    place = asked.partition("?")[0]
    server.answers[place] = BUILD
    assert codefresh(*words, "-d") == (0, "b1\n", "")
    assert server.lines == [asked]
    if body is not None:
        assert server.bodies(place) == [body]


def test_contexts_with_values_are_given_and_others_are_told(server, codefresh):
    server.answers |= {
        "GET /api/contexts/values": {"spec": {"type": "yaml"}},
        "GET /api/contexts/login": {"spec": {"type": "git.github"}},
        "POST /api/kubernetes/chart/install": BUILD,
    }
    code, out, err = codefresh("install-chart", "-c", "p", "-n", "m", "--context", "values", "login", "-d")
    assert (code, out, "login has type git.github" in err) == (0, "b1\n", True)
    assert server.bodies("POST /api/kubernetes/chart/install")[0]["values"] == [{"name": "values"}]


def test_a_context_that_is_not_there_starts_nothing(server, codefresh):
    code, _, err = codefresh("install-chart", "-c", "p", "-n", "m", "--context", "none")
    assert (code, "Failed to get context" in err) == (1, True)
    assert server.lines == ["GET /api/contexts/none"]


def test_how_helm_uses_a_cluster_is_stored(server, codefresh):
    server.answers["POST /api/helm/cluster-config/prod"] = {}
    done = codefresh("set-helm-config", "prod", "-r", "ops/undo", "--release-namespaces", "web", "live")
    assert done == (0, "Helm config was set successfully\n", "")
    assert server.bodies("POST /api/helm/cluster-config/prod") == [
        {"helmVersion": "helm3", "rollbackPipeline": "ops/undo", "releaseNamespaces": ["web", "live"]}
    ]
