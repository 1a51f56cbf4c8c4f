"""The operations of pipelines, and those that run them."""

from typing import Any

from headrace.http.auth import Caller
from headrace.http.outside import Outside
from headrace.http.paging import Pages
from headrace.http.rights import YAML, Right, Rights
from headrace.http.routing import Connection, Example, Raw, Reply, Router
from headrace.http.scopes import Scope
from headrace.kit.crypto import SecretBox
from headrace.pipeline.validate import details_answer, full_answer, lint_answer, validate, with_errors
from headrace.resources.pipelines import analysis, definitions, document, language, launch, service
from headrace.resources.pipelines.holdings import account_of
from headrace.resources.pipelines.schemas import (
    AnalyzeBody,
    BuildBody,
    LaunchBody,
    PipelineNameOut,
    PipelineQuery,
    PipelinesOut,
    PipelinesQuery,
    PlanBody,
    PlanOut,
    ReplaceQuery,
    RunBody,
    RunQuery,
    ValidatorBody,
)

router = Router("/pipelines", tag="pipelines")
_ANSWERS = {"lint": lint_answer, "full": full_answer}  # by `outputFormat`
_builds = Router("/builds", tag="builds")  # ``POST /builds/{serviceId}`` runs a pipeline
_runtime = Router("/runtime", tag="pipelines")  # an older door to the same
_compositions = Router("/compositions", tag="compositions")  # ``POST /compositions/{id}/run`` starts a build

_NAME = {"name": "my-project%2Fmy-basic-pipeline"}
_STEPS = {"PrintFileList": {"title": "Listing files", "image": "alpine:latest", "commands": ["ls -l"]}}
_DOCUMENT = {
    "version": "1.0",
    "kind": "pipeline",
    "metadata": {"name": "my-project/my-basic-pipeline", "description": "my description"},
    "spec": {
        "triggers": [{"type": "git", "name": "my-trigger", "repo": "my-team/my-app", "events": ["push"]}],
        "variables": [{"key": "PORT", "value": 5000}],
        "steps": _STEPS,
    },
}
_RUN = {"branch": "master", "variables": [{"key": "sample-var1", "value": "sample1"}]}
_YAML = "version: '1.0'\nsteps:\n  hello:\n    image: alpine\n    commands:\n      - echo hello\n"


@router.route(
    "GET",
    "",
    scope=Scope.PIPELINE_READ,
    sdk="pipelines.list",
    right=Right("read", "pipeline"),
    example=Example(query="limit=25"),
)
def list_pipelines(
    query: PipelinesQuery, caller: Caller, db: Connection, raw: Raw, pages: Pages, rights: Rights
) -> PipelinesOut:
    """List pipelines, the last changed first."""
    found, count = definitions.listed(db, caller.account_id, query, pages, rights)
    return PipelinesOut(definitions.seen(db, found, base_url=raw.base_url), count)


@router.route(
    "GET", "/names", scope=Scope.PIPELINE_READ, sdk="pipelines.getNames", right=Right("read", "pipeline")
)
def list_pipeline_names(
    query: PipelinesQuery, caller: Caller, db: Connection, pages: Pages, rights: Rights
) -> list[PipelineNameOut]:
    """List the ids and names of pipelines, the last changed first."""
    found = definitions.names(db, caller.account_id, query, pages, rights)
    return [PipelineNameOut({"id": pipeline_id, "name": name}) for pipeline_id, name in found]


@router.route("GET", "/schema", scope=Scope.ANY, sdk="pipelines.schema")
def get_schema() -> dict[str, Any]:
    """Get the JSON Schema of the pipeline language, for editors.

    It describes a ``codefresh.yml`` and a ``kind: pipeline`` document. The validator knows more rules.
    """
    return language.schema()


@router.route(
    "POST",
    "",
    scope=Scope.PIPELINE_WRITE,
    sdk="pipelines.create",
    right=Right("create", "pipeline"),
    example=Example(body=_DOCUMENT),
)
def create_pipeline(
    body: dict[str, Any], caller: Caller, db: Connection, box: SecretBox, raw: Raw, rights: Rights
) -> dict[str, Any]:
    """Create a pipeline from a ``kind: pipeline`` document.

    ``metadata.name`` is ``project/pipeline``; a project that does not exist is created. Keys that
    the server does not know are kept. The steps are validated: a wrong file is refused with all
    of its problems. Triggers get an ``id``, an ``endpoint`` and a ``secret``.
    """
    pipeline = definitions.create(db, caller.account_id, box, body, rights)
    return definitions.shown(pipeline, base_url=raw.base_url)


@router.route(
    "GET",
    "/{name:path}",
    scope=Scope.PIPELINE_READ,
    sdk="pipelines.get",
    right=Right("read", "pipeline", "name"),
    example=Example(path=_NAME),
)
def get_pipeline(
    name: str,
    query: PipelineQuery,
    caller: Caller,
    db: Connection,
    box: SecretBox,
    raw: Raw,
    rights: Rights,
) -> dict[str, Any]:
    """Get one pipeline by its full name, ``project/pipeline``, or by its id.

    Encrypted variables and the secrets of triggers show as ``*****``. Sent back, that keeps them.
    """
    if query.decrypt_variables:
        return definitions.decrypted(db, caller, box, name, rights, base_url=raw.base_url)
    found = definitions.find(db, caller.account_id, name)
    shown = definitions.seen(db, [found], base_url=raw.base_url)[0]
    return definitions.with_text(shown, found) if query.with_text else shown


