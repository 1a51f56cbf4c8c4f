"""What readers of a build's log are told beside its text: headings, statuses, times; and how far."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from headrace.execution.ports import StepState
from headrace.execution.report import INITIALIZING
from headrace.execution.services import log_entries
from headrace.http.errors import BadRequest
from headrace.pipeline import plan as plans
from headrace.pipeline.status import BuildStatus, StepStatus
from headrace.resources.builds import repository, service
from headrace.resources.builds.schemas import Build
from headrace.storage.logs import ArchiveStep

# Letters of a cursor; they live as long as a connection takes to come back.
_LETTERS = {
    "pending": "p",
    "elected": "l",
    "delayed": "y",
    "running": "r",
    "pending-approval": "w",
    "terminating": "g",
    "success": "s",
    "error": "e",
    "skipped": "k",
    "approved": "a",
    "denied": "d",
    "terminated": "t",
}
_WORDS = {letter: word for word, letter in _LETTERS.items()}
_CURSOR = re.compile(r"([a-z-])((?:,(?:\d{1,6}|x(?:[0-9a-f]{2})+):\d{1,15}[a-z]?)*)")


class BuildLog(msgspec.Struct, frozen=True, kw_only=True):
    """What is fixed about the log of one build."""

    build_id: str
    account_id: str
    progress_id: str
    headings: Mapping[str, str]  # by name of the step: the build's own entry, then as in the file


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A build and its steps as they stood at one moment."""

    build: Build
    states: Mapping[str, StepState]

    @property
    def is_final(self) -> bool:
        """The build has ended: its log grows no more."""
        return self.build.status.is_final

    def status_of(self, step: str) -> StepStatus:
        """Return the status of a step that has a log, or of the build's own first entry."""
        if step == INITIALIZING:
            if self.states:
                return StepStatus.SUCCESS
            return StepStatus(self.build.status) if self.is_final else StepStatus.RUNNING
        state = self.states.get(step)
        return StepStatus.RUNNING if state is None else state.status


def log_of(db: Connection, build: Build) -> BuildLog:
    """Return the log of a build."""
    plan = plans.from_json(repository.inputs(db, build.id).plan.encode())
    named = [(INITIALIZING, INITIALIZING), *((step.name, step.title) for step in plan.steps)]
    named += log_entries(plan)
    return BuildLog(
        build_id=build.id,
        account_id=build.account_id,
        progress_id=build.progress_id,
        headings=headings(named),
    )


def look(db: Connection, log: BuildLog) -> Moment:
    """Return how the build stands. Raises `NotFound` for one that was deleted."""
    build = service.find(db, log.account_id, log.build_id)
    return Moment(build=build, states=repository.steps(db, log.build_id))


def headings(steps: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the heading of each step: its title on one line, or its name where two would be equal.

    Args:
        steps: (name, title), in the order of the file.
    """
    titles = {name: " ".join(title.split()) or name for name, title in steps}
    slots = [slot_name(title) for title in titles.values()]
    return {name: name if slots.count(slot_name(title)) > 1 else title for name, title in titles.items()}


def slot_name(heading: str) -> str:
    """Return a heading as a slot of the log socket may carry it: clients split it at dots and brackets."""
    return heading.translate({ord("."): "_", ord("["): "(", ord("]"): ")"})


def archive_steps(moment: Moment, names: Iterable[str]) -> Iterator[ArchiveStep]:
    """Yield what the archive says of the steps.

    Clients sort the steps by time, so none begins before the one ahead of it.

    Args:
        moment: after the end of the build.
        names: of the steps with a log, in the order in which they are printed.
    """
    latest_s = 0
    for name in names:
        state = moment.states.get(name)
        begun = state.started_at if state else moment.build.started_at
        ended = state.finished_at if state else _first_start(moment)
        latest_s = max(latest_s, _seconds(begun or moment.build.created_at))
        yield ArchiveStep(
            name=name,
            status=moment.status_of(name),
            created_s=latest_s,
            finished_s=None if ended is None else max(latest_s, _seconds(ended)),
        )


def _first_start(moment: Moment) -> datetime | None:
    starts = [state.started_at for state in moment.states.values() if state.started_at is not None]
    return min(starts, default=moment.build.finished_at)


def _seconds(time: datetime) -> int:
    return int(time.timestamp())


class Told:
    """How far one reader has been told of a build. Its cursor names the place to go on from.

    The cursor is a letter for the status of the build (``-`` for none), then for each step that was
    told of its number in the file, the offset of the next byte, and a letter for its status:
    ``r,0:123s,1:77r``. An entry that the plan does not know (a service of a compose file) has ``x``
    and its name in hex digits for the number.
    """

    def __init__(self, log: BuildLog) -> None:
        self._log = log
        self.status: BuildStatus | None = None
        self.offsets: dict[str, int] = {}  # by name of the step
        self.statuses: dict[str, StepStatus] = {}  # the same
        self._numbers = {name: number for number, name in enumerate(log.headings)}

    @classmethod
    def read(cls, log: BuildLog, cursor: str) -> "Told":
        """Read a cursor; an empty one is the beginning. Raises `BadRequest`."""
        told = cls(log)
        if cursor:
            try:
                told._fill(cursor)
            except (ValueError, KeyError, IndexError):
                raise BadRequest(
                    f"cursor: {cursor[:80]!r} is none of this build; leave it out to begin at the start"
                ) from None
        return told

    def _fill(self, cursor: str) -> None:
        found = _CURSOR.fullmatch(cursor)
        if found is None:
            raise ValueError(cursor)
        if found[1] != "-":
            self.status = BuildStatus(_WORDS[found[1]])
        names = list(self._log.headings)
        for entry in found[2].split(",")[1:]:
            number, _, rest = entry.partition(":")
            name = bytes.fromhex(number[1:]).decode() if number[0] == "x" else names[int(number)]
            digits = rest.rstrip("".join(_WORDS))
            self.offsets[name] = int(digits)
            if rest != digits:
                self.statuses[name] = StepStatus(_WORDS[rest[-1]])

    @property
    def cursor(self) -> str:
        """The place to go on from."""
        entries = [_LETTERS[self.status] if self.status else "-"]
        told = self.offsets.keys() | self.statuses.keys()
        for name in [*self._numbers, *sorted(told - self._numbers.keys())]:
            if name in told:
                status = self.statuses.get(name)
                letter = _LETTERS[status] if status else ""
                number = self._numbers.get(name, f"x{name.encode().hex()}")
                entries.append(f"{number}:{self.offsets.get(name, 0)}{letter}")
        return ",".join(entries)
