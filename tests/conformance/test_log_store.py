import asyncio
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from headrace.storage.logs.archive import ArchiveStep, archive
from headrace.storage.logs.lines import STAMP_BYTES
from headrace.storage.logs.store import LogStore, whole_characters

BUILD = "6923f0a41c2b9f3a7d000000"
STAMP = "[2026-11-23T21:00:00.000Z] "
NO_SECRETS = frozenset()


class HandClock:
    """Stands still until it is moved."""

    def __init__(self):
        self.time = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)

    def now(self):
        return self.time


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def store(tmp_path, clock):
    return LogStore(tmp_path / "logs", clock=clock, hold_s=0.01, poll_s=0.05)


def text_of(store, step="unit"):
    return store.read(BUILD, step).decode()


def unstamped(text):
    return re.sub(r"(?m)^\[[^\]]*Z\] ", "", text)


async def test_every_line_has_the_time_of_the_chunk_that_began_it(store, clock):
    log = await store.open(BUILD, "unit", secrets=NO_SECRETS)
    await log.write(b"one\ntw")
    clock.time += timedelta(seconds=1)
    await log.write(b"o\nthree\n")
    await log.close()
    assert len(STAMP) == STAMP_BYTES
    later = STAMP.replace("00.000Z", "01.000Z")
    assert text_of(store) == f"{STAMP}one\n{STAMP}two\n{later}three\n"
    assert log.length == len(text_of(store))


async def test_a_prompt_without_a_newline_is_there_at_once(store):
    log = await store.open(BUILD, "unit", secrets=frozenset({"hunter2"}))
    await log.write(b"Password: ")
    assert text_of(store) == STAMP + "Password: "
    await log.close()


async def test_a_secret_cut_by_a_chunk_border_never_reaches_the_store(store):
    log = await store.open(BUILD, "unit", secrets=frozenset({"hunter2"}))
    for byte in b"it is hunter2, is it\n":
        await log.write(bytes([byte]))
    await log.close()
    assert text_of(store) == STAMP + "it is *****, is it\n"


async def test_what_only_looked_like_a_secret_comes_out_by_itself(store):
    log = await store.open(BUILD, "unit", secrets=frozenset({"hunter2"}))
    await log.write(b"go hunt")
    with store.follow(BUILD) as follower:
        async with asyncio.timeout(5):
            while text_of(store) != STAMP + "go hunt":
                await follower.changed()
    await log.close()


async def test_engine_lines_are_masked_and_begin_a_line(store):
    log = await store.open(BUILD, "unit", secrets=frozenset({"hunter2"}))
    await log.write(b"no newline")
    await log.say("logged in with hunter2")
    await log.write(b"next\n")
    await log.close()
    assert unstamped(text_of(store)) == "no newline\nlogged in with *****\nnext\n"


async def test_windows_line_ends_become_plain_and_progress_bars_stay(store):
    log = await store.open(BUILD, "unit", secrets=NO_SECRETS)
    for chunk in (b"a\r\nb\r", b"\n10%\r20", b"%\r", b"done\n"):
        await log.write(chunk)
    await log.close()
    assert unstamped(text_of(store)) == "a\nb\n10%\r20%\rdone\n"


async def test_steps_stand_in_the_order_in_which_they_were_first_opened(store):
    names = ["Initializing Process", "b/../../x", "a step, ünï \n two", "b"]
    for name in [*names, "b/../../x"]:
        log = await store.open(BUILD, name, secrets=NO_SECRETS)
        await log.say(name)
        await log.close()
    assert [name for name, _ in store.steps(BUILD)] == names
    assert "b\n" in text_of(store, "b")


async def test_a_torn_index_line_hides_no_step(store):
    await (await store.open(BUILD, "first", secrets=NO_SECRETS)).close()
    with (store.root / BUILD / "index").open("ab") as index:
        index.write(b'{"name":"torn","fi')
    (store.root / BUILD / "1.log").touch()
    log = await store.open(BUILD, "second", secrets=NO_SECRETS)
    await log.say("here")
    await log.close()
    assert [name for name, _ in store.steps(BUILD)] == ["first", "second"]


@pytest.mark.parametrize("stored", [b"", b"al", b"alpha\n", b"alpha\nbe", b"alpha\nbeta\ngam"])
async def test_an_adopted_step_writes_all_again_and_nothing_is_stored_twice(store, stored):
    log = await store.open(BUILD, "unit", secrets=frozenset({"beta"}))
    await log.say("Pulling")
    began = log.length
    await log.write(stored)
    await asyncio.sleep(0)  # the process is killed here: no close
    again = await store.open(BUILD, "unit", secrets=frozenset({"beta"}), resume_from=began)
    for chunk in (b"alp", b"ha\nbe", b"ta\ngamma\r", b"\ndelta"):
        await again.write(chunk)
    await again.close()
    await log.close()
    assert unstamped(text_of(store)).startswith("Pulling\nalpha\n*****\ngamma\ndelta")


async def test_output_after_an_engine_line_is_not_lost_when_a_step_is_adopted(store):
    log = await store.open(BUILD, "unit", secrets=NO_SECRETS)
    await log.write(b"one\ntwo\n")
    await log.say("tired")
    await log.close()
    again = await store.open(BUILD, "unit", secrets=NO_SECRETS, resume_from=0)
    await again.write(b"one\ntwo\nthree\n")
    await again.close()
    assert unstamped(text_of(store)) == "one\ntwo\ntired\nthree\n"


