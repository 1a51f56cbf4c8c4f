"""Images: what `Workspace.start_image` promises, on the fake and on a real engine with registries."""

import asyncio
import base64
import os
import urllib.request
import uuid

import pytest

from conformance.runtime_kinds import ADDED_WAIT_S, DOCKER, KINDS, made
from conformance.test_runtime import Said, finish
from headrace.runtimes.base import (
    VOLUME,
    Command,
    ImageBuild,
    ImagePush,
    RegistryLogin,
    StepCouldNotStart,
)

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(120)]
CLASSIC, BUILDKIT = False, True


@pytest.fixture(params=["fake", DOCKER])
async def kind(request, tmp_path):
    async for found in made(request.param, tmp_path):
        yield found


@pytest.fixture
async def image(tmp_path):
    """A name that nobody else has; the engine forgets it afterwards."""
    name = f"headrace-test/{uuid.uuid4().hex[:12]}"
    yield name
    await forget(name, tmp_path)


async def forget(part, tmp_path):
    from aiodocker import Docker as Engine  # noqa: PLC0415 - optional where docker is skipped

    kind = KINDS["docker"](tmp_path)
    if kind.lacking():
        return
    engine = Engine(kind.host, api_version="v1.41")
    try:
        for each in await engine.images.list():
            for tag in each["RepoTags"] or []:
                if part in tag:
                    await engine.images.delete(tag, force=True)
    finally:
        await engine.close()
        await kind.runtime.close()


async def workspace_with(kind, files):
    workspace = await kind.runtime.open("b1")
    for path, content in files.items():
        await workspace.write(path, content)
    return workspace


async def play(workspace, job, step="build-1"):
    said = Said()
    running = await workspace.start_image(step, job, say=said)
    printed, ended = await finish(running)
    return running, printed, ended


async def run_in(workspace, image, script):
    return (await finish(await workspace.start("look-1", Command(image=image, script=script), say=Said())))[0]


async def test_an_image_that_was_built_has_an_id(kind, image):
    workspace = await workspace_with(kind, {"app/Dockerfile": b"FROM alpine:latest\nCMD true\n"})
    running, _, ended = await play(workspace, ImageBuild(names=(f"{image}:1",), context=f"{VOLUME}/app"))
    assert ended.exit_code == 0
    assert running.result().id.startswith("sha256:")
    assert running.result().digest == ""


async def test_a_build_that_was_stopped_did_not_end_well(kind, image):
    dockerfile = b"FROM alpine:latest\nARG FAKE_SLEEP_S\nRUN sleep $FAKE_SLEEP_S\n"
    workspace = await workspace_with(kind, {"Dockerfile": dockerfile})
    job = ImageBuild(names=(f"{image}:1",), arguments={"FAKE_SLEEP_S": "60"})
    running = await workspace.start_image("build-1", job, say=Said())
    async with asyncio.timeout(30):
        await running.stop(0.2)
        await running.stop(0.2)
        [_ async for _ in running.output()]
    assert (await running.wait()).exit_code != 0


async def test_nothing_of_a_build_is_adopted(kind, image):
    workspace = await workspace_with(kind, {"Dockerfile": b"FROM alpine:latest\n"})
    await play(workspace, ImageBuild(names=(f"{image}:1",)))
    assert await workspace.adopt("build-1") is None


