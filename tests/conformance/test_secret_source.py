"""What execution relies on when it opens secrets: `execution.ports.SecretSource`."""

import base64
import contextlib
from datetime import UTC, datetime

import pytest

from cluster import small_cluster
from fakes import MemorySecrets
from headrace.execution.ports import SecretRef
from headrace.http.auth import Caller
from headrace.integrations.clusters import Networks
from headrace.kit.crypto import SecretBox
from headrace.resources.accounts import service as accounts
from headrace.resources.builds.secrets import DatabaseSecrets
from headrace.resources.clusters import service as clusters
from headrace.resources.clusters.schemas import ClusterFields
from headrace.resources.contexts import service as contexts
from headrace.storage.engine import Database
from vault import small_vault

pytestmark = pytest.mark.enable_socket
BUILD = "b" * 24
STORED = {"vault.secret/app/db@password": "v2-s3cret", "small.app@tls.key": "k3y"}


def caller_of(account):
    return Caller(
        account_id=account.id,
        account_name=account.name,
        user_id="u" * 24,
        user_name="ada",
        kind="api-key",
        scopes=frozenset(),
    )


@contextlib.contextmanager
def in_database(url, tmp_path):
    """A database with contexts of a small Vault and of a small cluster that is registered."""
    database, box = Database(url), SecretBox({"test": b"k" * 32})
    networks = Networks.read("127.0.0.0/8,::1/128")
    with small_vault() as vault, small_cluster(tmp_path) as cluster:
        cluster.add("secrets", "app", data={"tls.key": base64.b64encode(b"k3y").decode()})
        with database.transaction() as db:
            account = accounts.create(db, "acme", now=datetime.now(UTC))
            caller = caller_of(account)
            contexts.create(db, caller, box, vault.context())
            data = {"cluster": "small", "namespace": "default", "resourceType": "secret"}
            spec = {"type": "secret-store.kubernetes", "data": data}
            contexts.create(db, caller, box, {"metadata": {"name": "small"}, "spec": spec})
            config = {"type": "config", "data": {"a": "b"}}
            contexts.create(db, caller, box, {"metadata": {"name": "plain"}, "spec": config})
        fields = cluster.token_fields()
        given = ClusterFields(
            selector="small",
            host=fields["host"],
            service_account_token=fields["serviceAccountToken"],
            client_ca=fields["clientCa"],
        )
        clusters.create(database, box, networks, account.id, "local", given)
        source = DatabaseSecrets(database, box, networks)
        source.hold(BUILD, account.id, "the-key")
        yield source
    database.close()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def engine_name(request):
    """What the source reads: the fake, or the database of this engine."""
    return request.param


@pytest.fixture
def source(engine_name, request, tmp_path):
    if engine_name == "memory":
        yield MemorySecrets(stored=STORED)
        return
    with in_database(request.getfixturevalue("database_url"), tmp_path) as found:
        yield found


async def test_what_was_sealed_can_be_opened(source):
    ref = await source.seal(BUILD, "TOKEN", "s3cret")
    assert "s3cret" not in ref.path
    assert await source.open(BUILD, ref) == "s3cret"


async def test_what_is_no_secret_is_a_lookup_error(source):
    with pytest.raises(LookupError):
        await source.open(BUILD, SecretRef("nothing"))


async def test_a_git_context_that_is_not_there_is_a_lookup_error(source):
    with pytest.raises(LookupError, match="nowhere"):
        await source.git(BUILD, "nowhere")


async def test_an_account_without_registries_has_none(source):
    assert list(await source.registries(BUILD)) == []


@pytest.mark.parametrize(("name", "value"), STORED.items())
async def test_a_secret_of_a_store_is_read_by_its_address(source, name, value):
    assert await source.stored(BUILD, name) == value


@pytest.mark.parametrize(
    "name", ["vault.secret/app/db@none", "vault.secret/none@password", "small.none@k", "nowhere.a@b", "vault"]
)
async def test_a_secret_that_is_not_there_is_a_lookup_error(source, name):
    with pytest.raises(LookupError) as missing:
        await source.stored(BUILD, name)
    assert "s3cret" not in str(missing.value)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_a_context_that_is_no_store_is_named(source):
    with pytest.raises(LookupError, match="'plain' of type config is no store of secrets here"):
        await source.stored(BUILD, "plain.a")
