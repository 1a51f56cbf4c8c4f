"""The JSON Schema of the pipeline language, for editors: made from the declared fields.

It guides completion and hover. The validator decides: it knows rules that no schema can say.
"""

from typing import Any

from headrace.pipeline.fields import AnyMap
from headrace.pipeline.groups import CRITERIA, MULTIPLIERS, PARALLEL
from headrace.pipeline.hooks import MOMENTS
from headrace.pipeline.services import FIELDS as SERVICES
from headrace.pipeline.spec import ROOT_FIELDS
from headrace.pipeline.steps import STEP_TYPES
from headrace.pipeline.steps.base import POST_FIELDS, StepType
from headrace.pipeline.validate import DOCS, WORKFLOW_DOCS

Document = dict[str, Any]
DRAFT = "http://json-schema.org/draft-07/schema#"

# One line for each key, whatever step has it.
MEANINGS = {
    "accessKeyId": "Id of the AWS key that logs in to the registry",
    "all": "Holds where all of these hold",
    "annotations": "Keys and values that are set on the image or the build",
    "any": "Holds where one of these holds",
    "arguments": "Fields of a typed step, as its page names them",
    "aws_duration_seconds": "How long the assumed role lasts, in seconds",
    "aws_session_name": "Name of the session of the assumed role",
    "branch": "Branches that the step runs for: `only` and `ignore` take names and /patterns/",
    "build_arguments": "Build arguments, one NAME=value a line",
    "build_version": "Which builder: v1 or v2",
    "buildkit": "Build with BuildKit",
    "buildx": "Build with buildx, and its options",
    "cache_from": "Images or caches that the build may start from",
    "cache_to": "Where the build stores its cache",
    "candidate": "The image that an earlier step has built: `${{step_name}}`",
    "cluster": "Name of a registered Kubernetes cluster",
    "cmd": "Arguments of the image's own program",
    "commands": "Commands that run one after the other in the shell; the first that fails ends the step",
    "composition": "A Docker Compose document, or the path of its file",
    "composition_candidates": "The containers whose end decides the step",
    "composition_variables": "Variables of the composition, one NAME=value a line",
    "condition": "Expressions over variables: `all` or `any` of them must hold",
    "cosign": "Signs the image that was pushed",
    "credentials": "User and password of the repository or registry",
    "debug": "Breakpoints of the step",
    "delay": "Seconds to wait before the next attempt",
    "depth": "How many commits to fetch",
    "description": "What it is for",
    "disable_push": "Keep the image on the builder instead of pushing it",
    "docker_machine": "Settings of a machine of its own",
    "dockerfile": "Path of the Dockerfile, or its text",
    "entry_point": "Program that runs in the place of the image's own",
    "env": "Environment of a step type",
    "environment": "Variables of the step, one NAME=value a line",
    "environment_name": "Name of the environment that the composition starts",
    "exclude_blobs": "Fetch no file contents before they are needed",
    "exponentialFactor": "What the delay is multiplied by after each attempt",
    "fail_fast": "Whether a failure ends the build; true where nothing is said",
    "file_path": "Path of the manifest",
    "git": "Name of the Git integration that logs in",
    "hooks": "Steps that run when the build or step begins, succeeds, fails or ends",
    "image": "The image whose container runs the commands",
    "image_name": "Name of the image, without registry and tag",
    "indicators": "Kept and not looked into",
    "kind": "What is deployed, or `pipeline` for a whole document",
    "maxAttempts": "How often the step is tried",
    "metadata": "Keys and values that are set on the image, or the name and labels of a pipeline",
    "mode": "Whether steps run one after the other or as soon as their conditions hold",
    "namespace": "Namespace of the cluster",
    "no_cache": "Build every layer anew",
    "no_cf_cache": "Do not take the image that was built last as a cache",
    "on_elected": "Runs when the build or step begins",
    "on_fail": "Runs after a failure",
    "on_finish": "Runs at the end, whatever it was",
    "on_success": "Runs after a success",
    "platform": "Platform of the image: linux/amd64",
    "preconfigured_services": "Services that the older step types know",
    "progress": "How the builder writes its log",
    "provider": "Kind of the registry",
    "region": "AWS region of the registry",
    "registry": "Name of a registry of the account",
    "registry_context": "Registry that the image of the step is pulled from",
    "registry_contexts": "Registries that base images are pulled from",
    "repo": "Repository: owner/name, or a whole address",
    "retry": "How often and after which delay a failed step is tried again",
    "revision": "Branch, tag or commit",
    "role_arn": "AWS role to assume for the registry",
    "secretAccessKey": "Secret of the AWS key that logs in to the registry",
    "secrets": "Secrets of the image build",
    "service": "The Kubernetes service that is deployed",
    "services": "Containers that run beside the step or the build",
    "shell": "Shell that runs the commands",
    "skip_tags_on_update": "Do not fetch tags into an existing working copy",
    "squash": "Make one layer of the image",
    "ssh": "Agent sockets or keys that the image build may use",
    "stage": "Heading under which the step is shown",
    "stages": "Headings of the steps, in their order",
    "steps": "The steps, by name; of `when`: the steps whose results this one waits for",
    "strict_fail_fast": "Whether a failed step that did not end the build still makes it fail",
    "success_criteria": "Which steps decide the result",
    "tag": "Tag of the image",
    "tag_policy": "Whether the tag is kept as it is or in lower case",
    "tags": "More tags of the image",
    "target": "Stage of the Dockerfile to build",
    "test": "What the older step types run",
    "timeout": "Longest time: 30s, 45m, 1.5h; of an approval: its duration and what silence means",
    "title": "What people read in the place of the name",
    "type": "What kind of step it is; freestyle where nothing is said",
    "use_proxy": "Go through the proxy of the runtime environment",
    "version": "Version of the language: '1.0'",
    "volumes": "Directories of the shared volume: ./from:/path/in/container",
    "when": "When the step runs: branches, conditions, results of other steps",
    "working_directory": "Where it runs, below the shared volume: ${{main_clone}}",
}


