import asyncio
import json
import time

import pytest

from headrace.kit.ids import new_id
from headrace.resources.builds import links
from headrace.resources.builds import socket as log_socket
from headrace.resources.builds.links import LogSettings
from headrace.resources.builds.logs import headings, slot_name
from headrace.resources.builds.socket import LogSocket
from log_builds import INITIALIZING, OneBuild
from log_clients import DEADLINE_S, Socket, Streaming, current, events, follow

STAMP = "[2026-01-02T03:04:05.000Z] "


@pytest.fixture
def build(installation, people):
    return OneBuild(installation, people["admin"])


@pytest.fixture
def ended(build):
    asyncio.run(build.play())
    return build


@pytest.fixture
def sockets(installation):
    return LogSocket(
        installation.database,
        installation.authenticator,
        installation.rules,
        installation.logs,
        installation.hub,
    )


def addresses(build):
    return [
        f"/api/progress/{build.progress_id}",
        f"/api/progress/download/{build.progress_id}",
        f"/api/builds/{build.id}/logs",
        f"/api/builds/{build.id}/logs/stream",
    ]


TEXTS = {
    INITIALIZING: f"{STAMP}starts\n",
    "unit": f"{STAMP}grün ✓ 🎉\n{STAMP}zwei\n",
    "ship": f"{STAMP}no line end",
}
PRINTED = (
    f"===================\nStep: {INITIALIZING}\n===================\n{TEXTS[INITIALIZING]}"
    f"===============\nStep: Unit tests, v1.0\n===============\n{TEXTS['unit']}"
    f"======\nStep: Ship it\n======\n{TEXTS['ship']}"
)
PRINTED_BY_SOCKET = PRINTED.replace("v1.0", "v1_0")


# Who may read


def test_without_a_key_no_log_is_read(client, ended):
    answers = [client.with_key(None).get(path) for path in addresses(ended)]
    assert [answer.status for answer in answers] == [401] * 4


def test_a_key_without_the_scope_reads_no_log(client, key_of, ended):
    keyed = client.with_key(key_of("admin", "build:read:status", "pipeline"))
    assert [keyed.get(path).status for path in addresses(ended)] == [403] * 4


def test_the_log_of_another_account_does_not_exist(stranger, ended):
    assert [stranger.get(path).status for path in addresses(ended)] == [404] * 4


def test_the_scope_to_read_builds_is_enough(client, key_of, ended):
    keyed = client.with_key(key_of("member", "build:read"))
    assert [keyed.get(path).status for path in addresses(ended)] == [200] * 4


# Where the log is


def test_a_running_build_is_followed_over_the_socket(client, build):
    assert client.get(f"/api/progress/{build.progress_id}").json() == {
        "_id": build.progress_id,
        "id": build.progress_id,
        "account": build.account_id,
        "status": "pending",
        "location": {"type": "composition", "url": "http://testserver"},
    }


def test_an_ended_build_has_a_link_that_needs_no_key(client, ended):
    place = client.get(f"/api/progress/{ended.progress_id}", headers={"host": "ci.example"}).json()
    assert place["status"] == "success"
    assert place["location"]["type"] == "archive"
    assert place["location"]["url"].startswith("http://ci.example/api/logs/archive/")
    path = place["location"]["url"].removeprefix("http://ci.example")
    assert client.with_key(None).get(path).json()["_id"] == ended.progress_id


@pytest.mark.parametrize("transport", ["live", "hold"])
def test_a_setting_holds_the_log_of_a_running_build_until_its_end(client, build, transport):
    client.app._provide[LogSettings] = LogSettings(transport=transport)
    place = client.get(f"/api/progress/{build.progress_id}").json()["location"]
    assert place["type"] == ("archive" if transport == "hold" else "composition")


# The archive


