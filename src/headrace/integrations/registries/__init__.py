"""Image registries, as their own HTTP interface shows them."""

from headrace.integrations.registries.client import RegistryRefused, log_in

__all__ = ["RegistryRefused", "log_in"]
