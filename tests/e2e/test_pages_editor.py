"""The workflow editor: what it draws, checks and offers, how it saves, and that nothing written is lost."""

import functools
import re
import shlex
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from e2e.browsing import check, log_in, looks

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

PATH = "/api/pipelines/p%2Fok"
PAGE = "/pipelines/p%2Fok?tab=workflow"
HOSTILE = "<img src=x onerror=document.title='owned'>"


@pytest.fixture
def opened(new_page, person, acme):
    """The editor of a pipeline, its plan drawn."""
    acme.pipeline("ok")
    page = log_in(new_page(), person, PAGE)
    expect(planned(page, "hello")).to_have_attribute("data-verdict", "runs")
    return page


@pytest.fixture
def elsewhere(tmp_path):
    """The address of a web server on this machine that has a pipeline file."""
    (tmp_path / "codefresh.yml").write_text(file_of("from_afar"))
    handler = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def planned(page, step):
    return page.locator(f"[data-plan='{step}']")


def write(page, text, *, typed="", name="The workflow, YAML"):
    """Replace what the editor holds, then type."""
    area = page.get_by_role("textbox", name=name)
    area.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)
    if typed:
        page.keyboard.press("Control+End")
        page.keyboard.type(typed)
    return area


def file_of(*steps):
    """A file whose steps say their names."""
    lines = "".join(f"  {name}:\n    image: alpine\n    commands: [echo {name}]\n" for name in steps)
    return f"# kept\nversion: '1.0'\nsteps:\n{lines}"


def whole_of(name, key):
    """A whole document with an encrypted variable whose value is not shown."""
    return (
        f"version: '1.0'\nkind: pipeline\nmetadata:\n  name: {name}\nspec:\n  concurrency: 3\n"
        f"  variables:\n  - key: {key}\n    value: '*****'\n    encrypted: true\n"
        "  steps:\n    # kept\n    one:\n      image: alpine\n      commands: [echo one]\n"
    )


def save(page):
    page.get_by_role("button", name="Save", exact=True).click()


def test_a_file_is_written_planned_and_saved_with_its_comments(opened, acme):
    write(opened, file_of("2", "1"))
    expect(opened.locator("[data-plan]")).to_have_count(2)
    save(opened)
    expect(opened.get_by_text("Saved as revision 1")).to_be_visible()
    stored = acme.call("GET", PATH)
    assert list(stored["spec"]["steps"]) == ["2", "1"]
    assert stored["metadata"]["originalYamlString"] == file_of("2", "1")
    opened.reload()
    expect(opened.locator(".cm-content")).to_contain_text("# kept")
    expect(opened.get_by_text("revision 1", exact=True)).to_be_visible()


def test_the_plan_is_asked_for_when_the_text_changes_and_not_again(new_page, person, acme):
    acme.pipeline("ok")
    asked = []
    page = new_page()
    page.on("request", lambda request: "/plan/" in request.url and asked.append(request))
    page.clock.install()
    log_in(page, person, PAGE)
    page.clock.run_for(1000)
    expect(planned(page, "hello")).to_be_visible()
    page.clock.run_for(5000)
    assert len(asked) == 1
    write(page, file_of("mine"))
    page.clock.run_for(5000)
    expect(planned(page, "mine")).to_be_visible()
    page.clock.run_for(5000)
    assert len(asked) == 2


def test_mistakes_are_underlined_listed_and_gone_to(opened):
    write(opened, "version: '1.0'\nsteps:\n  one:\n    image: alpine\n    fail_fast: maybe\n  two: 5\n")
    expect(opened.locator(".cm-lintRange-error").first).to_contain_text("fail_fast")
    problems = opened.get_by_role("list", name="Problems")
    expect(problems).to_contain_text('"fail_fast" must be a boolean')
    expect(opened.locator("[data-plan=hello]")).to_be_visible()  # the last that could be planned
    problems.get_by_role("button", name="line 6").first.click()
    opened.keyboard.press("Control+End")
    opened.keyboard.press("Backspace")
    opened.keyboard.press("Backspace")
    opened.keyboard.type("{image: alpine")
    expect(problems).not_to_contain_text("line 6")


def test_warnings_stand_beside_errors_and_are_called_so(opened):
    write(
        opened, "version: '1.0'\nsteps:\n  one:\n    image: alpine\n    timeout: soon\n    fail_fast: maybe\n"
    )
    expect(opened.get_by_text("2 problems, 1 warning")).to_be_visible()
    expect(opened.locator(".cm-lintRange-warning")).to_contain_text("timeout")
    warning = opened.get_by_role("list", name="Problems").get_by_role("listitem").filter(has_text="line 5")
    expect(warning).to_contain_text("Warning:")


