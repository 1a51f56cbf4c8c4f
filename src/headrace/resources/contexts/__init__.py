"""Contexts: named bundles of variables, secrets, YAML or credentials that pipelines share."""
