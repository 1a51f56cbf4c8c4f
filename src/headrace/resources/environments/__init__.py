"""Environments: what compositions that were launched leave running."""