@router.route(
    "PUT",
    "/{name:path}",
    scope=Scope.PIPELINE_WRITE,
    sdk="pipelines.replace",
    right=Right("update", "pipeline", "name"),
    example=Example(path=_NAME, query="disableRevisionCheck=true", body=_DOCUMENT),
)
def replace_pipeline(
    name: str,
    body: dict[str, Any],
    query: ReplaceQuery,
    caller: Caller,
    db: Connection,
    box: SecretBox,
    raw: Raw,
    rights: Rights,
) -> dict[str, Any]:
    """Replace a pipeline; another ``metadata.name`` renames it.

    A document with a ``metadata.revision`` that is not the stored one is refused.
    """
    pipeline = definitions.replace(
        db, caller.account_id, box, name, body, rights, any_revision=query.disable_revision_check
    )
    return definitions.shown(pipeline, base_url=raw.base_url)


@router.route(
    "DELETE",
    "/{name:path}",
    scope=Scope.PIPELINE_WRITE,
    sdk="pipelines.delete",
    right=Right("delete", "pipeline", "name"),
    example=Example(path=_NAME),
)
def delete_pipeline(name: str, caller: Caller, db: Connection) -> dict[str, Any]:
    """Delete a pipeline; its builds stay."""
    definitions.delete(db, caller.account_id, name)
    return {}


@router.route(
    "POST",
    "/yaml/validator",
    scope=Scope.ANY,
    sdk="pipelines.validateYaml",
    right=Right("read", "pipeline"),
    operation="pipelines-validate-yaml",
    effect=False,
    example=Example(body={"yaml": _YAML, "outputFormat": "lint"}),
)
def validate_yaml(body: ValidatorBody, caller: Caller, db: Connection, rights: Rights) -> dict[str, Any]:
    """Check a ``codefresh.yml``: all problems at once, with their lines.

    With a ``name``, Git integrations, registries, clusters and variables that steps name are looked
    for in the account; the key needs the scopes ``general`` and ``cluster:read`` for that. Of a
    ``kind: pipeline`` document ``outputFormat: full`` tells also what is wrong around the steps.
    """
    account = account_of(db, caller, rights, body.name) if body.name else None
    found = validate(body.yaml, account=account)
    if body.output_format == "full" and (around := document.problems_around(body.yaml)):
        found = with_errors(found, around)
    return _ANSWERS.get(body.output_format, details_answer)(found)


@router.route(
    "POST",
    "/analyze",
    scope=Scope.PIPELINE_WRITE,
    sdk="pipelines.analyze",
    effect=False,
    example=Example(body={"repo": {"repoOwner": "acme", "repoName": "shop", "git": "github"}, "type": "git"}),
)
def analyze_repository(
    body: AnalyzeBody, caller: Caller, db: Connection, box: SecretBox, outside: Outside
) -> str:
    """Propose a pipeline for a repository; nothing is stored.

    The answer is the text of a ``codefresh.yml``, made from what is at the root of the default branch:
    Dockerfiles, files of packages (Go, Java, JavaScript, PHP, Python, Ruby, Rust), a Makefile, and a
    compose file, whose images run beside the tests. A ``codefresh.yml`` there is the answer as it is.
    """
    return analysis.proposal(db, box, outside, caller.account_id, body.repo)


@router.route(
    "POST",
    "/run/{name:path}",
    scope=Scope.PIPELINE_RUN,
    sdk="pipelines.run",
    right=Right("run", "pipeline", "name"),
    example=Example(path=_NAME, body=_RUN),
)
def run_pipeline(
    name: str,
    body: RunBody,
    query: RunQuery,
    caller: Caller,
    db: Connection,
    box: SecretBox,
    raw: Raw,
    outside: Outside,
) -> Reply:
    """Run a pipeline and return the id of the build.

    ``variables`` is a list of ``{key, value, encrypted}`` or an object. The same request with the
    same ``reqId`` starts no second build.
    """
    request = service.Request(caller=caller, base_url=raw.base_url, outside=outside, req_id=query.req_id)
    return _started(service.run(db, box, request, name, body))


@router.route(
    "POST",
    "/run",
    scope=Scope.PIPELINE_RUN,
    sdk="pipelines.runYaml",
    right=Right("run", YAML),
    operation="pipelines-run-yaml",
    example=Example(body={"userYamlDescriptor": _YAML}),
)
def run_yaml(
    body: RunBody, query: RunQuery, caller: Caller, db: Connection, box: SecretBox, raw: Raw, outside: Outside
) -> Reply:
    """Run the YAML in the body, without a pipeline, and return the id of the build."""
    request = service.Request(caller=caller, base_url=raw.base_url, outside=outside, req_id=query.req_id)
    return _started(service.run_yaml(db, box, request, body))


