"""The JSON Schema of what a pipeline is written in: a ``codefresh.yml``, or a whole document around it."""

from functools import cache
from typing import Any

from headrace.http.scopes import Scope
from headrace.pipeline.language import PHASES_SCHEMA, described, json_schema
from headrace.pipeline.spec import ROOT_FIELDS
from headrace.resources.pipelines.document import DERIVED, NUMBERS
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
            ("keepPVCsForPendingApproval", "Keep the shared volume while a build waits for an approval"),
        )
    },
}


_RUNTIME: Schema = {
    "type": "object",
    "description": "Where its builds run",
    "properties": {
        "name": _text("Name of a runtime environment"),
        "memory": _text("Memory of a build: '2048Mi'"),
        "cpu": _text("Processors of a build: '500m'"),
        "dindStorage": _text("Storage of the Docker engine: '10Gi'"),
        "requiredAvailableStorage": _text("Storage that must be free: '10Gi'"),
    },
}
_POLICY: Schema = {
    "type": "array",
    "description": "What the start or the end of a build does to other ones",
    "items": {
        "type": "object",
        "properties": {
            "type": {"enum": ["branch", "annotation"], "description": "What the builds have in common"},
            "event": {"enum": ["onCreate", "onTerminate"], "description": "When it is looked at"},
            "branchName": _text("Pattern of the branches that count"),
            "ignoreBranch": {**_FLAG, "description": "Builds of every branch count"},
            "ignoreTrigger": {**_FLAG, "description": "Builds of every trigger count"},
            "key": _text("Name of the annotation"),
            "value": _text("Value of the annotation; the id of the build where nothing is said"),
        },
        "required": ["type", "event"],
    },
}
_RESOURCES: Schema = {
    "type": "array",
    "description": "Files of other repositories, copied into the shared volume before the first step",
    "items": {
        "type": "object",
        "properties": {
            "id": _text("What it is called"),
            "type": {"enum": ["git", "cloud", "url"], "description": "Where it is; only git is copied"},
            "repo": _text("Repository: owner/name, or a whole address"),
            "revision": _text("Branch, tag or commit"),
            "context": _text("Name of the Git integration that logs in"),
            "source": _text("Path in the repository"),
            "destination": _text("Path in the shared volume"),
            "isFolder": {**_FLAG, "description": "Whether the source is a folder"},
        },
        "required": ["type", "source", "destination"],
    },
}
_TEMPLATE: Schema = {
    "type": "object",
    "description": "Where the steps are kept instead of here",
    "properties": {
        "location": {"enum": ["git", "url"], "description": "In a repository, or at an address"},
        "repo": _text("Repository: owner/name"),
        "path": _text("Path of the file in the repository"),
        "revision": _text("Branch, tag or commit; the branch of the build where nothing is said"),
        "context": _text("Name of the Git integration that logs in"),
        "url": _text("Address of the file"),
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
        "runtimeEnvironment": _RUNTIME,
        "description": _text("What it is for"),
        "terminationPolicy": _POLICY,
        "packId": _text("Size of the machine; kept, without effect"),
        "serviceAccount": _text("Account of the cluster that its builds run as; kept, without effect"),
        "requiredAvailableStorage": _text("Storage that must be free: '10Gi'"),
        "verified": _FLAG,
        "status": _TEXT,
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
                branchRegexInput={
                    "enum": ["regex", "multiselect", "multiselect-exclude"],
                    "description": "How branchRegex was written; multiselect-exclude turns it round",
                },
                pullRequestAllowForkEvents={**_FLAG, "description": "Whether pull requests of forks count"},
                skipCommentAuthorAssociationValidation={
                    **_FLAG,
                    "description": "Whether comments of everybody count",
                },
                commitStatusTitle=_text("What the status of the commit is called"),
                gerritCIStatusLabels={"type": "array", "items": _TEXT},
                createdFromRepositoryMigration=_FLAG,
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
                event=_text("Given by the server"),
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
        "terminationPolicy": _POLICY,
        "runtimeEnvironment": _RUNTIME,
        "specTemplate": _TEMPLATE,
        "externalResources": _RESOURCES,
        "permitRestartFromFailedSteps": {
            **_FLAG,
            "description": "Whether a build may go on from a failed step",
        },
        "clustersInfo": {
            "type": "object",
            "description": "Clusters whose logins the steps get; all where nothing is said",
            "properties": {
                "injectAll": {**_FLAG, "description": "Whether all clusters count"},
                "clusters": {"type": "array", "items": _TEXT, "description": "Names of clusters"},
            },
        },
        "scopes": {
            "type": "array",
            "items": {"enum": sorted(str(scope) for scope in Scope)},
            "description": "What the key of a build may do",
        },
        "scopeSnapshot": _TEXT,
        "variablesSchema": _text("JSON Schema of the variables of a run; kept, without effect"),
        "packId": _text("Size of the machine; kept, without effect"),
        "requiredAvailableStorage": _text("Storage that must be free: '10Gi'"),
        "lowMemoryWarningThreshold": {"enum": ["70", "90", "100"]},
        "serviceAccount": _text("Account of the cluster that builds run as; kept, without effect"),
        "debug": {
            "type": "object",
            "description": "Breakpoints of a build in debug mode",
            "properties": {
                "steps": {
                    "type": "object",
                    "description": "By the names of the steps",
                    "additionalProperties": {"type": "object", "properties": {"phases": PHASES_SCHEMA}},
                }
            },
        },
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
                    "project": _text("The project; part of the name where nothing is said"),
                    "isPublic": {**_FLAG, "description": "Whether everybody may read the logs"},
                    "originalYamlString": _text("The steps as a text, as their author wrote them"),
                    "template": {
                        "type": "object",
                        "properties": {"isTemplate": _FLAG, "generatedFrom": _TEXT},
                        "description": "Whether new pipelines may begin as a copy of it",
                    },
                    "deprecate": {**_MAP, "description": "Kept for older clients"},
                    "executionContextId": _TEXT,
                    **{name: {"description": "Given by the server", "readOnly": True} for name in DERIVED},
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
