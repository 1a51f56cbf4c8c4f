"""Image registries, as their own HTTP interface shows them."""

from headrace.integrations.registries.client import RegistryRefused, add_tag, log_in

__all__ = ["RegistryRefused", "add_tag", "log_in"]
