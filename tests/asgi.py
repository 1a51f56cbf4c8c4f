"""Calls an ASGI application in this process: no port, no thread, no other library."""

import asyncio
import gzip
import json as json_module

import msgspec


class Answer(msgspec.Struct):
    """What came back."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.plain.decode()

    def json(self):
        return json_module.loads(self.plain)

    @property
    def plain(self) -> bytes:
        """The content as it was before it was packed for a client that asks for that."""
        packed = self.headers.get("content-encoding") == "gzip"
        return gzip.decompress(self.content) if packed and self.content else self.content


class Client:
    """Sends requests to an application, each in a loop of its own unless one is given.

    Args:
        app: the ASGI application.
        key: sent as ``Authorization`` unless a call says otherwise.
    """

    def __init__(self, app, key=None):
        self.app, self.key = app, key

    def with_key(self, key):
        return Client(self.app, key)

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, json=None, **more):
        return self.call("POST", path, json=json, **more)

    def put(self, path, json=None, **more):
        return self.call("PUT", path, json=json, **more)

    def patch(self, path, json=None, **more):
        return self.call("PATCH", path, json=json, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)

    def call(self, method, path, **more):
        """Send one request from a test that is no coroutine."""
        return asyncio.run(self.send(method, path, **more))

    async def send(self, method, path, *, json=None, content=None, headers=None):
        """Send one request; ``path`` is raw: percent-encoded, with its query."""
        sent = {"host": "testserver", **(headers or {})}
        if self.key is not None:
            sent.setdefault("authorization", self.key)
        if json is not None:
            content = json_module.dumps(json).encode()
            sent["content-type"] = "application/json"
        body = content or b""
        sent.setdefault("content-length", str(len(body)))
        raw, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": raw,
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "scheme": "http",
            "server": ("testserver", 80),
        }
        pending = [{"type": "http.request", "body": body, "more_body": False}]
        answer = Answer(0, {}, b"")
        gone = asyncio.Event()

        async def receive():
            if pending:
                return pending.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                answer.content += message.get("body", b"")

        await self.app(scope, receive, send)
        return answer
