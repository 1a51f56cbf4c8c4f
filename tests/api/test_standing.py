"""Streams and sockets that are open when the right to read them is taken away."""

import asyncio

import pytest

from headrace.http import standing
from headrace.resources.api_keys import service as api_keys
from headrace.resources.builds.socket import LogSocket
from log_builds import OneBuild
from log_clients import Socket, Streaming


@pytest.fixture(params=["sqlite"])
def engine_name(request):
    """The signals of PostgreSQL have their own tests."""
    return request.param


@pytest.fixture
def build(installation, people):
    running = OneBuild(installation, people["admin"])
    running.status("running")
    return running


@pytest.fixture
def key(key_of):
    return key_of("member")


def revoke_key(client, key, _):
    assert client.delete(f"/api/auth/key/{key.partition('.')[0]}").status == 200


def take_rules(client, *_):
    ids = [one["id"] for one in client.get("/api/abac").json()]
    assert client.post("/api/abac/batch", {"delete": ids}).status == 200


def narrow_key(client, key, _):
    path = f"/api/auth/key/{key.partition('.')[0]}"
    assert client.patch(path, {"scopes": ["project"]}).status == 200


def remove_user(client, _, people):
    assert (
        client.delete(f"/api/accounts/{people['admin'].active_account_id}/{people['member'].id}").status
        == 200
    )


ALL = {
    "key": (revoke_key, 4401),
    "rules": (take_rules, 4404),
    "scopes": (narrow_key, 4403),
    "user": (remove_user, 4401),
}
OF_BUILD = (
    "/api/builds/{0.id}/logs/stream",
    "/api/builds/{0.id}/logs/stream?text=false",
    "/api/progress/download/{0.progress_id}",
)


async def lose(taken, client, key, people):
    """Take a right away, in a thread: the streams go on meanwhile."""
    await asyncio.to_thread(ALL[taken][0], client, key, people)


@pytest.mark.parametrize(
    ("path", "taken"), [*((OF_BUILD[0], taken) for taken in ALL), *((path, "key") for path in OF_BUILD[1:])]
)
async def test_a_stream_of_a_build_ends_with_the_right_to_read_it(client, key, people, build, path, taken):
    async with (
        Streaming(client.app, path.format(build), key) as lost,
        Streaming(client.app, path.format(build), client.key) as kept,
    ):
        await lost.next()
        await lose(taken, client, key, people)
        await lost.rest()
        await build.write("unit", "a secret\n")
        build.status("success")
        assert b"success" in await kept.rest()
    assert b"a secret" not in lost.content


async def test_the_stream_of_changes_ends_with_the_key(client, key, people):
    async with Streaming(client.app, "/api/changes?seconds=3600", key) as lost:
        await lost.until(b": alive")
        await lose("key", client, key, people)
        await lost.rest()


@pytest.mark.parametrize("taken", ALL)
async def test_a_socket_is_closed_with_the_right_to_read_it(installation, client, key, people, build, taken):
    sockets = LogSocket(
        installation.database,
        installation.authenticator,
        installation.rules,
        installation.logs,
        installation.hub,
    )
    async with (
        Socket(sockets, build.socket_path, key) as lost,
        Socket(sockets, build.socket_path, client.key) as kept,
    ):
        await lost.heard("keepAlive")
        await lose(taken, client, key, people)
        await lost.closed()
        assert lost.closed_with == ALL[taken][1]
        await build.write("unit", "a secret\n")
        await kept.until(lambda frame: "a secret" in str(frame.get("payload")))
        assert not lost.chunks()


async def test_what_has_no_signal_ends_a_stream_a_little_later(
    client, key, people, build, database, monkeypatch
):
    monkeypatch.setattr(standing, "LOOK_S", 0.05)  # a test has not half a minute to spare

    def revoke():
        with database.transaction() as db:
            api_keys.revoke_any(db, people["member"].active_account_id, key.partition(".")[0])

    async with Streaming(client.app, f"/api/builds/{build.id}/logs/stream", key) as lost:
        await lost.next()
        await asyncio.to_thread(revoke)
        await lost.rest()
