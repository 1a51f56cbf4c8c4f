"""What tests need to be there already: every field has a default."""

import asyncio
from datetime import UTC, datetime, timedelta

from headrace.execution.ports import Launch, StepState
from headrace.kit.ids import new_id
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.status import BuildStatus, StepStatus
from headrace.resources.builds import repository, service
from headrace.resources.builds.feed import Addresses
from headrace.resources.builds.schemas import BuildRequest
from headrace.resources.environments import service as environments
from headrace.runtimes.fake import FakeRuntime

ADDRESSES = Addresses(public_url="http://testserver", step_url="http://testserver")
YAML = """version: '1.0'
steps:
  ask:
    type: pending-approval
    title: May it go out?
  deploy:
    title: Going out
    image: alpine
    commands: [echo deployed]
"""


def make_build(database, user, *, status=None, created_at=None, **more):
    """Queue a build of an account; `status` and `created_at` are set as if time had passed."""
    values = {
        "build_id": new_id(),
        "account_id": user.active_account_id,
        "user_id": user.id,
        "initiator": user.name,
        "pipeline_id": "b" * 24,
        "pipeline_name": "demo/ci",
        "project": "demo",
        "plan": compile_plan(YAML, variables={}),
        "yaml": YAML,
        "variables": {"CF_BUILD_ID": "", "PORT": "5000"},
        "trigger_kind": "build",
    }
    with database.transaction() as db:
        build_id = service.start(db, BuildRequest(**values | more))
        changes = {"status": status, "created_at": created_at}
        if changes := {name: value for name, value in changes.items() if value is not None}:
            repository.change(db, build_id, **changes)
        return service.find(db, user.active_account_id, build_id)


def make_environment(database, build, name="shop"):
    """What a build launched and left on record; its id."""
    launch = Launch(
        name=name, composition="shop", entry_point="web", services={"web": "alpine"}, engine="memory"
    )
    with database.transaction() as db:
        return environments.begin(db, build, launch).id


def run_to(installation, build, status, *, silence="terminated"):
    """Let a worker bring a build to a status, as far as its reports go, and end."""

    async def work():
        _, feed = installation.worker(FakeRuntime(), ADDRESSES)
        await feed.start()
        try:
            assert (await feed.claim()).build_id == build.id
            await feed.build_started(build.id)
            if status is BuildStatus.PENDING_APPROVAL:
                asked = StepState(
                    name="ask", status=StepStatus.PENDING_APPROVAL, started_at=datetime.now(UTC)
                )
                await feed.step_changed(build.id, asked)
                await feed.waiting(build.id, "ask", datetime.now(UTC) + timedelta(hours=1), silence)
            elif status.is_final:
                await feed.finished(build.id, status, "" if status is BuildStatus.SUCCESS else "because")
        finally:
            await feed.close()

    asyncio.run(work())