async def test_a_stamp_that_a_crash_has_torn_is_completed(store):
    log = await store.open(BUILD, "unit", secrets=NO_SECRETS)
    await log.say("whole")
    await log.close()
    with (store.root / BUILD / "0.log").open("ab") as file:
        file.write(STAMP[:9].encode())
    again = await store.open(BUILD, "unit", secrets=NO_SECRETS, resume_from=log.length)
    await again.write(b"text\n")
    await again.close()
    assert text_of(store) == f"{STAMP}whole\n{STAMP}text\n"


async def test_a_log_over_its_limit_says_so_once(tmp_path, clock):
    store = LogStore(tmp_path, clock=clock, limit_bytes=1000)
    log = await store.open(BUILD, "unit", secrets=NO_SECRETS)
    for _ in range(100):
        await log.write(b"x" * 50 + b"\n")
    await log.say("step failed")
    await log.close()
    lines = unstamped(text_of(store)).splitlines()
    assert "1000 bytes" in lines[-2]
    assert lines[-1] == "step failed"
    assert log.length < 1300


async def test_a_read_takes_offset_and_limit(store):
    log = await store.open(BUILD, "unit", secrets=NO_SECRETS)
    await log.write(b"0123456789")
    await log.close()
    assert store.read(BUILD, "unit", STAMP_BYTES + 2, 3) == b"234"
    assert store.read(BUILD, "unit", 10_000) == b""
    assert store.read(BUILD, "none") == b""
    assert store.steps("6923f0a41c2b9f3a7d000001") == []


async def test_a_follower_is_woken_and_gets_each_byte_once(tmp_path, clock):
    store = LogStore(tmp_path, clock=clock, poll_s=60)
    written = b"".join(b"line %d \xc3\xa9\n" % number for number in range(200))
    got = []

    async def reader():
        with store.follow(BUILD) as follower:
            while not b"".join(got).endswith(b"199 \xc3\xa9\n"):
                await follower.changed()
                for piece in follower.read():
                    piece.data.decode()
                    got.append(piece.data)

    task = asyncio.create_task(reader())
    await asyncio.sleep(0)
    log = await store.open(BUILD, "unit", secrets=NO_SECRETS)
    for start in range(0, len(written), 7):
        await log.write(written[start : start + 7])
        await asyncio.sleep(0)
    await log.close()
    await asyncio.wait_for(task, 10)
    assert b"".join(got) == store.read(BUILD, "unit")


async def test_a_follower_sees_what_another_process_wrote(store, tmp_path):
    other = LogStore(tmp_path / "logs")
    with store.follow(BUILD) as follower:
        log = await other.open(BUILD, "unit", secrets=NO_SECRETS)
        await log.say("hello")
        await log.close()
        async with asyncio.timeout(5):
            while not (pieces := follower.read()):
                await follower.changed()
    assert pieces[0].data.endswith(b"hello\n")


async def test_a_deleted_build_has_no_logs(store):
    await (await store.open(BUILD, "unit", secrets=NO_SECRETS)).close()
    store.delete(BUILD)
    store.delete(BUILD)
    assert store.steps(BUILD) == []


async def test_a_build_id_cannot_leave_the_folder(store):
    with pytest.raises(ValueError, match="no id of a build"):
        store.read("../x", "unit")


async def test_the_archive_is_json_whose_strings_are_the_log(store):
    log = await store.open(BUILD, "unit", secrets=NO_SECRETS)
    await log.write("é\n".encode() * 40_000)
    await log.close()
    steps = [
        ArchiveStep(name="unit", status="success", created_s=1, finished_s=2),
        ArchiveStep(name="never ran", status="skipped", created_s=3),
    ]
    pieces = list(archive(store, BUILD, progress_id="p", status="success", steps=steps))
    document = msgspec.json.decode(b"".join(pieces))
    assert document["_id"] == "p"
    assert "".join(document["steps"][0]["logs"]) == text_of(store)
    assert document["steps"][1] == {
        "name": "never ran",
        "status": "skipped",
        "creationTimeStamp": 3,
        "logs": [],
    }
    assert max(map(len, pieces)) < 700_000


def test_a_part_of_a_character_is_left_for_later():
    whole = "aé€😀".encode()
    assert [len(whole_characters(whole[:end])) for end in range(len(whole) + 1)] == [
        *[0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10]
    ]


WRITER = """
import asyncio, sys
from pathlib import Path
from headrace.storage.logs.store import LogStore

async def write():
    log = await LogStore(Path(sys.argv[1])).open(sys.argv[2], "unit", secrets=frozenset())
    number = 0
    while True:
        await log.write(b"line %d\\n" % number)
        print(log.length, flush=True)
        number += 1

asyncio.run(write())
"""


def test_no_acknowledged_byte_is_lost_by_a_kill(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path), BUILD]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        said = b"".join(writer.stdout.readline() for _ in range(500))
        writer.kill()
        said += writer.stdout.read()
    acknowledged = int(said[: said.rindex(b"\n")].rpartition(b"\n")[2])
    assert len(LogStore(tmp_path).read(BUILD, "unit")) >= acknowledged