@pytest.mark.parametrize("buildkit", [CLASSIC, BUILDKIT], ids=["classic", "buildkit"])
async def test_the_context_arguments_and_target_make_the_image(docker, image, buildkit):
    dockerfile = (
        b"FROM alpine:latest AS base\nARG GREETING\nCOPY . /ctx\nRUN echo $GREETING > /greeting\n"
        b"FROM base AS wanted\nRUN echo wanted > /stage\nFROM base\nRUN echo last > /stage\n"
    )
    workspace = await workspace_with(
        docker,
        {
            "app/build/Dockerfile": dockerfile,
            "app/kept": b"1",
            "app/logs/a.log": b"2",
            "app/logs/keep.log": b"3",
            "app/.dockerignore": b"# a comment\n**/*.log\n!logs/keep.log\nbuild\n",
        },
    )
    job = ImageBuild(
        names=(f"{image}:1", f"{image}:2"),
        context=f"{VOLUME}/app",
        dockerfile="/build/Dockerfile",
        arguments={"GREETING": "hello"},
        target="wanted",
        buildkit=buildkit,
    )
    _, printed, ended = await play(workspace, job)
    assert ended.exit_code == 0, printed
    assert "echo wanted" in printed
    script = "cat /greeting /stage; cd /ctx; find . -type f ! -name Dockerfile | sort"
    found = await run_in(workspace, f"{image}:2", script)
    assert found.split() == [
        "hello",
        "wanted",
        "./.dockerignore",
        "./kept",
        "./logs/keep.log",
    ]


@pytest.mark.parametrize("buildkit", [CLASSIC, BUILDKIT], ids=["classic", "buildkit"])
async def test_an_instruction_that_fails_gives_its_exit_code_and_leaves_no_container(docker, image, buildkit):
    workspace = await docker.runtime.open("b1")
    await workspace.write("any", b"")
    job = ImageBuild(
        names=(f"{image}:1",), content="FROM alpine:latest\nRUN echo before; exit 7\n", buildkit=buildkit
    )
    _, printed, ended = await play(workspace, job)
    assert ended.exit_code == 7
    assert "before" in printed
    await workspace.destroy(keep_volume=False)
    assert await docker.leftovers() == []


@pytest.mark.parametrize("buildkit", [CLASSIC, BUILDKIT], ids=["classic", "buildkit"])
async def test_the_dockerfile_may_lie_beside_the_context(docker, image, buildkit):
    workspace = await workspace_with(
        docker, {"files/Dockerfile.prod": b"FROM alpine:latest\nCOPY a /a\n", "app/a": b"here"}
    )
    job = ImageBuild(
        names=(f"{image}:1",),
        context=f"{VOLUME}/app",
        dockerfile="../files/Dockerfile.prod",
        buildkit=buildkit,
    )
    _, printed, ended = await play(workspace, job)
    assert ended.exit_code == 0, printed
    assert await run_in(workspace, f"{image}:1", "cat /a") == "here"


async def test_a_dockerfile_without_a_file_does_not_get_into_the_image(docker, image):
    workspace = await workspace_with(docker, {"app/a": b"1", "app/b": b"2", "app/.dockerignore": b"b\n"})
    job = ImageBuild(
        names=(f"{image}:1",), context=f"{VOLUME}/app", content="FROM alpine:latest\nCOPY . /ctx\n"
    )
    _, printed, ended = await play(workspace, job)
    assert ended.exit_code == 0, printed
    assert (await run_in(workspace, f"{image}:1", "ls -A /ctx")).split() == ["a"]


async def test_links_in_the_context_lead_nowhere(docker, image):
    workspace = await docker.runtime.open("b1")
    await finish(
        await workspace.start(
            "make-1",
            Command(image="alpine:latest", script="mkdir app; ln -s /etc/hostname app/link; ln -s / out"),
            say=Said(),
        )
    )
    job = ImageBuild(
        names=(f"{image}:1",), context=f"{VOLUME}/app", content="FROM alpine:latest\nCOPY link /copied\n"
    )
    _, _, ended = await play(workspace, job)
    if ended.exit_code == 0:
        assert (await run_in(workspace, f"{image}:1", "readlink /copied")).strip() == "/etc/hostname"
    outside = ImageBuild(names=(f"{image}:2",), context=f"{VOLUME}/out/etc", content="FROM alpine:latest\n")
    with pytest.raises(StepCouldNotStart, match="build context"):
        await workspace.start_image("out-1", outside, say=Said())


async def test_a_context_that_is_not_there_prevents_the_start(docker, image):
    workspace = await docker.runtime.open("b1")
    job = ImageBuild(names=(f"{image}:1",), context=f"{VOLUME}/absent")
    with pytest.raises(StepCouldNotStart, match="working_directory"):
        await workspace.start_image("build-1", job, say=Said())


