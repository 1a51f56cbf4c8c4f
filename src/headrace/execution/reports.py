"""Reports of tests: files of the volume that the server keeps, and what they say of the tests.

The original uploads them to a bucket; here the worker takes them from the volume by itself, so that no
image is pulled for it. Source: `reference/pipeline-yaml.md` 12.3; Codefresh docs, "Test reports".
"""

import asyncio
import hashlib
import posixpath
import re
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from typing import IO
from urllib.parse import quote

import msgspec

from headrace.execution.errors import StepRefused
from headrace.execution.own_work import Tell
from headrace.execution.ports import Report, Target
from headrace.execution.site import Site
from headrace.execution.test_results import (
    MOST_FILE_BYTES,
    FailedCase,
    NoResults,
    Results,
    joined,
    read_allure,
    read_junit,
)
from headrace.kit.masking import Masker
from headrace.pipeline.plan import PlannedStep
from headrace.runtimes.base import VOLUME, Command, StepCouldNotStart
from headrace.runtimes.volume import TooMuch

ANNOTATION = "cf_test_reporter_link"  # of the build, as the original names it
_MOST = 20  # reports of one step
_SHOWN = 20  # failed tests that the log names
_SOURCES = ("REPORT_DIR", "REPORT_INDEX_FILE", "ALLURE_DIR", "JUNIT_DIR")
_NUMBERED = re.compile(rf"(?:{'|'.join(_SOURCES)})\.(\d{{1,4}})")
_NOT_USED = ("BUCKET_NAME", "CF_STORAGE_INTEGRATION")
_PAGE = "index.html"
_ALLURE_RESULT = "-result.json"
_PIECE_BYTES = 256 * 1024
_HEAD_BYTES = 8192  # text has no NUL there


class WantedReport(msgspec.Struct, frozen=True, kw_only=True):
    """One report, as the variables of the step say."""

    number: str = ""  # of several: what stands behind the dot
    path: str  # in the volume
    page: str = ""  # path of its first page below `path`; empty: `index.html`, where there is one
    results: str = ""  # path in the volume of results of tests that are kept nowhere else
    type: str = ""  # a word for people: ``coverage``
    clears: bool = False  # the files go from the volume once they are kept


def wanted_reports(environment: Mapping[str, str], directory: str) -> list[WantedReport]:
    """Read which reports a step is to keep; in the order of their numbers.

    Args:
        environment: of the step, the variables of the build with it.
        directory: where it runs, absolute.

    Raises:
        StepRefused: a path leads out of the volume, or there are too many.
    """
    numbers = sorted({found[1] for name in environment if (found := _NUMBERED.fullmatch(name))}, key=int)
    if len(numbers) > _MOST:
        raise StepRefused(f"a step keeps at most {_MOST} reports, and this one names {len(numbers)}")
    suffixes = [f".{number}" for number in numbers] or [""]
    return [_wanted(environment, directory or VOLUME, suffix) for suffix in suffixes]


def _wanted(environment: Mapping[str, str], directory: str, suffix: str) -> WantedReport:
    def value(name: str) -> str:
        return environment.get(name + suffix, "").strip()

    def placed(name: str, below: str = "") -> str:
        return _in_volume(name + suffix, posixpath.join(directory, below, value(name)))

    folder, page, junit = value("REPORT_DIR"), value("REPORT_INDEX_FILE"), value("JUNIT_DIR")
    clears = value("CLEAR_TEST_REPORT").lower() not in ("", "false", "0")
    results = placed("JUNIT_DIR") if junit else ""
    if folder:
        path = placed("REPORT_DIR")
        if page:
            page = posixpath.relpath(placed("REPORT_INDEX_FILE", folder), path)
    elif page:
        path = placed("REPORT_INDEX_FILE")
        page = posixpath.basename(path)
    elif junit and not value("ALLURE_DIR"):
        path, results = results, ""
    else:
        path = _in_volume(
            "ALLURE_DIR" + suffix, posixpath.join(directory, value("ALLURE_DIR") or "allure-results")
        )
        clears = True  # as the original does: results of another build would be counted with them
    return WantedReport(
        number=suffix[1:], path=path, page=page, results=results, type=value("REPORT_TYPE"), clears=clears
    )


