import base64
import json

import pytest

from headrace.runtimes.base import RegistryLogin
from headrace.runtimes.docker.logins import domain_of, stored_login


@pytest.mark.parametrize(
    ("image", "domain"),
    [
        ("alpine", "docker.io"),
        ("alpine:3.20", "docker.io"),
        ("codefresh/cli", "docker.io"),
        ("localhost/a", "localhost"),
        ("127.0.0.1:5000/a/b:1", "127.0.0.1:5000"),
        ("registry.example.org/a", "registry.example.org"),
    ],
)
def test_an_image_names_its_registry(image, domain):
    assert domain_of(image) == domain


@pytest.fixture
def config(tmp_path):
    def write(auths):
        path = tmp_path / "config.json"
        path.write_text(json.dumps({"auths": auths}))
        return path

    return write


def encoded(text):
    return {"auth": base64.b64encode(text.encode()).decode()}


def test_a_stored_login_is_found_by_the_registry_of_the_image(config):
    path = config({"127.0.0.1:5001": encoded("ci:p:w"), "https://index.docker.io/v1/": encoded("hub:x")})
    assert stored_login(path, "127.0.0.1:5001/team/app:1") == RegistryLogin("127.0.0.1:5001", "ci", "p:w")
    assert stored_login(path, "alpine") == RegistryLogin("docker.io", "hub", "x")
    assert stored_login(path, "other.example.org/app") is None


@pytest.mark.parametrize("auths", [None, [], {"a.b": None}, {"a.b": {"auth": "%"}}, {"a.b": {"auth": ""}}])
def test_a_file_that_says_nothing_useful_gives_no_login(config, auths):
    assert stored_login(config(auths), "a.b/app") is None


def test_no_file_gives_no_login(tmp_path):
    assert stored_login(tmp_path / "none.json", "a.b/app") is None
