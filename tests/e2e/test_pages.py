"""The web pages in a real browser: the seed story, live lists, hostile text, what axe finds."""

import gzip
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from e2e.browsing import log_in
from e2e.town import step
from headrace.web import pages

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

BUILT = Path(pages.__file__).parent / "built"
SHELL_BYTES = 20_000  # these are the table of docs/pages.md
VIEW_BYTES = 25_000
HEAVY_BYTES = {"Workflow": 180_000}
HOSTILE = "<script>document.title='owned'</script>"


def test_the_seed_story_is_told_through_the_pages(new_page, person, acme):
    page = log_in(new_page(), person)

    page.goto("/user/keys")
    page.get_by_role("button", name="Generate a key").first.click()
    page.get_by_label("Name").fill("from the page")
    page.get_by_label("build", exact=True).check()
    page.get_by_role("button", name="Generate", exact=True).click()
    key = page.locator("[data-secret]").inner_text()
    headers = {"Authorization": key}
    assert acme.server.call("GET", "/api/workflow", None, headers)[0] == 200
    assert acme.server.call("GET", "/api/pipelines", None, headers)[0] == 403
    page.get_by_role("button", name="I have it").click()
    expect(page.get_by_text(key)).to_have_count(0)

    page.get_by_role("row", name=re.compile("from the page")).get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("row", name=re.compile("from the page"))).to_have_count(0)
    assert acme.server.call("GET", "/api/workflow", None, headers)[0] == 401

    page.goto("/projects")
    page.get_by_role("button", name="New project").click()
    page.get_by_label("Name").fill("my-project")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Project my-project")).to_be_visible()
    page.get_by_role("button", name="New pipeline").click()
    page.get_by_label("Name in the project").fill("hello")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="my-project/hello")).to_be_visible()

    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Run").click()
    expect(page.locator("h1 [data-status=success]")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("log").locator(".line").get_by_text("hello", exact=True)).to_be_visible()


def test_an_approval_is_given_on_the_page_of_its_build(new_page, person, acme):
    acme.pipeline("approval")
    build_id = acme.run("p/approval")
    page = log_in(new_page(), person, f"/builds/{build_id}")
    page.get_by_role("button", name="Approve").click(timeout=20_000)
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(page.locator("h1 [data-status=success]")).to_be_visible(timeout=20_000)
    page.get_by_role("link", name=re.compile("after")).click()
    expect(page.get_by_text("it was allowed")).to_be_visible()


def test_a_build_that_curl_starts_appears_in_an_open_list(new_page, person, acme):
    acme.pipeline("ok")
    page = log_in(new_page(), person, "/builds")
    expect(page.get_by_text("No build has run yet")).to_be_visible()
    build_id = acme.run("p/ok")
    expect(page.get_by_role("link", name=build_id)).to_be_visible()
    expect(page.locator(f"[data-build='{build_id}'] [data-status=success]")).to_be_visible(timeout=20_000)


def test_a_running_build_is_terminated_from_its_page(new_page, person, acme):
    acme.pipeline("slow")
    build_id = acme.run("p/slow")
    page = log_in(new_page(), person, f"/builds/{build_id}")
    expect(page.get_by_text("now I sleep")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Terminate").click()
    page.get_by_role("dialog").get_by_role("button", name="Terminate").click()
    expect(page.locator("h1 [data-status=terminated]")).to_be_visible(timeout=20_000)


def test_text_of_a_log_and_a_name_have_no_effect_on_the_page(new_page, person, acme):
    steps = {
        "odd": step(
            f'printf "%s \\033[31mred\\033[0m\\007 \\033]0;owned\\007end\\n" "{HOSTILE}"', title=HOSTILE
        )
    }
    acme.pipeline("odd", steps=steps)
    build_id = acme.run("p/odd")
    page = log_in(new_page(), person, f"/builds/{build_id}?step=odd")
    line = page.get_by_role("log").locator(".line").get_by_text(re.compile(f"^{re.escape(HOSTILE)}"))
    expect(line).to_be_visible(timeout=20_000)
    expect(page.get_by_role("log").locator(".red")).to_have_text("red")
    assert page.title() == "Build · Headrace"


def test_each_project_shows_its_own_pipelines(new_page, person, acme):
    acme.pipeline("ok", name="one/first")
    acme.pipeline("ok", name="two/second")
    page = log_in(new_page(), person, "/projects/one")
    expect(page.get_by_role("link", name="one/first")).to_be_visible()
    page.get_by_role("link", name="Projects").click()
    page.get_by_role("link", name="two", exact=True).click()
    expect(page.get_by_role("link", name="two/second")).to_be_visible()
    page.go_back()
    page.go_back()
    expect(page.get_by_role("link", name="one/first")).to_be_visible()
    expect(page.get_by_role("link", name="two/second")).to_have_count(0)


def test_a_project_is_renamed_and_deleted(new_page, person, acme):
    acme.call("POST", "/api/projects", {"projectName": "old", "tags": ["a", "a"]})
    page = log_in(new_page(), person, "/projects")
    expect(page.locator(".tag")).to_have_text(["a", "a"])
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Name").fill("new")
    page.get_by_label("Tags").fill("b c")
    page.get_by_role("button", name="Save").click()
    row = page.get_by_role("row", name=re.compile("new"))
    expect(row.locator(".tag")).to_have_text(["b", "c"])
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("There is no project yet")).to_be_visible()