def _in_volume(name: str, place: str) -> str:
    path = posixpath.normpath(place)
    if not f"{path}/".startswith(f"{VOLUME}/"):
        raise StepRefused(f"{name}: {path} is not in the volume; name a path below {VOLUME}")
    return path.removeprefix(VOLUME).strip("/")


def _place(path: str) -> str:
    return f"{VOLUME}/{path}".rstrip("/")


def report_id(step: str, number: str) -> str:
    """Return what addresses call a report: 16 hex digits, the same for each attempt of a step."""
    return hashlib.sha256(f"{step}\0{number}".encode()).hexdigest()[:16]


class ReportWork:
    """The work of one step that keeps reports.

    Args:
        site: of the build.
        step: with its title filled in.
        unit: what the runtime calls this start of the step.
        command: of the step, as a freestyle step would have it.
    """

    def __init__(self, site: Site, step: PlannedStep, unit: str, command: Command) -> None:
        self._site, self._step, self._unit = site, step, unit
        self._environment = command.environment
        self._wanted = wanted_reports(command.environment, command.working_directory)
        self._secrets = frozenset(site.board.secrets)
        self.link = ""  # of what was kept, once it was; empty where nobody knows the server's address

    async def run(self, tell: Tell) -> int:
        """Keep them all; see `own_work.Work`."""
        site = self._site
        if unused := [name for name in _NOT_USED if self._environment.get(name)]:
            tell(f"{' and '.join(unused)}: no bucket is written, this server keeps the report itself")
        kept = [await self._keep(wanted, tell) for wanted in self._wanted]
        for wanted in self._wanted:
            if wanted.clears and wanted.path:
                await self._clear(wanted.path, tell)
        self.link = self._link(kept)
        if self.link:
            tell(f"The report is at {self.link}")
            await site.records.annotate(site.build_id, Target(), {ANNOTATION: self.link})
        return 0

    def _link(self, kept: list[Report]) -> str:
        page = self._environment.get("CF_BUILD_URL", "")
        server, slash, build = page.rpartition("/build/")
        if not slash or build != self._site.build_id:
            return ""
        if len(kept) == 1 and kept[0].page:
            return f"{server}/api/testReporting/{build}/{kept[0].id}/{quote(kept[0].page)}"
        return f"{page}?view=tests"

    async def _keep(self, wanted: WantedReport, tell: Tell) -> Report:
        site = self._site
        identity = report_id(self._step.name, wanted.number)
        limits = site.reports.limits
        room = limits.most_bytes - await asyncio.to_thread(
            site.reports.size_bytes, site.build_id, without=identity
        )
        if room <= 0:
            raise LookupError(
                f"the reports of this build take {limits.most_bytes // 1024 // 1024} MB already"
            )
        with tempfile.TemporaryFile() as packed, tempfile.TemporaryFile() as results:
            await self._pack(wanted.path, packed, room)
            if wanted.results:
                await self._pack(wanted.results, results, room)
            report, notes = await asyncio.to_thread(self._read, wanted, identity, packed, results)
            try:
                files = _files(packed, self._secrets)
                await asyncio.to_thread(site.reports.keep, site.build_id, report, files)
            except OSError as problem:  # a full disk, say
                raise LookupError(f"the report cannot be kept: {problem.strerror or problem}") from problem
        for note in notes:
            tell(note)
        _tell(report, wanted, tell)
        return report

    async def _pack(self, path: str, out: IO[bytes], room: int) -> None:
        place = _place(path)
        try:
            await self._site.workspace.pack(
                path, out, most_bytes=room, most_files=self._site.reports.limits.most_files
            )
        except (FileNotFoundError, NotADirectoryError):
            raise LookupError(
                f"there is nothing at {place}; see that the tests write it there, and `working_directory`"
            ) from None
        except TooMuch as much:
            raise LookupError(f"{place} holds {much}; keep less of it, or raise --report-limit-mb") from None
        except OSError as problem:
            raise LookupError(f"{place} cannot be read: {problem.strerror or problem}") from problem
        out.seek(0)

    def _read(
        self, wanted: WantedReport, identity: str, packed: IO[bytes], results: IO[bytes]
    ) -> tuple[Report, list[str]]:
        """Read what was packed; in a thread."""
        place = _place(wanted.path)
        with tarfile.open(fileobj=packed) as archive:
            members = archive.getmembers()
            sizes = {member.name: member.size for member in members}
            found, notes = _results(archive if not wanted.results else _opened(results))
        if not sizes:
            raise LookupError(f"there is no file in {place}")
        if wanted.page and wanted.page not in sizes:
            raise LookupError(f"REPORT_INDEX_FILE: there is no {wanted.page!r} in {place}")
        report = Report(
            id=identity,
            step=self._step.name,
            title=self._site.masked(self._step.title),
            number=wanted.number,
            type=self._site.masked(wanted.type)[:100],
            page=wanted.page or (_PAGE if _PAGE in sizes else ""),
            files=len(sizes),
            size_bytes=sum(sizes.values()),
            created_at=self._site.clock.now(),
            results=None if found is None else self._masked(found),
        )
        return report, notes

    def _masked(self, found: Results) -> Results:
        masked = self._site.masked
        failures = tuple(
            FailedCase(name=masked(one.name), suite=masked(one.suite), message=masked(one.message))
            for one in found.failures
        )
        return msgspec.structs.replace(found, failures=failures)

    async def _clear(self, path: str, tell: Tell) -> None:
        """Remove what was kept from the volume: later builds of the pipeline would find it there."""
        site = self._site
        command = Command(
            image=site.settings.git_image,  # any with a shell; this one is there already
            script='rm -rf -- "$HR_PATH"',
            environment={"HR_PATH": _place(path)},
        )
        try:
            running = await site.workspace.start(f"{self._unit}-clear", command, say=_silent)
            async for _ in running.output():
                pass
            failure = (await running.wait()).exit_code
        except StepCouldNotStart as problem:
            failure, tell_why = 1, f": {problem}"
        else:
            tell_why = ""
        if failure:
            tell(f"{_place(path)} could not be removed from the volume{tell_why}")


