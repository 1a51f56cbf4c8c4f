"""``codefresh run --local``: run a pipeline file on this machine, with no server.

The same engine as the server's; this module fills its ports with the terminal. The caller
imports it only for a local run, so that other commands do not pay for the engine.
"""

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from headrace.execution.ports import (
    BuildOrder,
    DebugCommand,
    Decision,
    Deployment,
    GitCredentials,
    Kubeconfig,
    Launch,
    Launched,
    MadeImage,
    RegistryAccess,
    Report,
    ReportLimits,
    Rollout,
    SecretRef,
    StepState,
    StoredComposition,
    Target,
)
from headrace.execution.run import run
from headrace.execution.settings import ExecutionSettings
from headrace.kit.clock import SystemClock
from headrace.kit.ids import new_id
from headrace.kit.masking import Masker, mask_text
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.plan import Phase, Plan
from headrace.pipeline.status import BuildStatus
from headrace.runtimes.base import LaunchedService, Runtime

EXIT_CODES = {BuildStatus.SUCCESS: 0, BuildStatus.TERMINATED: 2}  # any other end is 1
Ask = Callable[[str], bool]


def asker(questions: TextIO, answers: TextIO) -> Ask | None:
    """How to ask at the terminal, given stderr and stdin; None where nobody sits there."""
    if not answers.isatty():
        return None

    def ask(step: str) -> bool:
        questions.write(f"Approve step {step!r}? [y/N] ")
        questions.flush()
        return answers.readline().strip().lower() in ("y", "yes")

    return ask


def run_local(
    text: str,
    *,
    variables: Mapping[str, str],
    out: TextIO,
    secrets: Mapping[str, str] | None = None,
    workdir: Path | None = None,
    docker_host: str | None = None,
    ask: Ask | None = None,
    git_url: str = "https://github.com",
) -> int:
    """Run a ``codefresh.yml`` and print its log as it comes.

    Args:
        text: content of the file.
        variables: of the build, by name.
        out: takes the log: for each step three lines of heading, then its output, masked.
        secrets: more variables, whose values are never printed.
        workdir: holds the volume, and keeps it after the run; None uses a temporary folder.
        docker_host: runs the steps in containers of the engine there
            (``unix:///var/run/docker.sock``); None runs them as processes of this machine.
        ask: says yes or no to an approval step, given its name; None denies, and says so.
        git_url: where ``repo: owner/name`` is cloned from, without credentials.

    Returns:
        0 success, 1 failure or a file that is wrong, 2 terminated (also by Ctrl-C).
    """
    build_id = new_id()
    now = datetime.now(UTC)
    known: dict[str, str | SecretRef] = {
        "CI": "true",
        "CF_BUILD_ID": build_id,
        "CF_BUILD_TIMESTAMP": str(int(now.timestamp() * 1000)),
        **variables,
        **{name: SecretRef(name) for name in secrets or {}},
    }
    try:
        plan = compile_plan(text, variables=known)
    except SpecErrors as wrong:
        out.writelines(f"{error}\n" for error in wrong.errors)
        return 1
    feed = _TerminalFeed(plan, known, build_id, out, ask)
    folder = workdir or Path(tempfile.mkdtemp(prefix="headrace-local-"))
    try:
        asyncio.run(_play(feed, _runtime(docker_host, folder), _Secrets(secrets or {}, git_url), out))
    finally:
        if workdir is None:
            shutil.rmtree(folder, ignore_errors=True)
    out.write(f"\nBuild {feed.status.value}{f': {feed.reason}' if feed.reason else ''}\n")
    return EXIT_CODES.get(feed.status, 1)


def _runtime(docker_host: str | None, folder: Path) -> Callable[[], Runtime]:
    """What makes the runtime, inside of the event loop."""
    if docker_host is not None:
        from headrace.runtimes.docker.runtime import DockerRuntime, DockerSettings  # slow to import

        settings = DockerSettings(host=docker_host, installation="local-run")
        return lambda: DockerRuntime(settings)
    from headrace.runtimes.local.runtime import LocalRuntime  # not with docker

    return lambda: LocalRuntime(folder)


async def _play(
    feed: "_TerminalFeed", make_runtime: Callable[[], Runtime], secrets: "_Secrets", out: TextIO
) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, feed.stopped.set)
    runtime = make_runtime()
    try:
        while (order := await feed.claim()) is not None:
            await run(
                order,
                runtime=runtime,
                feed=feed,
                logs=_TerminalLogs(out),
                secrets=secrets,
                records=_TerminalRecords(out),
                reports=_Reports(),
                clock=SystemClock(),
                settings=ExecutionSettings(),
            )
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        await runtime.close()


