"""Every page with nothing, and with much and long names: what axe finds, and that nothing is cut off."""

from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from cluster import small_cluster
from e2e.browsing import check, log_in, looks
from e2e.server import until

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

LONG = "a-very-long-name-of-something-" * 6
PIPELINE = f"{'long-project-' * 5}x/{'long-pipeline-' * 6}x"
CONTAINER = {"name": "c", "image": f"registry.example.org/team/{'image-' * 12}x:1.2"}
LISTS = (
    "/",
    "/builds",
    "/projects",
    "/pipelines",
    "/triggers",
    "/contexts",
    "/environments",
    "/images",
    "/registries",
    "/clusters",
    "/step-types",
    "/workers",
    "/users",
    "/user/keys",
)
TABS = ("", "?tab=triggers", "?tab=variables", "?tab=settings")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with small_cluster(tmp_path_factory.mktemp("cluster")) as small:
        spec = {"selector": {}, "replicas": 2, "template": {"spec": {"containers": [CONTAINER]}}}
        small.add("deployments", f"deployment-{'x' * 50}", spec=spec, status={"readyReplicas": 1})
        waiting = {"waiting": {"reason": "ImagePullBackOff"}}
        status = {
            "name": "c",
            "ready": False,
            "restartCount": 2,
            "state": waiting,
            "image": "",
            "imageID": "",
        }
        pod = {"phase": "Pending", "containerStatuses": [status]}
        small.add("pods", f"pod-{'x' * 55}", spec={"containers": [CONTAINER], "nodeName": "n"}, status=pod)
        small.add("services", f"service-{'x' * 50}", spec={"ports": [{"port": 80}], "clusterIP": "10.0.0.7"})
        yield small


def furnish(acme, cluster):
    """Make some of everything, with long names."""
    value = {"key": "A_VERY_LONG_NAME_" * 8, "value": "a-value-without-a-blank" * 10}
    acme.call(
        "POST",
        "/api/contexts",
        {"metadata": {"name": LONG}, "spec": {"type": "config", "data": {value["key"]: "x"}}},
    )
    nightly = {"type": "cron", "name": LONG, "expression": "@daily", "message": "nightly"}
    made = acme.pipeline("ok", name=PIPELINE, variables=[value], contexts=[LONG], cronTriggers=[nightly])
    build_id = acme.run(PIPELINE, branch=LONG)
    for name in (LONG, "second"):
        body = {"name": name, "domain": f"{'long-host.' * 10}example.org", "username": "ci", "password": "x"}
        acme.call("POST", "/api/registries", body)
    acme.call("POST", "/api/clusters/local/cluster", cluster.token_fields())
    acme.call(
        "POST",
        "/api/clusters/local/cluster",
        {**cluster.token_fields(), "selector": LONG, "behindFirewall": True},
    )
    values = {"namespace": "team", "name": "long-image-" * 15}
    event = {"type": "registry", "kind": "dockerhub", "values": values}
    uri = acme.call("POST", "/api/hermes/events?public=false", event)
    acme.call(
        "POST", f"/api/hermes/triggers/{quote(uri, safe='')}/{made}", {"filters": {"tag": "/^v[0-9]+$/"}}
    )
    acme.call("POST", "/api/compositions", {"name": LONG, "yamlJson": "services: {web: {image: x}}"})
    acme.environment(LONG, build_id, image=CONTAINER["image"])
    acme.call("POST", "/api/team", {"name": LONG, "tags": [LONG], "users": [acme.user_id]})
    until(lambda: acme.build(build_id)["finished"], "the end of the build")
    pipeline = f"/pipelines/{quote(PIPELINE, safe='')}"
    return (
        f"/builds/{build_id}",
        f"/projects/{quote(PIPELINE.partition('/')[0])}",
        *(pipeline + tab for tab in TABS),
        *(f"/clusters/small?tab={tab}" for tab in ("workloads", "pods", "services")),
        f"/clusters/{LONG}",
        "/clusters/nowhere",
        "/nowhere",
    )


DIALOGS = {
    "/projects": "New project",
    "/pipelines": "New pipeline",
    "/triggers": "New event",
    "/contexts": "New context",
    "/environments": "New composition",
    "/registries": "Add a registry",
    "/clusters": "Register a cluster",
    "/users": "New team",
    "/user/keys": "Generate a key",
}


CUT = "(all) => all.map((one) => one.scrollWidth - one.clientWidth).filter((more) => more > 1)"


@pytest.mark.parametrize("much", [False, True], ids=["empty", "full"])
def test_axe_finds_nothing_serious_and_nothing_is_cut_off(new_page, person, acme, cluster, much):
    pages = (*LISTS, *(furnish(acme, cluster) if much else ()))
    page = new_page()
    page.goto("/")
    expect(page.get_by_label("Password")).to_be_visible()
    for look in looks(page, "/login"):
        check(page, look)
    log_in(page, person)
    hidden = {}  # path → by how many pixels its tables are wider than their place
    for path in pages:
        page.goto(path)
        expect(
            page.get_by_role("main").locator("table, .empty, .failure, form, [role=log]").first
        ).to_be_visible()
        for look in looks(page, path):
            check(page, look)
            if cut := page.eval_on_selector_all("main .scroll", CUT):
                hidden[look] = cut
        if path in DIALOGS and not much:
            page.get_by_role("main").get_by_role("button", name=DIALOGS[path]).first.click()
            dialog = page.get_by_role("dialog")
            dialog.get_by_text("as curl / as codefresh").click()
            expect(dialog.locator("[data-command]").first).to_be_visible()
            for look in looks(page, f"{DIALOGS[path]} of {path}"):
                check(page, look)
    assert hidden == {}


def test_the_help_names_the_keys_of_the_log(new_page, person):
    page = log_in(new_page(), person)
    page.get_by_role("link", name="Builds", exact=True).click()
    expect(page.get_by_text("as curl / as codefresh")).to_be_visible()
    page.keyboard.press("?")
    help_text = page.get_by_role("dialog", name="Keys")
    expect(help_text.get_by_role("heading", name="In the log of a build")).to_be_visible()
    expect(help_text).to_contain_text("the first line that looks like an error")
    check(page, "the help")