async def _silent(line: str) -> None:
    """Say nothing: how the files are removed is of no interest."""


def _opened(file: IO[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=file)


def _results(archive: tarfile.TarFile) -> tuple[Results | None, list[str]]:
    """Sum up the results of tests in an archive, and say which files of that kind could not be read."""
    junit: list[Results] = []
    allure: dict[str, bytes] = {}
    notes = []
    for member in archive:
        name = member.name.lower()
        if not name.endswith((".xml", _ALLURE_RESULT)):
            continue
        if member.size > MOST_FILE_BYTES:
            notes.append(f"{member.name} is not read: it is longer than {MOST_FILE_BYTES // 1024 // 1024} MB")
            continue
        stream = archive.extractfile(member)
        data = b"" if stream is None else stream.read()
        if name.endswith(_ALLURE_RESULT):
            allure[member.name] = data
            continue
        try:
            found = read_junit(data)
        except NoResults as problem:
            notes.append(f"{member.name} {problem}")
        else:
            junit += [found] if found is not None else []
    summed, wrong = read_allure(allure)
    notes += [f"{name} is no result of Allure" for name in wrong]
    return joined([*junit, *([summed] if summed else [])]), notes[:_SHOWN]


def _files(packed: IO[bytes], secrets: frozenset[str]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield path and content of each file; what is text is masked."""
    packed.seek(0)
    with tarfile.open(fileobj=packed) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            if stream is not None:
                yield member.name, _pieces(stream, secrets)


def _pieces(stream: IO[bytes], secrets: frozenset[str]) -> Iterator[bytes]:
    piece = stream.read(_PIECE_BYTES)
    masker = Masker(secrets if b"\0" not in piece[:_HEAD_BYTES] else ())
    while piece:
        yield masker.feed(piece)
        piece = stream.read(_PIECE_BYTES)
    yield masker.flush()


def _tell(report: Report, wanted: WantedReport, tell: Tell) -> None:
    what = f" ({report.type})" if report.type else ""
    size = f"{report.size_bytes / 1000:,.1f} kB"
    tell(f"Kept {_place(wanted.path)}{what}: files: {report.files}, size: {size}")
    if (found := report.results) is None:
        return
    tell(f"Tests: {found.passed} passed, {found.failed} failed, {found.skipped} skipped")
    for one in found.failures[:_SHOWN]:
        tell(f"  failed: {f'{one.suite}: ' if one.suite else ''}{one.name}")
    if found.failed > _SHOWN:
        tell(f"  and {found.failed - _SHOWN} more")
