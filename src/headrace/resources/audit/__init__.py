"""The audit log: every call that writes, by whom and from where."""
