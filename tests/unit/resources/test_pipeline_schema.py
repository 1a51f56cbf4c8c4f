"""The schema that the editor completes from knows every key that the server asks of a pipeline document."""

import jsonschema_rs
import pytest

from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.services import FIELDS as SERVICES
from headrace.resources.pipelines import document, language

# The keys of a `kind: pipeline` document, by their place; `0` is an entry of a list.
KEYS = {
    "metadata": """accountId created_at deprecate description executionContextId id isPublic labels name
        originalYamlString project projectId revision shortName template updated_at""",
    "spec": """branchConcurrency build_version clustersInfo concurrency contexts cronTriggers debug
        externalResources fail_fast hooks indicators lowMemoryWarningThreshold mode options packId
        permitRestartFromFailedSteps priority requiredAvailableStorage runtimeEnvironment scopeSnapshot scopes
        serviceAccount services specTemplate stages steps strict_fail_fast success_criteria terminationPolicy
        triggerConcurrency triggers variables variablesSchema""",
    "spec.variables.0": "key value encrypted",
    "spec.options": """enableNotifications keepPVCsForPendingApproval noCache noCfCache
        pendingApprovalConcurrencyApplied resetVolume""",
    "spec.runtimeEnvironment": "cpu dindStorage memory name requiredAvailableStorage",
    "spec.specTemplate": "context location path repo revision url",
    "spec.externalResources.0": "context destination id isFolder repo revision source type",
    "spec.terminationPolicy.0": "branchName event ignoreBranch ignoreTrigger key type value",
    "spec.clustersInfo": "clusters injectAll",
    "spec.debug": "steps",
    "spec.triggers.0": """branchRegex branchRegexInput commentRegex commitStatusTitle concurrency context
        contexts createdFromRepositoryMigration description disabled events gerritCIStatusLabels id
        modifiedFilesGlob name options packId priority provider pullRequestAllowForkEvents
        pullRequestTargetBranchRegex repo requiredAvailableStorage runtimeEnvironment serviceAccount
        skipCommentAuthorAssociationValidation status terminationPolicy type variables verified""",
    "spec.cronTriggers.0": """branch disabled event expression gitTriggerId id message name options packId
        requiredAvailableStorage runtimeEnvironment serviceAccount status type variables verified""",
}


def properties_at(path):
    """What the schema says of a map of a whole document."""
    found = language.schema()["definitions"]["pipeline"]
    for part in path.split("."):
        found = found["items"] if part == "0" else found["properties"][part]
    return found["properties"]


@pytest.mark.parametrize("path", KEYS)
def test_every_key_of_a_document_is_in_the_schema(path):
    assert set(KEYS[path].split()) - properties_at(path).keys() == set()


class Asked(dict):
    """A map that notes which keys it was asked for."""

    def __init__(self, values, path, seen):
        super().__init__({key: watched(value, f"{path}.{key}", seen) for key, value in values.items()})
        self._seen = seen.setdefault(path, set())

    def get(self, key, default=None):
        self._seen.add(key)
        return super().get(key, default)

    def __getitem__(self, key):
        self._seen.add(key)
        return super().__getitem__(key)


def watched(value, path, seen):
    if isinstance(value, dict):
        return Asked(value, path, seen)
    return [watched(item, f"{path}.0", seen) for item in value] if isinstance(value, list) else value


WRITTEN = {
    "metadata": {"name": "demo/ci", "labels": {"tags": ["a"]}},
    "spec": {
        "triggers": [{"name": "t", "type": "git", "repo": "a/b", "events": ["push"]}],
        "cronTriggers": [{"name": "c", "type": "cron", "message": "now", "expression": "0 1 * * *"}],
        "specTemplate": {"location": "git", "repo": "a/b", "path": "x"},
        "externalResources": [
            {"type": "git", "repo": "a/b", "revision": "main", "source": "x", "destination": "y"}
        ],
        "terminationPolicy": [
            {"type": "branch", "event": "onCreate"},
            {"type": "annotation", "event": "onTerminate", "key": "a"},
        ],
        "options": {},
        "debug": {"steps": {}},
        "runtimeEnvironment": {"name": "default"},
    },
}


def test_every_key_that_the_server_asks_for_is_in_the_schema():
    seen = {}
    document.checked(watched(WRITTEN, "", seen))
    asked = {
        path.removeprefix("."): keys for path, keys in seen.items() if path.startswith((".metadata", ".spec"))
    }
    assert {"specTemplate", "externalResources", "debug"} <= asked["spec"]
    assert "isFolder" in asked["spec.externalResources.0"]
    asked["spec.cronTriggers.0"] -= {"events", "repo", "secret"}  # both kinds are asked for them
    unknown = {
        path: keys - properties_at(path).keys()
        for path, keys in asked.items()
        if path not in ("metadata.labels", "spec.debug.steps")
    }
    assert {path: keys for path, keys in unknown.items() if keys} == {}


def test_what_the_server_takes_fits_the_schema():
    checked = jsonschema_rs.Draft7Validator(language.schema())
    written = {"version": "1.0", "kind": "pipeline", **WRITTEN}
    assert [one.message for one in checked.iter_errors(written)] == []


def test_an_external_resource_of_no_kind_is_wrong_in_both():
    resource = {"type": "ftp", "source": "x", "destination": "y"}
    written = {"kind": "pipeline", "metadata": {"name": "demo/ci"}, "spec": {"externalResources": [resource]}}
    with pytest.raises(SpecErrors, match=r"externalResources\.0\.type"):
        document.checked(written)
    checked = jsonschema_rs.Draft7Validator(language.schema())
    places = [list(one.instance_path) for one in checked.iter_errors(written)]
    assert places == [["spec", "externalResources", 0, "type"]]


@pytest.mark.parametrize("of", ["workflow", "step:freestyle"])
def test_services_and_hooks_are_looked_into(of):
    schema = language.schema()
    properties = schema["definitions"][of]["properties"]
    services = properties["services"]["anyOf"][1]["properties"]
    assert services.keys() == SERVICES.schema()["properties"].keys()
    assert properties["hooks"]["$ref"] == "#/definitions/hooks"
    assert set(schema["definitions"]["hooks"]["properties"]) == {
        "on_elected",
        "on_success",
        "on_fail",
        "on_finish",
    }
