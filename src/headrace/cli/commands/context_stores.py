"""Contexts that name a place elsewhere: secret stores, and Helm repositories in buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from headrace.cli.commands.contexts import create
from headrace.cli.errors import Refused
from headrace.cli.verbs import Array, leaf, pass_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from headrace.cli.app import App

# Logins of a Vault: its type, the options that make it, and their names in the context.
LOGINS: tuple[tuple[str, dict[str, str]], ...] = (
    ("token", {"token": "token"}),
    ("userpass", {"username": "username", "password": "password"}),
    ("approle", {"role_id": "role_id", "secret_id": "secret_id"}),
    ("gcp", {"gcp_role": "role"}),
    ("kubernetes", {"kubernetes_role": "role", "kubernetes_jwt": "jwt"}),
)
OPTIONAL = "kubernetes_jwt"
AWS = ("aws_access_key_id", "aws_secret_access_key", "aws_default_region")


def _policy(command: Callable[..., Any]) -> Callable[..., Any]:
    policies = click.Choice(("AccountAdmins", "AllUsersInAccount"))
    return click.option(
        "--sharing-policy", type=policies, default="AccountAdmins", show_default=True, help="Who may use it."
    )(command)


def _resource(command: Callable[..., Any]) -> Callable[..., Any]:
    kinds = click.Choice(("secret", "configmap"))
    command = click.option("--resource-name", help="Name of the secret or config map.")(command)
    return click.option("--resource-type", type=kinds, required=True, help="What holds the values.")(command)


@leaf("create context secret-store kubernetes")
@click.argument("name")
@click.option("--cluster", required=True, help="Name of a registered cluster.")
@click.option("--namespace", default="default", show_default=True, help="Namespace in it.")
@_resource
@_policy
@pass_app
def create_kubernetes(
    app: App,
    name: str,
    cluster: str,
    namespace: str,
    resource_type: str,
    resource_name: str | None,
    sharing_policy: str,
) -> None:
    """Create a store of secrets in a cluster."""
    data = {
        "sharingPolicy": sharing_policy,
        "resourceType": resource_type,
        "resourceName": resource_name,
        "cluster": cluster,
        "namespace": namespace,
    }
    create(app, name, "secret-store.kubernetes", _given(data))


@leaf("create context secret-store kubernetes-runtime")
@click.argument("name")
@click.option(
    "--runtimes", "--runtime", cls=Array, default=("*",), metavar="NAME", help="Runtime environments."
)
@_resource
@_policy
@pass_app
def create_kubernetes_runtime(
    app: App,
    name: str,
    runtimes: tuple[str, ...],
    resource_type: str,
    resource_name: str | None,
    sharing_policy: str,
) -> None:
    """Create a store of secrets beside the runtime that runs a build."""
    data = {
        "sharingPolicy": sharing_policy,
        "resourceType": resource_type,
        "resourceName": resource_name,
        "runtimes": list(runtimes),
    }
    create(app, name, "secret-store.kubernetes-runtime", _given(data))


@leaf("create context secret-store hashicorp-vault")
@click.argument("name")
@click.option("-a", "--api-url", required=True, help="Address of the Vault.")
@click.option("--login-path", help="Where its login method is mounted.")
@click.option("-n", "--namespace", help="Namespace of a Vault Enterprise.")
@click.option("-t", "--token", help="Log in by a token.")
@click.option("-u", "--username", help="Log in by a name and a password.")
@click.option("-p", "--password", help="The password of --username.")
@click.option("-r", "--role-id", help="Log in by AppRole.")
@click.option("-s", "--secret-id", help="The secret of --role-id.")
@click.option("--gcp-role", help="Log in by a Google Cloud role.")
@click.option("--kubernetes-role", help="Log in by a Kubernetes role.")
@click.option("--kubernetes-jwt", help="The token for --kubernetes-role.")
@click.option("--behind-firewall", is_flag=True, help="The Vault is not reachable from outside.")
@_policy
@pass_app
def create_vault(app: App, name: str, **options: Any) -> None:  # noqa: ANN401 — the options above
    """Create a store of secrets in a HashiCorp Vault."""
    data = {
        "sharingPolicy": options["sharing_policy"],
        "behindFirewall": options["behind_firewall"],
        "apiUrl": options["api_url"],
        "auth": _login(options),
    }
    create(app, name, "secret-store.hashicorp-vault", data)


def _login(options: dict[str, Any]) -> dict[str, Any]:
    """What the context says of the login; raises `Refused` where the options make none, or two."""
    named = [(kind, fields) for kind, fields in LOGINS if any(options[option] for option in fields)]
    if len(named) != 1:
        ways = "; ".join(" ".join(_spelled(option) for option in fields) for _, fields in LOGINS)
        raise Refused(f"missing authentication info: give one login of {ways}")
    kind, fields = named[0]
    for option in fields:
        if not options[option] and option != OPTIONAL:
            raise Refused(f"missing authentication info: {_spelled(option)} is needed, too")
    more = {"roleType": "gce"} if kind == "gcp" else {}
    places = {"mount_point": options["login_path"], "namespace": options["namespace"]}
    given = {wire: options[option] for option, wire in fields.items()}
    return {"type": kind, **more, **_given(given), **_given(places)}


def _spelled(option: str) -> str:
    return f"--{option.replace('_', '-')}"


@leaf("create context helm-repository s3")
@click.argument("name")
@click.option("--bucket", required=True, help="Name of the bucket, with or without s3://.")
@click.option("--aws-access-key-id", help="By default $AWS_ACCESS_KEY_ID.")
@click.option("--aws-secret-access-key", help="By default $AWS_SECRET_ACCESS_KEY.")
@click.option("--aws-default-region", help="By default $AWS_DEFAULT_REGION.")
@pass_app
def create_helm_s3(app: App, name: str, bucket: str, **options: str | None) -> None:
    """Create the address of a Helm repository in a bucket."""
    variables = {}
    for option in AWS:
        value = options[option] or app.environ.get(option.upper())
        if not value:
            raise Refused(f"Either {option.upper()} env, or {_spelled(option)} option is required")
        variables[option.upper()] = value
    url = bucket if bucket.startswith("s3://") else f"s3://{bucket}"
    create(app, name, "helm-repository", {"repositoryUrl": url, "variables": variables})


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None and value != ""}
