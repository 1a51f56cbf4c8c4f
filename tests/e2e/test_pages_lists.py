"""Lists of the pages: searched, walked by keys, gone back in; and what dialogs say of their fields."""

import json
import re

import pytest
from playwright.sync_api import expect

from cluster import small_cluster
from e2e.browsing import log_in
from e2e.server import until

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with small_cluster(tmp_path_factory.mktemp("cluster")) as small:
        for name in ("front", "back"):
            small.add("services", name, spec={"ports": [{"port": 80}], "clusterIP": "10.0.0.7"})
        yield small


def furnish(acme, cluster):
    """Make two of everything, `FIRST-one` and `other`; return the id of a build."""
    acme.pipeline("ok", name="p/ok")
    build_id = acme.run("p/ok")
    for at, name in enumerate(("FIRST-one", "other")):
        acme.call(
            "POST", "/api/contexts", {"metadata": {"name": name}, "spec": {"type": "config", "data": {}}}
        )
        body = {"name": name, "domain": f"r{at}.example.org", "username": "ci", "password": "x"}
        acme.call("POST", "/api/registries", body)
        acme.call(
            "POST",
            "/api/clusters/local/cluster",
            {**cluster.token_fields(), "selector": name, "behindFirewall": True},
        )
        acme.environment(name, build_id)
        values = {"expression": "@daily", "message": name}
        event = {"type": "cron", "kind": "codefresh", "values": values}
        acme.call("POST", "/api/hermes/events?public=false", event)
        acme.call("POST", "/api/images/external", {"imageId": f"sha256:{at}", "imageName": f"team/{name}"})
    acme.call("POST", "/api/clusters/local/cluster", cluster.token_fields())
    return build_id


def shown(page, path):
    """Open a list, and wait until the keys of the keyboard are there."""
    page.goto(path)
    expect(page.get_by_text("as curl / as codefresh")).to_be_visible()


def make_key(page, name):
    """Generate a key of the user who is logged in; return its text."""
    sent = {
        "method": "POST",
        "headers": {"X-Headrace-Page": "1", "Content-Type": "application/json"},
        "body": json.dumps({"name": name, "scopes": ["build"]}),
    }
    return page.evaluate(f"fetch('/api/auth/key', {json.dumps(sent)}).then((answer) => answer.text())")


def test_every_list_is_searched_in_either_case_with_the_words_in_the_address(new_page, person, acme, cluster):
    furnish(acme, cluster)
    page = log_in(new_page(), person)
    make_key(page, "FIRST-one")
    make_key(page, "other")
    hit, miss = (page.get_by_role("row", name=re.compile(name)) for name in ("FIRST-one", "other"))
    for path in ("contexts", "registries", "clusters", "environments", "triggers", "images", "user/keys"):
        shown(page, f"/{path}")
        expect(miss.first, path).to_be_visible()
        page.keyboard.press("/")
        page.keyboard.type("first.ONE" if path == "images" else "first")
        if path == "images":  # a text, not an expression
            expect(page.get_by_text("No image has first.ONE in its name")).to_be_visible()
            page.get_by_role("searchbox").fill("first")
        expect(miss, path).to_have_count(0)
        expect(hit.first, path).to_be_visible()
        assert page.url.endswith(f"/{path}?name=first")
        page.get_by_role("searchbox").fill("nothing of that name")
        expect(page.get_by_text("nothing of that name").first).to_be_visible()
        expect(hit, path).to_have_count(0)
    page.goto("/workers?name=nobody")
    expect(page.get_by_text("No environment and no worker has nobody in its name")).to_be_visible()
    page.goto("/clusters/small?tab=services&name=FRO")
    expect(page.get_by_role("row", name=re.compile("front"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("back"))).to_have_count(0)


def test_rows_are_walked_by_keys_and_enter_opens_one(new_page, person, acme):
    for name in ("one", "two"):
        acme.call("POST", "/api/projects", {"projectName": name})
    page = log_in(new_page(), person, "/projects")
    make_key(page, "one")
    make_key(page, "two")
    shown(page, "/projects")
    expect(page.get_by_role("link", name="two", exact=True)).to_be_visible()
    second = page.get_by_role("row").nth(2).get_by_role("link")
    for key in "jjjkj":  # the end holds
        page.keyboard.press(key)
    expect(second).to_be_focused()
    name = second.inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Project {name}")).to_be_visible()
    shown(page, "/user/keys")
    row = page.get_by_role("row", name=re.compile("two"))
    expect(row).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("two")
    expect(page.get_by_role("row")).to_have_count(2)
    page.keyboard.press("Tab")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    expect(row).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Edit a key").get_by_label("Name")).to_have_value("two")


def test_back_goes_to_the_filter_before(new_page, person, acme):
    acme.pipeline("ok")
    build_id = acme.run("p/ok")
    until(lambda: acme.build(build_id)["status"] == "success", "the end of the build")
    page = log_in(new_page(), person)
    page.get_by_role("link", name="Builds", exact=True).click()
    expect(page.get_by_role("link", name=build_id)).to_be_visible()
    page.get_by_label("Status").select_option("success")
    expect(page).to_have_url(re.compile(r"/builds\?status=success$"))
    page.get_by_label("Status").select_option("error")
    expect(page.get_by_text("No build fits these filters")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Status")).to_have_value("success")
    expect(page.get_by_role("link", name=build_id)).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Status")).to_have_value("")
    page.go_back()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()


def test_a_search_that_is_typed_is_one_step_of_the_history(new_page, person, acme):
    acme.call("POST", "/api/projects", {"projectName": "one"})
    page = log_in(new_page(), person)
    expect(page.get_by_text("as curl / as codefresh")).to_be_visible()
    page.get_by_role("link", name="Projects", exact=True).click()
    expect(page.get_by_role("link", name="one", exact=True)).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("nope")
    expect(page.get_by_text("No project has nope in its name")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("searchbox")).to_have_value("nope")


def test_what_a_dialog_says_of_a_field_goes_when_the_field_is_changed(new_page, person, acme):
    acme.pipeline("ok")
    page = log_in(new_page(), person, "/pipelines/p%2Fok")
    page.get_by_role("button", name="Run", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Variables").fill("no pair")
    dialog.get_by_role("button", name="Run").click()
    expect(dialog.get_by_role("alert")).to_contain_text("write NAME=value")
    dialog.get_by_label("Variables").fill("A=b")
    expect(dialog.get_by_role("alert")).to_have_count(0)


def test_a_narrow_list_of_keys_shows_their_beginning_and_their_last_use(new_page, person):
    page = log_in(new_page(width=360), person)
    make_key(page, "mine")
    shown(page, "/user/keys")
    row = page.get_by_role("row", name=re.compile("mine"))
    expect(row.get_by_text(re.compile("^[0-9a-f]{6,}…$")).filter(visible=True)).to_be_visible()
    expect(row.get_by_text("never used").filter(visible=True)).to_be_visible()