class _TerminalFeed:
    """Fills `BuildFeed` for one build that only this process knows."""

    def __init__(
        self,
        plan: Plan,
        variables: Mapping[str, str | SecretRef],
        build_id: str,
        out: TextIO,
        ask: Ask | None,
    ) -> None:
        self.status = BuildStatus.PENDING
        self.reason = ""
        self.stopped = asyncio.Event()
        self._plan, self._variables, self._build_id = plan, variables, build_id
        self._out, self._ask = out, ask
        self._steps: dict[str, StepState] = {}
        self._decision: Decision | None = None
        self._claims = 0

    async def claim(self) -> BuildOrder | None:
        """Return the build until it has ended."""
        if self.status.is_final:
            return None
        self._claims += 1
        return BuildOrder(
            build_id=self._build_id,
            account_id="local",
            attempt=self._claims,
            plan=self._plan,
            variables=self._variables,
            steps=dict(self._steps),
            decision=self._decision,
            created_at=datetime.now(UTC),
        )

    async def wake(self, timeout_s: float) -> None:
        """Return when it is time to look again."""
        await asyncio.sleep(timeout_s)

    async def build_started(self, build_id: str) -> None:  # noqa: ARG002  # the port's shape
        """Take note."""
        self.status = BuildStatus.RUNNING

    async def step_changed(self, build_id: str, state: StepState) -> None:  # noqa: ARG002  # the same
        """Keep the state of a step."""
        self._steps[state.name] = state

    async def waiting(self, build_id: str, step: str, until: datetime, on_timeout: str) -> None:  # noqa: ARG002
        """Ask at the terminal, at once."""
        self.status = BuildStatus.PENDING_APPROVAL
        if self._ask is None:
            self._out.write(f"Step {step!r} is denied: nobody can be asked, the run is not interactive\n")
            approved = False
        else:
            approved = await asyncio.to_thread(self._ask, step)
        self._decision = Decision(
            step=step, result="approved" if approved else "denied", by=("terminal", "user")
        )

    async def finished(
        self,
        build_id: str,  # noqa: ARG002  # the port's shape
        status: BuildStatus,
        reason: str = "",
        steps: Sequence[StepState] = (),
    ) -> None:
        """Keep how the build ended."""
        self.status, self.reason = status, reason
        self._steps |= {state.name: state for state in steps}

    async def stop_requested(self, build_id: str) -> None:  # noqa: ARG002  # the port's shape
        """Return when Ctrl-C was pressed."""
        await self.stopped.wait()

    async def debug_command(
        self,
        build_id: str,  # noqa: ARG002  # the port's shape
        step: str,  # noqa: ARG002  # the same
        phase: Phase,  # noqa: ARG002  # the same
        after: str,  # noqa: ARG002  # the same
    ) -> DebugCommand:
        """Never return: a local run is never one in debug mode."""
        never: asyncio.Future[DebugCommand] = asyncio.get_running_loop().create_future()
        return await never

    async def release(self, build_id: str) -> None:
        """Do nothing: nobody else could claim the build."""


class _TerminalLog:
    """One step's log on the terminal; the heading comes with its first byte, or when another spoke."""

    def __init__(self, logs: "_TerminalLogs", step: str, secrets: frozenset[str]) -> None:
        self._logs, self._step, self._secrets = logs, step, secrets
        self._masker = Masker(secrets)
        self._length = 0

    @property
    def length(self) -> int:
        """Bytes printed so far."""
        return self._length

    async def write(self, data: bytes) -> None:
        """Print output of the step, masked."""
        self._print(self._masker.feed(data))

    async def say(self, line: str) -> None:
        """Print one line of the engine."""
        self._print(self._masker.flush())
        self._logs.end_line()
        self._print(mask_text(line, self._secrets).encode() + b"\n")

    def mask(self, secrets: frozenset[str]) -> None:
        """Mask these from now on."""
        self._secrets = secrets
        self._masker.widen(secrets)

    async def close(self) -> None:
        """Print what was held back."""
        self._print(self._masker.flush())

    def _print(self, data: bytes) -> None:
        self._length += len(data)
        if data:
            self._logs.show(self._step, data.decode(errors="replace"))


