"""Steps of a pipeline in parallel mode that wait for what never comes: warnings of the validator.

Source: `reference/pipeline-yaml.md` 4.3. Such steps end as skipped, and nothing hangs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from headrace.pipeline.findings import Findings
from headrace.pipeline.spec import StepRead

_BEFORE_THE_END = frozenset({"pending", "running", "terminating"})


def warn_of_endless_waits(steps: Sequence[StepRead], found: Findings) -> None:
    """Warn of steps that wait for a step that there is not, or for each other."""
    names = {step.name for step in steps}
    waits: dict[str, list[str]] = {}
    for step in steps:
        for name in dict.fromkeys(name for name, _ in _entries(step, ("all", "any"))):
            if name not in names and "${{" not in name:
                words = f"Step '{name}' does not exist: '{step.name}' cannot wait for it."
                found.add(step.place / "when" / "steps", words, kind="Warning")
        waits[step.name] = [name for name, on in _entries(step, ("all",)) if not _BEFORE_THE_END & set(on)]
    for step in steps:
        circle = _circle(step.name, waits)
        if circle and step.name == min(circle):
            words = f"Steps {', '.join(map(repr, circle))} wait for each other and never start."
            found.add(step.place / "when" / "steps", words, kind="Warning")


def _entries(step: StepRead, forms: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The names that a step waits for, and their results; what was wrong is left out."""
    written = ((step.spec.get("when") or {}).get("steps")) or {}
    for form in forms:
        for entry in written.get(form) or ():
            if entry is not None and entry.get("name"):
                yield entry["name"], tuple(on for on in entry.get("on") or () if on)


def _circle(name: str, waits: Mapping[str, Sequence[str]]) -> list[str]:
    """The steps by which a step waits for itself, in the order of waiting; none where it does not."""
    before: dict[str, str] = {}  # the step that was reached from another one
    to_visit = [name]
    while to_visit:
        step = to_visit.pop()
        for wanted in waits.get(step, ()):
            if wanted == name:
                circle = [step]
                while circle[-1] != name:
                    circle.append(before[circle[-1]])
                return circle[::-1]
            if wanted not in before:
                before[wanted] = step
                to_visit.append(wanted)
    return []
