"""Test reports in a real browser: what they say, and what a page of one cannot do."""

import pytest
from playwright.sync_api import expect

from e2e.browsing import log_in
from e2e.server import until

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

# What a page of a stranger would try; it writes down how far it came.
HOSTILE = """
const told = document.getElementById("told");
const tell = (what, how) => told.append(`${what}: ${how}; `);
const tried = (what, work) => { try { tell(what, work()); } catch { tell(what, "refused"); } };
const asked = (what, address, more) =>
  fetch(address, more)
    .then((answer) => answer.text())
    .then((text) => tell(what, text), () => tell(what, "refused"));
tried("cookie", () => document.cookie);
tried("storage", () => localStorage.length);
tell("origin", self.origin);
Promise.all([
  asked("own data", "data.txt"),
  asked("user", "/api/user", { credentials: "include" }),
  asked("elsewhere", "http://example.org/"),
]).then(() => tell("end", "here"));
"""
PAGE = (
    '<!doctype html><title>Theirs</title><link rel="stylesheet" href="look/look.css">'
    '<h1>A report</h1><p id="told"></p><script src="hostile.js"></script>'
)
JUNIT = (
    '<testsuite><testcase classname="shop.cart" name="adds"/><testcase classname="shop.cart" name="sells">'
    '<failure message="&lt;img src=x onerror=alert(1)&gt;"/></testcase></testsuite>'
)


def written(name, text):
    return f"cat > {name} <<'END'\n{text}\nEND"


@pytest.fixture
def reported(acme):
    """A build whose steps kept two reports; its id."""
    files = {"index.html": PAGE, "hostile.js": HOSTILE, "data.txt": "mine", "junit.xml": JUNIT}
    files["look/look.css"] = "h1 { color: rgb(1, 2, 3) }"
    commands = ["mkdir -p out/look", *(written(f"out/{name}", text) for name, text in files.items())]
    image = "codefresh/cf-docker-test-reporting"
    steps = {
        "unit": {"image": "alpine", "commands": commands},
        "report": {"title": "Tests of the shop", "image": image, "environment": ["REPORT_DIR=out"]},
        "more": {"image": image, "environment": ["REPORT_INDEX_FILE=out/data.txt", "REPORT_TYPE=coverage"]},
    }
    acme.pipeline(None, name="p/reported", steps=steps)
    build_id = acme.run("p/reported")
    until(lambda: acme.build(build_id)["finished"], "the end of the build")
    return build_id


def test_a_build_shows_what_its_tests_came_to_and_a_report_is_nobody(new_page, person, reported):
    page = log_in(new_page(), person, f"/builds/{reported}")
    page.get_by_role("link", name="Tests", exact=True).click()
    report = page.get_by_role("region", name="Tests of the shop")
    expect(report).to_contain_text("1 failed, 1 passed, 0 skipped")
    expect(report.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    expect(page.get_by_role("region", name="more · coverage")).to_contain_text("1 file")

    with page.context.expect_page() as opened:
        report.get_by_role("link", name="Open the report").click()
    theirs = opened.value
    told = theirs.locator("#told")
    expect(told).to_contain_text("end: here")
    for line in ("cookie: refused", "storage: refused", "origin: null", "own data: mine"):
        expect(told).to_contain_text(line)
    for line in ("user: refused", "elsewhere: refused"):
        expect(told).to_contain_text(line)
    expect(theirs.get_by_role("heading")).to_have_css("color", "rgb(1, 2, 3)")
