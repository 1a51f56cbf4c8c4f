"""Pipelines on the wire: what requests hold, and the lists that answers are."""

from typing import Annotated, Any, Literal

import msgspec

from headrace.http.paging import After, Limit, Offset
from headrace.pipeline.forecast import Forecast
from headrace.pipeline.variables import PullRequest
from headrace.resources.projects.schemas import Value, Variable

RunVariables = list[Variable] | dict[str, Value]


class PipelinesQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """Which pipelines. Without ``limit`` and ``offset``, ``id`` must match exactly."""

    id: Annotated[
        tuple[str, ...],
        msgspec.Meta(max_length=100, description="ids, or names or parts of names; may repeat"),
    ] = ()
    labels: Annotated[
        dict[str, str] | None, msgspec.Meta(description="``labels[tags]=a,b``: carries all of these")
    ] = None
    project_id: Annotated[str, msgspec.Meta(description="only of this project")] = ""
    limit: Limit | None = None
    offset: Offset | None = None
    after: After = ""


class PipelineQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """How to show one pipeline."""

    decrypt_variables: Annotated[
        bool, msgspec.Meta(description="show secrets in clear; needs pipeline:write too")
    ] = False
    with_text: Annotated[
        bool,
        msgspec.Meta(
            description="give the text of its file, ``metadata.originalYamlString``, also where only fields "
            "are stored, or other ones: an object may lose their order, a text does not"
        ),
    ] = False


class ReplaceQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """How to replace a pipeline."""

    disable_revision_check: Annotated[
        bool, msgspec.Meta(description="replace even what somebody else changed meanwhile")
    ] = False
    skip_trigger_validation: Annotated[bool, msgspec.Meta(description="sent by clients, has no effect")] = (
        False
    )


class RunQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """How to recognise a repeated request."""

    req_id: Annotated[
        str, msgspec.Meta(max_length=255, description="the same request again starts no second build")
    ] = ""


class PipelinesOut(msgspec.Struct):
    """A page of pipelines."""

    docs: list[dict[str, Any]]
    count: int


class PipelineNameOut(msgspec.Struct):
    """Id and name of a pipeline, below ``metadata``."""

    metadata: dict[str, str]


class RunOptions(msgspec.Struct, kw_only=True, rename="camel"):
    """Options of one run; what is absent is as in the trigger, else as in the pipeline."""

    no_cache: bool | None = None
    no_cf_cache: bool | None = None
    reset_volume: bool | None = None
    enable_notifications: bool | None = None
    only: Annotated[tuple[str, ...], msgspec.Meta(description="run these steps, skip all others")] = ()
    skip: Annotated[tuple[str, ...], msgspec.Meta(description="skip these steps")] = ()


class RunBody(msgspec.Struct, kw_only=True, rename="camel"):
    """What a run is given. Everything may be absent."""

    options: RunOptions | None = None
    user_machine_config: dict[str, Any] | None = None
    branch: Annotated[str, msgspec.Meta(max_length=1024)] | None = None
    sha: Annotated[str, msgspec.Meta(max_length=255)] | None = None
    trigger: Annotated[str, msgspec.Meta(description="id or name of a git trigger")] | None = None
    variables: RunVariables | None = None
    annotations: dict[str, Value] | None = None
    contexts: Annotated[list[str], msgspec.Meta(max_length=100)] | None = None
    user_yaml_descriptor: (
        Annotated[str, msgspec.Meta(description="YAML to run in the place of the pipeline's own")] | None
    ) = None


class LaunchBody(msgspec.Struct, kw_only=True):
    """What a composition is launched with."""

    vars: Annotated[
        list[str | dict[str, str]],
        msgspec.Meta(
            max_length=1000, description="over its own: `KEY=value`, or an object with `key` and `value`"
        ),
    ] = []


class PullRequestBody(PullRequest, frozen=True, kw_only=True, rename="camel"):
    """What an event says about a pull request."""


class EventBody(msgspec.Struct, kw_only=True, rename="camel"):
    """A Git event to plan for; its branch and commit are those of the run."""

    base_branch: str | None = None
    message: Annotated[str, msgspec.Meta(description="of the commit")] | None = None
    author: str | None = None
    commit_url: str | None = None
    pull_request: PullRequestBody | None = None


class PlanBody(RunBody, kw_only=True, rename="camel"):
    """What the run would be given, and the event that would start it."""

    event: EventBody | None = None


class PlanOut(Forecast, frozen=True, kw_only=True, rename="camel"):
    """What a run would do."""

    pipeline: Annotated[str, msgspec.Meta(description="whole name; empty for a YAML alone")]
    trigger: Annotated[str | None, msgspec.Meta(description="name of the git trigger that it takes")]
    variables: Annotated[
        tuple[str, ...],
        msgspec.Meta(description="names that the run begins with, sorted; secrets among them"),
    ]
    yaml: Annotated[str, msgspec.Meta(description="what it was planned from, wherever that is kept")]


class BuildFlags(msgspec.Struct, kw_only=True):
    """Flags of the older way to run."""

    nocache: bool = False


class BuildBody(RunBody, kw_only=True, rename="camel"):
    """What a run by ``POST /builds/{serviceId}`` is given."""

    service_id: (
        Annotated[str, msgspec.Meta(description="the pipeline, if it agrees with the path")] | None
    ) = None
    type: str = "build"
    repo_owner: Annotated[str, msgspec.Meta(description="with repoName: selects the git trigger")] | None = (
        None
    )
    repo_name: str | None = None
    build_flags: BuildFlags | None = None


class AnalyzedRepo(msgspec.Struct, kw_only=True, rename="camel"):
    """The repository to look at."""

    repo_owner: Annotated[str, msgspec.Meta(pattern=r"^[\w.~/-]{1,255}$")]
    repo_name: Annotated[str, msgspec.Meta(pattern=r"^[\w.~-]{1,255}$")]
    git: Annotated[str | None, msgspec.Meta(description="a git context; the default one where absent")] = None


class AnalyzeBody(msgspec.Struct, kw_only=True):
    """What to propose a pipeline for."""

    repo: AnalyzedRepo
    type: Literal["git"] = "git"
    source: str = "api"


class ValidatorBody(msgspec.Struct, kw_only=True, rename="camel"):
    """The text to check."""

    yaml: str
    output_format: Annotated[
        str,
        msgspec.Meta(
            description="``lint``, ``message`` or ``printify``; ``full``: ``warnings`` beside ``details``"
        ),
    ] = ""
    name: Annotated[
        str,
        msgspec.Meta(
            description="of the file, without its ending, or of a pipeline; with it, what the text names "
            "is looked for in the account"
        ),
    ] = ""
