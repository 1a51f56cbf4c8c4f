"""Helm boards with their sections, and Helm repositories: stored documents of an account."""
