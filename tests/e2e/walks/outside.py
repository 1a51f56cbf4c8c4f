"""Clusters, registries, and events of other systems."""

import re

from e2e.walks.scene import Walk, on_pipeline

CRON = {"type": "cron", "kind": "codefresh", "values": {"expression": "@daily", "message": "nightly"}}


def clusters_of(scene):
    return [(one["selector"], one["url"] == scene.cluster.url) for one in scene.call("GET", "/api/clusters")]


def cluster(scene):
    scene.call("POST", "/api/clusters/local/cluster", scene.cluster.token_fields())
    scene.cluster.asked.clear()


def register_by_kubeconfig(scene):
    scene.page.goto("/clusters")
    scene.page.get_by_role("button", name="Register a cluster").click()
    scene.fill(Kubeconfig=scene.cluster.kubeconfig())
    return scene.dialog("Register")


def register_by_token(scene):
    fields = scene.cluster.token_fields()
    scene.page.goto("/clusters")
    scene.page.get_by_role("button", name="Register a cluster").click()
    scene.page.get_by_label("Log in with").select_option("an address and a token")
    scene.fill(
        Name="small",
        Address=fields["host"],
        Token=fields["serviceAccountToken"],
        Certificate=scene.cluster.authority,
    )
    return scene.dialog("Register")


def on_cluster_row(button):
    def reach(scene):
        scene.page.goto("/clusters")
        found = scene.page.get_by_role("row", name=re.compile("^small")).get_by_role("button", name=button)
        if button == "Test":
            return found
        found.click()
        return scene.dialog(button)

    return reach


def put_pull_secret(scene):
    scene.page.goto("/clusters/small?namespace=web")
    scene.page.get_by_role("button", name="Pull secret").click()
    return scene.dialog("Store")


def pull_secrets_of(scene):
    return [space for plural, space, _ in scene.cluster.objects if plural == "secrets"]


def registry(scene):
    body = {"name": "first", "domain": scene.registry.domain, "username": "ci", "password": "right"}
    scene.call("POST", "/api/registries", body)
    scene.call("POST", "/api/registries", {**body, "name": "second", "provider": "other"})


def registries_of(scene):
    found = scene.call("GET", "/api/registries")
    return [(one["name"], one.get("username"), one["default"]) for one in found]


def add_registry(scene):
    scene.page.goto("/registries")
    scene.page.get_by_role("button", name="Add a registry").click()
    scene.fill(Name="new", Domain=scene.registry.domain, User_name="ci", Password="right")
    return scene.dialog("Add")


def try_registry(scene):
    add_registry(scene)
    return scene.dialog("Test")


def on_second_registry(button, verb=""):
    def reach(scene):
        scene.page.goto("/registries")
        found = scene.page.get_by_role("row", name=re.compile("^second")).get_by_role("button", name=button)
        if not verb:
            return found
        found.click()
        if button == "Edit":
            scene.fill(Name="third", User_name="robot")
        return scene.dialog(verb)

    return reach


def asked_of(scene):
    return bool(scene.cluster.asked)


def login_of(scene):
    return bool(scene.registry.asked)


def event(*, link=False):
    def make(scene):
        uri = scene.call("POST", "/api/hermes/events?public=false", CRON)
        made = scene.acme.pipeline("ok")
        if link:
            scene.call("POST", f"/api/hermes/triggers/{coded(uri)}/{made}", {"filters": {}})
        return uri

    return make


def coded(uri):
    return uri.replace("/", "%2F").replace("@", "%40")


def pushed(scene):
    values = {"namespace": "acme", "name": "app"}
    body = {"type": "registry", "kind": "dockerhub", "values": values}
    uri = scene.call("POST", "/api/hermes/events?public=false", body)
    scene.acme.pipeline("ok")
    return uri


def events_of(scene):
    return [one["uri"].rpartition(":")[0] for one in scene.call("GET", "/api/hermes/events?public=false")]


def links_of(scene):
    return [one["filters"] for one in scene.call("GET", "/api/hermes/triggers")]


