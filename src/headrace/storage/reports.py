"""Reports of tests as files: a folder for each build, a folder in it for each report.

``<root>/<build id>/<report id>/report.json`` is what is known of it, ``files/`` what the step had. A
reader needs nothing but the files, so the worker that wrote them may be another process.
"""

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import msgspec

from headrace.execution.ports import Report, ReportLimits
from headrace.runtimes import volume

_ID = re.compile(r"[0-9a-f]{1,64}\Z")
_ABOUT = "report.json"
_FILES = "files"
_UNDONE = ".new-"  # before the name of a report that is being written


class ReportStore:
    """The reports of many builds. Fills the port `execution.ports.ReportSink`; any number may read.

    Args:
        root: folder; made when the first report is kept.
        limits: how much is kept of a build.
    """

    def __init__(self, root: Path, *, limits: ReportLimits | None = None) -> None:
        self.root = root
        self._limits = limits or ReportLimits()

    @property
    def limits(self) -> ReportLimits:
        """How much is kept of a build."""
        return self._limits

    def size_bytes(self, build_id: str, *, without: str) -> int:
        """Return what the reports of a build take, but for one; see `execution.ports.ReportSink`."""
        return sum(report.size_bytes for report in self.reports(build_id) if report.id != without)

    def keep(self, build_id: str, report: Report, files: Iterable[tuple[str, Iterable[bytes]]]) -> None:
        """Keep a report; see `execution.ports.ReportSink`."""
        folder = self._folder(build_id)
        folder.mkdir(parents=True, exist_ok=True)
        place = self._place(folder, report.id)
        fresh = Path(tempfile.mkdtemp(prefix=_UNDONE, dir=folder))
        try:
            (fresh / _FILES).mkdir()
            for path, pieces in files:
                with volume.created(fresh / _FILES, path) as stream:
                    stream.writelines(pieces)
            (fresh / _ABOUT).write_bytes(msgspec.json.encode(report))
            if place.exists():  # an earlier attempt of the step
                old = Path(tempfile.mkdtemp(prefix=_UNDONE, dir=folder))
                place.rename(old / "old")
                fresh.rename(place)
                shutil.rmtree(old, ignore_errors=True)
            else:
                fresh.rename(place)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise

    def delete(self, build_id: str) -> None:
        """Delete all reports of a build; nothing happens where there are none."""
        shutil.rmtree(self._folder(build_id), ignore_errors=True)

    def reports(self, build_id: str) -> list[Report]:
        """Return the reports of a build, the oldest first; those of one moment by step and number."""
        found = []
        for place in self._folder(build_id).glob(f"*/{_ABOUT}"):
            if not place.parent.name.startswith("."):
                with contextlib.suppress(FileNotFoundError):  # replaced in this moment
                    found.append(msgspec.json.decode(place.read_bytes(), type=Report))
        return sorted(found, key=lambda report: (report.created_at, report.step, report.number.zfill(4)))

    def report(self, build_id: str, report_id: str) -> Report | None:
        """Return one report; None where there is none."""
        try:
            about = (self._place(self._folder(build_id), report_id) / _ABOUT).read_bytes()
        except (FileNotFoundError, ValueError):
            return None
        return msgspec.json.decode(about, type=Report)

    def opened(self, build_id: str, report_id: str, path: str) -> IO[bytes] | None:
        """Open one file of a report for reading; None where there is none. The caller closes it.

        No link is followed, and no path leads out of the report.
        """
        try:
            return volume.opened_file(self._place(self._folder(build_id), report_id) / _FILES, path)
        except ValueError:
            return None

    def _folder(self, build_id: str) -> Path:
        return self.root / _checked(build_id)

    @staticmethod
    def _place(folder: Path, report_id: str) -> Path:
        return folder / _checked(report_id)


def _checked(name: str) -> str:
    if not _ID.match(name):
        raise ValueError(f"{name!r} is no id of a build or a report")
    return name
