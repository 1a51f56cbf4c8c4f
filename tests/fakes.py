"""Fakes of the ports of execution, in memory: they pass for the real ones, and tests look inside."""

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

import msgspec

from headrace.execution.ports import (
    BuildOrder,
    DebugCommand,
    Decision,
    GitCredentials,
    Kubeconfig,
    Launched,
    RegistryAccess,
    ReportLimits,
    Rollout,
    SecretRef,
    StoredComposition,
)
from headrace.kit.ids import new_id
from headrace.kit.masking import Masker, mask_text
from headrace.pipeline.status import BuildStatus, StepStatus, begin_again, move, move_step

EPOCH = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class MovedClock:
    """Time that passes only when nothing else can happen: a week's wait takes no time."""

    def __init__(self):
        self._now = EPOCH
        self._waits = []
        self._numbers = itertools.count()
        self._mover = None

    def now(self):
        return self._now

    async def sleep(self, seconds):
        wait = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waits, (self._now + timedelta(seconds=seconds), next(self._numbers), wait))
        if self._mover is None or self._mover.done():
            self._mover = asyncio.ensure_future(self._move())
        await wait

    async def _move(self):
        loop = asyncio.get_running_loop()
        while self._waits:
            await asyncio.sleep(0)
            if loop._ready:
                continue  # something else can still happen at this instant
            at, _, wait = heapq.heappop(self._waits)
            if not wait.done():
                self._now = max(self._now, at)
                wait.set_result(None)


class Killed(asyncio.CancelledError):
    """The process that ran the build is gone."""


class Record:
    """One build as the feed keeps it."""

    def __init__(self, plan, variables, created_at):
        self.build_id = new_id()
        self.plan = plan
        self.variables = variables
        self.created_at = created_at
        self.status = BuildStatus.PENDING
        self.reason = ""
        self.attempt = 0
        self.steps = {}
        self.history = []  # (step, status) in the order of the reports
        self.decision = None
        self.waits = None  # (step, until, on_timeout)
        self.stop = asyncio.Event()
        self.commands = {}  # by paused step and phase: `DebugCommand`s, in order
        self.commanded = asyncio.Event()
        self.ended = asyncio.Event()  # also set while the build waits for an approval

    async def until(self, holds):
        """Return once something holds of this build; the caller sets the deadline."""
        while not holds(self):  # noqa: ASYNC110  # many things change it, and no step may wait for this
            await asyncio.sleep(0)

    @property
    def statuses(self):
        return {
            step.name: self.steps[step.name].status.value if step.name in self.steps else "pending"
            for step in self.plan.steps
        }


