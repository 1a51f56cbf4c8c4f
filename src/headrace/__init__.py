"""Headrace: a self-hosted CI/CD server that speaks the Codefresh API."""
