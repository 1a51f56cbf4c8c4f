"""Teams: users of an account that belong together."""
