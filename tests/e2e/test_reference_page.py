"""The page at /api/ in a real browser: found, read, tried with the reader's key, which nothing keeps."""

import re

import pytest
from playwright.sync_api import expect

from e2e.browsing import AXE

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

NARROW, WIDE = 360, 1200
SLOW_MS = 20_000  # the page reads the whole document first

SAMPLE = "{exclude: ['article:not(#pipelines-run)']}"
ALL_BUT_COLOURS = "{rules: {'color-contrast': {enabled: false}}}"


@pytest.fixture
def reference(browser, acme):
    """Open the page; the test fails where its script fails or its policy is broken."""
    opened, complaints = [], []

    def open_page(address="/api/", *, theme="light", width=WIDE, script=True):
        context = browser.new_context(
            base_url=acme.server.url,
            color_scheme=theme,
            viewport={"width": width, "height": 800},
            java_script_enabled=script,
        )
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.goto(address)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert [text for text in complaints if "status of 4" not in text] == []


def article(page, name):
    return page.locator(f"article#{name}")


def test_the_search_finds_by_words_and_the_keyboard_reaches_what_it_found(reference):
    page = reference()
    page.keyboard.press("/")
    page.keyboard.type("workflows.approve get")
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^1 of \d+$"))
    expect(article(page, "workflow-approve")).to_be_visible()
    expect(article(page, "pipelines-run")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(article(page, "workflow-approve")).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    expect(article(page, "pipelines-run")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator("article:focus")).to_have_count(1)


def test_without_a_script_everything_is_there_and_the_tabs_switch(reference):
    page = reference("/api/#pipelines-run", script=False)
    found = article(page, "pipelines-run")
    expect(found.get_by_text('curl -X POST "$CF_URL/api/pipelines/run/')).to_be_visible()
    found.get_by_text("Python", exact=True).click()
    expect(found.get_by_text('client.pipelines.run("my-project/my-basic-pipeline"')).to_be_visible()
    expect(found.get_by_text("curl -X POST")).to_be_hidden()
    found.get_by_text("errors").click()
    expect(found.get_by_text("the key lacks the scope")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.locator("input[type=search]")).to_be_hidden()


def test_a_tab_is_chosen_for_all_examples_by_the_keyboard_alone(reference):
    page = reference()
    article(page, "projects-list").get_by_role("radio", name="curl").focus()
    page.keyboard.press("ArrowRight")
    expect(
        article(page, "pipelines-list").get_by_text("codefresh api pipelines.list limit=25")
    ).to_be_visible()


def test_an_operation_is_tried_with_a_key_that_nothing_keeps(reference, acme):
    page = reference()
    made = acme.server.call(
        "POST", "/api/projects", {"projectName": "from-the-page"}, {"Authorization": acme.key()}
    )
    assert made[0] == 200
    tried = article(page, "projects-get-by-name")
    tried.get_by_role("button", name="try it").click()
    tried.get_by_label("name *").fill("from-the-page")
    tried.get_by_role("button", name="send").click()
    expect(tried.get_by_text("This needs a key")).to_be_visible()
    tried.get_by_label("your key").fill(acme.key())
    tried.get_by_role("button", name="send").click()
    expect(tried.get_by_text(re.compile("^200 OK"))).to_be_visible()
    expect(tried.locator("output pre")).to_contain_text('"projectName": "from-the-page"')
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    page.reload()
    expect(page.get_by_label("Key for try it")).to_have_value("")


def test_a_refusal_is_shown_as_it_is_and_what_writes_says_so_before(reference, acme):
    page = reference()
    page.get_by_label("Key for try it").fill(acme.key("project:read"))
    refused = article(page, "pipelines-list")
    refused.get_by_role("button", name="try it").click()
    refused.get_by_role("button", name="send").click()
    expect(refused.locator("output p")).to_have_text(re.compile("^403 Forbidden"))
    expect(refused.locator("output pre")).to_contain_text("pipeline:read")
    create = article(page, "projects-create")
    create.get_by_role("button", name="try it").click()
    expect(create.get_by_label("body")).to_have_value(re.compile("my-project"))
    expect(create.get_by_role("button", name="send: this changes the server")).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), [("light", NARROW), ("dark", WIDE)])
def test_axe_finds_nothing_and_nothing_is_cut_off(reference, theme, width):
    page = reference("/api/#pipelines-run", theme=theme, width=width)
    for summary in article(page, "pipelines-run").locator("summary").all():
        summary.click()
    article(page, "pipelines-run").get_by_role("button", name="try it").click()
    expect(article(page, "pipelines-run").get_by_label("body")).to_be_visible(timeout=SLOW_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(AXE.read_text())
    # All articles come from one template: colours are computed for one, the rest of the rules for all once.
    found = page.evaluate(f"axe.run({SAMPLE}).then((answer) => answer.violations)")
    if theme == "light":
        found += page.evaluate(f"axe.run({ALL_BUT_COLOURS}).then((answer) => answer.violations)")
    told = [(one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found]
    assert told == []
