"""Triggers of pipelines: which events and which times start a build."""
