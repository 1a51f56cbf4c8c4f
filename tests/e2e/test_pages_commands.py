"""Every action of the pages shows its call: what the button does, curl does, and `codefresh` does."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import expect

from cluster import small_cluster
from e2e.browsing import PASSWORD
from e2e.server import until
from e2e.walks import WALKS
from e2e.walks.scene import Scene
from headrace.http.auth import SESSION_COOKIE
from token_registry import token_registry

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

ROOT = Path(__file__).resolve().parents[2]
ACTIONS = ROOT / "web/src/lib/actions"
CLIENTS = Path(sys.executable).parent
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def cluster_server(tmp_path_factory):
    with small_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(cluster_server):
    """The cluster without what an earlier test left in it."""
    cluster_server.asked.clear()
    cluster_server.objects = {
        key: one for key, one in cluster_server.objects.items() if key[0] == "namespaces"
    }
    return cluster_server


@pytest.fixture
def registry():
    with token_registry() as server:
        yield server


@pytest.fixture
def scene(new_page, person, town, acme, cluster, registry):
    server = acme.server
    _, session = server.call("POST", "/api/auth/login", {"user": person, "password": PASSWORD})
    token = {"x-access-token": session["accessToken"]}
    status, key = server.call("POST", "/api/auth/key", {"name": "for the commands"}, token)
    assert status == 200, key
    page = new_page()
    cookie = {"name": SESSION_COOKIE, "value": session["accessToken"], "url": server.url}
    page.context.add_cookies([cookie])  # logged in before, as somebody who comes in the morning
    made = Scene(acme, person, page, key, town.database, cluster, registry)
    yield made
    for act in made.undo:
        act()


def shell(scene, line, home, **environment):
    """Run a line as somebody who has copied it does."""
    home.mkdir(exist_ok=True)
    kept = {"PATH": f"{CLIENTS}{os.pathsep}{os.environ['PATH']}", "HOME": str(home), "LANG": "C.UTF-8"}
    known = {"CF_API_KEY": scene.key, "CF_URL": scene.acme.server.url}
    done = subprocess.run(
        ["bash", "-c", line],
        env={**kept, **known, **environment},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout


def shown(scene, title, kind):
    """The command of an action: in the open dialog, or in the foot of the page."""
    dialog = scene.page.get_by_role("dialog")
    place = dialog if dialog.count() else scene.page.get_by_role("main")
    title = title.replace("{person}", scene.person)
    found = place.locator(f"[data-action={json.dumps(title)}] [data-command={kind}]")
    expect(found).to_have_count(1)
    return found.text_content()


def asked_by(line):
    """The method, the address and the body of a curl command."""
    words = shlex.split(line)
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
    return method, unquote(urlsplit(words[-1]).path + "?" + urlsplit(words[-1]).query), body


def by_button(scene, walk, button, _):
    """Press it; what is sent is what its curl command sends."""
    line = shown(scene, walk.title, "curl")
    method, address, body = asked_by(line)
    wanted = urlsplit(asked_by(line)[1]).path
    with scene.page.expect_request(
        lambda one: one.method == method and unquote(urlsplit(one.url).path) == wanted
    ) as sent:
        button.click()
    url = urlsplit(sent.value.url)
    assert unquote(f"{url.path}?{url.query}") == address
    secret = walk.secrets(scene)
    text = sent.value.post_data or "null"
    for name, value in secret.items():
        assert value not in line
        assert json.dumps(value) in text
        text = text.replace(json.dumps(value), json.dumps(f"${name}"))
    assert json.loads(text) == body


def by_curl(scene, walk, _, home):
    as_json = {name: json.dumps(value)[1:-1] for name, value in walk.secrets(scene).items()}
    shell(scene, shown(scene, walk.title, "curl"), home, **as_json)


def by_codefresh(scene, walk, _, home):
    line = shown(scene, walk.title, "codefresh")
    given = walk.secrets(scene)
    if line.startswith("codefresh api "):  # its body is JSON
        given = {name: json.dumps(value)[1:-1] for name, value in given.items()}
    if '"$KUBECONFIG"' in line:
        home.mkdir()
        file = home / "kubeconfig"
        file.write_text(given["KUBECONFIG_JSON"])
        given = {"KUBECONFIG": str(file)}
    shell(scene, line, home, **given)


@pytest.mark.parametrize("way", [by_button, by_curl, by_codefresh], ids=lambda way: way.__name__)
@pytest.mark.parametrize(
    "walk", [pytest.param(walk, id=f"{walk.action}-{at}") for at, walk in enumerate(WALKS)]
)
def test_an_action_does_the_same_by_its_button_and_by_its_commands(scene, tmp_path, walk, way):
    scene.made = walk.prepare(scene)
    button = walk.reach(scene)
    expect(button).to_be_enabled()
    assert walk.state(scene) != walk.gives
    way(scene, walk, button, tmp_path / "home")
    seen = [f"{walk.action} to give {walk.gives}, not", None]

    def is_done():
        seen[1] = walk.state(scene)
        return seen[1] == walk.gives

    until(is_done, seen)


def test_every_action_of_the_pages_is_walked():
    names = {
        name
        for path in ACTIONS.glob("*.ts")
        for name in re.findall(r"^export (?:const|function) (\w+)", path.read_text(), re.MULTILINE)
    }
    assert names == {walk.action for walk in WALKS}


def test_what_is_secret_stands_in_no_command(scene):
    page = scene.page
    page.goto("/registries")
    page.get_by_role("button", name="Add a registry").click()
    dialog = page.get_by_role("dialog")
    scene.fill(Name="main", Domain="example.org", User_name="ci", Password='it\'s "very" secret')
    dialog.get_by_text("as curl / as codefresh").click()
    expect(dialog.locator("[data-command]").first).to_contain_text('"password":"\'"$PASSWORD"\'"')
    expect(dialog.get_by_text("$PASSWORD stands for what is secret").first).to_be_visible()
    assert "very" not in dialog.inner_text()


PAGES = (
    "/",
    "/builds",
    "/builds?status=success&branch=it's",
    "/projects",
    "/projects/p",
    "/pipelines",
    "/pipelines/p%2Fok",
    "/pipelines/p%2Fok?tab=triggers",
    "/pipelines/p%2Fok?tab=workflow",
    "/triggers",
    "/contexts",
    "/images",
    "/registries",
    "/clusters",
    "/clusters/small",
    "/clusters/small?tab=pods&namespace=*",
    "/clusters/small?tab=services&namespace=web",
    "/step-types",
    "/workers",
    "/users",
    "/user/keys",
)


@pytest.mark.parametrize("path", PAGES)
def test_the_commands_that_read_a_page_answer(scene, tmp_path, path):
    scene.acme.pipeline("ok")
    scene.call("POST", "/api/clusters/local/cluster", scene.cluster.token_fields())
    scene.page.goto(path)
    scene.page.get_by_text("as curl / as codefresh").click()
    sections = scene.page.locator("[data-action]")
    expect(sections.first).to_be_visible()
    read = 0
    for section in sections.all():
        line = section.locator("[data-command=curl]").inner_text()
        if asked_by(line)[0] == "GET":
            read += 1
            json.loads(shell(scene, line, tmp_path / "home"))
            shell(scene, section.locator("[data-command=codefresh]").inner_text(), tmp_path / "home")
    assert read