def test_the_archive_has_every_step_with_its_text_verbatim(client, ended):
    answer = client.get(f"/api/progress/download/{ended.progress_id}")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    document = answer.json()
    assert (document["_id"], document["status"]) == (ended.progress_id, "success")
    assert [(step["name"], step["status"]) for step in document["steps"]] == [
        (INITIALIZING, "success"),
        ("Unit tests, v1.0", "success"),
        ("Ship it", "success"),
    ]
    assert ["".join(step["logs"]) for step in document["steps"]] == list(TEXTS.values())
    times = [step["creationTimeStamp"] for step in document["steps"]]
    assert times == sorted(times)
    assert all(isinstance(step["finishTimeStamp"], int) for step in document["steps"])


def test_no_string_of_the_archive_cuts_a_line(client, ended):
    asyncio.run(ended.write("ship", "\n" + "one more line, to be cut somewhere\n" * 20_000))
    ship = client.get(f"/api/progress/download/{ended.progress_id}").json()["steps"][-1]
    assert len(ship["logs"]) > 1
    assert all(text.startswith(STAMP) and text.endswith("\n") for text in ship["logs"])


async def test_the_archive_of_a_running_build_is_answered_when_it_has_ended(client, build):
    path = f"/api/progress/download/{build.progress_id}"
    async with Streaming(client.app, path, client.key) as held:
        assert (await held.next()).strip() == b""
        await build.play("error")
        document = json.loads(await held.rest())
    assert document["status"] == "error"
    assert len(document["steps"]) == 3


def test_an_archive_is_sent_in_small_pieces(installation, client, ended):
    asyncio.run(ended.write("ship", "x" * 99 + "\n"))
    path = installation.logs.root / ended.id / "2.log"
    with path.open("ab") as file:
        file.truncate(200 * 1024 * 1024)  # a hole: 200 MB of NUL

    async def largest():
        async with Streaming(client.app, f"/api/builds/{ended.id}/logs", client.key) as stream:
            return max([len(await stream.next()) for _ in range(20)])

    assert asyncio.run(largest()) <= 256 * 1024


@pytest.mark.parametrize(
    "token",
    ["", "x", "1.2.3", "99999999999.{account}.00", "{expiry}.{account}.é", "{expiry}.{other}.{signature}"],
)
def test_a_link_with_another_signature_is_refused(client, ended, box, token):
    good = links.ARCHIVES.token(box, ended.account_id, ended.progress_id, now_s=int(time.time()))
    expiry, account, signature = good.split(".")
    words = {"expiry": expiry, "account": account, "signature": signature, "other": "0" * 24}
    path = f"/api/logs/archive/{ended.progress_id}?token="
    assert client.with_key(None).get(path + good).status == 200
    answer = client.with_key(None).get(path + token.format(**words))
    assert (answer.status, answer.json()["name"]) == (403, "FORBIDDEN")


def test_a_link_is_good_for_one_build_only(client, ended, box):
    token = links.ARCHIVES.token(box, ended.account_id, new_id(), now_s=int(time.time()))
    assert client.with_key(None).get(f"/api/logs/archive/{ended.progress_id}?token={token}").status == 403


def test_a_link_expires(client, ended, box):
    long_ago = int(time.time()) - links.LIFE_S - 1
    token = links.ARCHIVES.token(box, ended.account_id, ended.progress_id, now_s=long_ago)
    answer = client.with_key(None).get(f"/api/logs/archive/{ended.progress_id}?token={token}")
    assert answer.status == 403
    assert "expired" in answer.json()["message"]


@pytest.mark.parametrize("longer", ["9999", "9" * 5000], ids=["later", "no number"])
def test_a_link_that_has_expired_cannot_be_given_a_later_end(client, ended, box, longer):
    long_ago = int(time.time()) - links.LIFE_S - 1
    token = links.ARCHIVES.token(box, ended.account_id, ended.progress_id, now_s=long_ago)
    expiry, rest = token.split(".", 1)
    forged = f"{expiry.zfill(20)}{longer}.{rest}"  # the first digits are those that were signed
    answer = client.with_key(None).get(f"/api/logs/archive/{ended.progress_id}?token={forged}")
    assert answer.status == 403


# Plain text


def test_the_text_is_what_the_official_client_prints(client, ended):
    answer = client.get(f"/api/builds/{ended.id}/logs")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == PRINTED + "\n"


