"""The rules of environments: what readers see, and what may be asked of one.

An environment is changed by a wish, which the worker on its engine carries out; see `keeping`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from headrace.execution.ports import Launch, Launched
from headrace.http.errors import BadRequest, Conflict, NotFound
from headrace.http.rights import Rights
from headrace.kit.clock import wire_time
from headrace.resources.builds import service as builds
from headrace.resources.builds.schemas import Build
from headrace.resources.environments import repository
from headrace.resources.environments.schemas import (
    Environment,
    EnvironmentOut,
    InstanceOut,
    Status,
    StatusOut,
    Wish,
)
from headrace.runtimes.base import LaunchedService
from headrace.storage import signals

WISHED = "environments"  # signal: something is to be done to an environment
_MOST_NAME = 255
_UNHEARD = timedelta(seconds=60)  # a wish that is older finds no worker
_DOING = {
    "start": "starting",
    "stop": "stopping",
    "pause": "pausing",
    "unpause": "unpausing",
    "terminate": "terminating",
}
_FROM: dict[str, tuple[Status, ...]] = {
    "start": ("stopped", "running"),  # a service of one that runs may have ended
    "stop": ("running", "paused"),
    "pause": ("running",),
    "unpause": ("paused",),
}
_CURES = {
    "creating": "wait until it runs",
    "running": "pause or stop it",
    "paused": "unpause it first",
    "stopped": "start it first",
    "error": "terminate it, and launch it again",
}
_THERE: dict[str, Status] = {"stop": "stopped", "pause": "paused", "unpause": "running"}
_CREATION = {"creating": "inProgress", "running": "done"}  # in the words of existing clients


def listed(db: Connection, account_id: str, rights: Rights) -> list[EnvironmentOut]:
    """Return the account's environments by name: those of builds that the caller may read."""
    return [_shown(each) for each in _seen(db, account_id, rights)]


def _seen(db: Connection, account_id: str, rights: Rights) -> list[Environment]:
    seen = rights.seen(db, "pipeline")
    return repository.listed(db, account_id, None if seen is None else builds.ids_seen(account_id, seen))


def get(db: Connection, account_id: str, wanted: str) -> EnvironmentOut:
    """Return an environment by its id or name. Raises `NotFound`."""
    return _shown(_find(db, account_id, wanted))


def status(db: Connection, account_id: str, wanted: str) -> StatusOut:
    """Return what an environment does now. Raises `NotFound`."""
    found = _shown(_find(db, account_id, wanted))
    return StatusOut(id=found.id, name=found.name, status=found.status, reason=found.reason)


def rename(db: Connection, account_id: str, wanted: str, name: str) -> EnvironmentOut:
    """Give an environment another name.

    Raises:
        NotFound: there is none.
        BadRequest: the name is too long, or blank.
        Conflict: another one has the name.
    """
    found = _find(db, account_id, wanted)
    if not name.strip() or len(name) > _MOST_NAME:
        raise BadRequest(f"newName: 1 to {_MOST_NAME} characters, not all of them blank")
    if any(other.id != found.id for other in repository.named(db, account_id, name)):
        raise Conflict(f"environment already exists: {name!r}; terminate it, or choose another name")
    repository.change(db, account_id, found.id, name=name)
    return get(db, account_id, found.id)


def wish(db: Connection, account_id: str, wanted: str, wished: Wish) -> EnvironmentOut:
    """Ask for something to be done; what is so already is left alone.

    Raises:
        NotFound: there is none.
        Conflict: it is not in a state for that, or something else is being done.
    """
    found = _find(db, account_id, wanted)
    if wished == "terminate":
        _store_wish(db, found, wished)
    elif found.wish not in ("", wished):
        raise Conflict(f"environment {found.name!r} is {_DOING[found.wish]}; ask again when that is done")
    elif found.status not in (_THERE.get(wished), *_FROM[wished]):
        raise Conflict(f"environment {found.name!r} is {_state(found)}; {_CURES[found.status]}")
    elif found.status != _THERE.get(wished):
        _store_wish(db, found, wished)
    return get(db, account_id, found.id)


def terminate_all(db: Connection, account_id: str, rights: Rights) -> list[EnvironmentOut]:
    """Ask for the end of all environments that the caller may end; return what is left to see, by name."""
    for found in _seen(db, account_id, rights):
        if rights.allows(db, "run", "environment", found.id):
            _store_wish(db, found, "terminate")
    return listed(db, account_id, rights)


def _store_wish(db: Connection, found: Environment, wished: Wish) -> None:
    if found.wish != wished:
        now = datetime.now(UTC)
        repository.change(db, found.account_id, found.id, wish=wished, wished_at=now, reason="")
    signals.publish(db, WISHED)
    tell(db, found.account_id)


def tell(db: Connection, account_id: str) -> None:
    """Wake those who look at the environments of an account."""
    signals.publish(db, signals.of_account(account_id, "environments"))


# What a build that launches one writes


def begin(db: Connection, build: Build, launch: Launch) -> Launched:
    """Put an environment on record, and give up those of its name."""
    earlier = repository.named(db, build.account_id, launch.name)
    for one in earlier:
        _store_wish(db, one, "terminate")
    services = tuple(
        LaunchedService(name=name, image=image, state="stopped") for name, image in launch.services.items()
    )
    made = repository.add(
        db,
        build.account_id,
        now=datetime.now(UTC),
        name=launch.name,
        status="creating",
        wish="",
        reason="",
        engine=launch.engine,
        composition=launch.composition,
        entry_point=launch.entry_point,
        services=services,
        build_id=build.id,
        repo="/".join(filter(None, (build.repo_owner, build.repo_name))),
        branch=build.branch or "",
        revision=build.revision or "",
    )
    tell(db, build.account_id)
    return Launched(made, tuple(one.id for one in earlier if one.engine == launch.engine))


def runs(db: Connection, account_id: str, environment_id: str, services: Sequence[LaunchedService]) -> None:
    """Say that the services of an environment were started. Raises `NotFound`: it was given up."""
    found = repository.find(db, account_id, environment_id)
    if found is None or found.wish == "terminate":
        raise NotFound("the environment was terminated while it started, by a later launch or by somebody")
    repository.change(db, account_id, environment_id, status="running", services=tuple(services))
    tell(db, account_id)


def failed(db: Connection, account_id: str, environment_id: str) -> None:
    """Forget an environment of which nothing is left. Safe twice."""
    repository.remove(db, account_id, environment_id)
    tell(db, account_id)


def _find(db: Connection, account_id: str, wanted: str) -> Environment:
    found = repository.find(db, account_id, wanted)
    if found is None:
        raise NotFound(f"could not find environment {wanted!r}")
    return found


def _state(found: Environment) -> str:
    return _DOING.get(found.wish, found.status)


def _shown(found: Environment) -> EnvironmentOut:
    reason = found.reason
    if found.wish and not reason and datetime.now(UTC) - found.wished_at > _UNHEARD:
        reason = f"no worker on its Docker engine ({found.engine}) does it; start one there"
    state = _state(found)
    return EnvironmentOut(
        id=found.id,
        name=found.name,
        status=state,
        creation_status=_CREATION.get(state, state),
        reason=reason,
        composition=found.composition,
        entry_point=found.entry_point,
        build_id=found.build_id,
        instances=[
            InstanceOut(
                service_name=one.name,
                image=one.image,
                status=one.state,
                exit_code=one.exit_code,
                urls=dict(one.ports),
                sha=found.revision,
                branch=found.branch,
                repo_name=found.repo,
            )
            for one in found.services
        ],
        created=wire_time(found.created_at),
    )