class _TerminalLogs:
    """Fills `LogSink`: prints everything in the order it comes."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._speaker = ""
        self._ends_line = True

    async def open(
        self,
        build_id: str,  # noqa: ARG002  # the port's shape
        step: str,
        *,
        secrets: frozenset[str],
        resume_from: int | None = None,  # noqa: ARG002  # the same: nothing is adopted here
    ) -> _TerminalLog:
        """Open the log of a step."""
        return _TerminalLog(self, step, secrets)

    def show(self, step: str, text: str) -> None:
        """Print text of a step under its heading."""
        if step != self._speaker:
            self.end_line()
            rule = "=" * (len(step) - 1)
            self._out.write(f"{rule}\nStep: {step}\n{rule}\n")
            self._speaker = step
        self._out.write(text)
        self._out.flush()
        self._ends_line = text.endswith("\n")

    def end_line(self) -> None:
        """Start a new line, where the last one is open."""
        if not self._ends_line:
            self._out.write("\n")
            self._ends_line = True


class _Secrets:
    """Fills `SecretSource` from the options of the command."""

    def __init__(self, values: Mapping[str, str], git_url: str) -> None:
        self._values = dict(values)
        self._git_url = git_url

    async def open(self, build_id: str, ref: SecretRef) -> str:  # noqa: ARG002  # the port's shape
        """Return the value."""
        return self._values[ref.path]

    async def seal(self, build_id: str, name: str, value: str) -> SecretRef:  # noqa: ARG002  # the same
        """Keep an exported secret in memory."""
        path = f"export:{name}"
        self._values[path] = value
        return SecretRef(path)

    async def stored(self, build_id: str, name: str) -> str:  # noqa: ARG002  # the same
        """Refuse: stores of secrets are known to servers."""
        raise LookupError(f"a local run knows no store of secrets, so not {name!r}; run it on a server")

    async def git(self, build_id: str, context: str | None) -> GitCredentials:  # noqa: ARG002  # the same
        """Return the public host: a local run has no contexts, so every name stands for it."""
        return GitCredentials(self._git_url)

    async def registries(self, build_id: str) -> Sequence[RegistryAccess]:  # noqa: ARG002  # the same
        """Return none: a local run pulls with what `docker login` stored, and pushes nothing by default."""
        return ()


class _Reports:
    """Fills `ReportSink`: what a report says is in the log, and its files stay in the volume."""

    limits = ReportLimits()

    def size_bytes(self, build_id: str, *, without: str) -> int:  # noqa: ARG002  # the port's shape
        """Return 0: nothing is kept."""
        return 0

    def keep(self, build_id: str, report: Report, files: Iterable[tuple[str, Iterable[bytes]]]) -> None:
        """Do nothing: there is no server to keep it."""


class _TerminalRecords:
    """Fills `Records`: nothing outlives a local run, so it is printed."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    async def annotate(
        self,
        build_id: str,  # noqa: ARG002  # the port's shape
        target: Target,
        values: Mapping[str, str],
        *,
        display: str | None = None,  # noqa: ARG002  # the same
    ) -> None:
        """Print annotations."""
        self._print(f"Annotation of {_named(target)}", values)

    async def remove_annotations(self, build_id: str, target: Target, names: Sequence[str]) -> None:  # noqa: ARG002
        """Print which annotations would go."""
        self._out.write(f"Without annotations of {_named(target)}: {', '.join(names)}\n")

    async def image_metadata(self, build_id: str, image: str, values: Mapping[str, str]) -> None:  # noqa: ARG002
        """Print the metadata of an image."""
        self._print(f"Metadata of image {image!r}", values)

    async def image_made(self, build_id: str, image: MadeImage) -> None:  # noqa: ARG002  # the port's shape
        """Print the names of an image."""
        self._out.writelines(f"Image {name}: {image.id}\n" for name in image.names)

    async def last_image(self, build_id: str, display_name: str) -> str | None:  # noqa: ARG002  # the same
        """Return none: the engine's own layers are cache enough."""
        return None

    async def deploy(self, build_id: str, deployment: Deployment) -> tuple[Rollout, ...]:  # noqa: ARG002  # the same
        """Refuse: clusters are known to servers."""
        raise LookupError(f"a local run knows no cluster {deployment.cluster!r}; run it on a server")

    async def composition(self, build_id: str, name: str) -> StoredComposition:  # noqa: ARG002  # the same
        """Refuse: compositions are stored on servers."""
        raise LookupError(f"a local run knows no stored composition {name!r}")

    async def environment_begins(self, build_id: str, launch: Launch) -> Launched:  # noqa: ARG002  # the same
        """Refuse: what outlives a build is kept by servers."""
        raise LookupError(f"a local run launches no environment {launch.name!r}; run it on a server")

    async def environment_runs(
        self, build_id: str, environment_id: str, services: Sequence[LaunchedService]
    ) -> None:
        """Do nothing: none begins."""

    async def environment_failed(self, build_id: str, environment_id: str) -> None:
        """Do nothing: none begins."""

    async def kubeconfig(self, build_id: str) -> Kubeconfig:  # noqa: ARG002  # the same
        """Return none: clusters are known to servers."""
        return Kubeconfig()

    async def fetch(self, build_id: str, url: str, *, most_bytes: int) -> bytes:  # noqa: ARG002  # the same
        """Refuse: which addresses may be called is known to servers."""
        raise LookupError(f"a local run fetches nothing, so not {url!r}; run it on a server")

    async def missing(self, build_id: str, cluster: str, rollouts: Sequence[Rollout]) -> str:  # noqa: ARG002  # the same
        """Return nothing: nothing was rolled out."""
        return ""

    def _print(self, what: str, values: Mapping[str, str]) -> None:
        self._out.writelines(f"{what}: {name} = {value}\n" for name, value in values.items())


def _named(target: Target) -> str:
    if target.entity_id is None:
        return f"this {target.entity_type}"
    return f"{target.entity_type} {target.entity_id!r}"
