"""The JSON Schema of what a pipeline is written in: a ``codefresh.yml``, or a whole document around it."""

from functools import cache
from typing import Any

from headrace.pipeline.language import described, json_schema
from headrace.pipeline.spec import ROOT_FIELDS
from headrace.resources.pipelines.document import NUMBERS
from headrace.resources.triggers import service as triggers

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_MAP: Schema = {"type": "object"}


def _text(description: str) -> Schema:
    return {**_TEXT, "description": description}


def _number(field: str, description: str) -> Schema:
    least, most = NUMBERS[field]
    return {"type": "integer", "minimum": least, "maximum": most, "description": description}


_VARIABLES: Schema = {
    "type": "array",
    "description": "Variables; an encrypted one is shown as ***** and kept by that",
    "items": {
        "type": "object",
        "properties": {
            "key": _text("Name of the variable"),
            "value": {"description": "Its value"},
            "encrypted": {**_FLAG, "description": "Whether the value is kept secret"},
            "description": _text("What it is for"),
        },
        "required": ["key"],
    },
}
_CONTEXTS: Schema = {"type": "array", "items": _TEXT, "description": "Names of shared contexts"}
_OPTIONS: Schema = {
    "type": "object",
    "description": "Options of every build; a trigger and a run may say otherwise",
    "properties": {
        name: {**_FLAG, "description": text}
        for name, text in (
            ("noCache", "Build images without their layers of before"),
            ("noCfCache", "Do not take the image that was built last as a cache"),
            ("resetVolume", "Begin with an empty shared volume"),
            ("enableNotifications", "Tell about the end of the build"),
            ("pendingApprovalConcurrencyApplied", "Count builds that wait for an approval as running"),
        )
    },
}


def _trigger(**own: Schema) -> Schema:
    shared: Schema = {
        "name": _text("Name of the trigger"),
        "id": _text("Given by the server"),
        "disabled": {**_FLAG, "description": "Whether it starts nothing"},
        "variables": _VARIABLES,
        "contexts": _CONTEXTS,
        "options": _OPTIONS,
        "priority": _number("priority", "Builds of a higher one start first"),
        "concurrency": _number("concurrency", "At most so many builds of this trigger at a time"),
        "runtimeEnvironment": {**_MAP, "description": "Where its builds run: name"},
    }
    return {
        "type": "array",
        "items": {"type": "object", "properties": {**shared, **own}, "required": ["name"]},
    }


def _spec() -> Schema:
    return {
        "triggers": {
            "description": "Git events that start the pipeline",
            **_trigger(
                type={"enum": ["git"], "description": "Kind of the trigger"},
                repo=_text("Repository: owner/name"),
                events={
                    "type": "array",
                    "description": "Events that count",
                    "items": {"enum": sorted(triggers.GIT_EVENTS)},
                },
                branchRegex=_text("Branches that count: /^main$/"),
                pullRequestTargetBranchRegex=_text("Target branches of pull requests that count"),
                commentRegex=_text("Comments that count"),
                modifiedFilesGlob=_text("Files that must have changed: '{src/**,docs/**}'"),
                provider=_text("Kind of the Git host"),
                context=_text("Name of the Git integration"),
                secret=_text("Secret of the webhook"),
            ),
        },
        "cronTriggers": {
            "description": "Times that start the pipeline",
            **_trigger(
                type={"enum": ["cron"], "description": "Kind of the trigger"},
                expression=_text("Five fields, in UTC: '0 6 * * 1-5', or '@daily'"),
                message=_text("What the build is told"),
                gitTriggerId=_text("Trigger whose repository it takes; needs branch"),
                branch=_text("Branch that it takes; needs gitTriggerId"),
            ),
        },
        "variables": _VARIABLES,
        "contexts": _CONTEXTS,
        "options": _OPTIONS,
        "concurrency": _number("concurrency", "At most so many builds at a time; 0 for no limit"),
        "branchConcurrency": _number("branchConcurrency", "At most so many builds of one branch at a time"),
        "triggerConcurrency": _number(
            "triggerConcurrency", "At most so many builds of one trigger at a time"
        ),
        "priority": _number("priority", "Builds of a higher one start first"),
        "terminationPolicy": {
            "type": "array",
            "items": _MAP,
            "description": "What the start of a build does to older ones",
        },
        "runtimeEnvironment": {
            "type": "object",
            "properties": {"name": _text("Name of a runtime environment")},
            "description": "Where its builds run",
        },
        "specTemplate": {**_MAP, "description": "Where the steps are kept in a Git repository"},
    }


@cache
def schema() -> Schema:
    """Return the schema (draft-07) of both forms; they differ by ``kind: pipeline``.

    The steps of a whole document are fields of its ``spec``, as they stand in a ``codefresh.yml``.
    """
    workflow = json_schema()
    own = {name: field for name, field in workflow["properties"].items() if name in ROOT_FIELDS}
    del own["version"]
    document: Schema = {
        "type": "object",
        "required": ["kind", "metadata", "spec"],
        "properties": {
            "version": workflow["properties"]["version"],
            "kind": {"enum": ["pipeline"], "description": "A whole pipeline"},
            "metadata": {
                "type": "object",
                "description": "Name, description and tags",
                "required": ["name"],
                "properties": {
                    "name": _text("project/pipeline; another one renames it"),
                    "description": _text("What it is for"),
                    "labels": {
                        "type": "object",
                        "properties": {"tags": {"type": "array", "items": _TEXT, "description": "Tags"}},
                        "description": "Labels; `tags` are shown in lists",
                    },
                    "deprecate": {**_MAP, "description": "Kept for older clients"},
                },
            },
            "spec": {"type": "object", "description": "Triggers, variables, settings and steps"},
        },
    }
    document["properties"]["spec"]["properties"] = {**_spec(), **own}
    kept = {key: value for key, value in workflow.items() if key not in ("$schema", "title", "definitions")}
    return {
        "$schema": workflow["$schema"],
        "title": "A pipeline of Headrace",
        "if": {"properties": {"kind": {"const": "pipeline"}}, "required": ["kind"]},
        "then": {"$ref": "#/definitions/pipeline"},
        "else": {"$ref": "#/definitions/workflow"},
        "definitions": {"workflow": kept, "pipeline": described(document), **workflow["definitions"]},
    }