def test_a_context_is_made_and_deleted_and_its_secret_not_shown(new_page, person, acme):
    page = log_in(new_page(), person, "/contexts")
    page.get_by_role("button", name="New context").click()
    page.get_by_label("Name", exact=True).fill("shared")
    page.get_by_label("Type").select_option("secret")
    page.get_by_role("textbox", name="Variables").fill("PASSWORD=very-secret\n\nlost line")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text('Variables, line 3: write NAME=value, not "lost line"')).to_be_visible()
    page.get_by_role("textbox", name="Variables").fill("PASSWORD=very-secret")
    expect(page.get_by_text("very-secret")).to_have_count(0)
    page.get_by_role("button", name="Create").click()
    row = page.get_by_role("row", name=re.compile("shared"))
    expect(row.locator(".tag")).to_have_text("PASSWORD")
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("There is no context yet")).to_be_visible()
    assert acme.call("GET", "/api/contexts") == []


def test_a_trigger_names_its_pipeline_and_is_deleted(new_page, person, acme):
    pipeline = acme.pipeline("ok")
    values = {"expression": "@daily", "message": "nightly"}
    event = acme.call(
        "POST", "/api/hermes/events?public=false", {"type": "cron", "kind": "codefresh", "values": values}
    )
    acme.call("POST", f"/api/hermes/triggers/{quote(event, safe='')}/{pipeline}", {"filters": {}})
    page = log_in(new_page(), person, "/triggers")
    expect(page.get_by_role("link", name="p/ok")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No event starts a pipeline yet")).to_be_visible()
    assert acme.call("GET", "/api/hermes/triggers") == []


def test_home_and_the_lists_show_what_there_is(new_page, person, acme):
    acme.pipeline("ok")
    page = log_in(new_page(), person)
    expect(page.get_by_text("No build has run yet")).to_be_visible()
    build_id = acme.run("p/ok")
    expect(page.locator(f"[data-build='{build_id}'] [data-status=success]").first).to_be_visible(
        timeout=20_000
    )
    page.get_by_role("link", name="Workers").click()
    expect(page.get_by_role("meter")).to_be_visible()
    page.get_by_role("link", name="Users").click()
    expect(page.get_by_role("row", name=re.compile(f"{person} you . admin"))).to_be_visible()
    page.get_by_role("link", name="Step types").click()
    expect(page.get_by_role("cell", name=re.compile("^codefresh-run"))).to_be_visible()
    page.get_by_role("searchbox").fill("codefresh-run")
    expect(page.get_by_role("row")).to_have_count(2)


def test_a_cookie_alone_changes_nothing(new_page, person):
    page = log_in(new_page(), person)
    cookie = next(one for one in page.context.cookies() if one["name"] == "headrace_session")
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    body = json.dumps({"projectName": "forged"})
    forged = f"fetch('/api/projects', {{method: 'POST', body: {body!r}}}).then((a) => a.status)"
    sent = page.evaluate(forged)
    assert sent == 403
    assert page.evaluate("fetch('/api/projects').then((a) => a.status)") == 200


def test_logging_out_ends_the_session(new_page, person):
    page = log_in(new_page(), person)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    assert page.evaluate("fetch('/api/user').then((a) => a.status)") == 401


def loaded(*names):
    """The files that these need, themselves included, but for what is loaded later."""
    wanted, queue = [], list(names)
    while queue:
        path = BUILT / queue.pop()
        if path in wanted:
            continue
        wanted.append(path)
        if path.suffix == ".js":
            queue += [f"assets/{name}" for name in re.findall(r'from"\./([^"]+)"', path.read_text())]
    return wanted


def size(paths):
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def test_the_shell_is_small_and_so_is_what_each_view_adds():
    document = BUILT / "index.html"
    shell = [document, *loaded(*re.findall(r'(?:src|href)="/(assets/[^"]+)"', document.read_text()))]
    assert size(shell) <= SHELL_BYTES
    for path in sorted((BUILT / "assets").glob("*.js")):
        part = path.name[: -len("-XXXXXXXX.js")]  # a name ends with a hash
        added = size([one for one in loaded(f"assets/{path.name}") if one not in shell])
        assert added <= HEAVY_BYTES.get(part, VIEW_BYTES), part
