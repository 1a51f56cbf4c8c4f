"""The stream of what changes in an account."""

import asyncio

import pytest

from log_clients import Streaming

PATH = "/api/changes?seconds=60"
DEADLINE_S = 10


def test_it_needs_a_key_that_reads_builds(client, key_of):
    assert client.with_key(None).get(PATH).status == 401
    assert client.with_key(key_of("admin", "project:read")).get(PATH).status == 403


async def told(client, key, act):
    """What a reader with ``key`` is told first of what ``act`` does."""
    async with Streaming(client.app, PATH, key) as stream:
        await stream.next()  # it listens now
        await asyncio.to_thread(act)
        return await asyncio.wait_for(stream.next(), DEADLINE_S)


@pytest.mark.parametrize(
    ("kind", "path", "body"),
    [
        ("projects", "/api/projects", {"projectName": "one"}),
        ("contexts", "/api/contexts", {"metadata": {"name": "c"}, "spec": {"type": "config", "data": {}}}),
        ("tokens", "/api/auth/key", {"name": "another"}),
        ("registries", "/api/registries", {"name": "r", "domain": "r.example.org", "provider": "other"}),
        (
            "clusters",
            "/api/clusters/local/cluster",
            {
                "selector": "c",
                "host": "https://c.example.org",
                "serviceAccountToken": "t",
                "behindFirewall": True,
            },
        ),
    ],
)
async def test_what_an_operation_changes_is_told_by_its_kind(client, kind, path, body):
    piece = await told(client, client.key, lambda: client.post(path, body))
    assert piece == f'event: changed\ndata: {{"kind":"{kind}"}}\n\n'.encode()


async def test_what_was_refused_or_happened_elsewhere_is_not_told(client, stranger):
    def act():
        assert client.post("/api/projects", {"projectName": ""}).status == 400
        assert stranger.post("/api/projects", {"projectName": "theirs"}).status == 200
        client.post("/api/auth/key", {"name": "mine"})

    assert b'"tokens"' in await told(client, client.key, act)
