"""The secrets of builds, opened from the database: fills `execution.ports.SecretSource`."""

import asyncio
from collections.abc import Sequence

from headrace.execution.ports import GitCredentials, RegistryAccess, SecretRef
from headrace.http.errors import ApiError
from headrace.http.outside import SECRETS
from headrace.integrations.clusters import Networks
from headrace.integrations.secrets import Place, StoreFailed, address_of, read_cluster, read_vault
from headrace.kit.crypto import CannotOpen, SecretBox
from headrace.resources.clusters import service as clusters
from headrace.resources.contexts import service as contexts
from headrace.resources.registries import service as registries
from headrace.storage.engine import Database

KEY = "build/key"  # the path of the build's own API key; any other path is a sealed text


class DatabaseSecrets:
    """Opens the secrets of the builds that this worker has claimed.

    Args:
        database: where the git contexts are.
        box: seals and opens, for the account of the build.
        networks: where stores of secrets may be.
    """

    def __init__(self, database: Database, box: SecretBox, networks: Networks) -> None:
        self._database = database
        self._box = box
        self._networks = networks
        self._held: dict[str, tuple[str, str]] = {}  # build id → account id, key

    def hold(self, build_id: str, account_id: str, key: str) -> None:
        """Take note of a claimed build and of its key, which is stored nowhere in clear."""
        self._held[build_id] = (account_id, key)

    def forget(self, build_id: str) -> None:
        """Forget a build that is not held any more."""
        self._held.pop(build_id, None)

    async def open(self, build_id: str, ref: SecretRef) -> str:
        """Return the value of a secret. Raises `LookupError` where it cannot be opened."""
        account_id, key = self._held[build_id]
        if ref.path == KEY:
            return key
        try:
            return self._box.open(ref.path, account_id)
        except CannotOpen as problem:
            raise LookupError(str(problem)) from None

    async def seal(self, build_id: str, name: str, value: str) -> SecretRef:  # noqa: ARG002 - the port's shape
        """Seal a value that a step exported."""
        account_id, _ = self._held[build_id]
        return SecretRef(self._box.seal(value, account_id))

    async def stored(self, build_id: str, name: str) -> str:
        """Return a secret of an outside store, which a context names. Raises `LookupError`."""
        account_id, _ = self._held[build_id]
        return await SECRETS.run(self._read_stored, account_id, name)

    def _read_stored(self, account_id: str, name: str) -> str:
        store, _, rest = name.partition(".")
        with self._database.reading() as db:
            kind, data = contexts.secret_store(db, self._box, account_id, store)
        try:
            address = address_of(rest)
            if kind == contexts.VAULT:
                return read_vault(data, address, self._networks)
            place = Place.of(data)
            return clusters.ask(
                self._database,
                self._box,
                self._networks,
                account_id,
                place.cluster,
                lambda cluster: read_cluster(cluster, place, address),
            )
        except StoreFailed as problem:
            raise LookupError(f"store {store!r}: {problem}") from None
        except ApiError as refusal:
            raise LookupError(f"store {store!r}: {refusal.message}") from None

    async def git(self, build_id: str, context: str | None) -> GitCredentials:
        """Return how to reach the Git host of a context. Raises `LookupError`."""
        account_id, _ = self._held[build_id]

        def read() -> GitCredentials:
            with self._database.reading() as db:
                return contexts.git_credentials(db, self._box, account_id, context)

        return await asyncio.to_thread(read)

    async def registries(self, build_id: str) -> Sequence[RegistryAccess]:
        """Return the registries of the build's account."""
        account_id, _ = self._held[build_id]

        def read() -> list[RegistryAccess]:
            with self._database.reading() as db:
                return registries.accesses(db, self._box, account_id)

        return await asyncio.to_thread(read)
