"""Helm releases: each command starts a build, and follows it unless it is detached."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from headrace.cli import files, logs
from headrace.cli.errors import Refused
from headrace.cli.verbs import Array, leaf, pass_app
from headrace.client.errors import ApiError

if TYPE_CHECKING:
    from headrace.cli.app import App
    from headrace.client.made import types

_VALUES = ("yaml", "secret-yaml")  # types of contexts that hold values
_TILLER = "Of Helm 2: names the namespace where nothing else does."

Command = Callable[..., Any]


def _started(command: Command) -> Command:
    """The option of every command that starts a build."""
    return click.option("-d", "--detach", is_flag=True, help="Print the build's id and do not follow it.")(
        command
    )


def _placed(command: Command) -> Command:
    """The options that say where a release is."""
    for option in (
        click.option("--namespace", "--ns", help="Of the release; it is looked for where none is given."),
        click.option("-n", "--tiller-namespace", help=_TILLER),
    ):
        command = option(command)
    return command


def _given(command: Command) -> Command:
    """The options that give values."""
    for option in (
        click.option("--context", "contexts", cls=Array, help="Contexts with values: yaml or secret-yaml."),
        click.option("--set", "settings", cls=Array, help="KEY=VALUE over the values."),
    ):
        command = option(command)
    return command


@leaf("install-chart")
@click.option("-c", "--cluster", required=True, help="Where to.")
@click.option("--namespace", "--ns", default="default", show_default=True, help="Of the release.")
@click.option("--tiller-namespace", "--tn", help=_TILLER)
@click.option(
    "-r", "--repository", default="kubeapps", help="Its address, or a context of type helm-repository."
)
@click.option("-n", "--name", required=True, help="Of the chart in the repository.")
@click.option("-v", "--version", help="Of the chart; the newest where none is given.")
@click.option("--release-name", help="By default that of the chart.")
@_given
@_started
@pass_app
def install_chart(app: App, *, cluster: str, detach: bool, **options: Any) -> int:  # noqa: ANN401 — of all kinds
    """Install a chart, or upgrade its release."""
    body = {
        "name": options["name"],
        "repository": options["repository"],
        "version": options["version"],
        "namespace": options["namespace"],
        "releaseName": options["release_name"],
        **_values(app, options),
    }
    made = app.api.helm.charts.install(
        _kept(body), selector=cluster, tiller_namespace=options["tiller_namespace"]
    )
    return _end(app, made, detach=detach)


@leaf("helm-promotion")
@click.option("-b", "--board", required=True, help="Which has both sections.")
@click.option("-s", "--source", required=True, help="Section where the release is.")
@click.option("-t", "--target", required=True, help="Section where it goes.")
@click.option("-n", "--namespace", help="Where it goes; by default that of the section.")
@click.option("--source-tiller-namespace", "--stn", help=_TILLER)
@click.option("--target-tiller-namespace", "--ttn", help=_TILLER)
@click.option("--source-release", "--sr", required=True, help="Its name.")
@click.option("--source-namespace", "--sn", help="Where it is; by default that of the section.")
@click.option("-r", "--revision", help="By default the newest.")
@click.option("--target-release", "--tr", help="Its new name; by default the same.")
@_given
@_started
@pass_app
def promote(app: App, *, detach: bool, **options: Any) -> int:  # noqa: ANN401 — of all kinds
    """Bring a release to another section of a board."""
    body = {
        "board": options["board"],
        "sourceSection": options["source"],
        "targetSection": options["target"],
        "releaseName": options["source_release"],
        "revision": options["revision"],
        "targetNamespace": options["namespace"],
        "targetReleaseName": options["target_release"],
        **_values(app, options),
    }
    made = app.api.helm.charts.promote.new(
        _kept(body),
        namespace=options["source_namespace"],
        tiller_namespace=options["source_tiller_namespace"],
    )
    return _end(app, made, detach=detach)


@leaf("delete-release")
@click.argument("name")
@click.option("-c", "--cluster", required=True, help="Where it is.")
@click.option("-t", "--timeout", type=int, default=300, show_default=True, help="Seconds.")
@click.option("-p", "--purge", is_flag=True, help="Its history, too.")
@click.option("--no-hooks", "--nh", is_flag=True, help="Without the hooks of its chart.")
@_placed
@_started
@pass_app
def delete_release(app: App, name: str, *, cluster: str, detach: bool, **options: Any) -> int:  # noqa: ANN401 — of all kinds
    """Delete a release."""
    made = app.api.helm.releases.delete(
        name,
        {"purge": options["purge"], "timeout": options["timeout"], "noHooks": options["no_hooks"]},
        selector=cluster,
        namespace=options["namespace"],
        tiller_namespace=options["tiller_namespace"],
    )
    return _end(app, made, detach=detach)


@leaf("test-release")
@click.argument("name")
@click.option("--cluster", required=True, help="Where it is.")
@click.option("--timeout", type=int, default=300, show_default=True, help="Seconds.")
@click.option("--cleanup", is_flag=True, help="Told to a pipeline of your own.")
@_placed
@_started
@pass_app
def try_release(app: App, name: str, *, cluster: str, detach: bool, **options: Any) -> int:  # noqa: ANN401 — of all kinds
    """Run the tests of a release."""
    made = app.api.helm.releases.test(
        name,
        {"cleanup": options["cleanup"], "timeout": options["timeout"]},
        selector=cluster,
        namespace=options["namespace"],
        tiller_namespace=options["tiller_namespace"],
    )
    return _end(app, made, detach=detach)


@leaf("rollback-release")
@click.argument("name")
@click.option("-c", "--cluster", required=True, help="Where it is.")
@click.option("-t", "--revision", type=int, required=True, help="Where it goes back to.")
@_placed
@_started
@pass_app
def rollback_release(app: App, name: str, *, cluster: str, detach: bool, **options: Any) -> int:  # noqa: ANN401 — of all kinds
    """Roll a release back to a revision."""
    made = app.api.kubernetes.rollback(
        name,
        str(options["revision"]),
        selector=cluster,
        namespace=options["namespace"],
        tiller_namespace=options["tiller_namespace"],
    )
    return _end(app, made, detach=detach)


@leaf("set-helm-config")
@click.argument("cluster")
@click.option("-v", "--version", default="helm3", help="helm3, the only one.")
@click.option("-t", "--test-release-pipeline", help="Runs where a release is tested.")
@click.option("-r", "--rollback-pipeline", help="Runs where a release is rolled back.")
@click.option("-d", "--delete-release-pipeline", help="Runs where a release is deleted.")
@click.option("--tiller-namespace", help=_TILLER)
@click.option("--release-namespaces", cls=Array, help="Where releases are; by default anywhere.")
@pass_app
def set_helm_config(app: App, cluster: str, **options: Any) -> None:  # noqa: ANN401 — of all kinds
    """Say how Helm uses a cluster."""
    body = {
        "helmVersion": options["version"],
        "testReleasePipeline": options["test_release_pipeline"],
        "rollbackPipeline": options["rollback_pipeline"],
        "deleteReleasePipeline": options["delete_release_pipeline"],
        "tillerNamespace": options["tiller_namespace"],
        "releaseNamespaces": list(options["release_namespaces"]) or None,
    }
    app.api.helm.cluster_config.store(cluster, _kept(body))
    click.echo("Helm config was set successfully")


def _values(app: App, options: dict[str, Any]) -> dict[str, Any]:
    """What ``--context`` and ``--set`` come to; a context without values is told, and left out."""
    names = []
    for name in options["contexts"]:
        try:
            kind = app.api.contexts.get(name)["spec"]["type"]
        except ApiError as error:
            raise Refused(f"Failed to get context: {error.message}") from error
        if kind in _VALUES:
            names.append({"name": name})
        else:
            click.echo(f"{name} has type {kind} which not supported, skipping", err=True)
    return {"values": names, "set": files.pairs(options["settings"])}


def _kept(given: dict[str, Any]) -> Any:  # noqa: ANN401 — a body, whose fields the server judges
    return {key: value for key, value in given.items() if value is not None}


def _end(app: App, made: types.StartedOut, *, detach: bool) -> int:
    if detach:
        click.echo(made["id"])
        return 0
    return logs.follow(app, made["id"])
