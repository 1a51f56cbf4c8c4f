"""Kubernetes clusters, created and deleted, and the pull secrets in them; `lists` shows clusters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from headrace.cli.errors import Refused
from headrace.cli.files import read_text
from headrace.cli.verbs import leaf, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App


@leaf("create clusters")
@click.argument("name", required=False)
@click.option("--kube-context", "--kc", help="Context of the kubeconfig; by default the current one.")
@click.option("--kube-config-path", help="The kubeconfig; by default $KUBECONFIG, then ~/.kube/config.")
@click.option("--behind-firewall", is_flag=True, help="The server does not call it now.")
@pass_app
def create_cluster(
    app: App,
    name: str | None,
    kube_context: str | None,
    kube_config_path: str | None,
    *,
    behind_firewall: bool,
) -> None:
    """Register a cluster with the login of a kubeconfig, after it was tried."""
    places = kube_config_path or app.environ.get("KUBECONFIG") or ""
    path = places.partition(":")[0] or str(Path(app.environ.get("HOME", "")) / ".kube" / "config")
    made = app.api.clusters.create(
        "local",
        {
            "selector": name or "",
            "kubeconfig": read_text(path),
            "kubeContext": kube_context or "",
            "behindFirewall": behind_firewall,
        },
    )
    click.echo(f"Cluster: {made['selector']} created")


@leaf("delete cluster")
@click.argument("name")
@pass_app
def delete_cluster(app: App, name: str) -> None:
    """Forget a cluster; nothing happens in it."""
    for each in app.api.clusters.list():
        if name in (each["selector"], each["_id"]):
            app.api.clusters.delete(each["provider"], each["_id"])
            click.echo(f"Cluster: {name} deleted")
            return
    raise Refused(f"No such cluster: {name}; `codefresh get clusters` shows what there is")


@leaf("generate image-pull-secret")
@click.option("--cluster", required=True, help="Name of the cluster.")
@click.option("--namespace", default="default", show_default=True, help="Where the secret goes.")
@click.option("--registry", required=True, help="Name or id of the registry whose login it holds.")
@pass_app
def generate_pull_secret(app: App, cluster: str, namespace: str, registry: str) -> None:
    """Store the login of a registry in a cluster, for pods to pull with."""
    made = app.api.kubernetes.generate_image_pull_secret(
        {"registry": registry}, selector=cluster, namespace=namespace
    )
    click.echo(f"Image pull secret: {made['name']} created")
