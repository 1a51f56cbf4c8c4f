"""The page of a build in a real browser: its log, graph, timeline, decisions, and hostile text."""

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from e2e.browsing import check, log_in, looks
from e2e.server import until
from e2e.town import step

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

LONG_S = 20_000  # ms that a build may take
LINES = 200_000
MOST_ROWS = 300


@pytest.fixture
def ended(acme):
    """Run steps to the end of their build; return its id."""

    def run(steps, **spec):
        acme.pipeline(None, name="p/it", steps=steps, **spec)
        build_id = acme.run("p/it")
        until(lambda: acme.build(build_id)["finished"], "the end of the build")
        return build_id

    return run


def log_of(page):
    return page.get_by_role("log")


def numbers(page):
    return [int(text) for text in log_of(page).locator(".number").all_inner_texts()]


def marked(page):
    return log_of(page).locator(".marked .number")


def count_to(last):
    return (
        f'awk \'BEGIN {{ for (i = 1; i <= {last}; i++) print "row " i (i % 50000 == 7 ? " needle" : "") }}\''
    )


def test_a_long_log_opens_at_its_end_and_jumps_anywhere(new_page, person, ended):
    build_id = ended({"talk": step(count_to(LINES))})
    page = log_in(new_page(), person, f"/builds/{build_id}")
    expect(log_of(page).get_by_text(f"row {LINES}", exact=True)).to_be_visible()
    assert len(numbers(page)) <= MOST_ROWS

    log_of(page).focus()
    page.keyboard.press("g")
    expect(log_of(page).get_by_text("row 1", exact=True)).to_be_visible()
    page.keyboard.press("G")
    expect(log_of(page).get_by_text(f"row {LINES}", exact=True)).to_be_visible()

    page.goto(f"/builds/{build_id}#talk:123457")
    expect(marked(page)).to_have_text("123457")
    expect(marked(page)).to_be_in_viewport()
    expect(log_of(page).get_by_text("row 123456", exact=True)).to_be_visible()  # line 1 is the engine's
    page.keyboard.press("j")
    expect(marked(page)).to_have_text("123458")
    page.keyboard.press("k")
    page.keyboard.press("k")
    expect(marked(page)).to_have_text("123456")
    assert len(numbers(page)) <= MOST_ROWS

    log_of(page).locator(".number", has_text="123460").click()
    assert page.url.endswith("#talk:123460")
    page.reload()
    expect(marked(page)).to_have_text("123460")


def test_the_address_that_a_build_is_told_of_itself_leads_to_it(new_page, person, acme, ended):
    build_id = ended({"tell": step('echo "at $CF_BUILD_URL"')})
    told = re.search(r"at (\S+/build/[0-9a-f]+)", acme.server.log(build_id, "tell"))[1]
    page = log_in(new_page(), person, told.removeprefix(acme.server.url))
    expect(log_of(page).get_by_text(f"at {told}", exact=True)).to_be_visible()


def test_what_is_searched_is_found_in_order_and_marked(new_page, person, ended):
    build_id = ended({"talk": step(count_to(LINES)), "last": step("echo one Needle more")})
    page = log_in(new_page(), person, f"/builds/{build_id}")
    expect(log_of(page)).to_contain_text("one Needle more")
    page.keyboard.press("/")
    page.keyboard.type("needle")
    page.keyboard.press("Enter")
    status = page.locator(".hits")
    expect(status).to_contain_text("of 5")
    log_of(page).focus()
    seen = []
    for _ in range(5):
        page.keyboard.press("n")
        expect(log_of(page).locator(".marked .found")).to_be_in_viewport()
        seen.append(int(status.inner_text().split()[0]))
    assert sorted(seen) == [1, 2, 3, 4, 5]
    before = status.inner_text()
    page.keyboard.press("n")
    page.keyboard.press("N")
    expect(status).to_contain_text(before.strip())
    page.get_by_role("searchbox").fill("in no line")
    page.keyboard.press("Enter")
    expect(status).to_contain_text("not found")


