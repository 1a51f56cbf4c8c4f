"""Releases of Helm on the clusters of an account: read by this server, changed by builds."""
