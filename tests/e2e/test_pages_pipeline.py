"""The page of a pipeline: its variables, triggers and settings, and what others change meanwhile."""

import re

import pytest
from playwright.sync_api import expect

from e2e.browsing import log_in
from e2e.town import step

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

PATH = "/api/pipelines/p%2Fok"


def test_an_encrypted_variable_is_written_and_never_shown(new_page, person, acme):
    acme.pipeline("ok")
    page = log_in(new_page(), person, "/pipelines/p%2Fok?tab=variables")
    page.get_by_role("button", name="New variable").click()
    page.get_by_label("Name").fill("TOKEN")
    page.get_by_label("Value").fill("very-secret")
    page.get_by_label("encrypted").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("row", name=re.compile("TOKEN encrypted"))).to_be_visible()
    expect(page.get_by_text("very-secret")).to_have_count(0)
    shown = acme.call("GET", f"{PATH}?decryptVariables=true")["spec"]["variables"]
    assert [(one["key"], one["value"]) for one in shown] == [("TOKEN", "very-secret")]


def test_a_trigger_and_settings_are_stored(new_page, person, acme):
    acme.pipeline("ok")
    page = log_in(new_page(), person, "/pipelines/p%2Fok?tab=triggers")
    page.get_by_role("button", name="New time").click()
    page.get_by_label("Name", exact=True).fill("nightly")
    page.get_by_label("Five fields").fill("@daily")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("row", name=re.compile("nightly"))).to_be_visible()
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("of one branch at a time").fill("3")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("Saved as revision 2")).to_be_visible()
    spec = acme.call("GET", PATH)["spec"]
    assert spec["branchConcurrency"] == 3
    assert spec["cronTriggers"][0]["expression"] == "@daily"


