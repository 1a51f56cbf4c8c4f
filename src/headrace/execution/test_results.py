"""What test runners write down, as one summary: JUnit XML, and results of Allure.

The files are strangers' work. XML is read as a stream of events, so that its depth and its length cost
no memory; a document that declares entities is refused before one can be expanded, and nothing that it
names elsewhere is fetched.
"""

from collections.abc import Iterable, Mapping
from xml.parsers import expat

import msgspec

MOST_FAILURES = 200  # that are kept by name; all are counted
MOST_FILE_BYTES = 64 * 1024 * 1024  # a longer file of results is passed over, and the log says so
_LONGEST_NAME = 500
_LONGEST_MESSAGE = 4000
_LONGEST_S = 1e9
_ROOTS = ("testsuites", "testsuite")
_BAD = {"failure": "failed", "error": "failed", "skipped": "skipped"}
_OF_ALLURE = {"passed": "passed", "failed": "failed", "broken": "failed", "skipped": "skipped"}


class FailedCase(msgspec.Struct, frozen=True, kw_only=True):
    """One test that failed."""

    name: str
    suite: str = ""  # class or file that it is of
    message: str = ""  # first what the test said, then where; cut when it is long


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the tests of one report. `passed + failed + skipped` is all of them."""

    passed: int = 0
    failed: int = 0  # errors of tests are failures, too
    skipped: int = 0
    duration_s: float = 0.0  # of all tests together, as they say
    failures: tuple[FailedCase, ...] = ()  # in the order of the files; at most `MOST_FAILURES`


class NoResults(ValueError):
    """A file is no JUnit XML, or not well-formed; the text says which, for people."""


def joined(parts: Iterable[Results]) -> Results | None:
    """Return several results as one; None where there are none."""
    found = list(parts)
    if not found:
        return None
    return Results(
        passed=sum(one.passed for one in found),
        failed=sum(one.failed for one in found),
        skipped=sum(one.skipped for one in found),
        duration_s=round(sum(one.duration_s for one in found), 3),
        failures=tuple(each for one in found for each in one.failures)[:MOST_FAILURES],
    )


def read_junit(data: bytes) -> Results | None:
    """Read a file of the form that JUnit made known.

    Returns:
        None where it is XML of another kind (a report of coverage, say).

    Raises:
        NoResults: it is no XML, ends early, or declares entities.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except _OfAnotherKind:
        return None
    except expat.ExpatError as problem:
        raise NoResults(f"is no whole XML: {problem}") from None
    except NoResults:
        raise
    except (LookupError, UnicodeError, ValueError) as problem:  # an encoding that nobody knows
        raise NoResults(f"cannot be read: {problem}") from None
    return reader.results()


class _OfAnotherKind(Exception):
    """The root is no suite of tests."""


def _refuse(*_: object) -> None:
    raise NoResults("declares entities, which results of tests have no need of")


class _Case:
    """One ``testcase`` while it is read."""

    def __init__(self, attributes: Mapping[str, str]) -> None:
        self.name = attributes.get("name", "")
        self.suite = attributes.get("classname") or attributes.get("file") or ""
        self.outcome = "passed"
        self.message = ""
        self.trace = ""


class _Reader:
    """Takes the events of one file in their order."""

    def __init__(self) -> None:
        self._counts = {"passed": 0, "failed": 0, "skipped": 0}
        self._duration_s = 0.0
        self._failures: list[FailedCase] = []
        self._depth = 0
        self._case: _Case | None = None
        self._listens = 0  # depth of the element whose text is the reason

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        self._depth += 1
        name = name.rpartition(":")[2]
        if self._depth == 1 and name not in _ROOTS:
            raise _OfAnotherKind
        if name == "testcase":
            self._case = _Case(attributes)
            self._duration_s += _seconds(attributes.get("time", ""))
        elif self._case is not None and name in _BAD and self._case.outcome != "failed":
            self._case.outcome = _BAD[name]
            self._case.message, self._case.trace = attributes.get("message", ""), ""
            self._listens = self._depth

    def text(self, data: str) -> None:
        """Text within an element."""
        case = self._case
        if case is not None and self._listens and len(case.trace) < _LONGEST_MESSAGE:
            case.trace += data

    def end(self, name: str) -> None:
        """An element ends."""
        if self._listens == self._depth:
            self._listens = 0
        self._depth -= 1
        if self._case is not None and name.rpartition(":")[2] == "testcase":
            self._keep(self._case)
            self._case = None

    def _keep(self, case: _Case) -> None:
        self._counts[case.outcome] += 1
        if case.outcome == "failed" and len(self._failures) < MOST_FAILURES:
            self._failures.append(_failed(case.name, case.suite, f"{case.message}\n{case.trace.strip()}"))

    def results(self) -> Results:
        """Return what was read."""
        return Results(**self._counts, duration_s=round(self._duration_s, 3), failures=tuple(self._failures))


def _failed(name: str, suite: str, message: str) -> FailedCase:
    return FailedCase(
        name=name[:_LONGEST_NAME],
        suite=suite[:_LONGEST_NAME],
        message=message.strip()[:_LONGEST_MESSAGE],
    )


def _seconds(text: str) -> float:
    """Return a number of seconds, ``1,234.5`` too; 0 for what is none."""
    try:
        found = float(text.replace(",", ""))
    except ValueError:
        return 0.0
    return found if 0 <= found < _LONGEST_S else 0.0


class _Details(msgspec.Struct):
    message: str | None = None
    trace: str | None = None


class _AllureResult(msgspec.Struct, rename="camel"):
    """What is read of a ``*-result.json``."""

    name: str = ""
    full_name: str = ""
    status: str = ""
    status_details: _Details | None = None
    history_id: str = ""
    start: float = 0
    stop: float = 0


def read_allure(files: Mapping[str, bytes]) -> tuple[Results | None, list[str]]:
    """Sum up results of Allure; of a test that was tried several times, the last try counts.

    Args:
        files: the content of each ``*-result.json``, by name.

    Returns:
        The results, None where there are none; and the names of files that are none.
    """
    last: dict[str, _AllureResult] = {}
    wrong = []
    for name in sorted(files):
        try:
            one = msgspec.json.decode(files[name], type=_AllureResult)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            wrong.append(name)
            continue
        key = one.history_id or name
        if key not in last or last[key].stop <= one.stop:
            last[key] = one
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    failures = []
    for one in last.values():
        outcome = _OF_ALLURE.get(one.status, "skipped")  # of an unknown status, nobody says that it ran
        counts[outcome] += 1
        if outcome == "failed":
            told = one.status_details or _Details()
            message = "\n".join(filter(None, (told.message, told.trace)))
            failures.append(_failed(one.name or one.full_name, one.full_name, message))
    if not last:
        return None, wrong
    spans_s = [(one.stop - one.start) / 1000 for one in last.values() if 0 < one.start <= one.stop]
    duration_s = sum(span for span in spans_s if span < _LONGEST_S)  # a longer one is no time that passed
    found = Results(**counts, duration_s=round(duration_s, 3), failures=tuple(failures[:MOST_FAILURES]))
    return found, wrong