def test_keys_words_and_names_are_completed(opened, acme):
    acme.call(
        "POST", "/api/contexts", {"metadata": {"name": "hub"}, "spec": {"type": "git.github", "data": {}}}
    )
    opened.reload()
    expect(planned(opened, "hello")).to_be_visible()
    base = "version: '1.0'\nstages: [build, ship]\nsteps:\n  first:\n    image: alpine\n  second:\n    "
    for typed, offered in (
        ("worki", "working_directory"),
        ("type: pend", "pending-approval"),
        ("type: codefresh-r", "codefresh-run"),
        ("stage: sh", "ship"),
        ("fail_fast: tr", "true"),
        ("type: git-clone\ngit: hu", "hub"),
        ("image: ${{CF_PIPELINE_N", "CF_PIPELINE_NAME"),
        ("when:\n  steps:\n  - name: fi", "first"),
    ):
        write(opened, base)
        expect(opened.locator(".cm-content")).to_contain_text("stages:")
        write(opened, base, typed=typed)
        option = opened.get_by_role("option", name=re.compile(f"^{offered}"))
        expect(option).to_be_visible()
        opened.keyboard.press("Escape")


def test_what_is_offered_is_taken_and_explained(opened):
    write(opened, "version: '1.0'\nsteps:\n  one:\n    ", typed="working_d")
    opened.get_by_role("option", name=re.compile("^working_directory")).click()
    expect(opened.locator(".cm-content")).to_contain_text("working_directory:")
    about = opened.get_by_text("Where it runs, below the shared volume")
    expect(about).to_be_visible()
    expect(opened.get_by_role("link", name="Documentation")).to_have_attribute(
        "href", re.compile("steps/freestyle/$")
    )
    opened.locator(".cm-line", has_text="working_directory:").hover(position={"x": 60, "y": 5})
    expect(opened.locator(".cm-meaning")).to_contain_text("Where it runs")


def test_what_somebody_else_saves_meanwhile_is_shown_and_nothing_is_lost(opened, acme):
    area = write(opened, file_of("mine"))
    document = acme.call("GET", PATH)
    document["spec"]["steps"] = {"theirs": {"image": "alpine"}}
    acme.call("PUT", PATH, document)
    expect(opened.get_by_text("Somebody else has saved revision 1")).to_be_visible()
    expect(opened.locator(".theirs .new").first).to_contain_text("theirs")
    expect(area).to_contain_text("mine")
    opened.get_by_role("button", name="Save mine over it").click()
    expect(opened.get_by_text("Saved as revision 2")).to_be_visible()
    assert list(acme.call("GET", PATH)["spec"]["steps"]) == ["mine"]


def test_a_save_that_comes_second_is_refused_and_theirs_can_be_taken_and_undone(opened, acme):
    opened.route("**/api/changes*", lambda route: route.abort())  # it is not told of the other's
    opened.reload()
    expect(planned(opened, "hello")).to_be_visible()
    area = write(opened, file_of("mine"))
    document = acme.call("GET", PATH)
    document["spec"]["steps"] = {"theirs": {"image": "alpine"}}
    acme.call("PUT", PATH, document)
    save(opened)
    expect(opened.get_by_text("Somebody else has saved revision 1")).to_be_visible()
    opened.get_by_role("button", name=re.compile("Take theirs")).click()
    expect(area).to_contain_text("theirs")
    area.click()
    opened.keyboard.press("Control+z")
    expect(area).to_contain_text("mine")
    assert list(acme.call("GET", PATH)["spec"]["steps"]) == ["theirs"]


def test_the_whole_document_is_edited_with_its_secrets_kept_and_a_new_name(opened, acme):
    got = acme.call("GET", PATH)
    variables = [{"key": "TOKEN", "value": "hush", "encrypted": True}]
    acme.call("PUT", PATH, {**got, "spec": {**got["spec"], "variables": variables}})
    opened.get_by_role("link", name="Whole document").click()
    area = opened.get_by_role("textbox", name="The whole document, YAML")
    expect(area).to_contain_text("value: '*****'")
    write(opened, whole_of("p/better", "OTHER"), name="The whole document, YAML")
    expect(opened.get_by_text("no problems")).to_be_visible()
    save(opened)
    expect(opened.get_by_text("spec.variables, OTHER: ***** stands for a secret")).to_be_visible()
    write(opened, whole_of("p/better", "TOKEN"), name="The whole document, YAML")
    expect(planned(opened, "one")).to_be_visible()
    save(opened)
    expect(opened.get_by_role("heading", name="p/better")).to_be_visible()
    expect(area).to_contain_text("# kept")
    expect(opened.get_by_text("revision 2", exact=True)).to_be_visible()
    stored = acme.call("GET", "/api/pipelines/p%2Fbetter?decryptVariables=true")
    assert stored["metadata"]["id"] == got["metadata"]["id"]
    write(opened, whole_of("p/better", "TOKEN").replace("*****", "hidden"), name="The whole document, YAML")
    opened.get_by_text("as curl / as codefresh").click()
    expect(opened.locator("[data-command=curl]").filter(has_text="$TOKEN")).to_be_visible()
    expect(opened.locator("[data-command]").filter(has_text="hidden")).to_have_count(0)
    save(opened)
    expect(area).not_to_contain_text("hidden")
    assert "hidden" not in str(acme.call("GET", "/api/pipelines/p%2Fbetter"))
    assert (stored["spec"]["concurrency"], stored["spec"]["variables"][0]["value"]) == (3, "hush")
    assert "    # kept" not in stored["metadata"]["originalYamlString"].splitlines()
    assert "  # kept" in stored["metadata"]["originalYamlString"].splitlines()