async def test_a_missing_dockerfile_is_named(docker, image):
    workspace = await workspace_with(docker, {"app/a": b""})
    _, printed, ended = await play(workspace, ImageBuild(names=(f"{image}:1",), context=f"{VOLUME}/app"))
    assert ended.exit_code == 1
    assert "Dockerfile" in printed


async def test_a_secret_reaches_the_instruction_and_not_the_image(docker, image):
    workspace = await workspace_with(docker, {"any": b""})
    dockerfile = (
        "FROM alpine:latest\n"
        "RUN --mount=type=secret,id=token wc -c < /run/secrets/token > /length\n"
        "RUN test ! -s /run/secrets/token\n"
    )
    job = ImageBuild(
        names=(f"{image}:1",), content=dockerfile, buildkit=True, secrets={"token": b"s3cr3t-value"}
    )
    _, printed, ended = await play(workspace, job)
    assert ended.exit_code == 0, printed
    assert await run_in(workspace, f"{image}:1", "cat /length") == "12\n"


async def test_a_quiet_build_prints_failures_only(docker, image):
    workspace = await workspace_with(docker, {"any": b""})
    fine = ImageBuild(names=(f"{image}:1",), content="FROM alpine:latest\nRUN echo noise\n", quiet=True)
    assert (await play(workspace, fine))[1] == ""


async def test_a_stopped_build_ends_on_the_engine_too(docker, image):
    workspace = await workspace_with(docker, {"any": b""})
    mark = uuid.uuid4().hex
    content = f"FROM alpine:latest\nRUN echo {mark}; sleep 61\n"
    running = await workspace.start_image(
        "build-1", ImageBuild(names=(f"{image}:1",), content=content), say=Said()
    )
    stream = running.output()
    async with asyncio.timeout(60):
        async for chunk in stream:
            if chunk == f"{mark}\n".encode():
                break
        await running.stop(1)
        while await containers_of(docker, mark):  # noqa: ASYNC110 - the engine tells nobody
            await asyncio.sleep(ADDED_WAIT_S)


async def containers_of(kind, mark):
    from aiodocker import Docker as Engine  # noqa: PLC0415 - as above

    engine = Engine(kind.host, api_version="v1.41")
    try:
        return [each for each in await engine.containers.list(all=1) if mark in each["Command"]]
    finally:
        await engine.close()


@pytest.mark.parametrize("buildkit", [CLASSIC, BUILDKIT], ids=["classic", "buildkit"])
async def test_files_of_a_volume_out_of_reach_are_built_from(docker, image, monkeypatch, buildkit):
    monkeypatch.setattr("headrace.runtimes.docker.files.os.access", lambda *_: False)
    workspace = await docker.runtime.open("b1")
    script = (
        "mkdir -p app/logs; echo one > app/a; echo two > app/logs/b; printf 'logs\\n' > app/.dockerignore"
    )
    await finish(await workspace.start("make-1", Command(image="alpine:latest", script=script), say=Said()))
    await workspace.write("app/Dockerfile", b"FROM alpine:latest\nCOPY . /ctx\n")
    job = ImageBuild(names=(f"{image}:1",), context=f"{VOLUME}/app", buildkit=buildkit)
    _, printed, ended = await play(workspace, job)
    assert ended.exit_code == 0, printed
    assert (await run_in(workspace, f"{image}:1", "cd /ctx; ls; cat a")).split() == ["Dockerfile", "a", "one"]


def registry(name):
    found = os.environ.get(name)
    if not found:
        pytest.skip("no registry; tools/engine-up starts two")
    return found


def manifest(domain, repository, tag, login=None):
    """The digest of a manifest in a registry."""
    request = urllib.request.Request(
        f"http://{domain}/v2/{repository}/manifests/{tag}",
        headers={"Accept": "application/vnd.docker.distribution.manifest.v2+json"},
    )
    if login:
        request.add_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - of this machine
        return answer.headers["Docker-Content-Digest"]


