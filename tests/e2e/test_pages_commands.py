"""Every action of the pages shows its call: what the button does, curl does, and `codefresh` does."""

import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import expect

from cluster import small_cluster
from e2e.browsing import complaints_of
from e2e.server import until
from e2e.walks import WALKS
from e2e.walks.scene import Scene
from token_registry import token_registry

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

ROOT = Path(__file__).resolve().parents[2]
ACTIONS = ROOT / "web/src/lib/actions"
CLIENTS = Path(sys.executable).parent
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with small_cluster(tmp_path_factory.mktemp("cluster")) as small:
        yield small


@pytest.fixture(scope="module")
def registry():
    with token_registry() as server:
        yield server


@pytest.fixture(scope="module")
def desk(browser, town):
    """The one page to which everybody comes, and what it complained of."""
    context = browser.new_context(base_url=town.server.url, viewport={"width": 1200, "height": 800})
    page = context.new_page()
    yield page, complaints_of(page)
    context.close()


@pytest.fixture
def page(desk):
    """The page; the test fails where its script fails or its policy is broken."""
    shared, complaints = desk
    complaints.clear()
    yield shared
    assert complaints == []


@pytest.fixture
def new_scene(town, cluster, registry):
    """Enter a scene: an account with nothing in it, and somebody who is logged in there."""
    open_scenes = ExitStack()

    def new(page=None):
        open_scenes.close()  # the cluster and the registry are there once
        made = Scene(town.account(), town.database, cluster, registry, page)
        open_scenes.callback(made.leave)
        made.enter()
        return made

    with open_scenes:
        yield new


@pytest.fixture
def scene(page, new_scene):
    return new_scene(page)


def shell(scene, line, home, **environment):
    """Run a line as somebody who has copied it does."""
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


def press(scene, walk, button, line):
    """Press it; what is sent is what its curl command sends."""
    method, address, body = asked_by(line)
    wanted = urlsplit(address).path
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


def run(scene, walk, line, home):
    """Run a shown command; what is secret is put into the variables of the shell."""
    given = walk.secrets(scene)
    if line.startswith(("curl ", "codefresh api ")):  # its body is JSON
        given = {name: json.dumps(value)[1:-1] for name, value in given.items()}
    if '"$KUBECONFIG"' in line:
        file = home / "kubeconfig"
        file.write_text(given["KUBECONFIG_JSON"])
        given = {"KUBECONFIG": str(file)}
    shell(scene, line, home, **given)


def expect_done(scene, walk, way):
    seen = [f"{walk.action} by {way} to give {walk.gives}, not", None]

    def is_done():
        try:
            seen[1] = walk.state(scene)
        except AssertionError as gone:  # between the list that names it and the look at it
            seen[1] = gone
        return seen[1] == walk.gives

    until(is_done, seen)


@pytest.mark.parametrize(
    "walk", [pytest.param(walk, id=f"{walk.action}-{at}") for at, walk in enumerate(WALKS)]
)
def test_an_action_does_the_same_by_its_button_and_by_its_commands(page, new_scene, tmp_path, walk):
    scene = new_scene(page)
    scene.made = walk.prepare(scene)
    button = walk.reach(scene)
    expect(button).to_be_enabled()
    lines = {kind: shown(scene, walk.title, kind) for kind in ("curl", "codefresh")}
    things = scene.things()
    assert walk.state(scene) != walk.gives
    press(scene, walk, button, lines["curl"])
    expect_done(scene, walk, "its button")
    for kind, line in lines.items():  # in an account of its own, where the same was made
        scene = new_scene()
        scene.made = walk.prepare(scene)
        assert walk.state(scene) != walk.gives
        run(scene, walk, scene.of_its_own(line, things), tmp_path)
        expect_done(scene, walk, kind)


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
    "/environments",
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


@pytest.fixture(scope="module")
def furnished(town, cluster, registry):
    """An account with something to read on each page."""
    made = Scene(town.account(), town.database, cluster, registry)
    made.enter()
    made.acme.pipeline("ok")
    made.call("POST", "/api/clusters/local/cluster", cluster.token_fields())
    yield made
    made.leave()


@pytest.mark.parametrize("path", PAGES)
def test_the_commands_that_read_a_page_answer(page, furnished, tmp_path, path):
    furnished.sit_down(page)
    page.goto(path)
    page.get_by_text("as curl / as codefresh").click()
    sections = page.locator("[data-action]")
    expect(sections.first).to_be_visible()
    read = 0
    for section in sections.all():
        line = section.locator("[data-command=curl]").inner_text()
        if asked_by(line)[0] == "GET":
            read += 1
            json.loads(shell(furnished, line, tmp_path))
            shell(furnished, section.locator("[data-command=codefresh]").inner_text(), tmp_path)
    assert read