@router.route(
    "POST",
    "/plan/{name:path}",
    scope=Scope.PIPELINE_RUN,
    sdk="pipelines.plan",
    right=Right("run", "pipeline", "name"),
    effect=False,
    example=Example(path=_NAME, body=_RUN),
)
def plan_pipeline(
    name: str, body: PlanBody, caller: Caller, db: Connection, box: SecretBox, raw: Raw, outside: Outside
) -> PlanOut:
    """Tell what a run of a pipeline would do; nothing starts.

    Of each step: its verdict (``runs``, ``skipped``, ``open``, ``fails``, ``not-reached``) with the
    conditions and what they read, its image, hooks, and the names of the secrets that reach it.
    Told on the assumption that no step fails.
    """
    request = service.Request(caller=caller, base_url=raw.base_url, outside=outside)
    return service.plan(db, box, request, name, body)


@router.route(
    "POST",
    "/plan",
    scope=Scope.PIPELINE_RUN,
    sdk="pipelines.planYaml",
    right=Right("run", YAML),
    operation="pipelines-plan-yaml",
    effect=False,
    example=Example(body={"userYamlDescriptor": _YAML}),
)
def plan_yaml(
    body: PlanBody, caller: Caller, db: Connection, box: SecretBox, raw: Raw, outside: Outside
) -> PlanOut:
    """Tell what a run of the YAML in the body would do; nothing starts."""
    request = service.Request(caller=caller, base_url=raw.base_url, outside=outside)
    return service.plan(db, box, request, None, body)


@router.route(
    "POST",
    "/debug/{name:path}",
    scope=Scope.PIPELINE_RUN,
    sdk="pipelines.debug",
    right=Right("debug", "pipeline", "name"),
    example=Example(path=_NAME, body=_RUN),
)
def debug_pipeline(
    name: str,
    body: RunBody,
    query: RunQuery,
    caller: Caller,
    db: Connection,
    box: SecretBox,
    raw: Raw,
    outside: Outside,
) -> Reply:
    """Run a pipeline that waits at its breakpoints, and return the id of the build.

    A breakpoint is `debug: {phases: {before: true}}` of a step, with `override` (freestyle alone) and
    `after`. `POST /workflow/{buildId}/debug` says how a step that waits goes on.
    """
    request = service.Request(caller=caller, base_url=raw.base_url, outside=outside, req_id=query.req_id)
    return _started(service.debug(db, box, request, name, body))


@_builds.route(
    "POST",
    "/{serviceId:path}",
    scope=Scope.PIPELINE_RUN,
    sdk="workflows.buildByService",
    right=Right("run", "pipeline", "serviceId"),
    operation="workflows-build-by-service",
    example=Example(
        path={"serviceId": "my-project%2Fmy-basic-pipeline"},
        body={
            "type": "build",
            "repoOwner": "my-team",
            "repoName": "my-app",
            "branch": "master",
            "variables": {"sample-var1": "sample1", "SAMPLE_VAR2": "SAMPLE2"},
        },
    ),
)
def build_by_service(
    serviceId: str,  # noqa: N803 - the wire name
    body: BuildBody,
    query: RunQuery,
    caller: Caller,
    db: Connection,
    box: SecretBox,
    raw: Raw,
    outside: Outside,
) -> Reply:
    """Run a pipeline by its id or its full name and return the id of the build.

    ``repoOwner`` and ``repoName`` select the git trigger. ``variables`` may be an object or a list.
    """
    request = service.Request(caller=caller, base_url=raw.base_url, outside=outside, req_id=query.req_id)
    return _started(service.run_service(db, box, request, serviceId, body))


@_runtime.route(
    "POST",
    "/testit",
    scope=Scope.PIPELINE_RUN,
    sdk="runtime.launch",
    right=Right("run", "pipeline"),
    example=Example(body={"serviceId": "my-project/my-basic-pipeline", "branch": "master"}),
)
def launch_test(
    body: BuildBody, rights: Rights, db: Connection, box: SecretBox, raw: Raw, outside: Outside
) -> Reply:
    """Run the pipeline that `serviceId` names and return the id of the build."""
    request = service.Request(caller=rights.caller, base_url=raw.base_url, outside=outside)
    return _started(service.run_named(db, box, request, body, rights))


def _started(build_id: str) -> Reply:
    return Reply(build_id, headers={"Location": f"/api/builds/{build_id}"})


@_compositions.route(
    "POST",
    "/{id}/run",
    scope=Scope.GENERAL,
    sdk="compositions.launch",
    right=Right("run", YAML),
    example=Example(path={"id": "shop"}, body={"vars": ["TAG=1.0"]}),
)
def launch_composition(
    id: str,  # noqa: A002 - the name on the wire
    body: LaunchBody,
    caller: Caller,
    db: Connection,
    box: SecretBox,
    raw: Raw,
    outside: Outside,
) -> Reply:
    """Launch a stored composition as an environment, and return the id of its build.

    The environment has the name of the composition; an earlier one of that name is terminated.
    """
    request = service.Request(caller=caller, base_url=raw.base_url, outside=outside)
    return _started(launch.start(db, box, request, id, body))
