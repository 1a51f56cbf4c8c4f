"""Service users: users that are machines, with keys and teams and without a password."""
