"""Removals: the end of an account, with all that it owns."""
