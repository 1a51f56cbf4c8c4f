"""Runtime environments: where an account's builds run, as the workers report it."""
