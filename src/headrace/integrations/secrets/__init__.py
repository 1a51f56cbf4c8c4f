"""Stores of secrets outside of this server, by the type of the context that names them."""

from headrace.integrations.secrets.kubernetes import Place, read_cluster
from headrace.integrations.secrets.store import Address, StoreFailed, address_of
from headrace.integrations.secrets.vault import read_vault

__all__ = ["Address", "Place", "StoreFailed", "address_of", "read_cluster", "read_vault"]
