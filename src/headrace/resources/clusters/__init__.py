"""Kubernetes clusters of an account, with the login of each."""
