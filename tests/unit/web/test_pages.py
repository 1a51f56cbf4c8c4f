"""Which requests the pages answer, and with what guards."""

import asyncio
import gzip

import pytest

from headrace.web.pages import Pages

DOCUMENT, SCRIPT = b"<!doctype html><title>x</title>", b"export {}"


@pytest.fixture
def pages(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_bytes(DOCUMENT)
    (tmp_path / "assets/a.js").write_bytes(SCRIPT)
    (tmp_path / ".made-from").write_text("x")
    return Pages(tmp_path)


def scope(path, method="GET", **headers):
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"path": path, "method": method, "headers": pairs}


def ask(pages, *words, **headers):
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(pages.send(scope(*words, **headers), send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


@pytest.mark.parametrize(
    ("path", "accept", "known"),
    [
        ("/", "*/*", True),
        ("/assets/a.js", "*/*", True),
        ("/builds/1", "text/html,*/*", True),
        ("/builds/1", "*/*", False),
        ("/projects/my.app", "text/html", True),
        ("/assets/none.js", "text/html", False),
        ("/none.js", "text/html", False),
        ("/.made-from", "text/html", False),
        ("/../secrets.key", "text/html", False),
    ],
)
def test_files_are_for_everybody_and_addresses_of_pages_for_browsers(pages, path, accept, known):
    assert pages.has(scope(path, accept=accept)) is known


def test_a_package_without_pages_answers_nothing(tmp_path):
    assert not Pages(tmp_path / "absent")
    assert not Pages(tmp_path / "absent").has(scope("/", accept="text/html"))


def test_every_answer_forbids_foreign_scripts_and_frames(pages):
    status, headers, body = ask(pages, "/builds/1")
    assert (status, body) == (200, DOCUMENT)
    policy = headers[b"content-security-policy"]
    assert b"script-src 'self'" in policy
    assert b"unsafe" not in policy
    assert b"frame-ancestors 'none'" in policy
    assert headers[b"cache-control"] == b"no-cache"


def test_what_is_named_by_its_content_is_kept_for_good_and_zipped(pages):
    _, headers, body = ask(pages, "/assets/a.js", accept_encoding="gzip, br")
    assert gzip.decompress(body) == SCRIPT
    assert b"immutable" in headers[b"cache-control"]
    assert ask(pages, "/assets/a.js", if_none_match=headers[b"etag"].decode())[0] == 304


def test_pages_are_only_read(pages):
    assert ask(pages, "/", "POST")[0] == 405
    assert ask(pages, "/", "HEAD")[::2] == (200, b"")
