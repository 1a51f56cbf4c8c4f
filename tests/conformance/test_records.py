"""What execution relies on when a build writes records: `execution.ports.Records`."""

import contextlib
from datetime import UTC, datetime

import pytest

from conformance.feed_kinds import Queue
from fakes import MemoryRecords
from headrace.execution.ports import Target
from headrace.http.paging import Pages
from headrace.integrations.clusters import Networks
from headrace.kit.crypto import SecretBox
from headrace.resources.annotations import service as annotations
from headrace.resources.pipelines.records import DatabaseRecords
from headrace.resources.projects import repository
from headrace.resources.projects import service as projects

IMAGE = Target("image", "acme/api:1")


class Stored:
    """The records of one build in a database."""

    def __init__(self, queue):
        self._queue = queue
        self.build_id = queue.start()
        self.records = DatabaseRecords(queue.database, SecretBox({"k": bytes(32)}), Networks())

    def of(self, entity_type, entity_id=None):
        """Return what the annotations of an entity are, and which of them is displayed."""
        kind = "workflow" if entity_type == "build" else entity_type
        with self._queue.database.reading() as db:
            if kind == "project":
                entity_id = projects.find(db, self._queue.account.id, entity_id or "demo").id
            found = annotations.listed(
                db, self._queue.account.id, Pages(), entity_type=kind, entity_id=entity_id or self.build_id
            )
        return {each.key: each.value for each in found}, [each.key for each in found if each.display]


class Memory:
    """The fake's."""

    def __init__(self):
        self.build_id = "b" * 24
        self.records = MemoryRecords(known={"demo", IMAGE.entity_id})

    def of(self, entity_type, entity_id=None):
        key = (entity_type, entity_id)
        shown = self.records.displayed.get(key)
        values = self.records.annotations.get(key) or self.records.images.get(entity_id, {})
        return values, [] if shown is None else [shown]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def engine_name(request):
    """What holds the records: the fake, or the database of this engine."""
    return request.param


@pytest.fixture
async def kept(engine_name, request, tmp_path):
    if engine_name == "memory":
        yield Memory()
        return
    async with contextlib.AsyncExitStack() as stack:
        queue = Queue(request.getfixturevalue("database"), tmp_path, stack)
        with queue.database.transaction() as db:
            repository.add(db, queue.account.id, name="demo", tags=(), variables=(), now=datetime.now(UTC))
        yield Stored(queue)
    queue.hub.close()


async def test_annotations_are_of_the_build_unless_they_say_otherwise(kept):
    await kept.records.annotate(
        kept.build_id, Target(), {"coverage": "75%", "passed": "true"}, display="passed"
    )
    assert kept.of("build") == ({"coverage": "75%", "passed": "true"}, ["passed"])


async def test_the_same_annotations_twice_are_there_once(kept):
    for value in ("1", "2", "2"):
        await kept.records.annotate(kept.build_id, Target(), {"tries": value})
    assert kept.of("build") == ({"tries": "2"}, [])


async def test_a_project_is_found_by_its_name(kept):
    await kept.records.annotate(kept.build_id, Target("project", "demo"), {"owner": "ada"})
    assert kept.of("project", "demo") == ({"owner": "ada"}, [])


async def test_annotations_are_removed_by_name_and_absent_ones_passed_over(kept):
    await kept.records.annotate(kept.build_id, Target(), {"a": "1", "b": "2"})
    await kept.records.remove_annotations(kept.build_id, Target(), ["a", "nothing"])
    assert kept.of("build") == ({"b": "2"}, [])


async def test_an_entity_that_does_not_exist_is_named(kept):
    with pytest.raises(LookupError, match="nowhere"):
        await kept.records.annotate(kept.build_id, Target("project", "nowhere"), {"a": "1"})


async def test_an_image_takes_metadata(kept):
    await kept.records.image_metadata(kept.build_id, IMAGE.entity_id, {"quality": "85%"})
    assert kept.of("image", IMAGE.entity_id) == ({"quality": "85%"}, [])
