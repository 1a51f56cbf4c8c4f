"""The pipeline language: from a YAML text to a plan. Pure: no clock, no files, no network."""
