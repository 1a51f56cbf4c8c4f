"""What a spec comes to: ordered steps, each with one action. Frozen, and JSON by `to_json`.

A plan is stored with its build, so it never holds a secret value: texts keep their ``${{NAME}}``
templates, which `pipeline.variables.substitute` fills just before a step starts.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from headrace.pipeline.variables import STORES, Scope

Phase = Literal["before", "override", "after"]
PHASES: tuple[Phase, ...] = ("before", "override", "after")  # of a step, at which a debugged build can wait
FORMAT = 1  # of the stored plan; a reader refuses what it does not know


class _Frozen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    pass


class RunCommands(_Frozen, frozen=True, kw_only=True, tag="run"):
    """``type: freestyle``: one container that runs commands, or the image's own entry point."""

    image: str
    commands: tuple[str, ...] | None = None  # shell lines; None: `entry_point` and `cmd` decide
    shell: Literal["sh", "bash"] = "sh"
    entry_point: tuple[str, ...] | None = None  # None: the image's own
    cmd: tuple[str, ...] | None = None  # None: the image's own
    environment: tuple[str, ...] = ()  # ``NAME=value`` in the order of the file
    working_directory: str | None = None
    volumes: tuple[str, ...] = ()  # ``source:target``, sources inside the shared volume
    registry_context: str | None = None


class CopyOut(_Frozen, frozen=True, kw_only=True):
    """What is kept of a clone that is made for a part of it alone; its texts are templates."""

    place: str  # in the document, for messages: ``spec.externalResources.0``
    source: str  # path in the repository
    destination: str  # path in the volume
    is_folder: bool | None = None  # None: whatever the source is


class CloneRepository(_Frozen, frozen=True, kw_only=True, tag="clone"):
    """``type: git-clone``: a repository into the shared volume."""

    repo: str  # ``owner/name`` or a whole URL (http, https, file, ssh)
    revision: str | None = None  # None: the default branch
    git: str | None = None  # name of a git context; None: the account's default
    username: str | None = None  # from `credentials`; templates like every other text
    password: str | None = None
    working_directory: str | None = None
    depth: int | None = None  # None: the whole history
    exclude_blobs: bool = False
    skip_tags_on_update: bool = False
    use_proxy: bool = False
    copy_out: CopyOut | None = None  # None: the clone itself stays in the volume


class FetchFile(_Frozen, frozen=True, kw_only=True, tag="fetch"):
    """A file at an address, into the shared volume; its texts are templates."""

    place: str  # in the document, for messages: ``spec.externalResources.0``
    source: str  # ``https://host/path``
    destination: str  # path in the volume; ends with ``/`` where a folder is meant


class BuildImage(_Frozen, frozen=True, kw_only=True, tag="build-image"):
    """``type: build``: an image from a Dockerfile, pushed unless that is disabled."""

    image_name: str
    tags: tuple[str, ...] = ()  # none: the branch or revision that is built
    lower_case: bool = True  # of the tags
    dockerfile: str = "Dockerfile"  # path below the working directory
    content: str | None = None  # the Dockerfile itself, in place of a file
    working_directory: str | None = None
    build_arguments: tuple[str, ...] = ()  # ``NAME=value``
    target: str | None = None
    platform: str | None = None
    no_cache: bool = False
    no_cf_cache: bool = False
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    registry: str | None = None  # name of an integration, or a domain; None: the account's default
    disable_push: bool = False
    registry_contexts: tuple[str, ...] = ()  # names that come first where a domain has several
    buildkit: bool = False
    quiet: bool = False
    secrets: tuple[tuple[str, str], ...] = ()  # (id, source), in the words of the file
    ignored: tuple[str, ...] = ()  # fields that change nothing here; the log says so
    refused: str = ""  # why this cannot be built as it is written


class PushImage(_Frozen, frozen=True, kw_only=True, tag="push-image"):
    """``type: push``: an image that exists, under other names."""

    candidate: str
    image_name: str | None = None  # None: the candidate's
    tags: tuple[str, ...] = ("latest",)
    registry: str | None = None
    registry_context: str | None = None  # pulls the candidate
    username: str | None = None
    password: str | None = None
    refused: str = ""


class WaitForApproval(_Frozen, frozen=True, kw_only=True, tag="approve"):
    """``type: pending-approval``: hold the build until somebody says yes or no."""

    timeout_s: float
    on_timeout: Literal["approved", "denied", "terminated"]


class StepCondition(_Frozen, frozen=True, kw_only=True):
    """One entry of ``when.steps``: the named step has one of these results."""

    name: str
    on: tuple[str, ...] = ("success",)


class When(_Frozen, frozen=True, kw_only=True):
    """The conditions of a step; every part that is present must hold."""

    branch_only: tuple[str, ...] | None = None  # exact names or ``/regex/flags``; any one
    branch_ignore: tuple[str, ...] | None = None  # none of them
    all_of: tuple[tuple[str, str], ...] | None = None  # (name, expression): every one true
    any_of: tuple[tuple[str, str], ...] | None = None  # (name, expression): at least one true
    steps_all: tuple[StepCondition, ...] | None = None
    steps_any: tuple[StepCondition, ...] | None = None


