"""The nouns of the API, one folder each; a resource with a module ``routes`` serves operations."""

RESOURCES = (
    "accounts",
    "agents",
    "annotations",
    "answers",
    "api_keys",
    "badges",
    "builds",
    "clusters",
    "compositions",
    "contexts",
    "environments",
    "events",
    "images",
    "pipelines",
    "projects",
    "registries",
    "runtime_environments",
    "step_types",
    "triggers",
    "users",
)