PHASES_SCHEMA: Document = {
    "type": "object",
    "description": "Where it waits",
    "properties": {
        "before": {"type": "boolean", "description": "Before the step"},
        "override": {"type": "boolean", "description": "In the place of its commands; of freestyle alone"},
        "after": {"type": "boolean", "description": "After the step"},
    },
}
_LIST: Document = {"type": "array", "items": {"type": "string"}}
_NOTES: Document = {
    "annotations": {
        "type": "object",
        "description": MEANINGS["annotations"],
        "properties": {
            "set": {
                "type": "array",
                "description": "Annotations to set",
                "items": {
                    "type": "object",
                    "properties": {
                        "entity_type": {
                            "enum": ["build", "pipeline", "project", "image"],
                            "default": "build",
                            "description": "What they are of",
                        },
                        "entity_id": {"type": "string", "description": "Its id or name; this build's own"},
                        "annotations": {"type": "array", "description": "Names, or names and values"},
                        "display": {"type": "string", "description": "Which of them lists of builds show"},
                    },
                },
            },
            "unset": {"type": "array", "items": {"type": "object"}, "description": "Annotations to remove"},
        },
    },
    "metadata": {
        "type": "object",
        "description": "Keys and values that are set on an image",
        "properties": {"set": {"type": "array", "description": "Keys, or by image the keys"}},
    },
}
# In the place of fields that only the reader of hooks, services and criteria looks into.
_LOOKED_INTO: Document = {
    "hooks": {"$ref": "#/definitions/hooks"},
    "services": {"anyOf": [_LIST, SERVICES.schema()]},
    "success_criteria": CRITERIA.schema(),
    "debug": {"type": "object", "properties": {"phases": PHASES_SCHEMA}},
    "on_success": {"type": "object", "properties": _NOTES},
    "on_fail": {"type": "object", "properties": _NOTES},
    "on_finish": {"type": "object", "properties": _NOTES},
    **_NOTES,
}


