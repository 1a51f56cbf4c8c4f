"""Which volume a build gets, and which volumes are kept for later builds.

A build goes on with the volume that the pipeline's last build left, where nobody has it; else it
begins with an empty one. The volume itself is the runtime's: a row here may speak of one that is
gone, or on another machine; it is made again, empty.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from headrace.resources.builds import queue
from headrace.resources.builds.model import volumes

_DAY_S = 86_400.0
_GB = 10**9


class VolumeLimits(msgspec.Struct, frozen=True):
    """How long volumes are kept that no build has."""

    days: float = 7.0  # since the end of the last build; 0: not at all
    total_gb: float = 20.0  # of all such volumes together


def take(db: Connection, claim: queue.Claim) -> str:
    """Give a claimed build its volume.

    Returns:
        The id of the volume; empty where it is the build's own.
    """
    build_id = claim.order.build_id
    if claim.order.attempt > 1:
        has = select(volumes.c.id).where(volumes.c.build_id == build_id, volumes.c.free_since.is_(None))
        return db.execute(has).scalar() or ""
    is_reset = claim.options.get("resetVolume") and claim.volume_from is None
    if claim.pipeline_id is None or is_reset:
        return ""
    free = select(volumes.c.id).where(
        volumes.c.pipeline_id == claim.pipeline_id, volumes.c.free_since.is_not(None)
    )
    if claim.volume_from is not None:  # only as that build left it
        free = free.where(volumes.c.build_id == claim.volume_from)
    chosen = (
        free.order_by(volumes.c.free_since.desc(), volumes.c.id.desc())
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taking = update(volumes).where(volumes.c.id == chosen).values(build_id=build_id, free_since=None)
    return db.execute(taking.returning(volumes.c.id)).scalar() or ""


def leave(db: Connection, build_id: str, pipeline_id: str, *, now: datetime) -> None:
    """Keep the volume of a build that has ended, for the next one of its pipeline."""
    freed = update(volumes).where(volumes.c.build_id == build_id, volumes.c.free_since.is_(None))
    if not db.execute(freed.values(free_since=now)).rowcount:
        row = {"id": build_id, "pipeline_id": pipeline_id, "build_id": build_id, "free_since": now}
        db.execute(insert(volumes), row)


def drop_surplus(db: Connection, sizes: Mapping[str, int], limits: VolumeLimits) -> frozenset[str]:
    """Forget volumes that are too old, and the oldest where all are too big together.

    Args:
        db: as everywhere.
        sizes: of the volumes of one machine, in bytes by id.
        limits: what is too old, and too big.

    Returns:
        Those of ``sizes`` that are to be removed: nobody has them, and nobody will get them.
    """
    now = datetime.now(UTC)
    query = select(volumes.c.id, volumes.c.free_since).order_by(volumes.c.free_since.desc(), volumes.c.id)
    kept = {*queue.unended(db)}
    old: list[str] = []
    total = 0
    for volume, since in db.execute(query).all():
        if since is None:
            kept.add(volume)
            continue
        total += sizes.get(volume, 0)
        if now - since >= timedelta(seconds=limits.days * _DAY_S) or total > limits.total_gb * _GB:
            old.append(volume)
        else:
            kept.add(volume)
    for volume in old:
        dropping = delete(volumes).where(volumes.c.id == volume, volumes.c.free_since.is_not(None))
        if not db.execute(dropping).rowcount:  # a build has taken it meanwhile
            kept.add(volume)
    return frozenset(sizes.keys() - kept)