def test_steps_fold(new_page, person, ended):
    build_id = ended({"one": step("echo first words"), "two": step("echo second words")})
    page = log_in(new_page(), person, f"/builds/{build_id}")
    one, two = (log_of(page).locator(f"[data-step={name}]").last for name in ("one", "two"))
    expect(log_of(page).get_by_text("second words")).to_be_visible()
    expect(two).to_have_attribute("aria-expanded", "true")
    two.click()
    expect(log_of(page).get_by_text("second words")).to_have_count(0)
    one.focus()
    page.keyboard.press("Enter")
    expect(log_of(page).get_by_text("first words")).to_be_visible()


def test_all_steps_that_run_are_open(new_page, person, acme):
    steps = {name: step(f"echo words of {name}", "sleep 60") for name in ("left", "right")}
    acme.pipeline(None, name="p/it", steps={"both": {"type": "parallel", "steps": steps}})
    build_id = acme.run("p/it")
    page = log_in(new_page(), person, f"/builds/{build_id}")
    for name in steps:
        expect(log_of(page).get_by_text(f"words of {name}", exact=True)).to_be_visible(timeout=LONG_S)
    page.reload()
    for name in steps:
        expect(log_of(page).get_by_text(f"words of {name}", exact=True)).to_be_visible()
    page.get_by_role("button", name="Terminate").click()
    page.get_by_role("dialog").get_by_role("button", name="Terminate").click()
    expect(page.locator("h1 [data-status=terminated]")).to_be_visible(timeout=LONG_S)


def test_the_first_error_is_found(new_page, person, ended):
    steps = {
        "fine": step("echo 0 errors"),
        "broken": step(count_to(3000), "echo 'Error: it broke here'", count_to(3000), "exit 3"),
    }
    page = log_in(new_page(), person, f"/builds/{ended(steps)}")
    expect(page.locator("h1 [data-status=error]")).to_be_visible()
    page.get_by_role("button", name="First error").click()
    expect(log_of(page).locator(".marked")).to_contain_text("Error: it broke here")
    expect(log_of(page).locator(".marked")).to_be_in_viewport()


def test_a_log_that_grows_is_followed_without_a_shift_until_somebody_scrolls(new_page, person, acme):
    steps = {"talk": step("i=0; while [ $i -lt 300 ]; do echo word $i; i=$((i+1)); sleep 0.02; done")}
    acme.pipeline(None, name="p/it", steps=steps)
    build_id = acme.run("p/it")
    page = log_in(new_page(), person, f"/builds/{build_id}")
    expect(log_of(page).get_by_text("word 60", exact=True)).to_be_visible(timeout=LONG_S)
    page.evaluate(
        """() => { window.shifts = 0; new PerformanceObserver((list) => {
            for (const one of list.getEntries()) window.shifts += one.value;
        }).observe({type: "layout-shift"}); }"""
    )
    place = log_of(page).bounding_box()
    expect(log_of(page).get_by_text("word 120", exact=True)).to_be_visible(timeout=LONG_S)
    assert log_of(page).bounding_box() == place
    assert page.evaluate("window.shifts") < 0.001  # what is left is the number of lines getting wider
    log_of(page).evaluate("(box) => (box.scrollTop = 200)")
    expect(page.get_by_label("follow")).not_to_be_checked()
    top = numbers(page)[0]
    expect(page.locator("h1 [data-status=success]")).to_be_visible(timeout=LONG_S)
    assert numbers(page)[0] == top
    page.get_by_label("follow").check()
    expect(log_of(page).get_by_text("word 299", exact=True)).to_be_visible()


@pytest.mark.parametrize(("verb", "status"), [("Approve", "success"), ("Deny", "denied")])
def test_a_decision_has_a_reason(new_page, person, acme, verb, status):
    acme.pipeline("approval")
    build_id = acme.run("p/approval")
    page = log_in(new_page(), person, f"/builds/{build_id}")
    expect(page.get_by_role("button", name=verb)).to_be_visible(timeout=LONG_S)
    other = "Deny" if verb == "Approve" else "Approve"
    page.get_by_role("button", name=other).click()
    page.get_by_label(re.compile("^Reason")).fill("of the dialog that is closed")
    page.keyboard.press("Escape")
    page.get_by_role("button", name=verb).click()
    expect(page.get_by_label(re.compile("^Reason"))).to_have_value("")
    page.get_by_label(re.compile("^Reason")).fill("<b>because</b> I say so")
    page.get_by_role("dialog").get_by_role("button", name=verb).click()
    expect(page.locator(f"h1 [data-status={status}]")).to_be_visible(timeout=LONG_S)
    facts = page.locator("p", has_text="<b>because</b> I say so")
    expect(facts).to_contain_text(f"by {person}: <b>because</b> I say so")
    asked = acme.call("GET", f"/api/builds/{build_id}/steps")[0]
    assert asked["decision"] == {"by": person, "reason": "<b>because</b> I say so"}
    page.get_by_role("navigation", name="Steps").get_by_role("link", name=re.compile("ask")).click()
    expect(log_of(page).get_by_text(re.compile("by .*: <b>because</b> I say so"))).to_be_visible()