def test_a_part_of_one_step_is_read_by_bytes(client, ended):
    whole = TEXTS["unit"].encode()
    path = f"/api/builds/{ended.id}/logs?step=unit"
    assert client.get(path).content == whole
    assert client.get(f"{path}&offset=30&limit=7").content == whole[30:37]
    assert client.get(f"{path}&offset=100000").content == b""


@pytest.mark.parametrize(
    ("query", "status"),
    [("offset=1", 400), ("limit=1", 400), ("step=unit&limit=0", 400), ("step=none", 404)],
)
def test_a_part_that_cannot_be_is_refused(client, ended, query, status):
    assert client.get(f"/api/builds/{ended.id}/logs?{query}").status == status


# Server-sent events


def told(stream):
    """What a reader of events knows: text by step, statuses by step, statuses of the build."""
    texts, steps, statuses = {}, {}, []
    for one in stream:
        if one.name == "log":
            texts[one.data["step"]] = texts.get(one.data["step"], "") + one.data["text"]
        elif one.name == "step":
            steps.setdefault(one.data["name"], []).append(one.data["status"])
        else:
            statuses.append(one.data["status"])
    return texts, steps, statuses


def stream_of(client, build, **more):
    return events(client.get(f"/api/builds/{build.id}/logs/stream", **more).content)


def test_the_stream_of_an_ended_build_tells_all_and_ends(client, ended):
    texts, steps, statuses = told(stream_of(client, ended))
    assert texts == TEXTS
    assert steps == {name: ["running", "success"] for name in TEXTS}
    assert statuses == ["success"]


def test_a_step_is_told_before_its_text_and_its_end_after(client, ended):
    order = [(one.name, one.data.get("step") or one.data.get("name")) for one in stream_of(client, ended)]
    expected = [(event, name) for name in TEXTS for event in ("step", "log", "step")]
    assert order == [*expected, ("status", None)]
    assert stream_of(client, ended)[3].data["title"] == "Unit tests, v1.0"


async def test_a_stream_resumed_at_any_event_neither_loses_nor_repeats(client, build):
    async with Streaming(client.app, f"/api/builds/{build.id}/logs/stream", client.key) as stream:
        await stream.until(b"pending")
        build.status("running")
        for letter in "grün ✓ 🎉\n":
            await build.write("unit", letter)
            await stream.until(json.dumps(letter, ensure_ascii=False)[1:-1].encode())
        build.step("unit", "success")
        await build.write("ship", "a\nb")
        build.status("success")
        whole = events(await stream.rest())
    path = f"/api/builds/{build.id}/logs/stream"
    for number, one in enumerate(whole):
        before = whole[: number + 1]
        resumed = events((await client.send("GET", path, headers={"last-event-id": one.id})).content)
        assert told(before + resumed)[0] == told(whole)[0], one.id
        assert events((await client.send("GET", f"{path}?cursor={one.id}")).content) == resumed
        assert told(resumed)[2][-1] == "success"


async def test_half_a_character_waits_for_its_other_half(client, build):
    async with Streaming(client.app, f"/api/builds/{build.id}/logs/stream", client.key) as stream:
        log = await build.installation.logs.open(build.id, "unit", secrets=frozenset())
        halves = "é".encode()
        await log.write(b"x" + halves[:1])
        await stream.until(b'x"')
        await log.write(halves[1:] + b"y")
        await stream.until(b'y"')
        await log.close()
        build.status("error")
        texts = told(events(await stream.rest()))[0]
    assert texts == {"unit": f"{STAMP}xéy"}


