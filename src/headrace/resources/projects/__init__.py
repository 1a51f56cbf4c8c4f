"""Projects: named groups of pipelines, with tags and variables of their own."""
