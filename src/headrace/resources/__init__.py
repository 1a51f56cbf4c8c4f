"""The nouns of the API, one folder each; a resource with a module ``routes`` serves operations."""

RESOURCES = (
    "accounts",
    "annotations",
    "api_keys",
    "builds",
    "contexts",
    "pipelines",
    "projects",
    "users",
)
