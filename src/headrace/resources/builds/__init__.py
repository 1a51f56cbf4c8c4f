"""Builds: the queue, what became of each, their logs, approvals."""
