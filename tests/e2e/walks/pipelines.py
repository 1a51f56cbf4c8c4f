"""Pipelines and projects."""

import re

from playwright.sync_api import expect

from e2e.walks.account import context
from e2e.walks.scene import Walk, on_pipeline

PIPELINE = "/api/pipelines/p%2Fok"


def pipeline(**spec):
    return lambda scene: scene.acme.pipeline("ok", **spec)


def spec_of(scene):
    return scene.call("GET", PIPELINE)["spec"]


def variables_of(scene):
    found = scene.call("GET", f"{PIPELINE}?decryptVariables=true")["spec"].get("variables", [])
    return [(one["key"], one["value"]) for one in found]


def pipelines_of(scene):
    return sorted(one["metadata"]["name"] for one in scene.call("GET", "/api/pipelines")["docs"])


def crons_of(scene):
    return [(one["name"], bool(one.get("disabled"))) for one in spec_of(scene).get("cronTriggers", [])]


def projects_of(scene):
    found = scene.call("GET", "/api/projects")["projects"]
    return sorted((one["projectName"], one["tags"]) for one in found if one["projectName"] != "default")


def create_pipeline(scene):
    scene.page.goto("/projects/p")
    scene.page.get_by_role("button", name="New pipeline").click()
    scene.fill(Name="it's new")
    return scene.dialog("Create")


def clone_pipeline(scene):
    on_pipeline(scene).get_by_role("button", name="Clone").click()
    scene.fill(Name="p/copy")
    return scene.dialog("Clone")


def rename_pipeline(scene):
    on_pipeline(scene).get_by_role("button", name="Rename").click()
    scene.fill(Name="p/other")
    return scene.dialog("Rename")


def delete_pipeline(scene):
    on_pipeline(scene).get_by_role("button", name="Delete").click()
    return scene.dialog("Delete")


def run_pipeline(scene):
    on_pipeline(scene).get_by_role("button", name="Run", exact=True).click()
    scene.fill(Variables="A=it's $HOME \\ \u202e\x1b[31m\nB=two words", Branch="side")
    scene.page.get_by_role("dialog").get_by_label("with an empty volume").check()
    return scene.dialog("Run")


def runs_of(scene):
    found = scene.acme.builds()
    values = [scene.call("GET", f"/api/builds/{one['id']}/variables") for one in found]
    return [
        (
            one["branchName"],
            sorted((each["key"], each["value"]) for each in given if each["key"] in ("A", "B")),
        )
        for one, given in zip(found, values, strict=True)
    ]


def save_variable(scene):
    on_pipeline(scene, "variables").get_by_role("button", name="New variable").click()
    scene.fill(Name="TOKEN", Value="very-secret")
    scene.page.get_by_role("dialog").get_by_label("encrypted").check()
    return scene.dialog("Save")


def change_variable(scene):
    on_pipeline(scene, "variables").get_by_role("button", name="Edit").click()
    scene.fill(Value="two")
    return scene.dialog("Save")


def delete_variable(scene):
    row = on_pipeline(scene, "variables").get_by_role("row", name=re.compile("^PORT"))
    row.get_by_role("button", name="Delete").click()
    return scene.dialog("Delete")


def choose_contexts(scene):
    on_pipeline(scene, "variables").get_by_label("shared").check()
    return scene.page.get_by_role("button", name="Save contexts")


def add_trigger(scene):
    on_pipeline(scene, "triggers").get_by_role("button", name="New time").click()
    scene.fill(Name="nightly", Five_fields="@daily")
    return scene.dialog("Create")


def toggle_trigger(scene):
    return on_pipeline(scene, "triggers").get_by_role("button", name="Turn off")


def delete_trigger(scene):
    row = on_pipeline(scene, "triggers").get_by_role("row", name=re.compile("^nightly"))
    row.get_by_role("button", name="Delete").click()
    return scene.dialog("Delete")


FILE = "# it's kept\nversion: '1.0'\nsteps:\n  other: {image: alpine, commands: ['echo \"$A\"']}\n"


def save_workflow(scene):
    page = on_pipeline(scene, "workflow")
    page.get_by_role("textbox", name="The workflow, YAML").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(FILE)
    expect(page.locator("[data-plan=other]")).to_be_visible()
    return page.get_by_role("button", name="Save", exact=True)


def save_settings(scene):
    page = on_pipeline(scene, "settings")
    page.get_by_label("of one branch at a time").fill("3")
    page.get_by_label("Description").fill("what it's for")
    return page.get_by_role("button", name="Save settings")


