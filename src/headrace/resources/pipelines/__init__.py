"""Pipelines: definitions under the name ``project/pipeline``, and the requests that run them."""
