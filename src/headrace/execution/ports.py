"""What execution needs from the outside: six ports, filled by others.

`BuildFeed` by `resources/builds/feed.py` (database), the client's local run and a fake;
`LogSink` by `storage/logs` and memory; `SecretSource` by `resources/builds` and a fake;
`ReportSink` by `storage/reports`, the client's local run and memory;
`Records` by `resources/pipelines/records.py`, the client's local run and a fake;
`Clock` by `kit/clock.py` and a fake that tests move.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from headrace.execution.test_results import Results
from headrace.pipeline.plan import Phase, Plan
from headrace.pipeline.status import BuildStatus, StepStatus
from headrace.runtimes.base import LaunchedService


class SecretRef(msgspec.Struct, frozen=True, tag="secret"):
    """The address of a secret value; the only form in which a secret travels to execution."""

    path: str  # for example ``build/variables/TOKEN``; only the source knows what it means


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """A breakpoint at which a step of a debugged build waits."""

    phase: Phase
    since: datetime
    until: datetime  # then the build ends
    seen: str = ""  # id of the last command that was taken up; "": none yet


class DebugCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants of a step that waits at a breakpoint."""

    id: str  # time-ordered
    action: Literal["continue", "step-over", "finish", "run"]
    text: str = ""  # of `run`: lines of shell
    by: str = ""  # name of the user


class Left(msgspec.Struct, frozen=True):
    """How, and when, a breakpoint was left."""

    action: str  # of the `DebugCommand`
    at: datetime


class StepState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a step that was started, as stored."""

    name: str
    status: StepStatus
    title: str = ""  # filled in; "" before the step has begun
    attempt: int = 1  # of the step; counts every start; 0 while its hook on election runs, or before
    tries: int = 1  # those that `retry` counts: without starts after a crash
    earlier: int = 0  # starts in earlier attempts of the group that it is a member of
    started_at: datetime | None = None
    attempt_started_at: datetime | None = None  # a time-out counts from here
    retry_at: datetime | None = None  # an attempt has failed; the next one starts then
    outcome: StepStatus | None = None  # how it ended, while its closing hooks run
    finished_at: datetime | None = None
    members: Mapping[str, str] = {}  # what the step publishes: ``revision``, ``repo`` …
    exports: Mapping[str, str | SecretRef] = {}  # cf_export of this step
    output_from: int | None = None  # offset in the step's stored log where its output begins
    link: str = ""  # what the step wants to be shown with
    reason: str = ""  # why it failed, for people
    decided_by: tuple[str, str] | None = None  # approval: (name, ``user`` or ``api-key``)
    decided_because: str = ""  # approval: what whoever decided gave as the reason
    previously_executed: bool = False  # by the build that this one goes on from
    paused: Pause | None = None  # it waits at this breakpoint
    passed: Mapping[str, Left] = {}  # the breakpoints that it has left, by their phases

    @property
    def starts(self) -> int:
        """How often it was started in this build: no two starts have the same number."""
        return self.earlier + self.attempt


class Decision(msgspec.Struct, frozen=True):
    """What somebody, or a timeout, said about a waiting approval step."""

    step: str
    result: Literal["approved", "denied", "terminated"]
    by: tuple[str, str] | None = None  # None: nobody did, the time ran out
    reason: str = ""  # what they gave as the reason


class BuildOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One build that this worker has claimed, new or taken up again after a crash or approval."""

    build_id: str
    account_id: str
    attempt: int  # of the build: claims so far, 1 for a new one
    plan: Plan
    variables: Mapping[str, str | SecretRef]  # all levels merged, system variables included
    steps: Mapping[str, StepState] = {}  # by name; empty for a new build
    decision: Decision | None = None  # of the approval this build waited for
    created_at: datetime
    volume: str = ""  # the build whose volume this one goes on with; empty: its own, a new one
    keep_volume: bool = False  # at the end: a later build may go on with it


class GitCredentials(msgspec.Struct, frozen=True):
    """How to reach a Git host."""

    base_url: str  # ``https://github.com``; ``owner/name`` is appended, with ``.git``
    username: str = ""
    password: str = ""


class RegistryAccess(msgspec.Struct, frozen=True, kw_only=True):
    """One image registry, and how to log in there."""

    name: str
    domain: str  # ``registry.example.org:5000``; ``docker.io`` for the Hub
    username: str = ""  # empty, as the password: nobody logs in
    password: str = ""
    prefix: str = ""  # repositories that are pushed lie below it
    is_default: bool = False
    refusal: str = ""  # why nobody can log in, and what would help


class MadeImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image that a step built or pushed."""

    id: str  # ``sha256:…``, of its configuration
    display_name: str  # ``acme/app``
    names: tuple[str, ...]  # whole, with tags
    registry: str | None  # that has it now: a name or a domain; None: the engine alone
    digest: str  # ``sha256:…`` in the registry; empty where it has none
    size_bytes: int
    created_at: datetime
    branch: str
    revision: str
    step: str


class ClaimLost(Exception):
    """The worker does not hold this build any more; its report changed nothing."""


class BuildFeed(Protocol):
    """Where builds come from and where their state goes. Every report is durable on return.

    A report raises `ClaimLost` where another worker holds the build, or where it has ended.
    """

    async def claim(self) -> BuildOrder | None:
        """Claim the oldest build that may run now; None when there is none."""

    async def wake(self, timeout_s: float) -> None:
        """Return when a build may be waiting, at the latest after ``timeout_s`` seconds."""

    async def build_started(self, build_id: str) -> None:
        """Say that the build is running."""

    async def step_changed(self, build_id: str, state: StepState) -> None:
        """Store the state of a step (by name; a later one replaces an earlier one)."""

    async def waiting(self, build_id: str, step: str, until: datetime, on_timeout: str) -> None:
        """Say that the build waits for an approval; the claim ends, a decision brings it back."""

    async def finished(
        self, build_id: str, status: BuildStatus, reason: str = "", steps: Sequence[StepState] = ()
    ) -> None:
        """Say how the build ended, and in the same moment the steps that end with it; the claim ends."""

    async def stop_requested(self, build_id: str) -> None:
        """Return when somebody asks this running build to stop; else never. Safe to cancel."""

    async def debug_command(self, build_id: str, step: str, phase: Phase, after: str) -> DebugCommand:
        """Return the first command to a paused step after another one, once there is one. Safe to cancel.

        Args:
            build_id: that this worker holds.
            step: that waits at a breakpoint.
            phase: of the breakpoint; a command to another one is not for this one.
            after: id of the last command that was taken up; ``""`` for none.
        """

    async def release(self, build_id: str) -> None:
        """Give a claim back unfinished (the worker shuts down); somebody claims it again."""


class StepLog(Protocol):
    """The stored log of one step. Bytes are masked before they are stored."""

    @property
    def length(self) -> int:
        """Bytes stored so far."""

    async def write(self, data: bytes) -> None:
        """Take output of the step: any bytes, any chunking. Lines get their time stamp here."""

    async def say(self, line: str) -> None:
        """Take one whole line of the engine."""

    def mask(self, secrets: frozenset[str]) -> None:
        """Mask these from now on: the ones known before, and more."""

    async def close(self) -> None:
        """Store what was held back for masking. Safe twice."""


class LogSink(Protocol):
    """Opens step logs of one build. Steps may write at the same time."""

    async def open(
        self, build_id: str, step: str, *, secrets: frozenset[str], resume_from: int | None = None
    ) -> StepLog:
        """Open the log of a step for appending.

        Args:
            build_id: whose log.
            step: name of the step; ``Initializing Process`` is the build's own first entry.
            secrets: values that never reach the store.
            resume_from: offset where the output of an adopted step began: that output is
                written again from its first byte, and what is already stored is passed over.
        """


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One report of tests that a step keeps with its build."""

    id: str  # 16 hex digits
    step: str
    title: str = ""  # of the step
    number: str = ""  # of several of one step
    type: str = ""  # a word for people: ``coverage``
    page: str = ""  # path of its first page; empty: it has none
    files: int
    size_bytes: int
    created_at: datetime
    results: Results | None = None  # None: it says nothing of tests


class ReportLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept."""

    most_bytes: int = 512 * 1024 * 1024  # of all reports of a build together
    most_files: int = 20_000  # of one report


class ReportSink(Protocol):
    """Keeps reports of tests. Steps may keep theirs at the same time; each call has a thread of its own."""

    @property
    def limits(self) -> ReportLimits:
        """How much it takes; the caller sees to it."""

    def size_bytes(self, build_id: str, *, without: str) -> int:
        """Return what the reports of a build take, but for the one of this id."""

    def keep(self, build_id: str, report: Report, files: Iterable[tuple[str, Iterable[bytes]]]) -> None:
        """Keep a report; one of the same id is replaced, as a whole or not at all.

        Args:
            build_id: that it is of.
            report: what is known of it.
            files: path and content of each, once.

        Raises:
            OSError: it could not be written; nothing of it is left.
        """


class SecretSource(Protocol):
    """Opens secrets at the moment they are needed."""

    async def open(self, build_id: str, ref: SecretRef) -> str:
        """Return the value. Raises `LookupError` where there is none."""

    async def seal(self, build_id: str, name: str, value: str) -> SecretRef:
        """Keep a secret that a step exported (``cf_export --mask``), encrypted."""

    async def stored(self, build_id: str, name: str) -> str:
        """Return a secret of an outside store: ``STORE.KEY``, or ``STORE.RESOURCE@KEY``.

        Raises `LookupError` where there is none, or the store does not answer.
        """

    async def git(self, build_id: str, context: str | None) -> GitCredentials:
        """Return how to reach the Git host of a context; None is the account's default.

        Raises `LookupError` where a named context does not exist or is no git context.
        """

    async def registries(self, build_id: str) -> Sequence[RegistryAccess]:
        """Return the account's image registries, in no order."""