NIGHTLY = {"type": "cron", "name": "nightly", "expression": "@daily", "message": "nightly"}


def project(scene):
    return scene.call("POST", "/api/projects", {"projectName": "old", "tags": []})


def create_project(scene):
    scene.page.goto("/projects")
    scene.page.get_by_role("button", name="New project").click()
    scene.fill(Name="it's a project", Tags="a b")
    return scene.dialog("Create")


def change_project(tags):
    def reach(scene):
        scene.page.goto("/projects")
        scene.page.get_by_role("row", name=re.compile("old")).get_by_role("button", name="Edit").click()
        scene.fill(Name="new", Tags=tags)
        return scene.dialog("Save")

    return reach


def delete_project(scene):
    scene.page.goto("/projects")
    scene.page.get_by_role("row", name=re.compile("old")).get_by_role("button", name="Delete").click()
    return scene.dialog("Delete")


OF_PIPELINES = [
    Walk(
        "createPipeline",
        "Create a pipeline",
        create_pipeline,
        pipelines_of,
        ["p/it's new", "p/ok"],
        pipeline(),
    ),
    Walk("clonePipeline", "Clone the pipeline", clone_pipeline, pipelines_of, ["p/copy", "p/ok"], pipeline()),
    Walk("renamePipeline", "Rename the pipeline", rename_pipeline, pipelines_of, ["p/other"], pipeline()),
    Walk("deletePipeline", "Delete the pipeline", delete_pipeline, pipelines_of, [], pipeline()),
    Walk(
        "runPipeline",
        "Run this pipeline",
        run_pipeline,
        runs_of,
        [("side", [("A", "it's $HOME \\ \u202e\x1b[31m"), ("B", "two words")])],
        pipeline(),
    ),
    Walk(
        "saveVariable",
        "Save the variable",
        save_variable,
        variables_of,
        [("PORT", "1"), ("TOKEN", "very-secret")],
        pipeline(variables=[{"key": "PORT", "value": "1"}]),
        lambda _: {"VALUE_OF_TOKEN": "very-secret"},
    ),
    Walk(
        "saveVariable",
        "Save the variable",
        change_variable,
        variables_of,
        [("PORT", "two")],
        pipeline(variables=[{"key": "PORT", "value": "1"}]),
    ),
    Walk(
        "deleteVariable",
        "Delete the variable",
        delete_variable,
        variables_of,
        [("KEPT", "secret")],
        pipeline(
            variables=[
                {"key": "KEPT", "value": "secret", "encrypted": True},
                {"key": "PORT", "value": "1"},
            ]
        ),
    ),
    Walk(
        "chooseContexts",
        "Choose the contexts of the pipeline",
        choose_contexts,
        lambda scene: spec_of(scene).get("contexts", []),
        ["shared"],
        lambda scene: (scene.acme.pipeline("ok"), context(scene)),
    ),
    Walk("addTrigger", "Add a trigger", add_trigger, crons_of, [("nightly", False)], pipeline()),
    Walk(
        "toggleTrigger",
        "Turn off the trigger nightly",
        toggle_trigger,
        crons_of,
        [("nightly", True)],
        pipeline(cronTriggers=[NIGHTLY]),
    ),
    Walk(
        "deleteTrigger", "Delete the trigger", delete_trigger, crons_of, [], pipeline(cronTriggers=[NIGHTLY])
    ),
    Walk(
        "saveWorkflow",
        "Save the workflow",
        save_workflow,
        lambda scene: scene.call("GET", PIPELINE)["metadata"].get("originalYamlString"),
        FILE,
        pipeline(),
    ),
    Walk(
        "saveSettings",
        "Save the settings",
        save_settings,
        lambda scene: (
            spec_of(scene).get("branchConcurrency"),
            scene.call("GET", PIPELINE)["metadata"].get("description"),
        ),
        (3, "what it's for"),
        pipeline(),
    ),
    Walk("createProject", "Create a project", create_project, projects_of, [("it's a project", ["a", "b"])]),
    Walk(
        "changeProject",
        "Change the project",
        change_project("b c"),
        projects_of,
        [("new", ["b", "c"])],
        project,
    ),
    Walk("changeProject", "Change the project", change_project(""), projects_of, [("new", [])], project),
    Walk("deleteProject", "Delete the project", delete_project, projects_of, [], project),
]
