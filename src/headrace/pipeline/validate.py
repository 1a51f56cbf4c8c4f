"""The validator: everything that is wrong with a pipeline file, in the two forms of its endpoint.

It speaks for the language: what Headrace does not run yet is no error here.
Source: `reference/pipeline-yaml.md`, section 11; `reference/api.md`, "Validator answer".
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from headrace.pipeline.account import Account, check_account, uneven_folds
from headrace.pipeline.document import Document, load, mixed_indentation, of_mapping
from headrace.pipeline.errors import SpecError, SpecErrors
from headrace.pipeline.findings import Findings
from headrace.pipeline.spec import read_spec
from headrace.pipeline.steps import STEP_TYPES
from headrace.pipeline.steps.base import StepType
from headrace.pipeline.waits import warn_of_endless_waits

DOCS = "https://codefresh.io/docs/docs/pipelines/"
WORKFLOW_DOCS = f"{DOCS}what-is-the-codefresh-yaml/"


class Validation(msgspec.Struct, frozen=True):
    """What a validation found; each part is sorted by line. Warnings alone leave a file valid."""

    errors: tuple[SpecError, ...] = ()
    warnings: tuple[SpecError, ...] = ()
    types: Mapping[str, str] = {}  # name of each step that was read, and its type

    @property
    def is_valid(self) -> bool:
        """No errors."""
        return not self.errors

    def docs_link(self, problem: SpecError) -> str:
        """The page that explains what the problem is about."""
        step_type = self.types.get(problem.step_name)
        return f"{DOCS}steps/{step_type}/" if step_type in STEP_TYPES else WORKFLOW_DOCS


def validate(
    source: str | Mapping[str, Any],
    *,
    step_types: Mapping[str, StepType] = STEP_TYPES,
    account: Account | None = None,
) -> Validation:
    """Find everything that is wrong; never raises.

    Args:
        source: the text of a ``codefresh.yml`` or of a ``kind: pipeline`` document, or either as
            plain values. A ``spec`` with a ``specTemplate`` has no steps of its own to check.
        step_types: the known types, by name.
        account: what the steps may name; with it the text, too, is looked at for habits that are
            no mistake of the language. None leaves both out.
    """
    text = source if isinstance(source, str) and account is not None else ""
    if mixed := mixed_indentation(text):
        return Validation(tuple(mixed))
    try:
        document = load(source) if isinstance(source, str) else of_mapping(source)
    except SpecErrors as errors:
        return Validation(errors.errors)
    if _is_elsewhere(document):
        return Validation()
    found = Findings(document)
    read = read_spec(document, found, step_types)
    if account is not None:
        check_account(read.steps, account, found)
    if read.root.get("mode") == "parallel":
        warn_of_endless_waits(read.steps, found)
    found.warnings += [_uneven(line) for line in uneven_folds(text)]
    return Validation(
        _sorted(found.errors), _sorted(found.warnings), {step.name: step.type for step in read.steps}
    )


def with_errors(validation: Validation, errors: Iterable[SpecError]) -> Validation:
    """Return a validation with more errors among its own."""
    return msgspec.structs.replace(validation, errors=_sorted([*validation.errors, *errors]))


def _uneven(line: int) -> SpecError:
    return SpecError(
        "Your YAML contains invalid indentation after characters '>-'.",
        hint="indent it as the first line after '>-'",
        line=line,
        type="Warning",
        code=500,
    )


def _is_elsewhere(document: Document) -> bool:
    data = document.data
    spec = data.get("spec") if isinstance(data, dict) and data.get("kind") == "pipeline" else None
    return isinstance(spec, dict) and bool(spec.get("specTemplate"))


def _sorted(problems: list[SpecError]) -> tuple[SpecError, ...]:
    return tuple(sorted(problems, key=lambda problem: problem.line))


def lint_answer(validation: Validation) -> dict[str, Any]:
    """The endpoint's answer for ``outputFormat: lint``: tables as text, and a summary."""
    problems = [*validation.errors, *validation.warnings]
    answer: dict[str, Any] = {"valid": validation.is_valid}
    if not problems:
        return answer
    if validation.errors:
        answer["message"] = _table(validation.errors, "error")
    if validation.warnings:
        answer["warningMessage"] = _table(validation.warnings, "warning")
    answer["summarize"] = _summary(len(validation.errors), len(validation.warnings))
    links = {validation.docs_link(problem): _area(validation, problem) for problem in problems}
    answer["documentationLinks"] = "".join(
        f"Visit {link} for {area} documentation\n" for link, area in links.items()
    )
    return answer


def details_answer(validation: Validation) -> dict[str, Any]:
    """The endpoint's classic answer: one object for each error."""
    if validation.is_valid:
        return {"valid": True}
    return {"valid": False, "details": [_detail(validation, problem) for problem in validation.errors]}


def full_answer(validation: Validation) -> dict[str, Any]:
    """The endpoint's answer for ``outputFormat: full``, which is ours: errors, and warnings beside them."""
    return {
        "valid": validation.is_valid,
        "details": [_detail(validation, problem) for problem in validation.errors],
        "warnings": [_detail(validation, problem) for problem in validation.warnings],
    }


def _detail(validation: Validation, problem: SpecError) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "message": problem.message,
        "type": problem.type,
        "path": problem.path,
        "context": {"key": problem.key},
        "level": problem.level,
        "docsLink": validation.docs_link(problem),
        "lines": problem.line,
    }
    if problem.step_name:
        detail["stepName"] = problem.step_name
    if problem.hint:
        detail["actionItems"] = problem.hint
    if problem.code is not None:
        detail["code"] = problem.code
    if problem.suggestion is not None:
        written, meant = problem.suggestion
        detail["suggestion"] = {"from": written, "to": meant}
    return detail


def _area(validation: Validation, problem: SpecError) -> str:
    return validation.types.get(problem.step_name) or "codefresh.yml"


def _table(problems: tuple[SpecError, ...], kind: str) -> str:
    width = max(len(str(problem.line)) for problem in problems)
    rows = (f"  {problem.line:>{width}}  {kind}  {problem.message.strip()}" for problem in problems)
    return "\n".join(rows) + "\n"


def _summary(errors: int, warnings: int) -> str:
    return (
        f"✖ {_count(errors + warnings, 'problem')} ({_count(errors, 'error')}, {_count(warnings, 'warning')})"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
