"""What the tests of the web pages do on every page."""

from pathlib import Path

from playwright.sync_api import expect

AXE = Path(__file__).resolve().parents[2] / "web/node_modules/axe-core/axe.min.js"
PASSWORD = "a password for the pages"


def log_in(page, person, path="/"):
    page.goto(path)
    page.get_by_label("User name").fill(person)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name="Headrace")).to_be_visible()
    return page


def check(page, path):
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run().then((answer) => answer.violations)")
    serious = [
        (one["id"], [node["html"] for node in one["nodes"]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == [], f"{path}: {serious}"
    width, seen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= seen, f"{path} is {width} px wide in a window of {seen}"