class MemoryFeed:
    """Fills `BuildFeed`; keeps the rules that the database keeps."""

    def __init__(self, clock):
        self.builds = {}
        self._clock = clock
        self._woken = asyncio.Event()
        self.calls = 0
        self.dies_at = None  # number of the report at which the process is killed, from 0
        self.dies_after_storing = False

    def enqueue(self, plan, variables=None):
        record = Record(plan, variables or {}, self._clock.now())
        self.builds[record.build_id] = record
        self._woken.set()
        return record

    def decide(self, record, result, by=("dev", "user"), reason=""):
        record.decision = Decision(step=record.waits[0], result=result, by=by, reason=reason)
        record.status = BuildStatus.PENDING  # its turn comes again
        record.ended.clear()
        self._woken.set()

    def crash(self):
        """What a lease that ran out does: every running build may be claimed again."""
        self.dies_at = None
        for record in self.builds.values():
            if record.status in (BuildStatus.ELECTED, BuildStatus.RUNNING):
                record.status = BuildStatus.PENDING

    def _report(self, store):
        index, self.calls = self.calls, self.calls + 1
        dies = self.dies_at is not None and index >= self.dies_at
        if not dies or (index == self.dies_at and self.dies_after_storing):
            store()
        if dies:
            raise Killed

    async def claim(self):
        waiting = [record for record in self.builds.values() if record.status is BuildStatus.PENDING]
        if not waiting:
            return None
        record = min(waiting, key=lambda record: record.created_at)
        record.status = move(record.status, BuildStatus.ELECTED)
        record.attempt += 1
        return BuildOrder(
            build_id=record.build_id,
            account_id=new_id(),
            attempt=record.attempt,
            plan=record.plan,
            variables=record.variables,
            steps=dict(record.steps),
            decision=record.decision,
            created_at=record.created_at,
        )

    async def wake(self, timeout_s):
        await asyncio.wait([woken := asyncio.ensure_future(self._woken.wait())], timeout=timeout_s)
        woken.cancel()
        self._woken.clear()

    async def build_started(self, build_id):
        record = self.builds[build_id]

        def store():
            record.status = move(record.status, BuildStatus.RUNNING)

        self._report(store)

    async def step_changed(self, build_id, state):
        await asyncio.sleep(0)
        self._report(lambda: self._store_step(self.builds[build_id], state))

    def _store_step(self, record, state):
        known = record.steps.get(state.name)
        old = StepStatus.PENDING if known is None else known.status
        if known is not None and known.earlier != state.earlier:
            assert begin_again(old) is state.status
        elif old is not state.status or old.is_final:
            move_step(old, state.status)
        record.steps[state.name] = state
        record.history.append((state.name, state.status.value))

    async def waiting(self, build_id, step, until, on_timeout):
        record = self.builds[build_id]

        def store():
            record.status = move(record.status, BuildStatus.PENDING_APPROVAL)
            record.waits = (step, until, on_timeout)
            record.ended.set()

        self._report(store)

    async def finished(self, build_id, status, reason="", steps=()):
        record = self.builds[build_id]

        def store():
            for state in steps:
                self._store_step(record, state)
            record.status = move(record.status, status)
            record.reason = reason
            record.ended.set()

        self._report(store)

    async def stop_requested(self, build_id):
        record = self.builds[build_id]
        await record.stop.wait()
        record.status = move(record.status, BuildStatus.TERMINATING)

    def debug(self, record, step, phase, action, text=""):
        """Say what a step that waits at a breakpoint is to do."""
        command = DebugCommand(id=new_id(), action=action, text=text, by="dev")
        record.commands.setdefault((step, phase), []).append(command)
        record.commanded.set()

    async def debug_command(self, build_id, step, phase, after):
        record = self.builds[build_id]
        while True:
            for command in record.commands.get((step, phase), ()):
                if command.id > after:
                    return command
            record.commanded.clear()
            await record.commanded.wait()

    async def release(self, build_id):
        record = self.builds[build_id]
        if record.status in (BuildStatus.ELECTED, BuildStatus.RUNNING):
            record.status = BuildStatus.PENDING
            self._woken.set()


class MemoryLog:
    """One step's log in memory, masked like the stored one, without time stamps."""

    def __init__(self, stored, secrets, resume_from):
        self._stored = stored
        self._secrets = secrets
        self._masker = Masker(secrets)
        self._known = 0 if resume_from is None else len(stored) - resume_from

    @property
    def length(self):
        return len(self._stored)

    async def write(self, data):
        self._append(self._masker.feed(data))

    def _append(self, data):
        passed = min(self._known, len(data))
        self._known -= passed
        self._stored += data[passed:]

    async def say(self, line):
        self._append(self._masker.flush())
        self._known = 0
        if self._stored and not self._stored.endswith(b"\n"):
            self._stored += b"\n"
        self._stored += mask_text(line, self._secrets).encode() + b"\n"

    def mask(self, secrets):
        self._secrets = secrets
        self._masker.widen(secrets)

    async def close(self):
        self._append(self._masker.flush())


class MemoryLogs:
    """Fills `LogSink`."""

    def __init__(self):
        self.stored = {}  # (build, step): bytes

    async def open(self, build_id, step, *, secrets, resume_from=None):
        return MemoryLog(self.stored.setdefault((build_id, step), bytearray()), secrets, resume_from)

    def text(self, build_id, step):
        return self.stored.get((build_id, step), b"").decode()


class MemorySecrets:
    """Fills `SecretSource`."""

    def __init__(self, values=None, git=None, registries=(), stored=None):
        self.values = dict(values or {})  # by path
        self.known_registries = [msgspec.convert(each, RegistryAccess) for each in registries]
        self.contexts = git or {}  # by name, None for the default
        self.known_stored = stored or {}  # by ``STORE.KEY``

    def ref(self, name, value):
        self.values[name] = value
        return SecretRef(name)

    async def open(self, build_id, ref):  # noqa: ARG002
        if ref.path not in self.values:
            raise LookupError(f"no secret at {ref.path!r}")
        return self.values[ref.path]

    async def seal(self, build_id, name, value):
        return self.ref(f"{build_id}/exports/{name}", value)

    async def stored(self, build_id, name):  # noqa: ARG002
        if name not in self.known_stored:
            raise LookupError(f"no secret at {name!r}")
        return self.known_stored[name]

    async def git(self, build_id, context):  # noqa: ARG002
        if context not in self.contexts:
            raise LookupError(f"no git context named {context!r}")
        found = self.contexts[context]
        return found if isinstance(found, GitCredentials) else msgspec.convert(found, GitCredentials)

    async def registries(self, build_id):  # noqa: ARG002
        return self.known_registries


