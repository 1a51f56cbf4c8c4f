"""The pages and hostile surroundings: what is loaded and framed, where links lead, what names may hold."""

import http.client
import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from e2e.browsing import log_in
from e2e.server import until
from e2e.town import step
from headrace.web.pages import Pages

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

ADDRESSES = (
    "/",
    "/builds",
    "/projects/p",
    "/login",
    "/user/keys",
    "/clusters/x",
    "/nowhere",
    "/api/",
    "/api/nowhere",
)
LEADING_AWAY = (
    "//evil.example",
    "///evil.example/",
    "/\\evil.example",
    "/%5Cevil.example",
    "/login?next=https://evil.example",
    "/login?next=%5C%5Cevil.example&redirect=//evil.example&url=javascript:alert(1)",
    "/builds/..//evil.example",
)
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
TURNED = "safe\u202egnp.exe \x1b[31mred\x07\x00 \u2066x"
UNSEEN = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
NAMES = {"markup": HOSTILE, "turned": TURNED.replace("\x00", "")}


def ask(server, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, path, headers={"Accept": "text/html"})
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def test_no_page_and_no_file_may_load_run_or_be_framed_by_others(acme):
    files = [name for name in Pages().names() if name != "/index.html"]
    assert len(files) > 20
    for path in (*ADDRESSES, *files):
        for method in ("GET", "POST"):
            answer = ask(acme.server, method, path)
            policy = dict(
                part.strip().partition(" ")[::2]
                for part in answer.getheader("content-security-policy").split(";")
            )
            assert policy["default-src"] == "'none'", path
            assert policy["frame-ancestors"] == "'none'", path
            assert policy.get("script-src", "'self'") == "'self'", path
            assert policy.get("style-src", "'self'") == "'self'", path
            assert not {"unsafe-inline", "unsafe-eval", "*"} & set(
                answer.getheader("content-security-policy").split()
            )
            assert answer.getheader("x-content-type-options") == "nosniff", path
            if not path.startswith("/api/nowhere"):
                assert answer.getheader("x-frame-options") == "DENY" or method == "POST", path


def test_the_pages_cannot_be_framed_not_even_by_this_host(browser, acme):
    outside = f"{acme.server.url}/framing"
    with browser.new_context() as context:
        page = context.new_page()
        page.route(outside, lambda route: route.fulfill(body="<iframe></iframe>", content_type="text/html"))
        page.goto(outside)
        for path in ("/", "/api/", "/api/version"):
            url = acme.server.url + path
            with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
                page.evaluate("(url) => { document.querySelector('iframe').src = url; }", url)


@pytest.mark.parametrize("path", LEADING_AWAY)
def test_no_address_leads_to_another_site(new_page, person, acme, path):
    for method in ("GET", "HEAD", "POST"):
        answer = ask(acme.server, method, path)
        assert answer.status not in range(300, 400)
        assert answer.getheader("location") is None
        assert answer.status in (200, 404, 405)  # a name with a dot is that of a file
    page = new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(acme.server.url + (path if "?" in path else path.replace(".example", "")))
    page.get_by_label("User name").fill(person)
    page.get_by_label("Password").fill("a password for the pages")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name="Headrace")).to_be_visible()
    links = page.eval_on_selector_all("a", "(all) => all.map((one) => one.origin)")
    assert set(links) == {acme.server.url}
    page.get_by_role("link", name="Builds", exact=True).click()
    expect(page.get_by_role("heading", name="Builds")).to_be_visible()
    assert [url for url in asked if not url.startswith(acme.server.url)] == []


def test_trying_again_stays_here(new_page, acme):
    page = new_page()
    page.route("**/api/user", lambda route: route.fulfill(status=500, body="no"))
    page.goto(f"{acme.server.url}//evil/x")
    with page.expect_navigation():
        page.get_by_role("button", name="Try again").click()
    assert page.url == f"{acme.server.url}//evil/x"


def test_the_session_is_out_of_reach_of_scripts_and_goes_along_with_no_other_site(new_page, person, acme):
    page = log_in(new_page(), person)
    cookie = next(one for one in page.context.cookies() if one["name"] == "headrace_session")
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert page.evaluate("document.cookie") == ""
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert cookie["value"] not in kept
    other = page.context.new_page()
    form = (
        f"<form method=post enctype=text/plain action={acme.server.url}/api/projects>"
        '<input name=\'{"projectName":"forged","x":"\' value=\'"}\'><button>Win</button></form>'
    )
    other.route("http://evil.example/", lambda route: route.fulfill(body=form, content_type="text/html"))
    other.goto("http://evil.example/")
    with other.expect_response(f"{acme.server.url}/api/projects") as answer:
        other.get_by_role("button", name="Win").click()
    assert answer.value.status in (401, 403)
    names = [one["projectName"] for one in acme.call("GET", "/api/projects")["projects"]]
    assert "forged" not in names


