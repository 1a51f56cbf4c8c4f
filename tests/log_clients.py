"""Readers of logs for tests: a streamed answer, a WebSocket, and what the official client makes of it."""

import asyncio
import json
from urllib.parse import quote

import msgspec

DEADLINE_S = 10
UNDERSTOOD = ("success", "error", "terminated")


class Event(msgspec.Struct, frozen=True):
    """One server-sent event."""

    id: str
    name: str
    data: dict


def events(content):
    """Parse a stream of server-sent events; comments are passed over."""
    found = []
    for block in content.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and line[0] != ":")
        if fields:
            found.append(Event(fields["id"], fields["event"], json.loads(fields["data"])))
    return found


class Streaming:
    """One GET whose answer is read while it comes; leaving the block hangs up."""

    def __init__(self, app, path, key):
        self.app, self.path, self.key = app, path, key
        self.content = b""
        self._chunks, self._gone = asyncio.Queue(), asyncio.Event()
        self._asked = False

    async def __aenter__(self):
        raw, _, query = self.path.partition("?")
        scope = {
            "type": "http",
            "method": "GET",
            "path": raw,
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "headers": [(b"host", b"testserver"), (b"authorization", self.key.encode())],
            "scheme": "http",
        }
        self._task = asyncio.create_task(self.app(scope, self._receive, self._send))
        return self

    async def __aexit__(self, *_):
        self._gone.set()
        await asyncio.wait_for(self._task, DEADLINE_S)

    async def _receive(self):
        if self._asked:
            await self._gone.wait()
            return {"type": "http.disconnect"}
        self._asked = True
        return {"type": "http.request", "body": b""}

    async def _send(self, message):
        if message["type"] == "http.response.start":
            assert message["status"] == 200
            return
        await self._chunks.put(message.get("body", b""))
        if not message.get("more_body"):
            await self._chunks.put(None)

    async def next(self):
        """The next piece; None at the end."""
        piece = await asyncio.wait_for(self._chunks.get(), DEADLINE_S)
        self.content += piece or b""
        return piece

    async def until(self, expected):
        """Read until these bytes come, in a piece that was not read before."""
        while True:
            piece = await self.next()
            assert piece is not None, f"the stream ended without {expected!r}"
            if expected in piece:
                return

    async def rest(self):
        """Read to the end; return everything from the beginning."""
        while await self.next() is not None:
            pass
        return self.content


class Socket:
    """The client's end of a WebSocket to an ASGI application. Any number may read the same frames."""

    def __init__(self, app, path, key):
        self.app, self.path, self.key = app, path, key
        self.frames, self.sizes = [], []
        self.accepted, self.closed_with = False, None
        self._sent, self._arrived = asyncio.Queue(), asyncio.Condition()
        self._position = 0

    async def __aenter__(self):
        scope = {
            "type": "websocket",
            "path": self.path,
            "query_string": f"authorization={quote(self.key)}".encode(),
            "headers": [],
        }
        await self._sent.put({"type": "websocket.connect"})
        self._task = asyncio.create_task(self.app(scope, self._sent.get, self._take))
        return self

    async def __aexit__(self, *_):
        await self.hang_up()

    async def _take(self, message):
        if message["type"] == "websocket.accept":
            self.accepted = True
        elif message["type"] == "websocket.close":
            self.closed_with = message["code"]
        else:
            self.sizes.append(len(message["text"].encode()))
            self.frames.append(json.loads(message["text"]))
            async with self._arrived:
                self._arrived.notify_all()

    async def say(self, frame):
        text = frame if isinstance(frame, str) else json.dumps(frame)
        await self._sent.put({"type": "websocket.receive", "text": text})

    async def hang_up(self):
        await self._sent.put({"type": "websocket.disconnect", "code": 1000})
        await self.closed()

    async def closed(self):
        """Wait until the server has ended this socket."""
        await asyncio.wait_for(self._task, DEADLINE_S)

    async def refused(self):
        """The code with which the handshake was refused."""
        await self.closed()
        assert not self.accepted
        return self.closed_with

    async def frame(self, position):
        """The frame at a position, as soon as it is there."""
        async with asyncio.timeout(DEADLINE_S), self._arrived:
            await self._arrived.wait_for(lambda: len(self.frames) > position)
        return self.frames[position]

    async def until(self, wanted):
        """The next frame that is wanted, after the one that was found before."""
        while True:
            frame = await self.frame(self._position)
            self._position += 1
            if wanted(frame):
                return frame

    async def heard(self, slot):
        """Wait for the next frame with this slot."""
        return await self.until(lambda frame: frame.get("slot") == slot)

    def chunks(self):
        return [frame for frame in self.frames if str(frame.get("slot")).startswith("steps.")]


# What the official client (1.2.7) does with the frames, rule by rule.


def _heading(name):
    rule = "=" * (len(name) - 1)
    return f"{rule}\nStep: {name}\n{rule}\n"


def _printed(queue):
    """Print a queue of chunks: sorted by time within each step, the steps by their first chunk."""
    steps = {}
    for chunk in queue:
        _, name, _ = chunk["slot"].split(".")
        steps.setdefault(name, []).append(chunk)
    sorted_steps = [(name, sorted(chunks, key=_time)) for name, chunks in steps.items()]
    sorted_steps.sort(key=lambda step: _time(step[1][0]))
    text = "".join(_heading(name) + "".join(map(_payload, chunks)) for name, chunks in sorted_steps)
    return text, list(steps)


def _time(chunk):
    return chunk["time"]


def _payload(chunk):
    return chunk["payload"]


async def current(socket):
    """``logs ID``: collect until the first heartbeat, print, close."""
    queue, position = [], 0
    while True:
        frame = await socket.frame(position)
        position += 1
        if frame.get("slot") == "keepAlive":
            await socket.hang_up()
            return _printed(queue)[0]
        if str(frame.get("slot")).startswith("steps."):
            queue.append(frame)


async def follow(socket):
    """``logs -f ID`` and ``run``: hold back until the last chunks are live, then print as they come."""
    queue, shown, text, position = [], None, "", 0
    while True:
        frame = await socket.frame(position)
        position += 1
        slot = str(frame.get("slot", ""))
        if slot.startswith("steps."):
            _, name, item = slot.split(".")
            assert item == "logs"
            if shown is None:
                queue.append(frame)
                start = len(queue) - 3  # negative: counted from the end, as JavaScript's slice does
                if {chunk["action"] for chunk in queue[start:]} == {"e"}:
                    text, shown = _printed(queue)
                continue
            if name not in shown:
                shown.append(name)
                text += _heading(name)
            text += frame["payload"]
        elif slot == "keepAlive":
            await socket.say({"msgID": "getStatus", "action": "getStatus"})
        elif (slot == "status" and frame["payload"] in UNDERSTOOD) or (
            frame.get("msgID") == "getStatus"
            and (frame["payload"] is None or frame["payload"]["meta"]["status"] in UNDERSTOOD)
        ):
            await socket.hang_up()
            return text
