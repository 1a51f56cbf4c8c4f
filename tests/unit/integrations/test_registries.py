"""The client of registries, against a small one that asks for tokens."""

import pytest

from headrace.integrations.registries import RegistryRefused, add_tag, log_in
from token_registry import KIND, token_registry

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def registry():
    with token_registry() as server:
        yield server


def test_a_token_is_fetched_with_the_credentials(registry):
    log_in(registry.domain, "ci", "right")
    assert registry.asked == [{"account": ["ci"], "service": ["s"]}]


@pytest.mark.parametrize(("username", "password"), [("ci", "wrong"), ("", "")])
def test_who_is_not_known_is_refused(registry, username, password):
    with pytest.raises(RegistryRefused) as refusal:
        log_in(registry.domain, username, password)
    assert "wrong" not in str(refusal.value)


def test_no_password_goes_to_a_token_server_without_https(registry):
    registry.realm = "http://elsewhere.example.org/token"
    with pytest.raises(RegistryRefused, match="HTTPS"):
        log_in(registry.domain, "ci", "right")
    assert registry.asked == []


def test_a_tag_is_the_same_manifest_under_another_name(registry):
    add_tag(registry.domain, "ci", "right", "acme/app", "1", "2")
    assert registry.manifests["/v2/acme/app/manifests/2"] == {"layers": [], "kind": KIND}
    assert registry.asked[0]["scope"] == ["repository:acme/app:pull,push"]


def test_an_image_that_is_not_there_is_named(registry):
    with pytest.raises(RegistryRefused, match="no image acme/app:absent"):
        add_tag(registry.domain, "ci", "right", "acme/app", "absent", "2")
