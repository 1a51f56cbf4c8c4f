"""What a container says of its turn, in frames as the engine sends them."""

import pytest
from aiodocker.stream import Message

from headrace.runtimes.docker.gate import BEGUN, CHANGED, heard

BEGINS = [Message(1, b"m:begun\nout\n"), Message(2, b"m:begun\n")]


class Frames:
    def __init__(self, *frames):
        self._frames = list(frames)

    async def read_out(self):
        return self._frames.pop(0) if self._frames else None


async def told(*frames):
    return await heard(Frames(*frames), "m")


@pytest.mark.parametrize(
    "frames",
    [
        [*BEGINS, Message(2, b"err\n")],
        [*reversed(BEGINS), Message(2, b"err\n")],
        [BEGINS[1], Message(2, b"err\n"), BEGINS[0]],
    ],
    ids=str,
)
async def test_nothing_of_a_step_is_lost_where_one_output_overtakes_the_other(frames):
    stream = Frames(*frames)
    word, printed = await heard(stream, "m")
    while (more := await stream.read_out()) is not None:
        printed += more.data
    assert (word, sorted(printed.split())) == (BEGUN, [b"err", b"out"])


async def test_frames_may_be_cut_anywhere():
    frames = [Message(kind, bytes([byte])) for kind in (1, 2) for byte in b"warning\nm:begun\n"]
    assert await told(*frames, Message(1, b"later")) == (BEGUN, b"")


async def test_what_the_waiting_shell_itself_said_is_not_the_step_s():
    assert await told(Message(2, b"sh: odd\nm:begun\nerr"), BEGINS[0]) == (BEGUN, b"errout\n")


async def test_a_network_that_was_changed_is_told_by_one_output():
    assert await told(Message(1, b"m:changed\n")) == (CHANGED, b"")


@pytest.mark.parametrize("frames", [[], BEGINS[:1], [Message(1, b"m:beg")]], ids=len)
async def test_a_container_that_ends_without_a_whole_word_has_not_begun(frames):
    assert await told(*frames) == ("", b"")
