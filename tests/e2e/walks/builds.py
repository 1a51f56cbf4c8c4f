"""Builds."""

from e2e.server import logs, until
from e2e.town import step
from e2e.walks.scene import Walk


def build(kind, *statuses, steps=None):
    def run(scene):
        scene.acme.pipeline(kind, steps=steps)
        build_id = scene.acme.run(f"p/{kind}")
        until(lambda: scene.acme.build(build_id)["status"] in statuses, f"a build that is {statuses}")
        return build_id

    return run


def decided(scene):
    asked = scene.call("GET", f"/api/builds/{scene.made}/steps")[0]
    return scene.acme.build(scene.made)["status"], (asked.get("decision") or {}).get("reason", "")


def decide(verb):
    def reach(scene):
        scene.page.goto(f"/builds/{scene.made}")
        scene.page.get_by_role("button", name=verb).click()
        scene.fill(Reason="it's time")
        return scene.dialog(verb)

    return reach


def terminate(scene):
    scene.page.goto(f"/builds/{scene.made}")
    scene.page.get_by_role("button", name="Terminate").click()
    return scene.dialog("Terminate")


def restart(start):
    def reach(scene):
        scene.page.goto(f"/builds/{scene.made}")
        scene.page.get_by_label("Run again from").select_option(start)
        return scene.page.get_by_role("button", name="Run again")

    return reach


def restarted(scene):
    """Of each build, which of its steps it ran itself, when all have ended."""
    found = list(reversed(scene.acme.builds()))
    if not all(one["finished"] for one in found):
        return []
    steps = [scene.call("GET", f"/api/builds/{one['id']}/steps") for one in found]
    return [
        [bool(step["started"]) and step["started"] >= build["created"] for step in each]
        for build, each in zip(found, steps, strict=True)
    ]


PAUSING = {"wait": step("echo it goes on", debug={"phases": {"before": True}})}


def paused(scene):
    scene.acme.pipeline("ok", steps=PAUSING)
    build_id = scene.call("POST", "/api/pipelines/debug/p%2Fok", {})
    until(lambda: scene.acme.build(build_id).get("paused"), "a build that waits at its breakpoint")
    return build_id


def run_to_breakpoints(scene):
    scene.page.goto("/pipelines/p%2Fok")
    scene.page.get_by_role("button", name="Run", exact=True).click()
    scene.page.get_by_role("dialog").get_by_label("stop at breakpoints").check()
    return scene.dialog("Run")


def go_on(scene):
    scene.page.goto(f"/builds/{scene.made}")
    return scene.page.get_by_role("button", name="Continue")


def look_around(scene):
    scene.page.goto(f"/builds/{scene.made}")
    scene.page.get_by_label("Shell command to run").fill("echo it\\'s $((40 + 2))")
    return scene.page.get_by_label("waits at a breakpoint").get_by_role("button", name="Run")


FAILING = {"one": step("true"), "two": step("exit 3"), "three": step("true")}

OF_BUILDS = [
    Walk(
        "approveBuild",
        "Approve the build",
        decide("Approve"),
        decided,
        ("success", "it's time"),
        build("approval", "pending-approval"),
    ),
    Walk(
        "denyBuild",
        "Deny the build",
        decide("Deny"),
        decided,
        ("denied", "it's time"),
        build("approval", "pending-approval"),
    ),
    Walk(
        "terminateBuild",
        "Terminate the build",
        terminate,
        lambda scene: scene.acme.build(scene.made)["status"],
        "terminated",
        build("slow", "running"),
    ),
    Walk(
        "debugPipeline",
        "Run this pipeline, with its breakpoints",
        run_to_breakpoints,
        lambda scene: [bool(scene.acme.build(one["id"]).get("paused")) for one in scene.acme.builds()],
        [True],
        lambda scene: scene.acme.pipeline("ok", steps=PAUSING),
    ),
    Walk(
        "goOn",
        "Go on to the next breakpoint from wait",
        go_on,
        lambda scene: scene.acme.build(scene.made)["status"],
        "success",
        paused,
    ),
    Walk(
        "lookAround",
        "Look around beside wait",
        look_around,
        lambda scene: "it's 42" in logs(scene.acme.server.data).read(scene.made, "wait").decode(),
        gives=True,
        prepare=paused,
    ),
    *(
        Walk(
            "restartBuild",
            "Run the build again",
            restart(start),
            restarted,
            [[True, True, False], ran],
            build("fail", "error", steps=FAILING),
        )
        for start, ran in (
            ("from the beginning", [True, True, False]),
            ("from what failed", [False, True, False]),
            ("from two", [False, True, False]),
        )
    ),
]
