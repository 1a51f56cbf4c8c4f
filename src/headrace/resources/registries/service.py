"""The rules of registries: secrets are sealed, the first one is the default, builds log in with them."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from headrace.execution.ports import RegistryAccess
from headrace.http.errors import BadRequest, Conflict, NotFound
from headrace.http.paging import Pages
from headrace.integrations.registries import RegistryRefused, log_in
from headrace.kit.crypto import SecretBox
from headrace.resources.registries import repository
from headrace.resources.registries.repository import Registry
from headrace.resources.registries.schemas import PROVIDERS, SECRETS, RegistryFields, out

_COLUMNS = ("name", "domain", "provider", "default")
_HUBS = ("index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1")
_NO_AWS = (
    "logins with AWS keys are not carried out here; use provider 'other' with user AWS and the password of "
    "`aws ecr get-login-password`"
)


def listed(db: Connection, account_id: str, pages: Pages | None = None) -> list[dict[str, Any]]:
    """Return the account's registries by name, as readers see them."""
    return [_shown(each) for each in repository.listed(db, account_id, pages)]


def get(db: Connection, account_id: str, wanted: str) -> dict[str, Any]:
    """Return a registry by its id or name. Raises `NotFound`."""
    return _shown(find(db, account_id, wanted))


def find(db: Connection, account_id: str, wanted: str) -> Registry:
    """Find a registry by its id or name. Raises `NotFound`."""
    for each in repository.listed(db, account_id):
        if wanted in (each.id, each.name):
            return each
    raise NotFound(f"could not find registry {wanted!r}")


def test(given: RegistryFields) -> None:
    """Log in to a registry that is described.

    Raises:
        BadRequest: something is missing, or the registry does not let in; the text says why.
    """
    _checked(given)
    access = _access(
        given.name or "",
        _domain(given.domain) if given.domain else "",
        given.provider or "other",
        False,
        _given(given),
    )
    if access.refusal:
        raise BadRequest(access.refusal)
    try:
        log_in(access.domain, access.username, access.password)
    except RegistryRefused as refusal:
        raise BadRequest(f"registry: {refusal}") from None


def create(db: Connection, box: SecretBox, account_id: str, given: RegistryFields) -> dict[str, Any]:
    """Store a registry; the account's first one is its default unless it says that it is not.

    Raises:
        BadRequest: something is missing.
        Conflict: the name is taken.
    """
    _checked(given)
    known = repository.listed(db, account_id)
    if any(each.name == given.name for each in known):
        raise Conflict(f"registry already exists: {given.name!r}; change it, or choose another name")
    is_default = not known if given.default is None else given.default
    if is_default:
        repository.unmark_default(db, account_id)
    made = repository.add(
        db,
        account_id,
        now=datetime.now(UTC),
        name=given.name,
        domain=_domain(given.domain) if given.domain else "",
        provider=given.provider or "other",
        is_default=is_default,
        document=_sealed(box, account_id, _given(given)),
    )
    return get(db, account_id, made)


def change(
    db: Connection, box: SecretBox, account_id: str, wanted: str, given: RegistryFields
) -> dict[str, Any]:
    """Change the given fields of a registry.

    Raises:
        NotFound: there is none.
        BadRequest: a field cannot be.
        Conflict: the new name is taken.
    """
    found = find(db, account_id, wanted)
    _check_provider(given)
    name = given.name or found.name
    if name != found.name and any(each.name == name for each in repository.listed(db, account_id)):
        raise Conflict(f"registry already exists: {name!r}; choose another name")
    is_default = found.is_default if given.default is None else given.default
    if is_default and not found.is_default:
        repository.unmark_default(db, account_id)
    repository.change(
        db,
        account_id,
        found.id,
        name=name,
        domain=_domain(given.domain) if given.domain else found.domain,
        provider=given.provider or found.provider,
        is_default=is_default,
        document={**found.document, **_sealed(box, account_id, _given(given))},
        updated_at=datetime.now(UTC),
    )
    return get(db, account_id, found.id)


def make_default(db: Connection, account_id: str, wanted: str) -> dict[str, Any]:
    """Make a registry the one that images are pushed to where a step names none. Raises `NotFound`."""
    found = find(db, account_id, wanted)
    repository.unmark_default(db, account_id)
    repository.change(db, account_id, found.id, is_default=True, updated_at=datetime.now(UTC))
    return get(db, account_id, found.id)


def delete(db: Connection, account_id: str, wanted: str) -> None:
    """Delete a registry. Raises `NotFound`."""
    repository.remove(db, account_id, find(db, account_id, wanted).id)


def accesses(db: Connection, box: SecretBox, account_id: str) -> list[RegistryAccess]:
    """Return how to log in to each registry of an account."""
    found = []
    for each in repository.listed(db, account_id):
        opened = {
            key: box.open(value, account_id) if key in SECRETS and value else value
            for key, value in each.document.items()
        }
        found.append(_access(each.name, each.domain, each.provider, each.is_default, opened))
    return found


def _access(
    name: str,
    domain: str,
    provider: str,
    is_default: bool,  # noqa: FBT001 - a column
    fields: dict[str, Any],
) -> RegistryAccess:
    username, password = str(fields.get("username") or ""), str(fields.get("password") or "")
    refusal = ""
    if provider in ("gcr", "gar") and fields.get("keyfile"):
        username, password = "_json_key", str(fields["keyfile"])
    elif provider == "acr" and fields.get("clientId"):
        username, password = str(fields["clientId"]), str(fields.get("clientSecret") or "")
    elif provider == "bintray" and fields.get("token"):
        password = str(fields["token"])
    elif provider == "ecr" and not (password and domain):
        refusal = _NO_AWS
    return RegistryAccess(
        name=name,
        domain=domain,
        username=username,
        password=password,
        prefix=str(fields.get("repositoryPrefix") or ""),
        is_default=is_default,
        refusal=refusal,
    )


def _checked(given: RegistryFields) -> None:
    keyed = given.provider == "ecr" and given.access_key_id  # these tell its domain, and Terraform sends none
    for field in ("name",) if keyed else ("name", "domain"):
        if not getattr(given, field):
            raise BadRequest(f"{field} is required")
    _check_provider(given)


def _check_provider(given: RegistryFields) -> None:
    if given.provider is not None and given.provider not in PROVIDERS:
        raise BadRequest(f"provider must be one of {', '.join(PROVIDERS)}")


def _given(given: RegistryFields) -> dict[str, Any]:
    fields = msgspec.to_builtins(given)
    return {key: value for key, value in fields.items() if value is not None and key not in _COLUMNS}


def _sealed(box: SecretBox, account_id: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {
        key: box.seal(value, account_id) if key in SECRETS and value else value
        for key, value in fields.items()
    }


def _domain(text: str) -> str:
    """The host of a registry, however it is written."""
    domain = text.strip().lower().rstrip("/")
    if domain in _HUBS:
        return "docker.io"
    domain = domain.removeprefix("https://").removeprefix("http://").partition("/")[0]
    if not domain or any(sign.isspace() or sign in "@?#\\" for sign in domain):
        raise BadRequest(f"domain {text!r} is no host; write 'registry.example.org' or 'host:port'")
    return domain


def _shown(registry: Registry) -> dict[str, Any]:
    return out(
        registry.id,
        registry.document,
        name=registry.name,
        domain=registry.domain,
        provider=registry.provider,
        default=registry.is_default,
    )
