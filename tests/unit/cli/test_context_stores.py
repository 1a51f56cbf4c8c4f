import pytest

POLICY = {"sharingPolicy": "AccountAdmins"}
VAULT = POLICY | {"behindFirewall": False, "apiUrl": "https://v.example"}
KEYS = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B", "AWS_DEFAULT_REGION": "eu"}
VAULT_WORDS = "secret-store hashicorp-vault s -a https://v.example"


@pytest.fixture
def created(server, codefresh):
    """Create a context; return its spec."""
    server.answers["POST /api/contexts/"] = {}

    def create(words, **env):
        done = codefresh("create", "context", *words.split(), env=env)
        assert done == (0, "Context: s created\n", "")
        return server.bodies("POST /api/contexts/")[-1]["spec"]

    return create


@pytest.mark.parametrize(
    ("words", "kind", "data"),
    [
        (
            "secret-store kubernetes s --cluster c --resource-type secret --resource-name r",
            "secret-store.kubernetes",
            POLICY | {"cluster": "c", "namespace": "default", "resourceType": "secret", "resourceName": "r"},
        ),
        (
            "secret-store kubernetes-runtime s --runtime a b --resource-type configmap",
            "secret-store.kubernetes-runtime",
            POLICY | {"resourceType": "configmap", "runtimes": ["a", "b"]},
        ),
        (
            "secret-store kubernetes-runtime s --resource-type secret",
            "secret-store.kubernetes-runtime",
            POLICY | {"resourceType": "secret", "runtimes": ["*"]},
        ),
        (
            f"{VAULT_WORDS} -t tok --login-path p -n ns",
            "secret-store.hashicorp-vault",
            VAULT | {"auth": {"type": "token", "token": "tok", "mount_point": "p", "namespace": "ns"}},
        ),
        (
            f"{VAULT_WORDS} -u me -p pw",
            "secret-store.hashicorp-vault",
            VAULT | {"auth": {"type": "userpass", "username": "me", "password": "pw"}},
        ),
        (
            f"{VAULT_WORDS} -r role -s sec",
            "secret-store.hashicorp-vault",
            VAULT | {"auth": {"type": "approle", "role_id": "role", "secret_id": "sec"}},
        ),
        (
            f"{VAULT_WORDS} --kubernetes-role role",
            "secret-store.hashicorp-vault",
            VAULT | {"auth": {"type": "kubernetes", "role": "role"}},
        ),
        (
            f"{VAULT_WORDS} --gcp-role role",
            "secret-store.hashicorp-vault",
            VAULT | {"auth": {"type": "gcp", "roleType": "gce", "role": "role"}},
        ),
    ],
)
def test_a_store_is_described_as_the_official_client_does(created, words, kind, data):
    assert created(words) == {"type": kind, "data": data}


def test_keys_of_a_bucket_come_from_options_or_the_environment(created):
    data = {"repositoryUrl": "s3://b", "variables": KEYS}
    assert created("helm-repository s3 s --bucket b", **KEYS)["data"] == data
    words = "--bucket s3://b --aws-access-key-id A --aws-secret-access-key B --aws-default-region eu"
    assert created(f"helm-repository s3 s {words}")["data"] == data


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("helm-repository s3 s --bucket b", "Either AWS_ACCESS_KEY_ID env, or --aws-access-key-id option is"),
        (VAULT_WORDS, "missing authentication info: give one login of --token;"),
        (f"{VAULT_WORDS} -u me", "missing authentication info: --password is needed, too"),
        (f"{VAULT_WORDS} -t tok -r role", "missing authentication info: give one login of"),
        (
            "secret-store kubernetes s --cluster c --resource-type x",
            "'x' is not one of 'secret', 'configmap'",
        ),
    ],
)
def test_a_store_without_a_way_in_is_not_created(server, codefresh, words, said):
    code, out, err = codefresh("create", "context", *words.split())
    assert (code, out, server.lines) == (1, "", [])
    assert said in err
