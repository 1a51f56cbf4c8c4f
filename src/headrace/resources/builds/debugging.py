"""The debugger from outside: which steps wait at a breakpoint, and what is asked of them.

Source: `reference/pipeline-yaml.md` 12.1. The public API names no operation for this: ours is
``POST /workflow/{buildId}/debug``, beside those of approvals.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, func, insert, select

from headrace.execution.ports import DebugCommand, StepState
from headrace.http.errors import BadRequest
from headrace.kit.clock import wire_time
from headrace.kit.ids import new_id
from headrace.pipeline.plan import Phase
from headrace.resources.builds import repository
from headrace.resources.builds.model import debug_commands
from headrace.resources.builds.schemas import Build, DebugBody, DebugOut, PauseOut
from headrace.storage import signals

_MOST_COMMANDS = 1000  # to one build; they are kept until it ends


def asked(build_id: str) -> str:
    """Return the signal that says that something is asked of a step that waits."""
    return f"debug:{build_id}"


def shown(state: StepState) -> PauseOut | None:
    """Show the breakpoint at which a step waits."""
    if state.paused is None or state.status.is_final:
        return None
    return PauseOut(
        step=state.name,
        phase=state.paused.phase,
        since=wire_time(state.paused.since),
        until=wire_time(state.paused.until),
    )


def paused(states: Iterable[StepState]) -> list[PauseOut]:
    """Show all breakpoints at which steps wait, the longest wait first."""
    found = [one for one in map(shown, states) if one is not None]
    return sorted(found, key=lambda one: (one.since, one.step))


def ask(db: Connection, build: Build, user_name: str, body: DebugBody) -> DebugOut:
    """Ask something of a step that waits; its worker takes it up.

    Raises:
        BadRequest: no such step waits, several do and none is named, or a script is missing.
    """
    if (body.action == "run") != bool(body.script.strip()):
        raise BadRequest("script: needed for the action 'run', and for it alone")
    build = repository.locked(db, build)
    waits = paused(repository.paused_steps(db, build.id))
    names = [one.step for one in waits]
    if body.step and body.step not in names:
        known = f"those that do: {', '.join(names)}" if names else "none does"
        raise BadRequest(f"step {body.step!r} of build {build.id} waits at no breakpoint; {known}")
    if not waits:
        raise BadRequest(
            f"build {build.id} waits at no breakpoint, its status is {build.status!s}; "
            "run it in debug mode, with breakpoints at its steps"
        )
    if len(waits) > 1 and not body.step:
        raise BadRequest(f"step: several wait at a breakpoint, name one: {', '.join(names)}")
    chosen = next(one for one in waits if body.step in ("", one.step))
    row = {
        "id": _next_id(db, build.id),
        "step": chosen.step,
        "phase": chosen.phase,
        "action": body.action,
    }
    db.execute(insert(debug_commands).values(**row, build_id=build.id, script=body.script, by=user_name))
    signals.publish(db, asked(build.id))
    return DebugOut(**row)


def _next_id(db: Connection, build_id: str) -> str:
    """Return an id above those of all commands to a build, whatever the clocks of servers say."""
    table = debug_commands.c
    query = select(func.count(), func.max(table.id)).where(table.build_id == build_id)
    count, last = db.execute(query).one()
    if count >= _MOST_COMMANDS:
        raise BadRequest(
            f"build {build_id} has had {_MOST_COMMANDS} debug commands; terminate it, and run it again"
        )
    own = new_id()
    return own if last is None or own > last else f"{int(last, 16) + 1:024x}"


def first(db: Connection, build_id: str, step: str, phase: Phase, *, after: str) -> DebugCommand | None:
    """Return the first command to a step at a breakpoint that came after another; None: there is none yet."""
    table = debug_commands.c
    query = select(debug_commands).where(
        table.build_id == build_id, table.step == step, table.phase == phase, table.id > after
    )
    row = db.execute(query.order_by(table.id).limit(1)).first()
    return None if row is None else DebugCommand(id=row.id, action=row.action, text=row.script, by=row.by)


def forget(db: Connection, build_id: str) -> None:
    """Forget what was asked of a build; it has ended."""
    db.execute(delete(debug_commands).where(debug_commands.c.build_id == build_id))
