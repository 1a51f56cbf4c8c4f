"""Compositions of an account: documents of services that belong together, stored by name."""
