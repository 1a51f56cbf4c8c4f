"""Git repositories that an account added, and those that its Git integrations see."""
