"""Which steps of a plan wait for which: what a graph of a build draws."""

from headrace.pipeline.plan import Group, Plan, PlannedStep


def needs(plan: Plan) -> dict[str, list[str]]:
    """Return, for each step, the steps of the same group that it waits for, in the order of the file.

    Of steps that run one after the other it is the one before; of those side by side, what their
    conditions name.
    """
    modes = {step.name: step.action.mode for step in plan.steps if isinstance(step.action, Group)}
    before: dict[str | None, str] = {}  # by group: the member that stands before
    members: dict[str | None, set[str]] = {}
    for step in plan.steps:
        members.setdefault(step.parent, set()).add(step.name)
    found: dict[str, list[str]] = {}
    for step in plan.steps:
        mode = plan.mode if step.parent is None else modes.get(step.parent, "sequential")
        if mode == "sequential":
            found[step.name] = [before[step.parent]] if step.parent in before else []
        else:
            found[step.name] = [name for name in _named(step) if name in members[step.parent]]
        before[step.parent] = step.name
    return found


def _named(step: PlannedStep) -> list[str]:
    if step.when is None:
        return []
    conditions = (*(step.when.steps_all or ()), *(step.when.steps_any or ()))
    return list(dict.fromkeys(condition.name for condition in conditions))
