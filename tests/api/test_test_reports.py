import time
from datetime import timedelta

import pytest

from fakes import EPOCH
from headrace.execution.ports import Report
from headrace.execution.test_results import FailedCase, Results
from headrace.kit.ids import new_id
from headrace.resources.builds.links import ARCHIVES
from headrace.resources.test_reports.routes import LINKS
from log_builds import OneBuild

PAGES = {
    "index.html": b"<script>document.cookie</script>",
    "look/look.css": b"body {}",
    "look/index.html": b"deep",
    "data.json": b"[1]",
    "all.zip": b"PK\0",
    "two words%2F.txt": b"odd",
}
RESULTS = Results(
    passed=3, failed=1, duration_s=1.5, failures=(FailedCase(name="sells", suite="shop", message="no"),)
)


@pytest.fixture
def engine_name():
    """One engine: reports are files."""
    return "sqlite"


@pytest.fixture
def build(installation, people):
    return OneBuild(installation, people["admin"])


@pytest.fixture
def keep(installation, build):
    """Keep a report of the build, as a worker does; returns it."""

    def kept(files=PAGES, **fields):
        known = {
            "id": "0f1e2d3c4b5a6978",
            "step": "report",
            "page": "index.html",
            "files": len(files),
            "size_bytes": sum(map(len, files.values())),
            "created_at": EPOCH,
        }
        report = Report(**known | fields)
        installation.reports.keep(build.id, report, ((path, [data]) for path, data in files.items()))
        return report

    return kept


@pytest.fixture
def report(keep):
    return keep()


@pytest.fixture
def anybody(client):
    return client.with_key(None)


def addresses(build, report):
    return [f"/api/builds/{build.id}/reports", f"/api/testReporting/{build.id}/{report.id}/index.html"]


def opened(client, build, report, path=""):
    """The signed address of a file."""
    answer = client.get(f"/api/testReporting/{build.id}/{report.id}/{path}")
    assert answer.status == 302
    return answer.headers["location"]


# Who may


def test_without_a_key_no_report_is_read(anybody, build, report):
    assert [anybody.get(path).status for path in addresses(build, report)] == [401] * 2


def test_a_key_without_the_scope_reads_no_report(client, key_of, build, report):
    keyed = client.with_key(key_of("admin", "build:read:status", "pipeline"))
    assert [keyed.get(path).status for path in addresses(build, report)] == [403] * 2


def test_the_reports_of_another_account_do_not_exist(stranger, build, report):
    assert [stranger.get(path).status for path in addresses(build, report)] == [404] * 2


def test_the_scope_to_read_builds_is_enough(client, key_of, build, report):
    keyed = client.with_key(key_of("member", "build:read"))
    assert [keyed.get(path).status for path in addresses(build, report)] == [200, 302]


# What there is


def test_a_build_without_reports_has_none(client, build):
    assert client.get(f"/api/builds/{build.id}/reports").json() == []


def test_a_report_is_listed_with_its_page_and_its_results(client, build, keep):
    keep(results=RESULTS, type="coverage", title="Tests of it", number="0")
    (found,) = client.get(f"/api/builds/{build.id}/reports").json()
    assert found == {
        "id": "0f1e2d3c4b5a6978",
        "step": "report",
        "title": "Tests of it",
        "number": "0",
        "type": "coverage",
        "url": f"http://testserver/api/testReporting/{build.id}/0f1e2d3c4b5a6978/index.html",
        "files": 6,
        "size": 52,
        "created": "2026-01-02T03:04:05.000Z",
        "results": {
            "passed": 3,
            "failed": 1,
            "skipped": 0,
            "duration": 1.5,
            "failures": [{"name": "sells", "suite": "shop", "message": "no"}],
        },
    }


def test_reports_of_one_moment_are_in_the_order_of_their_steps_and_numbers(client, build, keep):
    for number in ("10", "9"):
        keep(id=f"a{number}", step="b", number=number)
    keep(id="b", step="a")
    keep(id="c", step="c", created_at=EPOCH - timedelta(seconds=1))
    found = client.get(f"/api/builds/{build.id}/reports").json()
    assert [(one["step"], one["number"]) for one in found] == [("c", ""), ("a", ""), ("b", "9"), ("b", "10")]


