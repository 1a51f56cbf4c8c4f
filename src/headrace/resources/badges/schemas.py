"""What a badge is asked for."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class BadgeQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """Which build: the last one of a pipeline, or of a repository, on a branch."""

    account_name: Annotated[str, Meta(description="name of the account")]
    pipeline_name: Annotated[str, Meta(description="`project/pipeline`")] = ""
    repo_owner: Annotated[str, Meta(description="with `repoName`, where no pipeline is named")] = ""
    repo_name: Annotated[str, Meta(description="the pipelines with a git trigger for it")] = ""
    branch: Annotated[str, Meta(description="only builds of this branch; empty is any")] = ""
    type: Annotated[Literal["cf-1", "cf-2"], Meta(description="the form: square or rounded")] = "cf-1"
    key: Annotated[str, Meta(description="of existing links; not looked at")] = ""