def test_settings_that_are_saved_unseen_meanwhile_do_not_stop_a_save(opened, acme):
    opened.route("**/api/changes*", lambda route: route.abort())
    opened.reload()
    expect(planned(opened, "hello")).to_be_visible()
    write(opened, file_of("mine"))
    got = acme.call("GET", PATH)
    acme.call("PUT", PATH, {**got, "spec": {**got["spec"], "priority": 7}})
    save(opened)
    expect(opened.get_by_text("Saved as revision 2")).to_be_visible()
    spec = acme.call("GET", PATH)["spec"]
    assert (spec["priority"], list(spec["steps"])) == (7, ["mine"])


def test_settings_that_somebody_else_saves_do_not_disturb_the_text(opened, acme):
    write(opened, file_of("mine"))
    acme.call(
        "PUT", PATH, {**acme.call("GET", PATH), "spec": {**acme.call("GET", PATH)["spec"], "priority": 7}}
    )
    save(opened)
    expect(opened.get_by_text("Saved as revision 2")).to_be_visible()
    assert acme.call("GET", PATH)["spec"]["priority"] == 7


def test_the_page_is_not_left_without_asking_while_something_is_not_saved(opened):
    opened.get_by_role("link", name="Variables").click()
    opened.get_by_role("link", name="Workflow", exact=True).click()
    expect(planned(opened, "hello")).to_be_visible()
    area = write(opened, file_of("mine"))
    opened.get_by_role("link", name="Settings").click()
    dialog = opened.get_by_role("dialog")
    expect(dialog).to_contain_text("What you wrote is lost")
    dialog.get_by_role("button", name="Cancel").click()
    expect(area).to_contain_text("mine")
    opened.go_back()
    expect(dialog).to_contain_text("What you wrote is lost")
    opened.keyboard.press("Escape")
    expect(area).to_contain_text("mine")
    expect(opened).to_have_url(re.compile("tab=workflow"))
    opened.get_by_role("link", name="Settings").click()
    dialog.get_by_role("button", name="Leave").click()
    expect(opened.get_by_role("button", name="Save settings")).to_be_visible()
    opened.get_by_role("link", name="Workflow", exact=True).click()
    expect(area).to_contain_text("hello")


def test_what_was_written_is_there_after_the_session_has_ended(opened, acme, person):
    write(opened, file_of("mine"))
    expect(planned(opened, "mine")).to_be_visible()
    opened.context.clear_cookies()
    save(opened)
    log_in_again = opened.get_by_label("User name")
    expect(log_in_again).to_be_visible()
    log_in_again.fill(person)
    opened.get_by_label("Password").fill("a password for the pages")
    opened.get_by_role("button", name="Log in").click()
    save(opened)
    expect(opened.get_by_text("Saved as revision 1")).to_be_visible()
    assert list(acme.call("GET", PATH)["spec"]["steps"]) == ["mine"]


def test_the_keyboard_is_enough_and_never_trapped(opened):
    write(opened, file_of("mine"))
    opened.keyboard.press("Tab")  # indents
    expect(opened.locator(".cm-content")).to_be_focused()
    opened.keyboard.press("Escape")
    opened.keyboard.press("Tab")
    expect(opened.locator(".cm-content")).not_to_be_focused()
    opened.get_by_role("textbox", name="The workflow, YAML").focus()
    opened.keyboard.press("Control+s")
    expect(opened.get_by_text("Saved as revision 1")).to_be_visible()


def test_a_run_is_planned_with_a_branch_and_variables(opened):
    write(
        opened,
        "version: '1.0'\nsteps:\n  on_main:\n    image: alpine:${{LEVEL}}\n"
        "    when: {branch: {only: [main]}}\n",
    )
    expect(planned(opened, "on_main")).to_be_visible()
    opened.get_by_text("With branch and variables").click()
    opened.get_by_label("Branch").fill("other")
    expect(planned(opened, "on_main")).to_have_attribute("data-verdict", "skipped")
    opened.get_by_label("Branch").fill("main")
    opened.get_by_label("Variables").fill("LEVEL=3.20")
    expect(planned(opened, "on_main")).to_have_attribute("data-verdict", "runs")
    expect(planned(opened, "on_main")).to_contain_text("alpine:3.20")
    opened.get_by_label("Variables").fill("nonsense")
    expect(opened.get_by_text("Variables, line 1: write NAME=value")).to_be_visible()