class SuccessCriteria(_Frozen, frozen=True, kw_only=True):
    """What decides the success of a group or a build, in place of `fail_fast`; all parts must hold."""

    only: tuple[str, ...] | None = None  # names of steps: these alone count
    ignore: tuple[str, ...] = ()  # names of steps that do not count
    all_of: tuple[tuple[str, str], ...] | None = None  # as in `When`
    any_of: tuple[tuple[str, str], ...] | None = None


class Outputs(_Frozen, frozen=True, kw_only=True):
    """What an unfolded step type hands on of all that its steps export."""

    names: tuple[str, ...] | None = None  # these alone; None: everything
    required: tuple[str, ...] = ()  # without one of these the group has failed


class Group(_Frozen, frozen=True, kw_only=True, tag="group"):
    """Steps that run as one: ``type: parallel``, ``scale``, ``matrix``, an unfolded step type.

    Its members are the steps whose `parent` is the name of the step that has this action.
    """

    mode: Literal["sequential", "parallel"]  # sequential: the first counted failure ends it
    success_criteria: SuccessCriteria | None = None
    outputs: Outputs | None = None  # only of a step type; its members are ``<group>.<name>``


class RunComposition(_Frozen, frozen=True, kw_only=True, tag="composition"):
    """``type: composition``: candidates that run to their end beside services."""

    composition: dict[str, Any] | str  # a compose document, the path of one, or a stored one's name
    candidates: dict[str, Any]  # service definitions, by name
    variables: tuple[str, ...] = ()  # ``NAME=value``, for the ``${NAME}`` of compose
    working_directory: str | None = None
    registry_contexts: tuple[str, ...] = ()  # names that come first where a domain has several


class LaunchComposition(_Frozen, frozen=True, kw_only=True, tag="launch-composition"):
    """``type: launch-composition``: services that go on when the build has ended, as an environment."""

    composition: dict[str, Any] | str  # as of `RunComposition`
    variables: tuple[str, ...] = ()  # the same
    working_directory: str | None = None
    registry_contexts: tuple[str, ...] = ()  # the same
    environment_name: str | None = None  # None: what the composition is called
    entry_point: str | None = None  # its main service


class Deploy(_Frozen, frozen=True, kw_only=True, tag="deploy"):
    """``type: deploy``: a new image behind a service, or a manifest, in a cluster. All are templates."""

    cluster: str
    namespace: str
    service: str | None = None
    file_path: str | None = None  # of a manifest, in the volume
    image: str | None = None
    registry: str | None = None  # whose login the cluster pulls with
    timeout: str | None = None  # seconds, or with a unit; None is the default


class KeepReports(_Frozen, frozen=True, kw_only=True, tag="reports"):
    """Reports of tests that the server keeps with the build; the environment says which."""

    environment: tuple[str, ...] = ()  # as of `RunCommands`
    working_directory: str | None = None


Action = (
    RunCommands
    | CloneRepository
    | BuildImage
    | PushImage
    | WaitForApproval
    | Group
    | RunComposition
    | LaunchComposition
    | Deploy
    | KeepReports
    | FetchFile
)


class Retry(_Frozen, frozen=True, kw_only=True):
    """How often a step is tried, and how long is waited in between."""

    max_attempts: int = 1  # in total; 1: a failure is final
    delay_s: float = 5
    factor: float = 1  # 1: every wait is `delay_s`; else each wait is the one before to this power


class Entry(_Frozen, frozen=True, kw_only=True):
    """One annotation, or one key of an image's metadata."""

    name: str
    text: str = ""
    evaluate: bool = False  # the text is an expression


class Annotate(_Frozen, frozen=True, kw_only=True):
    """Annotations to set or to remove on one entity."""

    entity_type: Literal["project", "pipeline", "build", "image"] = "build"
    entity_id: str | None = None  # id or name; None: the build's own, of an image the step's own
    set: tuple[Entry, ...] = ()
    unset: tuple[str, ...] = ()
    display: str | None = None  # which of `set` lists of builds show


class DescribeImage(_Frozen, frozen=True, kw_only=True):
    """Metadata to set on one image."""

    image: str | None = None  # id or full name; None: the one that this step built
    set: tuple[Entry, ...] = ()


class Hook(_Frozen, frozen=True, kw_only=True):
    """What runs, and what is noted, at one moment of a step or of the pipeline.

    Its steps are a group of their own, outside of the plan's: the first of `steps` is the group,
    ``unit#on_fail``, and the others are its members, ``unit#on_fail#exec``. ``#`` is in no name that
    is written in a file.
    """

    steps: "tuple[PlannedStep, ...]"
    annotate: tuple[Annotate, ...] = ()  # after the steps
    describe: tuple[DescribeImage, ...] = ()

    @property
    def group(self) -> "PlannedStep":
        """The step that stands for the hook."""
        return self.steps[0]