class Target(msgspec.Struct, frozen=True):
    """What an annotation is put on."""

    entity_type: Literal["project", "pipeline", "build", "image"] = "build"
    entity_id: str | None = None  # an id or a name; None is the build's own; an image has no default


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change in a cluster: the image behind a service, or what a manifest says."""

    cluster: str  # its name
    namespace: str
    service: str = ""
    manifest: str = ""  # YAML
    image: str = ""  # empty: the same once more
    registry: str = ""  # whose login the cluster pulls with; empty: none is added
    mark: str  # of the step that asks: the same again changes nothing


class StoredComposition(msgspec.Struct, frozen=True):
    """A composition that the account keeps under a name."""

    text: str  # of the document, YAML or JSON
    variables: tuple[str, ...] = ()  # ``NAME=value``, for the ``${NAME}`` of compose


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """Services that are about to be launched as an environment."""

    name: str  # of the environment; one of that name is replaced
    composition: str  # path or name of the document; empty where it was written into the step
    entry_point: str  # its main service; empty: none is named
    services: Mapping[str, str]  # image by name, in the order of their start
    engine: str  # where they are; see `runtimes.base.Environments`


class Launched(msgspec.Struct, frozen=True):
    """An environment that was put on record, before anything of it runs."""

    id: str  # 24 hex digits
    replaced: tuple[str, ...] = ()  # ids of those on the same engine that are to be removed first


class Kubeconfig(msgspec.Struct, frozen=True):
    """How steps reach the clusters of the account."""

    text: str = ""  # of the file; empty: there are no clusters
    secrets: frozenset[str] = frozenset()  # what of it must be in no log


class Rollout(msgspec.Struct, frozen=True):
    """What a cluster brings up anew."""

    kind: str  # ``Deployment``, ``StatefulSet`` or ``DaemonSet``
    name: str
    namespace: str


class Records(Protocol):
    """Where a build writes what stays when it has ended. Every write is durable on return.

    The same write twice is the same as once: after a crash it may come again. Values are masked
    by the caller. All methods raise `LookupError` where what they name does not exist; the text
    is for the step's log.
    """

    async def annotate(
        self, build_id: str, target: Target, values: Mapping[str, str], *, display: str | None = None
    ) -> None:
        """Set annotations by name; ``display`` is the one of them that lists of builds show."""

    async def remove_annotations(self, build_id: str, target: Target, names: Sequence[str]) -> None:
        """Remove annotations by name; one that is not there is no error."""

    async def image_metadata(self, build_id: str, image: str, values: Mapping[str, str]) -> None:
        """Set metadata of an image, which is named by its id or its full name."""

    async def image_made(self, build_id: str, image: MadeImage) -> None:
        """Keep an image; where its id is known, add the names."""

    async def last_image(self, build_id: str, display_name: str) -> str | None:
        """Return the whole name of the last image of that name which this pipeline pushed."""

    async def deploy(self, build_id: str, deployment: Deployment) -> tuple[Rollout, ...]:
        """Change what is in a cluster; return what is rolled out then."""

    async def composition(self, build_id: str, name: str) -> StoredComposition:
        """Return a composition of the account, by its name or id."""

    async def environment_begins(self, build_id: str, launch: Launch) -> Launched:
        """Put an environment on record that is about to be launched, and give up those of its name.

        Called again it gives up the earlier one, too: a launch that was cut off is begun anew.
        """

    async def environment_runs(
        self, build_id: str, environment_id: str, services: Sequence[LaunchedService]
    ) -> None:
        """Say that all services of an environment were started, and how they are.

        Raises `LookupError` where it was given up meanwhile; what was started is to be removed then.
        """

    async def environment_failed(self, build_id: str, environment_id: str) -> None:
        """Take an environment off the record of which nothing is left. Safe twice."""

    async def kubeconfig(self, build_id: str) -> Kubeconfig:
        """Return the kubeconfig of the clusters that the build may reach, a context each."""

    async def fetch(self, build_id: str, url: str, *, most_bytes: int) -> bytes:
        """Return the file at an address; redirects are followed.

        Raises `LookupError` where it may not be called, does not answer with a file, or the file is longer.
        """

    async def missing(self, build_id: str, cluster: str, rollouts: Sequence[Rollout]) -> str:
        """Return what the first unfinished one waits for, for people; empty when all have ended."""


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the current time, aware, UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""