def test_graph_and_timeline_show_groups_skipped_steps_and_hooks(new_page, person, ended):
    hook = {"on_fail": {"exec": {"image": "alpine", "commands": ["echo told"]}}}
    steps = {
        "all": {
            "type": "parallel",
            "stage": "test",
            "steps": {"left": step("true"), "right": step("true")},
        },
        "never": step("true", stage="test", when={"branch": {"only": ["x"]}}),
        "ship": step("exit 3", stage="ship", hooks=hook),
    }
    build_id = ended(steps, stages=["test", "ship"])
    page = log_in(new_page(), person, f"/builds/{build_id}?view=graph")
    nodes = page.locator("[data-node]")
    expect(nodes).to_have_count(5)
    group, left = (page.locator(f"[data-node={name}] rect").bounding_box() for name in ("all", "left"))
    assert group["x"] < left["x"]
    assert left["y"] + left["height"] < group["y"] + group["height"]
    expect(page.locator("[data-node=never]")).to_contain_text("skipped")
    expect(page.locator("[data-node=ship]")).to_contain_text("✗ error")
    expect(page.locator("[data-node=ship]")).to_contain_text("✓ on_fail")

    page.get_by_role("link", name="Timeline").click()
    expect(page.get_by_role("heading", level=2)).to_have_text(["test", "ship"])
    expect(page.locator("li", has_text="left").locator("svg rect")).to_have_count(1)
    expect(page.locator("li", has_text="never").locator("svg rect")).to_have_count(0)

    page.get_by_role("link", name="Graph").click()
    page.locator("[data-node=ship]").focus()
    page.keyboard.press("Enter")
    expect(log_of(page).get_by_text("told", exact=True)).to_be_visible()


def test_what_a_build_was_given_is_shown_but_no_secret(new_page, person, acme):
    values = [{"key": "PORT", "value": "5000"}, {"key": "TOKEN", "value": "very-secret", "encrypted": True}]
    acme.pipeline("ok", variables=values)
    build_id = acme.run("p/ok")
    page = log_in(new_page(), person, f"/builds/{build_id}?view=inputs")
    expect(page.get_by_role("row", name="PORT 5000")).to_be_visible()
    expect(page.get_by_role("row", name="TOKEN encrypted")).to_be_visible()
    expect(page.get_by_label("YAML of the build")).to_contain_text("echo hello from ok")
    assert "very-secret" not in page.content()


def test_a_build_is_run_again_from_a_step(new_page, person, ended):
    build_id = ended({"one": step("echo one"), "two": step("echo two"), "three": step("echo three")})
    page = log_in(new_page(), person, f"/builds/{build_id}")
    page.get_by_label("Run again from").select_option("from two")
    page.get_by_role("button", name="Run again").click()
    page.wait_for_url(lambda url: build_id not in url)
    expect(page.locator("h1 [data-status=success]")).to_be_visible(timeout=LONG_S)
    page.get_by_role("navigation", name="Steps").get_by_role("link", name=re.compile("two")).click()
    expect(log_of(page).get_by_text("two", exact=True).last).to_be_visible()
    expect(log_of(page).locator("[data-step=one]")).not_to_contain_text("line")
    expect(page.get_by_text(f"runs build {build_id} again, from two")).to_be_visible()
    page.get_by_role("link", name=f"build {build_id}").click()
    expect(page.get_by_text("Run again as:").get_by_role("link")).to_have_count(1)


