"""Environments, and the compositions that they are launched from."""

from e2e.server import until
from e2e.walks.scene import Walk

DOCUMENT = "services:\n  web: {image: nginx}\n"


def environment(status):
    def make(scene):
        scene.acme.pipeline("ok")
        build_id = scene.acme.run("p/ok")
        until(lambda: scene.acme.build(build_id)["finished"], "the end of the build")
        scene.acme.environment("shop", build_id, status=status)

    return make


def environments_of(scene):
    return [(one["name"], one["status"]) for one in scene.call("GET", "/api/environments")]


def on_environment(button):
    def reach(scene):
        scene.page.goto("/environments")
        found = scene.page.get_by_role("button", name=button, exact=True)
        if button not in ("Rename", "Terminate"):
            return found
        found.click()
        if button == "Rename":
            scene.fill(Name="it's new")
        return scene.dialog(button)

    return reach


def composition(scene):
    scene.call("POST", "/api/compositions", {"name": "services", "yamlJson": DOCUMENT})


def compositions_of(scene):
    found = scene.call("GET", "/api/compositions")
    return [(one["name"], one["yamlJson"], one["vars"]) for one in found]


def create_composition(scene):
    scene.page.goto("/environments")
    scene.page.get_by_role("button", name="New composition").click()
    scene.fill(Name="it's new", Document=DOCUMENT, Variables="TAG=1.2")
    return scene.dialog("Store")


def launch(scene):
    scene.page.goto("/environments")
    return scene.page.get_by_role("button", name="Launch")


def delete_composition(scene):
    scene.page.goto("/environments")
    scene.page.get_by_role("button", name="Delete").click()
    return scene.dialog("Delete")


OF_ENVIRONMENTS = [
    *(
        Walk(action, title, on_environment(button), environments_of, [("shop", doing)], environment(status))
        for action, title, button, status, doing in (
            ("pauseEnvironment", "Pause shop", "Pause", "running", "pausing"),
            ("unpauseEnvironment", "Let shop go on", "Go on", "paused", "unpausing"),
            ("stopEnvironment", "Stop shop", "Stop", "paused", "stopping"),
            ("startEnvironment", "Start shop", "Start", "stopped", "starting"),
        )
    ),
    Walk(
        "renameEnvironment",
        "Rename the environment",
        on_environment("Rename"),
        environments_of,
        [("it's new", "running")],
        environment("running"),
    ),
    Walk(
        "terminateEnvironment",
        "Terminate the environment",
        on_environment("Terminate"),
        environments_of,
        [("shop", "terminating")],
        environment("running"),
    ),
    Walk(
        "createComposition",
        "Store the composition",
        create_composition,
        compositions_of,
        [("it's new", DOCUMENT, ["TAG=1.2"])],
    ),
    Walk(
        "launchComposition",
        "Launch services",
        launch,
        lambda scene: len(scene.acme.builds()),
        1,
        composition,
    ),
    Walk(
        "deleteComposition",
        "Delete the composition",
        delete_composition,
        compositions_of,
        [],
        composition,
    ),
]