class Hooks(_Frozen, frozen=True, kw_only=True):
    """The hooks of one step, or of the pipeline."""

    on_elected: Hook | None = None
    on_success: Hook | None = None
    on_fail: Hook | None = None
    on_finish: Hook | None = None

    def all(self) -> "tuple[Hook, ...]":
        """Those that are there, in the order of their moments."""
        found = (self.on_elected, self.on_success, self.on_fail, self.on_finish)
        return tuple(hook for hook in found if hook is not None)


class Readiness(_Frozen, frozen=True, kw_only=True):
    """What tells that services can be used: commands that succeed."""

    image: str
    commands: tuple[str, ...]
    period_s: float = 10  # between two tries
    timeout_s: float = 10  # of one try
    initial_delay_s: float = 0
    success_threshold: int = 1  # tries in a row
    failure_threshold: int = 3  # the same


class Setup(_Frozen, frozen=True, kw_only=True):
    """Commands that run once, when the services are ready."""

    image: str
    commands: tuple[str, ...]


class Services(_Frozen, frozen=True, kw_only=True):
    """``services``: containers that live beside the steps of a build, or beside one step."""

    composition: dict[str, Any] | str  # service definitions by name, a compose file, a stored name
    name: str = ""
    variables: tuple[str, ...] = ()  # ``NAME=value``, for the ``${NAME}`` of compose
    readiness: Readiness | None = None
    setup: Setup | None = None
    shared_host_network: bool = False


class PlannedStep(_Frozen, frozen=True, kw_only=True):
    """One step, ready to be rendered and started. All texts may hold ``${{NAME}}``."""

    name: str  # unique in the plan
    parent: str | None = None  # name of its group, which stands before it; None: the pipeline's own
    type: str
    title: str
    action: Action
    stage: str = "default"
    description: str = ""
    when: When | None = None
    left_out: bool = False  # by the options of this run: it is skipped, whatever `when` says
    fail_fast: bool = True
    strict_fail_fast: bool = False
    timeout_s: float | None = None
    retry: Retry | None = None
    hooks: Hooks | None = None
    services: Services | None = None  # its own; None: those of the build
    breakpoints: tuple[Phase, ...] = ()  # in their order; without effect unless the plan says `debug`


def texts_of(step: PlannedStep) -> Iterator[str]:
    """Yield all texts of a step's own action and services, names of fields included."""
    yield from strings(msgspec.to_builtins((step.action, step.services)))


def texts_with_environment(step: PlannedStep, scope: Scope) -> list[str]:
    """Return the texts of a step, and the variables that name secrets of stores, where it gets them all."""
    texts = list(texts_of(step))
    if isinstance(step.action, RunCommands):
        texts += variables_with_secrets(scope)
    return texts


def variables_with_secrets(scope: Scope) -> list[str]:
    """Return the values of the variables that name secrets of stores, where these are followed."""
    return [value for name, value in scope.variables.items() if STORES in value and scope.expands(name)]


def strings(value: object) -> Iterator[str]:
    """Yield all texts within a value of JSON, names of fields included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from strings(key)
            yield from strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from strings(item)


class Plan(_Frozen, frozen=True, kw_only=True):
    """The steps of a build in the order of the file; a group is followed by its members."""

    format: int = FORMAT
    mode: Literal["sequential", "parallel"] = "sequential"
    stages: tuple[str, ...] = ()
    success_criteria: SuccessCriteria | None = None
    resources: Hook | None = None  # copied into the volume before everything else
    hooks: Hooks | None = None
    services: Services | None = None
    debug: bool = False  # the build waits at the breakpoints of its steps
    steps: tuple[PlannedStep, ...] = ()


def is_hook(name: str) -> bool:
    """Whether a step of this name is a hook, or within one."""
    return "#" in name


def hook_steps(plan: Plan) -> "tuple[PlannedStep, ...]":
    """The steps of all hooks of a plan, groups before their members; what is copied first is one."""
    owners = (plan.hooks, *(step.hooks for step in plan.steps))
    found = [hook for hooks in owners if hooks for hook in hooks.all()]
    if plan.resources is not None:
        found.append(plan.resources)  # last, so that the places of the others stay
    return tuple(step for hook in found for step in hook.steps)


def to_json(plan: Plan) -> bytes:
    """Encode a plan for storage."""
    return msgspec.json.encode(plan)


def from_json(data: bytes) -> Plan:
    """Decode a stored plan.

    Raises:
        ValueError: the data is no plan, or of a later format (`msgspec.ValidationError` is one).
    """
    plan = msgspec.json.decode(data, type=Plan)
    if plan.format > FORMAT:
        message = f"plan has format {plan.format}, this version reads up to {FORMAT}"
        raise ValueError(message)
    return plan
