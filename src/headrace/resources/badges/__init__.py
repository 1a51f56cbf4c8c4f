"""Badges: a picture of how the last build of a pipeline went."""
