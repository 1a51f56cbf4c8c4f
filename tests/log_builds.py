"""A build whose worker is the test: for tests of its log."""

from datetime import UTC, datetime

from headrace.execution.ports import StepState
from headrace.kit.ids import new_id
from headrace.pipeline.plan import Plan, PlannedStep, RunCommands
from headrace.pipeline.status import BuildStatus, StepStatus
from headrace.resources.builds import repository, service
from headrace.resources.builds.schemas import BuildRequest
from headrace.storage import signals

INITIALIZING = "Initializing Process"
STEPS = {"unit": "Unit tests, v1.0", "ship": "Ship it"}


class Steady:
    """A clock that stands still."""

    def now(self):
        return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class OneBuild:
    """A build whose worker is the test."""

    def __init__(self, installation, user, steps=STEPS):
        self.installation, self.database = installation, installation.database
        installation.logs._clock = Steady()  # its stamps are then known
        self.id, self.account_id = new_id(), user.active_account_id
        action = RunCommands(image="alpine", commands=("true",))
        planned = [
            PlannedStep(name=name, title=title, type="freestyle", action=action)
            for name, title in steps.items()
        ]
        request = BuildRequest(
            build_id=self.id,
            account_id=self.account_id,
            user_id=user.id,
            initiator=user.name,
            pipeline_id=None,
            pipeline_name="demo/ci",
            project="demo",
            plan=Plan(steps=tuple(planned)),
            yaml="",
            variables={},
            trigger_kind="build",
        )
        with self.database.transaction() as db:
            service.start(db, request)
            self.progress_id = service.find(db, self.account_id, self.id).progress_id
        self.socket_path = f"/ws/{self.account_id}/{self.progress_id}"

    def status(self, status):
        now = datetime.now(UTC)
        ended = {"finished_at": now} if BuildStatus(status).is_final else {"started_at": now}
        with self.database.transaction() as db:
            repository.change(db, self.id, status=status, updated_at=now, **ended)
            signals.publish(db, service.changed(self.id))

    def step(self, name, status):
        now = datetime.now(UTC)
        finished = now if StepStatus(status).is_final else None
        state = StepState(name=name, status=StepStatus(status), started_at=now, finished_at=finished)
        with self.database.transaction() as db:
            repository.store_step(db, self.id, state)
            signals.publish(db, service.changed(self.id))

    async def write(self, step, text):
        log = await self.installation.logs.open(self.id, step, secrets=frozenset())
        await log.write(text.encode())
        await log.close()

    async def play(self, status="success"):
        """Run from its beginning to its end."""
        self.status("running")
        await self.write(INITIALIZING, "starts\n")
        self.step("unit", "running")
        await self.write("unit", "grün ✓ 🎉\nzwei\n")
        self.step("unit", "success")
        self.step("ship", "running")
        await self.write("ship", "no line end")
        self.step("ship", status)
        self.status(status)