def test_a_report_that_is_kept_again_is_replaced_whole(client, anybody, build, keep):
    report = keep()
    keep({"index.html": b"new"})
    assert len(client.get(f"/api/builds/{build.id}/reports").json()) == 1
    assert anybody.get(opened(client, build, report)).content == b"new"
    assert anybody.get(opened(client, build, report, "data.json")).status == 404


# Its files


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("index.html", "text/html"),
        ("look/look.css", "text/css"),
        ("data.json", "application/json"),
        ("all.zip", "application/zip"),
        ("two%20words%252F.txt", "text/plain"),
    ],
)
def test_a_file_is_sent_as_it_is_to_whoever_has_its_address(client, anybody, build, report, path, kind):
    answer = anybody.get(opened(client, build, report, path))
    name = path.replace("%20", " ").replace("%25", "%")
    assert (answer.status, answer.content, answer.headers["content-type"]) == (200, PAGES[name], kind)


def test_a_report_opens_with_its_first_page(client, anybody, build, report):
    assert anybody.get(opened(client, build, report)).content == PAGES["index.html"]


def test_a_page_of_a_report_is_nobody_here(client, anybody, build, report):
    headers = anybody.get(opened(client, build, report)).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert "allow-same-origin" not in policy["sandbox"]
    assert not {"allow-top-navigation", "allow-popups", "allow-forms"} & set(policy["sandbox"].split())
    assert (policy["frame-ancestors"], policy["form-action"]) == ("'none'", "'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "../report.json",
        "%2e%2e/report.json",
        "look/../../report.json",
        "..%2freport.json",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "look",
        "absent.html",
        "index.html/x",
    ],
)
def test_no_path_leads_out_of_a_report(client, anybody, build, keep, path):
    report = keep({"index.html": b"page", "look/look.css": b""})
    place = opened(client, build, report).removesuffix("index.html")
    assert anybody.get(place + path).status == 404


def test_a_link_in_a_report_is_not_followed(installation, client, anybody, build, report, tmp_path):
    (tmp_path / "outside").write_text("secret")
    files = installation.reports.root / build.id / report.id / "files"
    (files / "link").symlink_to(tmp_path / "outside")
    (files / "folder").symlink_to(tmp_path)
    assert anybody.get(opened(client, build, report, "link")).status == 404
    assert anybody.get(opened(client, build, report, "folder/outside")).status == 404


# The signed address


def test_an_address_is_good_for_one_report_only(client, anybody, build, keep):
    first, second = keep(), keep(id="a")
    place = opened(client, build, first)
    assert anybody.get(place.replace(first.id, second.id)).status == 403
    assert anybody.get(place.replace(build.id, new_id())).status == 403


def test_an_address_expires(anybody, build, report, box):
    now_s = int(time.time()) - LINKS.life_s - 1
    token = LINKS.token(box, build.account_id, f"{build.id}/{report.id}", now_s=now_s)
    answer = anybody.get(f"/api/testReportFiles/{token}/{build.id}/{report.id}/index.html")
    assert answer.status == 403
    assert "expired" in answer.json()["message"]


def test_no_key_opens_a_file_without_the_signature(client, build, report):
    answer = client.get(f"/api/testReportFiles/x/{build.id}/{report.id}/index.html")
    assert answer.status == 403


def test_a_link_to_a_log_opens_no_report(anybody, build, report, box):
    token = ARCHIVES.token(box, build.account_id, f"{build.id}/{report.id}", now_s=int(time.time()))
    assert anybody.get(f"/api/testReportFiles/{token}/{build.id}/{report.id}/index.html").status == 403


@pytest.mark.parametrize("report_id", ["absent", "0f1e", "..", "%2e%2e"])
def test_a_report_that_is_not_there_says_where_they_are_listed(client, build, report_id):
    answer = client.get(f"/api/testReporting/{build.id}/{report_id}/index.html")
    assert answer.status == 404


def test_a_report_without_a_page_says_where_its_results_are(client, build, keep):
    report = keep(page="", results=RESULTS)
    answer = client.get(f"/api/testReporting/{build.id}/{report.id}")
    assert answer.status == 404
    assert "has no page" in answer.json()["message"]
