"""Where the lines of a log are: the search, and the stream that tells how long the logs are."""

import asyncio
import json

import pytest

from headrace.storage.logs.marks import STRIDE_BYTES
from log_builds import OneBuild
from log_clients import Streaming


@pytest.fixture
def build(installation, people):
    return OneBuild(installation, people["admin"])


@pytest.fixture
def ended(build):
    asyncio.run(build.play())
    return build


def path(build, query="q=e"):
    return f"/api/builds/{build.id}/logs/search?{query}"


def outline(build):
    return f"/api/builds/{build.id}/logs/stream?text=false"


def told(content):
    """The events of a stream without ids: (name, data)."""
    blocks = [block.split("\n") for block in content.decode().split("\n\n") if block and block[0] != ":"]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


@pytest.mark.parametrize("where", [path, outline])
def test_without_a_key_it_is_401(client, ended, where):
    assert client.with_key(None).get(where(ended)).status == 401


@pytest.mark.parametrize("where", [path, outline])
def test_without_the_scope_it_is_403(client, key_of, ended, where):
    assert client.with_key(key_of("admin", "build:read:status", "pipeline")).get(where(ended)).status == 403


@pytest.mark.parametrize("where", [path, outline])
def test_a_build_of_another_account_is_404(stranger, ended, where):
    assert stranger.get(where(ended)).status == 404


def found(client, build, query):
    answer = client.get(path(build, query))
    assert answer.status == 200, answer.json()
    return answer.json()


def test_lines_of_all_steps_are_found_in_the_order_of_their_logs(client, ended):
    answer = found(client, ended, "q=N")  # grün and no line end
    assert [(hit["step"], hit["line"]) for hit in answer["hits"]] == [("unit", 1), ("ship", 1)]
    assert answer["next"] is None
    answer = found(client, ended, "q=zwei&step=unit")
    (hit,) = answer["hits"]
    read = client.get(f"/api/builds/{ended.id}/logs?step=unit&offset={hit['offset']}").content
    assert read.decode().endswith("] zwei\n")
    assert found(client, ended, "q=zwei&step=ship") == {"hits": [], "next": None}


def test_a_search_goes_on_across_steps(client, ended):
    seen, cursor = [], ""
    while cursor is not None:
        answer = found(client, ended, f"q=n&limit=1&cursor={cursor}")
        assert len(answer["hits"]) <= 1
        seen += [(hit["step"], hit["line"]) for hit in answer["hits"]]
        cursor = answer["next"]
    assert seen == [("unit", 1), ("ship", 1)]


@pytest.mark.parametrize(
    "query", ["", "q=", "q=a&errors=true", "errors=false", "q=a&limit=0", "q=a&cursor=x"]
)
def test_a_search_for_nothing_is_refused(client, ended, query):
    answer = client.get(path(ended, query))
    assert answer.status == 400
    assert answer.json()["message"]


def test_what_looks_like_an_error_is_found(client, build):
    asyncio.run(build.write("unit", "fine\nError: no\n"))
    assert [hit["line"] for hit in found(client, build, "errors=true")["hits"]] == [2]


def test_the_outline_tells_how_long_the_logs_are_and_ends_with_the_build(client, ended):
    events = told(client.get(outline(ended)).content)
    extents = {data["step"]: data for name, data in events if name == "extent"}
    whole = client.get(f"/api/builds/{ended.id}/logs?step=unit").content
    assert extents["unit"] == {"step": "unit", "size": len(whole), "lines": 2, "marks": [[0, 0]]}
    assert extents["ship"]["lines"] == 1
    assert [data["status"] for name, data in events if name == "step" and data["name"] == "ship"] == [
        "success"
    ]
    assert events[-1] == ("status", {"status": "success"})


async def test_the_outline_follows_a_log_that_grows_and_sends_each_mark_once(client, build):
    text = "x" * 72 + "\n"
    size = len(text) + 27
    build.status("running")
    await build.write("unit", text)
    async with Streaming(client.app, outline(build), client.key) as stream:
        await stream.until(b'"lines":1')
        await build.write("unit", text * (3 * STRIDE_BYTES // size))
        await stream.until(f'"lines":{1 + 3 * STRIDE_BYTES // size}'.encode())
        build.step("unit", "success")
        build.status("success")
        events = told(await stream.rest())
    marks = [mark for name, data in events if name == "extent" for mark in data["marks"]]
    assert marks == sorted(marks)
    assert len(marks) == len({offset for offset, _ in marks}) >= 3
    assert all(offset == line * size for offset, line in marks)
    assert events[-1] == ("status", {"status": "success"})