async def test_a_live_reader_hears_at_once(client, build):
    path = f"/api/builds/{build.id}/logs/stream"
    build.status("running")
    build.installation.logs.poll_s = 60  # nothing but the writer's wake-up is quick
    async with Streaming(client.app, path, client.key) as stream:
        await stream.until(b": alive")
        waits = []
        for number in range(20):
            begun = time.perf_counter()
            await build.write("unit", f"line {number};\n")
            await stream.until(f"line {number};".encode())
            waits.append(time.perf_counter() - begun)
        assert sorted(waits)[len(waits) // 2] < 0.1
        begun = time.perf_counter()
        build.status("success")
        await stream.rest()
        assert time.perf_counter() - begun < DEADLINE_S


def test_every_status_of_the_build_is_told_and_the_last_ends_the_stream(client, build):
    async def read():
        async with Streaming(client.app, f"/api/builds/{build.id}/logs/stream", client.key) as stream:
            for status in ("pending", "running", "terminating"):
                build.status(status)
                await stream.until(f'"status":"{status}"'.encode())
            build.status("terminated")
            return told(events(await stream.rest()))[2]

    assert asyncio.run(read()) == ["pending", "running", "terminating", "terminated"]


@pytest.mark.parametrize(
    "cursor", ["x", "0:1", "r,9:1", "r,0:-1", "r,0:1,", "k", "r,0:1l", "r,0:1000000000000000000", "🎉"]
)
def test_a_cursor_that_is_none_is_refused_with_a_cure(client, ended, cursor):
    path = f"/api/builds/{ended.id}/logs/stream?cursor="
    answer = client.get(path + "".join(f"%{byte:02x}" for byte in cursor.encode()))
    assert answer.status == 400
    assert "leave it out" in answer.json()["message"]


def test_a_reader_that_goes_away_is_forgotten(installation, client, build):
    async def read():
        async with Streaming(client.app, f"/api/builds/{build.id}/logs/stream", client.key) as stream:
            await stream.until(b": alive")
        return installation.logs._followers, installation.hub._waiting

    assert asyncio.run(read()) == ({}, {})


# The socket


async def test_a_follower_sees_what_was_and_what_comes_once(sockets, client, build):
    build.status("running")
    await build.write(INITIALIZING, "starts\n")
    build.step("unit", "running")
    async with Socket(sockets, build.socket_path, client.key) as socket:

        async def run_on():
            await socket.heard("keepAlive")
            await build.write("unit", "grün ✓ 🎉\nzwei\n")
            build.step("unit", "success")
            await build.write("ship", "no line end")
            build.status("success")

        printed, _ = await asyncio.gather(follow(socket), run_on())
    assert printed == PRINTED_BY_SOCKET


async def test_a_follower_of_an_ended_build_sees_all_and_ends(sockets, client, build):
    await build.play()
    async with Socket(sockets, build.socket_path, client.key) as socket:
        assert await follow(socket) == PRINTED_BY_SOCKET
        assert [frame["action"] for frame in socket.chunks()] == ["s", "s", "s", "e", "e", "e"]


async def test_history_is_shown_although_nothing_new_comes(sockets, client, build):
    build.status("running")
    await build.write("unit", "waiting\n")
    async with Socket(sockets, build.socket_path, client.key) as socket:
        following = asyncio.create_task(follow(socket))
        await socket.heard("keepAlive")
        assert [frame["action"] for frame in socket.chunks()] == ["s", "e", "e", "e"]
        build.status("terminated")
        assert f"{STAMP}waiting\n" in await following


async def test_a_reader_of_what_is_there_gets_it_at_once(sockets, client, build):
    build.status("running")
    await build.write(INITIALIZING, "starts\n")
    await build.write("unit", "grün ✓ 🎉\nzwei\n")
    await build.write("ship", "no line end")
    async with Socket(sockets, build.socket_path, client.key) as socket:
        assert await current(socket) == PRINTED_BY_SOCKET


async def test_a_reader_of_a_build_that_has_not_begun_gets_nothing_at_once(sockets, client, build):
    async with Socket(sockets, build.socket_path, client.key) as socket:
        assert await current(socket) == ""


async def test_a_follower_ends_when_the_build_is_denied(sockets, client, build):
    await build.play("denied")
    async with Socket(sockets, build.socket_path, client.key) as socket:
        assert await follow(socket) == PRINTED_BY_SOCKET
        assert socket.frames[-1] == {"msgID": "getStatus", "payload": None}


async def test_heartbeats_come_while_nothing_happens(sockets, client, build, monkeypatch):
    monkeypatch.setattr(log_socket, "_BEAT_S", 0.05)  # a beat is seconds; the test has none to spare
    build.status("running")
    async with Socket(sockets, build.socket_path, client.key) as socket:
        for _ in range(3):
            await socket.heard("keepAlive")
        await socket.say({"msgID": "getStatus", "action": "getStatus"})
        answer = await socket.until(lambda frame: frame.get("msgID") == "getStatus")
        assert answer["payload"] == {"meta": {"status": "running"}}


async def test_a_question_is_not_answered_with_the_end_before_all_text_was_sent(sockets, client, build):
    await build.play()
    async with Socket(sockets, build.socket_path, client.key) as socket:
        await socket.say({"msgID": "getStatus", "action": "getStatus"})
        answer = await socket.until(lambda frame: frame.get("msgID") == "getStatus")
        sent = "".join(frame["payload"] for frame in socket.chunks())
        assert answer["payload"]["meta"]["status"] == "pending" or sent == "".join(TEXTS.values())


async def test_the_socket_stays_open_until_the_client_has_closed(sockets, client, build, monkeypatch):
    monkeypatch.setattr(log_socket, "_CLOSE_S", 0.05)
    await build.play()
    async with Socket(sockets, build.socket_path, client.key) as socket:
        await socket.heard("status")
        assert socket.closed_with is None
        await socket.closed()
        assert socket.closed_with == 1000


@pytest.mark.parametrize("sent", ["", "no JSON", "[]", "{}", "[" * 100_000])
async def test_what_the_client_should_not_say_is_passed_over(sockets, client, build, sent):
    async with Socket(sockets, build.socket_path, client.key) as socket:
        await socket.say(sent)
        await socket.say({"action": "getStatus"})
        assert (await socket.until(lambda frame: "msgID" in frame))["msgID"] == "getStatus"


async def test_long_text_travels_in_frames_that_the_client_takes(sockets, client, build):
    await build.write("unit", "\x1b" * 1_000_000 + "\n")
    build.status("success")
    async with Socket(sockets, build.socket_path, client.key) as socket:
        printed = await follow(socket)
        assert max(socket.sizes) <= 1024 * 1024
    assert printed.count("\x1b") == 1_000_000


async def test_a_socket_without_a_valid_key_is_not_opened(sockets, build):
    for key in ("", "none.none"):
        async with Socket(sockets, build.socket_path, key) as socket:
            assert await socket.refused() == 4401


async def test_a_socket_needs_the_scope(sockets, build, key_of):
    async with Socket(sockets, build.socket_path, key_of("admin", "pipeline")) as socket:
        assert await socket.refused() == 4403


async def test_a_socket_to_another_account_or_no_build_is_not_opened(sockets, build, key_of, people):
    own = people["stranger"].active_account_id
    paths = [build.socket_path, f"/ws/{own}/{build.progress_id}", f"/ws/{own}/{new_id()}", f"/ws/{own}", "/x"]
    key = key_of("stranger")
    for path in paths:
        async with Socket(sockets, path, key) as socket:
            assert await socket.refused() == 4404


async def test_a_client_that_goes_away_ends_the_talk(installation, sockets, client, build):
    async with Socket(sockets, build.socket_path, client.key) as socket:
        await socket.heard("keepAlive")
        await socket.hang_up()
    assert (installation.logs._followers, installation.hub._waiting) == ({}, {})


# Headings


def test_two_steps_with_one_title_are_told_apart_by_their_names():
    assert headings([("a", "Build"), ("b", "Build"), ("c", "")]) == {"a": "a", "b": "b", "c": "c"}
    assert headings([("a", "v1.0"), ("b", "v1_0")]) == {"a": "a", "b": "b"}


def test_a_slot_has_nothing_that_clients_split_it_at():
    assert slot_name("Deploy [a] to v1.0") == "Deploy (a) to v1_0"


def test_a_title_of_several_lines_is_one_heading():
    assert headings([("a", "Build\n the  app")]) == {"a": "Build the app"}