@pytest.mark.parametrize("buildkit", [CLASSIC, BUILDKIT], ids=["classic", "buildkit"])
async def test_every_name_is_pushed_after_the_build(docker, image, buildkit):
    domain = registry("ENGINE_REGISTRY")
    workspace = await workspace_with(docker, {"any": b""})
    job = ImageBuild(
        names=(f"{domain}/{image}:1", f"{domain}/{image}:2"),
        content="FROM alpine:latest\nRUN echo pushed > /file\n",
        push=True,
        buildkit=buildkit,
    )
    running, printed, ended = await play(workspace, job)
    assert ended.exit_code == 0, printed
    assert running.result().digest == manifest(domain, image, "1") == manifest(domain, image, "2")
    assert running.result().size_bytes > 0


async def test_a_push_needs_the_login_of_its_registry(docker, image):
    domain = registry("ENGINE_REGISTRY_AUTH")
    workspace = await workspace_with(docker, {"any": b""})
    name = f"{domain}/{image}:1"
    job = ImageBuild(names=(name,), content="FROM alpine:latest\n", push=True)
    _, printed, ended = await play(workspace, job)
    assert ended.exit_code == 1
    assert f"cannot push {name}" in printed
    allowed = ImageBuild(
        names=(name,),
        content="FROM alpine:latest\n",
        push=True,
        logins=(RegistryLogin(domain, "ci", "ci"),),
    )
    running, printed, ended = await play(workspace, allowed, "build-2")
    assert ended.exit_code == 0, printed
    assert running.result().digest == manifest(domain, image, "1", login="ci:ci")


@pytest.mark.parametrize("buildkit", [CLASSIC, BUILDKIT], ids=["classic", "buildkit"])
async def test_a_build_starts_from_a_private_image(docker, image, buildkit, tmp_path):
    domain = registry("ENGINE_REGISTRY_AUTH")
    login = RegistryLogin(domain, "ci", "ci")
    workspace = await workspace_with(docker, {"any": b""})
    base = f"{domain}/{image}:base"
    content = f"FROM alpine:latest\nRUN echo {uuid.uuid4()} > /base\n"
    _, printed, ended = await play(
        workspace, ImageBuild(names=(base,), content=content, push=True, logins=(login,))
    )
    assert ended.exit_code == 0, printed
    await forget(image, tmp_path)
    job = ImageBuild(
        names=(f"{image}:1",), content=f"FROM {base}\nRUN test -s /base\n", buildkit=buildkit, logins=(login,)
    )
    _, printed, ended = await play(workspace, job, "build-2")
    assert ended.exit_code == 0, printed


async def test_a_candidate_is_pushed_under_other_names(docker, image, tmp_path):
    domain, private = registry("ENGINE_REGISTRY"), registry("ENGINE_REGISTRY_AUTH")
    login = RegistryLogin(private, "ci", "ci")
    workspace = await workspace_with(docker, {"any": b""})
    built = f"{private}/{image}:1"
    await play(
        workspace,
        ImageBuild(names=(built,), content="FROM alpine:latest\nCMD ls\n", push=True, logins=(login,)),
    )
    await forget(image, tmp_path)
    job = ImagePush(candidate=built, names=(f"{domain}/{image}:a", f"{domain}/{image}:b"), pull_login=login)
    running, printed, ended = await play(workspace, job, "push-1")
    assert ended.exit_code == 0, printed
    assert running.result().digest == manifest(domain, image, "a") == manifest(domain, image, "b")


async def test_a_candidate_that_is_nowhere_is_named(docker, image):
    domain = registry("ENGINE_REGISTRY")
    workspace = await workspace_with(docker, {"any": b""})
    job = ImagePush(candidate=f"{domain}/{image}:absent", names=(f"{domain}/{image}:1",))
    _, printed, ended = await play(workspace, job, "push-1")
    assert ended.exit_code == 1
    assert image in printed
