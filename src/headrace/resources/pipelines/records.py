"""What builds write about projects, pipelines, builds and images: fills `execution.ports.Records`."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

from sqlalchemy import Connection

from headrace.execution.ports import (
    Deployment,
    Kubeconfig,
    Launch,
    Launched,
    MadeImage,
    Rollout,
    StoredComposition,
    Target,
)
from headrace.http.errors import ApiError, NotFound
from headrace.http.outside import FILES
from headrace.integrations.clusters import Networks
from headrace.integrations.web import NoAnswer, download
from headrace.kit.crypto import SecretBox
from headrace.resources.annotations import service as annotations
from headrace.resources.builds import service as builds
from headrace.resources.builds.schemas import Build
from headrace.resources.clusters import service as clusters
from headrace.resources.compositions import service as compositions
from headrace.resources.environments import service as environments
from headrace.resources.images import service as images
from headrace.resources.pipelines import definitions
from headrace.resources.projects import service as projects
from headrace.runtimes.base import LaunchedService
from headrace.storage import signals
from headrace.storage.engine import Database

Result = TypeVar("Result")

_IMAGE = "image"  # what annotations call an image


class DatabaseRecords:
    """Writes to the database and to clusters, within the account of the build.

    Args:
        database: of the installation.
        box: opens the logins of clusters and registries.
        networks: where clusters may be.
    """

    def __init__(self, database: Database, box: SecretBox, networks: Networks) -> None:
        self._database, self._box, self._networks = database, box, networks

    async def annotate(
        self, build_id: str, target: Target, values: Mapping[str, str], *, display: str | None = None
    ) -> None:
        """Set annotations of an entity of the account."""

        def write(db: Connection, build: Build) -> None:
            entity_type, entity_id = self._entity(db, build, target)
            for name, value in values.items():
                annotations.put(
                    db,
                    build.account_id,
                    entity_type=entity_type,
                    entity_id=entity_id,
                    key=name,
                    value=value,
                    display=name == display,
                )
            signals.publish(db, builds.changed(build.id))

        await self._in_transaction(build_id, write)

    async def remove_annotations(self, build_id: str, target: Target, names: Sequence[str]) -> None:
        """Remove annotations of an entity of the account."""

        def write(db: Connection, build: Build) -> None:
            entity_type, entity_id = self._entity(db, build, target)
            annotations.remove(db, build.account_id, entity_type=entity_type, entity_id=entity_id, keys=names)
            signals.publish(db, builds.changed(build.id))

        await self._in_transaction(build_id, write)

    async def image_metadata(self, build_id: str, image: str, values: Mapping[str, str]) -> None:
        """Set metadata of an image, which is what its annotations are."""
        await self.annotate(build_id, Target("image", image), values)

    def _entity(self, db: Connection, build: Build, target: Target) -> tuple[str, str]:
        """Return what annotations call an entity: its type and its id."""
        wanted = target.entity_id
        match target.entity_type:
            case "image":
                if wanted is None:
                    raise LookupError("an annotation of an image needs its 'entity_id'")
                return _IMAGE, self._image(db, build, wanted)
            case "build":
                found = build if wanted is None else builds.find(db, build.account_id, wanted)
                return builds.ENTITY, found.id
            case "pipeline":
                wanted = wanted or build.pipeline_id
                if wanted is None:
                    raise LookupError("this build is of no pipeline; name one by 'entity_id'")
                return "pipeline", definitions.find(db, build.account_id, wanted).id
            case "project":
                return "project", projects.find(db, build.account_id, wanted or build.project).id

    async def image_made(self, build_id: str, image: MadeImage) -> None:
        """Keep an image that a step of the build made."""

        def write(db: Connection, build: Build) -> None:
            images.keep(db, build.account_id, image, build_id=build.id, pipeline_id=build.pipeline_id)

        await self._in_transaction(build_id, write)

    async def last_image(self, build_id: str, display_name: str) -> str | None:
        """Return the whole name of the last image of that name which this pipeline pushed."""

        def read(db: Connection, build: Build) -> str | None:
            return images.last_pushed(db, build.account_id, build.pipeline_id, display_name)

        return await self._in_transaction(build_id, read)

    async def deploy(self, build_id: str, deployment: Deployment) -> tuple[Rollout, ...]:
        """Change what is in a cluster of the account."""
        account_id = await self._account(build_id)
        return await self._called(
            lambda: clusters.deploy(self._database, self._box, self._networks, account_id, deployment)
        )

    async def composition(self, build_id: str, name: str) -> StoredComposition:
        """Return a stored composition of the account."""

        def read(db: Connection, build: Build) -> StoredComposition:
            return compositions.stored(db, build.account_id, name)

        return await self._reading(build_id, read)

    async def environment_begins(self, build_id: str, launch: Launch) -> Launched:
        """Put an environment of the account on record, and give up those of its name."""
        return await self._in_transaction(build_id, lambda db, build: environments.begin(db, build, launch))

    async def environment_runs(
        self, build_id: str, environment_id: str, services: Sequence[LaunchedService]
    ) -> None:
        """Say that the services of an environment were started."""

        def write(db: Connection, build: Build) -> None:
            environments.runs(db, build.account_id, environment_id, services)

        await self._in_transaction(build_id, write)

    async def environment_failed(self, build_id: str, environment_id: str) -> None:
        """Take an environment off the record."""

        def write(db: Connection, build: Build) -> None:
            environments.failed(db, build.account_id, environment_id)

        await self._in_transaction(build_id, write)

    async def kubeconfig(self, build_id: str) -> Kubeconfig:
        """Return the kubeconfig of the clusters that the pipeline lets into its builds; all by default."""

        def read(db: Connection, build: Build) -> Kubeconfig:
            chosen = None if build.pipeline_id is None else definitions.clusters_of(db, build.pipeline_id)
            return clusters.kubeconfig(db, self._box, build.account_id, chosen)

        return await self._reading(build_id, read)

    async def fetch(self, build_id: str, url: str, *, most_bytes: int) -> bytes:  # noqa: ARG002  # the port's shape
        """Return the file at an address."""
        try:
            return await FILES.run(download, url, self._networks, most_bytes=most_bytes)
        except NoAnswer as problem:
            raise LookupError(str(problem)) from None

    async def missing(self, build_id: str, cluster: str, rollouts: Sequence[Rollout]) -> str:
        """Return what the roll-outs wait for."""
        account_id = await self._account(build_id)
        return await self._called(
            lambda: clusters.missing(self._database, self._box, self._networks, account_id, cluster, rollouts)
        )

    async def _account(self, build_id: str) -> str:
        return await self._in_transaction(build_id, lambda _, build: build.account_id)

    async def _called(self, work: Callable[[], Result]) -> Result:
        """Call a cluster, outside of every transaction."""
        try:
            return await asyncio.to_thread(work)
        except ApiError as refusal:
            raise LookupError(refusal.message) from refusal

    def _image(self, db: Connection, build: Build, wanted: str) -> str:
        """Return the id of an image for its annotations; an image of others has its name only."""
        found = images.find(db, build.account_id, wanted)
        return wanted if found is None else found.internal_id

    async def _in_transaction(self, build_id: str, work: Callable[[Connection, Build], Result]) -> Result:
        return await asyncio.to_thread(self._work, self._database.transaction, build_id, work)

    async def _reading(self, build_id: str, work: Callable[[Connection, Build], Result]) -> Result:
        return await asyncio.to_thread(self._work, self._database.reading, build_id, work)

    @staticmethod
    def _work(
        opened: Callable[[], AbstractContextManager[Connection]],
        build_id: str,
        work: Callable[[Connection, Build], Result],
    ) -> Result:
        with opened() as db:
            try:
                return work(db, builds.anybody_s(db, build_id))
            except NotFound as missing:
                raise LookupError(str(missing)) from missing
