"""What the tests of the web pages do on every page."""

from pathlib import Path

from playwright.sync_api import expect

AXE = Path(__file__).resolve().parents[2] / "web/node_modules/axe-core/axe.min.js"
LOOKS = (("light", 1280), ("dark", 360))  # what a colour does and what a width does is seen in one of both
PASSWORD = "a password for the pages"


def log_in(page, person, path="/"):
    page.goto(path)
    page.get_by_label("User name").fill(person)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name="Headrace")).to_be_visible()
    return page


def complaints_of(page):
    """A list that gets what the page will complain of: scripts that fail, what its policy forbids."""
    found = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "console",
        lambda message: "Content Security Policy" in message.text and found.append(message.text),
    )
    return found


def check(page, path):
    """Look for what axe calls serious or critical, and for what is wider than the window."""
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


def looks(page, path):
    """Show a page wide in the light, then narrow in the dark; yield what to call each."""
    for theme, width in LOOKS:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 800})
        yield f"{path}, {theme}, {width} px"