def test_a_build_that_waits_at_a_breakpoint_is_looked_into_and_goes_on(new_page, person, acme):
    acme.pipeline("ok", steps={"wait": step("echo it goes on", debug={"phases": {"before": True}})})
    build_id = acme.call("POST", "/api/pipelines/debug/p%2Fok", {})
    page = log_in(new_page(), person, f"/builds/{build_id}")
    box = page.get_by_role("region", name="wait waits at a breakpoint")
    expect(box).to_contain_text("before it begins", timeout=LONG_S)
    run = box.get_by_role("button", name="Run")
    run.click()  # without a command nothing is sent
    expect(box.get_by_label("Shell command")).to_be_focused()
    box.get_by_label("Shell command").fill("echo found $((40 + 2))")
    run.click()
    expect(box).to_contain_text("It runs")
    expect(box.get_by_label("Shell command")).to_have_value("")
    expect(log_of(page).get_by_text("found 42", exact=True)).to_be_visible(timeout=LONG_S)
    box.get_by_role("button", name="Continue").click()
    expect(page.locator("h1 [data-status=success]")).to_be_visible(timeout=LONG_S)
    expect(box).to_have_count(0)
    expect(log_of(page).get_by_text("it goes on", exact=True)).to_be_visible()


HOSTILE = {
    "markup": (
        r"printf '<script>document.title=1</script><img src=x onerror=alert(1)>\n'",
        "<script>document.title=1",
    ),
    "escapes": (r"printf 'a\033[2J\033[1;31mred\033[0m\033]0;owned\007\010\000z\n'", "aredz"),
    "direction": (r"printf 'admin\342\200\256 txt.exe\n'", "adminRLO txt.exe"),
    "no text": (r"printf 'x\377\376y\300\200z\n'", re.compile("^x\ufffd+y\ufffd+z$")),
    "long": (
        "head -c 1000000 /dev/zero | tr '\\0' w; echo; echo after it",
        re.compile("^w{4000}… cut here"),
    ),
    "nothing": (":", "Successfully"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_is_only_text(new_page, person, ended, kind):
    command, seen = HOSTILE[kind]
    build_id = ended({"odd": step(command)})
    page = log_in(new_page(), person, f"/builds/{build_id}?step=odd")
    lines = log_of(page).locator(".line")
    expect(lines.filter(has_text=seen).first).to_be_visible()
    assert page.title() == "Build · Headrace"
    assert log_of(page).locator("script, img").count() == 0
    if kind == "long":
        expect(lines.filter(has_text=re.compile("^after it$"))).to_be_visible()
        assert page.evaluate("document.documentElement.innerText.length") < 50_000


def test_links_that_name_nothing_are_no_error(new_page, person, ended):
    build_id = ended({"one": step("echo words")})
    page = log_in(new_page(), person, f"/builds/{build_id}")
    for fragment in ("#nowhere:3", "#one:999999", "#%E0%A4%A:1", "#one", "?step=nowhere", "?view=nowhere"):
        page.goto(f"/builds/{build_id}{fragment}")
        expect(page.locator("h1 [data-status=success]")).to_be_visible()
    page.goto(f"/builds/{build_id}#{quote('one')}:999999")
    expect(marked(page)).to_be_visible()  # the last line


def test_axe_finds_nothing_serious_on_any_view(new_page, person, ended):
    long = "a-very-long-name-of-a-step-" * 6
    steps = {
        "one": step(
            "printf '\\033[31mred\\033[32mgreen\\033[33myellow\\033[35mpink\\033[36mcyan\\n'", title=long
        ),
        "side": {"type": "parallel", "steps": {"a": step("true"), "b": step("echo x" * 400)}},
        "bad": step("exit 3"),
    }
    build_id = ended(steps)
    page = log_in(new_page(), person)
    for view in ("", "?view=graph", "?view=timeline", "?view=tests", "?view=inputs", "?step=one"):
        page.goto(f"/builds/{build_id}{view}")
        ready = {"": "[data-step]", "?view=graph": "[data-node]", "?view=timeline": "li svg"}
        expect(page.locator(ready.get(view, "h1")).first).to_be_visible()
        for look in looks(page, view):
            check(page, look)