def create_event(scene):
    scene.page.goto("/triggers")
    scene.page.get_by_role("button", name="New event").click()
    scene.fill(expression="0 6 * * 1-5", message="it is morning")
    return scene.dialog("Create")


def create_push_event(scene):
    scene.page.goto("/triggers")
    scene.page.get_by_role("button", name="New event").click()
    scene.page.get_by_label("What happens").select_option("an image is pushed: quay")
    scene.fill(namespace="acme", name="app")
    return scene.dialog("Create")


def on_event(button):
    def reach(scene):
        scene.page.goto("/triggers")
        scene.page.locator("[data-event]").get_by_role("button", name=button).click()
        if button == "Link":
            scene.fill(Pipeline="p/ok")
        return scene.dialog(button)

    return reach


def link_on_pipeline(scene):
    on_pipeline(scene, "triggers").get_by_role("button", name="Link an event").click()
    scene.fill(tag="/^v[0-9]+'?$/")
    return scene.dialog("Link")


def unlink(path):
    def reach(scene):
        scene.page.goto(path)
        scene.page.get_by_role("button", name="Unlink").click()
        return scene.dialog("Unlink")

    return reach


OUTSIDE = [
    Walk(
        "registerCluster",
        "Register a cluster",
        register_by_kubeconfig,
        clusters_of,
        [("small", True)],
        secrets=lambda scene: {"KUBECONFIG_JSON": scene.cluster.kubeconfig()},
    ),
    Walk(
        "registerCluster",
        "Register a cluster",
        register_by_token,
        clusters_of,
        [("small", True)],
        secrets=lambda scene: {"SERVICE_ACCOUNT_TOKEN": scene.cluster.token_fields()["serviceAccountToken"]},
    ),
    Walk("testCluster", "Test the connection to small", on_cluster_row("Test"), asked_of, True, cluster),
    Walk("deleteCluster", "Delete the cluster", on_cluster_row("Delete"), clusters_of, [], cluster),
    Walk(
        "putPullSecret",
        "Store a pull secret",
        put_pull_secret,
        pull_secrets_of,
        ["web"],
        lambda scene: (cluster(scene), registry(scene)),
    ),
    Walk(
        "createRegistry",
        "Add a registry",
        add_registry,
        registries_of,
        [("new", "ci", True)],
        secrets=lambda _: {"PASSWORD": "right"},
    ),
    Walk(
        "testRegistry",
        "Test the login",
        try_registry,
        login_of,
        gives=True,
        secrets=lambda _: {"PASSWORD": "right"},
    ),
    Walk(
        "changeRegistry",
        "Change the registry",
        on_second_registry("Edit", "Save"),
        registries_of,
        [("first", "ci", True), ("third", "robot", False)],
        registry,
    ),
    Walk(
        "chooseRegistry",
        "Make second the default",
        on_second_registry("Make default"),
        registries_of,
        [("first", "ci", False), ("second", "ci", True)],
        registry,
    ),
    Walk(
        "deleteRegistry",
        "Delete the registry",
        on_second_registry("Delete", "Delete"),
        registries_of,
        [("first", "ci", True)],
        registry,
    ),
    Walk(
        "createEvent",
        "Create an event",
        create_event,
        events_of,
        ["cron:codefresh:0 6 * * 1-5:it is morning"],
    ),
    Walk("createEvent", "Create an event", create_push_event, events_of, ["registry:quay:acme:app:push"]),
    Walk("deleteEvent", "Delete the event", on_event("Delete"), events_of, [], event()),
    Walk("linkEvent", "Let the event start the pipeline", on_event("Link"), links_of, [{}], event()),
    Walk(
        "linkEvent",
        "Let the event start the pipeline",
        link_on_pipeline,
        links_of,
        [{"tag": "/^v[0-9]+'?$/"}],
        pushed,
    ),
    Walk(
        "unlinkEvent",
        "Unlink the event from the pipeline",
        unlink("/triggers"),
        links_of,
        [],
        event(link=True),
    ),
    Walk(
        "unlinkEvent",
        "Unlink the event from the pipeline",
        unlink("/pipelines/p%2Fok?tab=triggers"),
        links_of,
        [],
        event(link=True),
    ),
]
