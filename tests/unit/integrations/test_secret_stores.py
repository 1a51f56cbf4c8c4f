"""Stores of secrets: addresses, a small Vault, a small cluster."""

import base64

import pytest

from cluster import small_cluster
from headrace.integrations.clusters import Credentials, Networks
from headrace.integrations.clusters.client import Cluster
from headrace.integrations.secrets import Address, Place, StoreFailed, address_of, read_cluster, read_vault
from vault import TOKEN, small_vault

pytestmark = pytest.mark.enable_socket
HERE = Networks.read("127.0.0.0/8,::1/128")


@pytest.fixture
def vault():
    with small_vault() as found:
        yield found


def read(vault, text, networks=HERE, **auth):
    return read_vault(vault.context(**auth)["spec"]["data"], address_of(text), networks)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("KEY", Address("", "KEY")),
        ("a/b@K", Address("a/b", "K")),
        ("me@home/x@tls.key", Address("me@home/x", "tls.key")),
    ],
)
def test_an_address_is_a_key_or_a_resource_and_a_key(text, address):
    assert address_of(text) == address


@pytest.mark.parametrize("text", ["", "a/b@", " "])
def test_an_address_without_a_key_is_refused(text):
    with pytest.raises(StoreFailed, match="names no key"):
        address_of(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("secret/app/db@password", "v2-s3cret"),
        ("secret/data/app/db@password", "v2-s3cret"),
        ("secret/app/db@port", "5432"),
        ("old/app@password", "v1-s3cret"),
    ],
)
def test_both_versions_of_the_engine_are_read(vault, text, value):
    assert read(vault, text) == value


@pytest.mark.parametrize(
    "auth",
    [
        {"type": "userpass", "username": "ada", "password": "pw"},
        {"type": "approle", "role_id": "r", "secret_id": "s", "mount_point": "ci"},
    ],
)
def test_a_login_gives_a_token_for_the_reading(vault, auth):
    assert read(vault, "secret/app/db@password", **auth) == "v2-s3cret"


def test_the_namespace_goes_along(vault):
    read(vault, "secret/app/db@password", type="token", token=TOKEN, namespace="team")
    assert {namespace for _, namespace in vault.asked} == {"team"}


@pytest.mark.parametrize(
    ("text", "auth", "complaint"),
    [
        ("secret/app/db@user", {}, "'secret/app/db' has no key 'user', but password, port"),
        ("secret/none@user", {}, "'secret/none' is not in the Vault, or this login does not see it"),
        ("password", {}, "needs its path"),
        ("secret/../sys/raw@x", {}, "needs its path"),
        ("secret/app/db@password", {"type": "token", "token": "wrong"}, "answers 403 to GET"),
        (
            "secret/app/db@password",
            {"type": "userpass", "username": "ada", "password": "no"},
            "answers 400 to POST",
        ),
        ("secret/app/db@password", {"type": "gcp", "role": "r"}, "a login by 'gcp' is not offered"),
        ("broken/x@y", {}, "answers no JSON"),
    ],
)
def test_what_cannot_be_read_says_why(vault, text, auth, complaint):
    with pytest.raises(StoreFailed, match=complaint):
        read(vault, text, **auth)


def test_this_machine_is_not_asked_unless_a_setting_says_so(vault):
    with pytest.raises(StoreFailed, match="HEADRACE_CLUSTER_NETWORKS"):
        read(vault, "secret/app/db@password", Networks())
    assert vault.asked == []


def test_a_secret_and_a_config_map_of_a_cluster(tmp_path):
    with small_cluster(tmp_path) as small:
        small.add("secrets", "app", data={"key": base64.b64encode(b"k3y").decode(), "raw": "/w=="})
        small.add("configmaps", "app", data={"mode": "fast"})
        login = Credentials(url=small.url, authority=small.authority, token="head.claims.sign")
        with Cluster(login, HERE) as cluster:
            secrets = Place.of({"cluster": "small"})
            assert read_cluster(cluster, secrets, address_of("app@key")) == "k3y"
            maps = Place.of({"cluster": "small", "resourceType": "configmap", "resourceName": "app"})
            assert read_cluster(cluster, maps, address_of("mode")) == "fast"
            for text, complaint in [
                ("app@none", "secret 'app' has no key 'none', but key, raw"),
                ("app@raw", "is no text"),
                ("none@key", "answers 404"),
                ("key", "which secret"),
            ]:
                with pytest.raises(StoreFailed, match=complaint):
                    read_cluster(cluster, secrets, address_of(text))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [({}, "names no cluster"), ({"cluster": "c", "resourceType": "pod"}, "must be one of")],
)
def test_a_context_of_a_cluster_that_cannot_be_is_refused(data, complaint):
    with pytest.raises(StoreFailed, match=complaint):
        Place.of(data)
