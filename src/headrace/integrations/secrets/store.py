"""What all stores of secrets share: how a secret is addressed, and how they fail."""

import msgspec


class StoreFailed(Exception):
    """A store has no such secret, or does not answer; the text says what, without a secret."""


class Address(msgspec.Struct, frozen=True):
    """One secret of a store: ``KEY``, or ``RESOURCE@KEY``."""

    resource: str  # empty: the one that the context names
    key: str


def address_of(text: str) -> Address:
    """Read ``RESOURCE@KEY`` or ``KEY``; the last ``@`` divides.

    Raises:
        StoreFailed: there is no key.
    """
    resource, _, key = text.rpartition("@")
    if not key.strip():
        raise StoreFailed(f"{text!r} names no key; write 'secrets.STORE.KEY' or 'secrets.STORE.RESOURCE@KEY'")
    return Address(resource.strip(), key.strip())