class MemoryReports:
    """Fills `ReportSink`."""

    def __init__(self, limits=None):
        self.limits = msgspec.convert(limits or {}, ReportLimits)
        self.kept = {}  # by id: (report, content by path)

    def size_bytes(self, build_id, *, without):  # noqa: ARG002
        return sum(report.size_bytes for report, _ in self.kept.values() if report.id != without)

    def keep(self, build_id, report, files):  # noqa: ARG002
        self.kept[report.id] = report, {path: b"".join(pieces) for path, pieces in files}


class MemoryRecords:
    """Fills `Records`. Only `known` entities exist; without it all do, but for cluster ``none``."""

    def __init__(self, known=None, kubeconfig=None, compositions=None):
        self.files = {}  # by address
        self.environments = {}  # by id: what is being launched, or was
        self.running = {}  # by id: its services when they were started
        self.annotations = {}  # (type, id or name, None for the build's own): {name: value}
        self.displayed = {}  # the same: name
        self.images = {}  # image: {name: value}
        self.made = []  # images, in the order they were built or pushed
        self.deployed = []  # in this order
        self._looks = 0
        self._known = known
        self._compositions = msgspec.convert(compositions or {}, dict[str, StoredComposition])
        self._kubeconfig = msgspec.convert(kubeconfig or {}, Kubeconfig)

    def _entity(self, target):
        if target.entity_type == "image" and target.entity_id is None:
            raise LookupError("an annotation of an image needs its 'entity_id'")
        if self._known is not None and target.entity_id not in (None, *self._known):
            raise LookupError(f"no {target.entity_type} named {target.entity_id!r}")
        return self.annotations.setdefault((target.entity_type, target.entity_id), {})

    async def annotate(self, build_id, target, values, *, display=None):  # noqa: ARG002
        self._entity(target).update(values)
        if display is not None:
            self.displayed[target.entity_type, target.entity_id] = display

    async def remove_annotations(self, build_id, target, names):  # noqa: ARG002
        entity = self._entity(target)
        for name in names:
            entity.pop(name, None)

    async def image_metadata(self, build_id, image, values):  # noqa: ARG002
        self.images.setdefault(image, {}).update(values)

    async def image_made(self, build_id, image):  # noqa: ARG002
        self.made.append(image)

    async def last_image(self, build_id, display_name):  # noqa: ARG002
        pushed = [each for each in self.made if each.display_name == display_name and each.registry]
        return pushed[-1].names[0] if pushed else None

    async def deploy(self, build_id, deployment):  # noqa: ARG002
        if deployment.cluster == "none":
            raise LookupError("could not find cluster 'none'")
        self.deployed.append(deployment)
        self._looks = 0
        return (Rollout("Deployment", deployment.service or "app", deployment.namespace),)

    async def composition(self, build_id, name):  # noqa: ARG002
        if name not in self._compositions:
            raise LookupError(f"could not find composition {name!r}")
        return self._compositions[name]

    async def environment_begins(self, build_id, launch):  # noqa: ARG002
        replaced = [one for one, kept in self.environments.items() if kept.name == launch.name]
        for one in replaced:
            del self.environments[one]
        made = new_id()
        self.environments[made] = launch
        return Launched(made, tuple(replaced))

    async def environment_runs(self, build_id, environment_id, services):  # noqa: ARG002
        if environment_id not in self.environments:
            raise LookupError("the environment was terminated while it started")
        self.running[environment_id] = services

    async def environment_failed(self, build_id, environment_id):  # noqa: ARG002
        self.environments.pop(environment_id, None)

    async def kubeconfig(self, build_id):  # noqa: ARG002
        return self._kubeconfig

    async def fetch(self, build_id, url, *, most_bytes):  # noqa: ARG002
        if url not in self.files:
            raise LookupError(f"{url} answers 404")
        return self.files[url]

    async def missing(self, build_id, cluster, rollouts):  # noqa: ARG002
        """Return what lacks: for two looks; in cluster ``slow`` for ever."""
        self._looks += 1
        if cluster == "slow" or self._looks < 3:
            return f"Deployment {rollouts[0].name!r}: 0 of 1 are ready"
        return ""
