"""A page whose session has ended, or whose server was away: nothing that was written is lost, it lives on."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from e2e.browsing import PASSWORD, log_in
from headrace.resources.users import service as users

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]


def opened(page, person, path="/"):
    """Open a page and wait for its foot: then what watches the session is there."""
    log_in(page, person, path)
    expect(page.get_by_text("as curl / as codefresh")).to_be_visible()
    return page


def log_in_again(page, person):
    dialog = page.get_by_role("dialog", name="Log in again")
    dialog.get_by_label("User name").fill(person)
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Log in").click()
    expect(dialog).to_have_count(0)


def test_what_stands_in_a_dialog_is_there_after_the_session_has_ended(new_page, person, acme):
    page = opened(new_page(), person, "/projects")
    page.get_by_role("button", name="New project").click()
    page.get_by_label("Name").fill("kept")
    page.get_by_label("Tags").fill("a b")
    page.context.clear_cookies()
    page.get_by_role("button", name="Create").click()
    over = page.get_by_role("dialog", name="Log in again")
    expect(over).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(over).to_be_visible()
    over.get_by_label("User name").fill(person)
    over.get_by_label("Password").fill("wrong")
    over.get_by_role("button", name="Log in").click()
    expect(over.get_by_role("alert")).to_be_visible()
    log_in_again(page, person)
    expect(page.get_by_label("Tags")).to_have_value("a b")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Project kept")).to_be_visible()
    assert [one["tags"] for one in acme.call("GET", "/api/projects")["projects"]] == [["a", "b"]]


def test_lists_are_live_after_one_has_logged_in_again(new_page, person, acme):
    acme.pipeline("ok")
    page = opened(new_page(), person, "/builds")
    expect(page.get_by_text("No build has run yet")).to_be_visible()
    page.context.clear_cookies()
    page.get_by_label("Status").select_option("error")
    log_in_again(page, person)
    page.get_by_label("Status").select_option("any")
    build_id = acme.run("p/ok")
    expect(page.get_by_role("link", name=build_id)).to_be_visible()


def test_a_session_that_ended_elsewhere_is_noticed_when_the_tab_is_seen(new_page, person, acme, town):
    page = opened(new_page(), person, "/projects")
    other = page.context.new_page()
    other.goto("/")
    other.get_by_role("button", name="Log out").click()
    expect(other.get_by_label("Password")).to_be_visible()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("dialog", name="Log in again")).to_be_visible()
    name = f"second-{acme.name}"
    with town.database.transaction() as db:
        users.create(db, acme.id, name, password=PASSWORD, is_account_admin=False, now=datetime.now(UTC))
    log_in(other, name)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("link", name=name)).to_be_visible()  # the page is theirs now
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_logging_out_of_a_session_that_has_ended_is_logging_out(new_page, person):
    page = opened(new_page(), person)
    page.context.clear_cookies()
    page.locator("button", has_text="Log out").dispatch_event("click")  # also where the login stands over it
    expect(page.get_by_role("heading", name="Log in to Headrace")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_list_comes_back_by_itself_after_a_proxy_has_refused_its_stream(new_page, person, acme):
    acme.pipeline("ok")
    page = new_page()
    refused = []

    def refuse(route):
        refused.append(route.request.url)
        route.fulfill(status=502, body="bad gateway") if len(refused) < 2 else route.continue_()

    page.route(re.compile("/api/changes"), refuse)
    log_in(page, person, "/builds")
    expect(page.get_by_text("offline, trying again")).to_be_visible()
    expect(page.get_by_text("offline, trying again")).to_have_count(0)
    build_id = acme.run("p/ok")
    expect(page.get_by_role("link", name=build_id)).to_be_visible()