def test_a_pipeline_is_cloned_renamed_and_run(new_page, person, acme):
    steps = {"one": {"image": "alpine", "commands": ["echo 1"]}, "two": {"image": "alpine"}}
    acme.pipeline("ok", steps=steps)
    page = log_in(new_page(), person, "/pipelines/p%2Fok")
    page.get_by_role("button", name="Clone").click()
    page.get_by_label("Name of the copy").fill("p/copy")
    page.get_by_role("dialog").get_by_role("button", name="Clone").click()
    expect(page.get_by_role("heading", name="p/copy")).to_be_visible()
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Name, with its project").fill("q/other")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="q/other")).to_be_visible()
    page.get_by_role("button", name="Run", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("without caches").check()
    dialog.get_by_label("Steps to run").select_option("only those chosen")
    dialog.get_by_role("button", name="Run", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("choose one at least")
    dialog.get_by_label("Steps to run").select_option("all but those chosen")
    dialog.get_by_label("two").check()
    dialog.get_by_text("as curl / as codefresh").click()
    expect(dialog.locator("[data-command=codefresh]")).to_have_text(
        "codefresh run q/other --no-cache --skip two"
    )
    dialog.get_by_role("button", name="Run", exact=True).click()
    expect(page).to_have_url(re.compile("/builds/[0-9a-f]{24}"))
    expect(page.get_by_text("left out by the options of this run")).to_be_visible()


@pytest.mark.parametrize(
    ("page_path", "path", "body", "name"),
    [
        ("/projects", "/api/projects", {"projectName": "fresh"}, "fresh"),
        (
            "/contexts",
            "/api/contexts",
            {"metadata": {"name": "fresh"}, "spec": {"type": "config", "data": {}}},
            "fresh",
        ),
        ("/user/keys", "/api/auth/key", {"name": "fresh"}, "fresh"),
    ],
)
def test_what_is_made_elsewhere_appears_in_an_open_list(new_page, person, acme, page_path, path, body, name):
    page = log_in(new_page(), person, page_path)
    expect(page.get_by_role("main").locator("h1")).to_be_visible()
    if page_path != "/user/keys":  # keys are a person's own
        acme.call("POST", path, body)
        expect(page.get_by_role("row", name=re.compile(name))).to_be_visible()
    else:
        headers = "{'X-Headrace-Page': '1', 'Content-Type': 'application/json'}"
        sent = f"fetch('{path}', {{method: 'POST', headers: {headers}, body: '{{\"name\":\"{name}\"}}'}})"
        page.evaluate(f"{sent}.then((answer) => answer.status)")
        expect(page.get_by_role("row", name=re.compile(name))).to_be_visible()


def test_the_list_of_pipelines_tells_how_each_stands(new_page, person, acme):
    for kind in ("ok", "fail", "approval"):
        acme.pipeline(kind)
    page = log_in(new_page(), person, "/pipelines")
    row = {kind: page.get_by_role("row").filter(has_text=f"p/{kind}") for kind in ("ok", "fail", "approval")}
    expect(row["ok"]).to_contain_text("none")
    for kind, status in (("ok", "success"), ("fail", "error")):
        acme.run(f"p/{kind}")
        expect(row[kind].locator(f"[data-status={status}]")).to_be_visible(timeout=20_000)
    build_id = acme.run("p/approval")
    row["approval"].get_by_role("link", name="pending-approval").click(timeout=20_000)
    expect(page).to_have_url(re.compile(f"/builds/{build_id}$"))


def order_of(acme, name="p/ok"):
    return list(acme.call("GET", f"/api/pipelines/{name.replace('/', '%2F')}")["spec"]["steps"])


def test_steps_with_numbers_for_names_keep_their_order_whatever_is_saved(new_page, person, acme):
    acme.pipeline("ok", steps={"10": step("true"), "9": step("true")})
    page = log_in(new_page(), person, "/pipelines/p%2Fok?tab=settings")
    page.get_by_label("of one branch at a time").fill("3")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("Saved as revision 1")).to_be_visible()
    assert order_of(acme) == ["10", "9"]
    page.get_by_role("button", name="Clone").click()
    page.get_by_label("Name of the copy").fill("p/copy")
    page.get_by_role("dialog").get_by_role("button", name="Clone").click()
    expect(page.get_by_role("heading", name="p/copy")).to_be_visible()
    assert order_of(acme, "p/copy") == ["10", "9"]
    page.get_by_role("link", name="Workflow").click()
    text = page.locator(".cm-content").inner_text
    expect(page.locator(".cm-content")).to_contain_text("'9'")
    assert text().index("'10'") < text().index("'9'")


def test_a_part_that_is_cut_off_is_loaded_again_and_then_on_demand(new_page, person, acme):
    acme.pipeline("ok")
    page = log_in(new_page(), person, "/pipelines/p%2Fok")
    cut = []

    def drop(route):
        cut.append(route.request.url)
        return route.abort() if len(cut) in (1, 2, 3) else route.continue_()

    page.route("**/PipelineSettings-*.js", drop)
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("alert")).to_contain_text("a part of the page could not be loaded")
    assert len(cut) == 2
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Save settings")).to_be_visible()
    assert len(cut) == 4


def test_a_page_that_is_cut_off_once_opens_nevertheless(new_page, person):
    page = log_in(new_page(), person)
    cut = []

    def drop(route):
        cut.append(route.request.url)
        return route.abort() if len(cut) == 1 else route.continue_()

    page.route("**/Contexts-*.js", drop)
    page.get_by_role("link", name="Contexts").click()
    expect(page.get_by_role("button", name="New context")).to_be_visible()
    assert len(cut) == 2


def test_a_pipeline_that_is_deleted_under_an_open_page_can_be_run_no_more(new_page, person, acme):
    acme.pipeline("ok")
    page = log_in(new_page(), person, "/pipelines/p%2Fok")
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    acme.call("DELETE", "/api/pipelines/p%2Fok")
    expect(page.get_by_role("alert")).to_contain_text("could not find pipeline 'p/ok'")
    for name in ("Run", "Clone", "Rename", "Delete"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_disabled()
    page.get_by_role("link", name="Look among all pipelines").click()
    expect(page.get_by_text("There is no pipeline yet")).to_be_visible()