def fill(acme, name):
    """Put the name wherever the API takes it; return what of it was made."""
    tries = {
        "project": ("POST", "/api/projects", {"projectName": name.replace("/", "|"), "tags": [name]}),
        "context": (
            "POST",
            "/api/contexts",
            {"metadata": {"name": name}, "spec": {"type": "config", "data": {name: name}}},
        ),
        "team": ("POST", "/api/team", {"name": name, "tags": [name], "users": []}),
        "registry": (
            "POST",
            "/api/registries",
            {"name": name, "domain": "registry.example.org", "username": name, "repositoryPrefix": name},
        ),
        "cluster": (
            "POST",
            "/api/clusters/local/cluster",
            {
                "selector": name,
                "host": "https://kubernetes.example.org",
                "serviceAccountToken": "a.b.c",
                "behindFirewall": True,
            },
        ),
        "event": (
            "POST",
            "/api/hermes/events?public=false",
            {"type": "cron", "kind": "codefresh", "values": {"expression": "@daily", "message": name}},
        ),
        "annotation": (
            "POST",
            "/api/annotations",
            {"entityType": "project", "entityId": name, "key": name, "value": name},
        ),
    }
    key = {"Authorization": acme.key()}
    return [
        kind
        for kind, (method, path, body) in tries.items()
        if acme.server.call(method, path, body, key)[0] < 300
    ]


@pytest.mark.parametrize("kind", NAMES)
def test_no_name_has_an_effect_on_any_page(new_page, person, acme, kind):
    name = NAMES[kind]
    made = fill(acme, name)
    steps = {
        "odd": step(f"printf '%s\\n' {quote(name)!r}", title=name),
        "bad": step("exit 3", title=name, when={"condition": {"all": {"a": "true"}}}),
    }
    variables = [{"key": "PLAIN", "value": name}]
    acme.pipeline(
        None,
        name="p/odd",
        steps=steps,
        variables=variables,
        cronTriggers=[{"type": "cron", "name": name, "expression": "@daily", "message": "nightly"}],
    )
    build_id = acme.run("p/odd", branch="side", variables=variables)
    until(lambda: acme.build(build_id)["finished"], "the end of the build")
    page = log_in(new_page(), person)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    places = [
        "/",
        "/builds",
        f"/builds?branch={quote(name)}",
        *(
            f"/builds/{build_id}{view}"
            for view in ("", "?view=graph", "?view=timeline", "?view=tests", "?view=inputs")
        ),
        "/projects",
        f"/projects?name={quote(name)}",
        f"/projects/{quote(name, safe='')}",
        "/pipelines",
        *(
            f"/pipelines/p%2Fodd{tab}"
            for tab in ("", "?tab=workflow", "?tab=triggers", "?tab=variables", "?tab=settings")
        ),
        f"/pipelines/{quote(name, safe='')}",
        "/triggers",
        "/contexts",
        "/images",
        "/registries",
        "/clusters",
        f"/clusters/{quote(name, safe='')}",
        "/step-types",
        "/workers",
        "/users",
        "/user/keys",
    ]
    for path in places:
        page.goto(path)
        expect(page.get_by_role("main").locator("h1, .empty, .failure").first).to_be_visible()
        page.get_by_text("as curl / as codefresh").click()
        expect(page.locator("[data-command], .failure").first).to_be_visible()
        assert page.title().endswith(" · Headrace"), path
        assert page.locator("main script, main img:not(.cm-widgetBuffer), main iframe").count() == 0, path
        assert not re.search(UNSEEN, page.get_by_role("main").inner_text()), path
        for line in page.locator("[data-command]").all_inner_texts():  # somebody copies it into a terminal
            assert not re.search("[\x00-\x09\x0b-\x1f\u202e\u2066]", line), path
    assert {"context", "team", "registry"} <= set(made)
    if kind == "turned":
        page.goto("/contexts")
        expect(page.get_by_role("cell", name="safe⟨RLO⟩gnp.exe ␛[31mred␇ ⟨LRI⟩x").first).to_be_visible()
        page.get_by_role("button", name="Delete").click()
        expect(page.get_by_role("dialog")).to_contain_text("⟨RLO⟩gnp.exe")
