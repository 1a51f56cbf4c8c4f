"""Annotations: keys and values on builds, pipelines, projects and images."""