def _hooks() -> Document:
    """The hooks of a build or step: each commands, one step, several, or notes alone."""
    several = {
        "steps": {"$ref": "#/definitions/steps"},
        **{name: ROOT_FIELDS[name].schema() for name in ("mode", "fail_fast", "strict_fail_fast")},
    }
    steps = {"anyOf": [{"type": "object", "properties": several}, {"$ref": "#/definitions/step:freestyle"}]}
    whole: Document = {
        "anyOf": [
            _LIST,
            {
                "type": "object",
                "properties": {
                    "exec": {"anyOf": [_LIST, *steps["anyOf"]], "description": "What runs"},
                    **several,
                    **_NOTES,
                },
            },
            {"$ref": "#/definitions/step:freestyle"},
        ]
    }
    moments = dict.fromkeys(MOMENTS, whole)
    return described({"type": "object", "properties": moments, "additionalProperties": False})


def json_schema() -> Document:
    """Return the schema (draft-07) of a ``codefresh.yml``.

    ``definitions`` hold a schema for each step type that is known to the engine, by its name; a
    step of another type has the arguments that its type declares. ``x-docs`` is the page about it.
    """
    types = {step_type.name: step_type for step_type in (*STEP_TYPES.values(), PARALLEL) if step_type.runs}
    return {
        "$schema": DRAFT,
        "title": "codefresh.yml",
        "x-docs": WORKFLOW_DOCS,
        **described({"type": "object", "properties": _root(), "required": _required()}),
        "definitions": {
            "steps": {"type": "object", "additionalProperties": {"$ref": "#/definitions/step"}},
            "step": _any_step(list(types)),
            "hooks": _hooks(),
            **{
                f"step:{name}": {"x-docs": f"{DOCS}steps/{name}/", **_step(step_type)}
                for name, step_type in types.items()
            },
        },
    }


def described(schema: Document) -> Document:
    """Add what `MEANINGS` says to every property that says nothing itself, at any depth."""
    found = dict(schema)
    if properties := schema.get("properties"):
        found["properties"] = {
            name: {"description": MEANINGS[name], **described(inner)}
            if name in MEANINGS
            else described(inner)
            for name, inner in properties.items()
        }
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            found[word] = described(schema[word])
    if "anyOf" in schema:
        found["anyOf"] = [described(inner) for inner in schema["anyOf"]]
    return found


def _root() -> Document:
    properties = {name: field.schema() for name, field in ROOT_FIELDS.items()}
    known = {name: _LOOKED_INTO[name] for name in properties if name in _LOOKED_INTO}
    return {**properties, **known, "steps": {"$ref": "#/definitions/steps"}}


def _required() -> list[str]:
    return [name for name, field in ROOT_FIELDS.items() if field.required]


def _any_step(names: list[str]) -> Document:
    """A step has the fields of its type: those of freestyle where it names none."""
    return {
        "type": "object",
        "properties": {
            "type": {
                "type": "string",
                "description": MEANINGS["type"],
                "default": "freestyle",
                "examples": names,
            }
        },
        "allOf": [
            {
                "if": {
                    "properties": {"type": {"const": name}},
                    **({} if name == "freestyle" else {"required": ["type"]}),
                },
                "then": {"$ref": f"#/definitions/step:{name}"},
            }
            for name in names
        ],
    }


def _step(step_type: StepType) -> Document:
    fields = {**step_type.fields, **POST_FIELDS}
    noted = {name: AnyMap() for name in _NOTES if name not in fields}
    properties: Document = {"type": {"type": "string"}} | {
        name: _LOOKED_INTO.get(name) or field.schema() for name, field in {**fields, **noted}.items()
    }
    if step_type is PARALLEL:
        properties["steps"] = {"$ref": "#/definitions/steps"}
    else:
        properties |= {name: {"type": "object", "description": _MULTIPLIED[name]} for name in MULTIPLIERS}
    found: Document = {"type": "object", "properties": properties}
    # With `scale` or `matrix` the members have what is required, so that nothing is demanded here.
    return described(found)


_MULTIPLIED = {
    "scale": "Members that differ from each other: a map of names to fields",
    "matrix": "One member for each combination of values: fields to lists",
}
