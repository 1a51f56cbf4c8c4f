"""Registries on the wire. Terraform's fields are kept as they are given; secrets never come back."""

from typing import Annotated, Any

import msgspec

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Short = Annotated[str, msgspec.Meta(max_length=255)]
Secret = Annotated[str, msgspec.Meta(max_length=65_536)]

SECRETS = ("password", "token", "secretAccessKey", "keyfile", "clientSecret")
PROVIDERS = ("dockerhub", "acr", "gcr", "gar", "ecr", "bintray", "quay", "other")


class RegistryFields(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """What may be given of a registry; what is left out stays as it is."""

    name: Name | None = None
    domain: Name | None = None
    provider: Short | None = None
    default: bool | None = None
    primary: bool | None = None
    behind_firewall: bool | None = None
    kind: Short | None = None
    username: Short | None = None
    password: Secret | None = None
    deny_composite_domain: bool | None = None
    fallback_registry: Short | None = None
    repository_prefix: Short | None = None
    token: Secret | None = None
    access_key_id: Short | None = None
    secret_access_key: Secret | None = None
    region: Short | None = None
    keyfile: Secret | None = None
    client_id: Short | None = None
    client_secret: Secret | None = None


def out(row_id: str, document: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
    """Return a registry as readers see it: without its secrets."""
    shown = {key: value for key, value in document.items() if key not in SECRETS}
    return {"_id": row_id, "kind": "standard", "behindFirewall": False, "primary": True, **shown, **more}