def test_a_new_pipeline_opens_in_the_editor(new_page, person, acme):
    page = log_in(new_page(), person, "/pipelines")
    page.get_by_role("button", name="New pipeline").click()
    page.get_by_label("Name, with its project").fill("p/fresh")
    page.get_by_role("button", name="Create").click()
    expect(planned(page, "hello")).to_be_visible()
    write(page, file_of("mine"))
    save(page)
    expect(page.get_by_text("Saved as revision 1")).to_be_visible()
    assert list(acme.call("GET", "/api/pipelines/p%2Ffresh")["spec"]["steps"]) == ["mine"]


def test_a_file_that_is_kept_elsewhere_is_shown_with_its_place_and_plan(new_page, person, acme, elsewhere):
    document = {
        "metadata": {"name": "p/remote"},
        "spec": {"specTemplate": {"location": "url", "url": f"{elsewhere}/${{{{CF_BRANCH}}}}.yml"}},
    }
    acme.call("POST", "/api/pipelines", document)
    page = log_in(new_page(), person, "/pipelines/p%2Fremote?tab=workflow")
    expect(page.get_by_text(f"{elsewhere}/${{{{CF_BRANCH}}}}.yml").first).to_be_visible()
    expect(page.get_by_text("CF_BRANCH has no value")).to_be_visible()
    page.get_by_text("With branch and variables").click()
    page.get_by_label("Branch").fill("codefresh")
    expect(planned(page, "from_afar")).to_be_visible()
    expect(page.get_by_label("The file, as it was fetched")).to_contain_text("from_afar")
    expect(page.get_by_role("button", name="Save", exact=True)).to_have_count(0)
    check(page, "elsewhere")


def test_its_commands_do_what_the_page_does(opened, acme):
    text = file_of("it_is") + '# it\'s "quoted"\n'
    write(opened, text)
    expect(planned(opened, "it_is")).to_be_visible()
    opened.get_by_text("as curl / as codefresh").click()
    shown = opened.locator("[data-command=curl]")
    expect(shown.filter(has_text="it_is")).to_have_count(3)
    for line in shown.all_inner_texts():
        words = shlex.split(line.replace("$CF_API_KEY", acme.key()))
        subprocess.run(words, check=True, capture_output=True, timeout=60)
    assert acme.call("GET", PATH)["metadata"]["originalYamlString"] == text


def test_names_and_texts_have_no_effect_on_the_page(new_page, person, acme):
    steps = {"odd": {"title": HOSTILE, "image": HOSTILE, "stage": HOSTILE}}
    acme.pipeline("odd", name=f"p/{HOSTILE.replace('/', '')}", steps=steps, stages=[HOSTILE])
    page = log_in(new_page(), person, "/pipelines")
    page.get_by_role("link", name=re.compile("img src")).click()
    page.get_by_role("link", name="Workflow", exact=True).click()
    expect(planned(page, "odd")).to_contain_text(HOSTILE)
    write(page, f"version: '1.0'\nsteps:\n  odd:\n    image: alpine\n    fail_fast: {HOSTILE}\n")
    expect(page.get_by_role("list", name="Problems")).to_contain_text("img src")
    assert page.title() == "Pipeline · Headrace"
    assert page.locator("img[src=x]").count() == 0


def test_axe_finds_nothing_serious_in_the_editor(new_page, person, acme):
    steps = {
        "a": {
            "type": "parallel",
            "steps": {"long-" * 25: {"image": "alpine"}, "other": {"image": "x" * 200}},
        },
        "wait": {"type": "pending-approval", "when": {"branch": {"only": ["main"]}}},
    }
    acme.pipeline("ok", steps=steps)
    page = log_in(new_page(), person, PAGE)
    expect(planned(page, "wait")).to_be_visible()
    for look in looks(page, "the plan"):
        check(page, look)
    write(page, file_of("mine") + "  bad: 5\n", typed="  x")
    expect(page.get_by_role("list", name="Problems")).to_be_visible()
    page.keyboard.press("Escape")
    for look in looks(page, "problems"):
        check(page, look)
    acme.call("PUT", PATH, {**acme.call("GET", PATH), "spec": {"steps": {"theirs": {"image": "alpine"}}}})
    expect(page.get_by_text("Somebody else has saved")).to_be_visible()
    for look in looks(page, "theirs"):
        check(page, look)
