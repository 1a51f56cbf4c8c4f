"""``type: git-clone``: a repository into the shared volume.

Source: Codefresh docs, "Git-clone step" (pipelines/steps/git-clone).
"""

from headrace.pipeline.fields import Flag, Mapping, Number, Text
from headrace.pipeline.plan import CloneRepository
from headrace.pipeline.steps.base import COMMON_FIELDS, StepSpec, StepType


class GitClone(StepType):
    """A checkout of one revision."""

    name = "git-clone"
    strict = True
    fields = COMMON_FIELDS | {
        "working_directory": Text(),
        "repo": Text(required=True),
        "revision": Text(),
        "credentials": Mapping(username=Text(required=True), password=Text(required=True)),
        "git": Text(),
        "use_proxy": Flag(default=False),
        "depth": Number(),
        "exclude_blobs": Flag(default=False),
        "skip_tags_on_update": Flag(default=False),
    }

    def plan(self, spec: StepSpec) -> CloneRepository:
        """The repository and how to reach it; a depth of zero is the whole history."""
        credentials = spec["credentials"] or {}
        return CloneRepository(
            repo=spec["repo"],
            revision=spec["revision"],
            git=spec["git"],
            username=credentials.get("username"),
            password=credentials.get("password"),
            working_directory=spec["working_directory"],
            depth=int(spec["depth"]) if spec["depth"] and spec["depth"] >= 1 else None,
            exclude_blobs=spec["exclude_blobs"],
            skip_tags_on_update=spec["skip_tags_on_update"],
            use_proxy=spec["use_proxy"],
        )
