"""The page of users and accounts: who may do what there, and what is asked before something is lost."""

import re

import pytest
from playwright.sync_api import expect

from e2e.browsing import check, log_in, looks
from headrace.resources.users import repository as users

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

LONG = "a-very-long-name-of-something-" * 6


@pytest.fixture
def ruler(town, person):
    """The person, as an admin of the installation, too."""
    with town.database.transaction() as db:
        users.change(db, users.by_name(db, person).id, is_platform_admin=True)
    return person


def row(page, name):
    return page.get_by_role("row", name=re.compile(f"^{re.escape(name)}"))


def test_who_is_made_there_logs_in_with_the_password_that_is_shown_once(new_page, person, acme):
    page, name = log_in(new_page(), person, "/users"), f"kim-of-{acme.name}"
    page.get_by_role("button", name="New user").click()
    page.get_by_label("Name or address").fill(name)
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    expect(page.get_by_role("dialog", name="A password")).to_contain_text(f"{name} logs in with")
    password = page.locator("[data-secret]").text_content()
    page.get_by_role("button", name="I have it").click()
    expect(page.locator("[data-secret]")).to_have_count(0)
    expect(row(page, name)).to_be_visible()

    other = new_page()
    other.goto("/users")
    other.get_by_label("User name").fill(name)
    other.get_by_label("Password").fill(password)
    other.get_by_role("button", name="Log in").click()
    expect(row(other, name)).to_contain_text("you")
    for button in ("New user", "Edit", "Remove", "New account"):  # a member changes nobody
        expect(other.get_by_role("button", name=button)).to_have_count(0)
    row(page, name).get_by_role("button", name="Make an admin").click()
    expect(row(other, name).get_by_role("button", name="Make a member")).to_be_visible()


def test_nothing_is_lost_before_its_name_is_typed(new_page, person, acme):
    kim = f"kim-of-{acme.name}"
    acme.call("POST", f"/api/accounts/{acme.id}/adduser", {"userDetails": kim})
    page = log_in(new_page(), person, "/users")
    row(page, kim).get_by_role("button", name="Remove").click()
    dialog = page.get_by_role("dialog", name="Remove a user")
    dialog.get_by_label(f"Type {kim}").fill("kim")
    dialog.get_by_role("button", name="Remove").click()
    expect(dialog).to_contain_text(f"type {kim} to say that you mean it")
    names = [one["userName"] for one in acme.call("GET", f"/api/accounts/{acme.id}/users")]
    assert kim in names
    dialog.get_by_label(f"Type {kim}").fill(kim)
    dialog.get_by_role("button", name="Remove").click()
    expect(row(page, kim)).to_have_count(0)


def test_an_admin_of_the_installation_makes_joins_renames_switches_to_and_deletes_accounts(
    new_page, ruler, acme
):
    page, shop = log_in(new_page(), ruler, "/users"), f"shop-of-{acme.name}"
    page.get_by_role("button", name="New account").click()
    page.get_by_role("dialog").get_by_label("Name").fill(shop)
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    row(page, shop).get_by_role("button", name="Join").click()
    page.get_by_role("button", name=f"Switch to {shop}").click()
    expect(page.get_by_role("heading", name=f"Account {shop}")).to_be_visible()
    expect(row(page, ruler).get_by_role("cell", name="member", exact=True)).to_be_visible()
    page.get_by_role("button", name=f"Switch to {acme.name}").click()
    expect(page.get_by_role("heading", name=f"Account {acme.name}")).to_be_visible()
    row(page, shop).get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_label(f"Type {shop}").fill(shop)
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row(page, shop)).to_have_count(0)
    expect(page.get_by_text("Your other accounts")).to_have_count(0)
    expect(row(page, acme.name).get_by_role("button", name="Delete")).to_have_count(0)


def test_long_names_are_not_cut_off_and_axe_finds_nothing_serious(new_page, ruler, acme):
    name = f"{LONG}{acme.name}"
    acme.call("POST", f"/api/accounts/{acme.id}/adduser", {"userDetails": name})
    page = log_in(new_page(), ruler, "/users")
    row(page, acme.name).get_by_role("button", name="Rename").click()
    page.get_by_role("dialog").get_by_label("Name").fill(name)
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name=f"Account {name}")).to_be_visible()
    for look in looks(page, "/users"):
        check(page, look)
    for button in ("Edit", "Remove"):
        row(page, name).first.get_by_role("button", name=button).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("as curl / as codefresh").click()
        expect(dialog.locator("[data-command]").first).to_be_visible()
        for look in looks(page, f"{button} of /users"):
            check(page, look)
        dialog.get_by_role("button", name="Cancel").click()
    assert (
        page.eval_on_selector_all(
            "main .scroll", "(all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length"
        )
        == 0
    )
