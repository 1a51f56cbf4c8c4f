"""``codefresh run``: start a pipeline and follow it."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headrace.cli import files, logs
from headrace.cli.cures import told
from headrace.cli.errors import Refused
from headrace.cli.verbs import Array, leaf, pass_app
from headrace.client.errors import ApiError

if TYPE_CHECKING:
    from headrace.cli.app import App
    from headrace.client.made import types

FLAGS = {
    "no_cache": "noCache",
    "no_cf_cache": "noCfCache",
    "enable_notifications": "enableNotifications",
    "reset_volume": "resetVolume",
}


@leaf("run")
@click.argument("name", required=False, metavar="[ID|NAME]")
@click.option("-t", "--trigger", help="Id or name of a trigger of the pipeline.")
@click.option("-b", "--branch", help="Branch of the repository.")
@click.option("-s", "--sha", help="Commit of the repository.")
@click.option("-v", "--variable", multiple=True, metavar="K=V", help="A variable; may be repeated.")
@click.option("-S", "--secret", multiple=True, metavar="K=V", help="An encrypted variable.")
@click.option("--variable-file", "--var-file", metavar="FILE", help="A list of variable maps: one run each.")
@click.option("-c", "--context", cls=Array, metavar="NAME", help="Shared configurations to add.")
@click.option("-y", "--yaml", metavar="FILE", help="Run these steps instead of the pipeline's own.")
@click.option("-a", "--annotation", multiple=True, metavar="K=V", help="An annotation of the build.")
@click.option("--no-cache", "--nc", is_flag=True, help="Without the cache of the build engine.")
@click.option("--no-cf-cache", "--ncfc", is_flag=True, help="Without the server's cache.")
@click.option("--reset-volume", "--rv", is_flag=True, help="Begin with an empty volume.")
@click.option("--enable-notifications", "--en", is_flag=True, help="Report the status to Git and chats.")
@click.option("--only", cls=Array, metavar="STEP", help="Only these steps.")
@click.option("--skip", cls=Array, metavar="STEP", help="All steps but these.")
@click.option("--memory", type=int, metavar="MI", help="Memory in MiB.")
@click.option("--cpu", type=int, metavar="M", help="Thousandths of a processor.")
@click.option("--disk", type=int, metavar="GI", help="Disk in GiB.")
@click.option("--pack-name", type=click.Choice(("small", "medium", "large")), help="Size of the machine.")
@click.option("--runtime-name", help="Runtime environment to run in.")
@click.option("-d", "--detach", is_flag=True, help="Print the build's id and do not follow it.")
@click.option("--dry-run", is_flag=True, help="Print what would run, and start nothing.")
@click.option("--debug", is_flag=True, help="Stop at the breakpoints of the steps.")
@click.option("--local", is_flag=True, help="Run the steps on this machine, with no server.")
@click.option("--local-volume", "--lv", metavar="DIR", help="With --local: the folder that steps share.")
@pass_app
def run(app: App, name: str | None, **options: Any) -> int:  # noqa: ANN401 — the options above
    """Run a pipeline and print its log until it ends."""
    if options["local"] and options["dry_run"]:
        raise Refused("--dry-run asks the server: leave out --local")
    if options["local"]:
        return _run_local(app, name, options)
    if name is None and options["yaml"] is None:
        raise Refused("You need to specify pipelineName or the yaml file")
    _check_inputs(app, name, options)
    bodies = [_body(app, options, variables) for variables in _variable_sets(options)]
    if options["dry_run"]:
        for body in bodies:
            _print_plan(_planned(app, name, body))
        return 0
    started = [_start(app, name, body, debug=options["debug"]) for body in bodies]
    if options["detach"] or len(started) > 1:
        for build_id in started:
            click.echo(build_id)
        return 0
    return logs.follow(app, started[0])


def _run_local(app: App, name: str | None, options: dict[str, Any]) -> int:
    from headrace.cli.local import asker, run_local

    if options["yaml"] is None:
        raise Refused(
            f"--local runs a file, not {name!r}; give it as: codefresh run --local -y codefresh.yml"
        )
    if options["only"] or options["skip"]:
        raise Refused("--only and --skip need a server; with --local, give a step a 'when' condition instead")
    given = {"CF_BRANCH": options["branch"], "CF_REVISION": options["sha"]}
    volume = options["local_volume"]
    return run_local(
        files.read_text(options["yaml"]),
        variables={key: value for key, value in given.items() if value} | files.mapping(options["variable"]),
        secrets=files.mapping(options["secret"]),
        out=sys.stdout,
        workdir=Path(volume) if volume else None,
        docker_host=app.environ.get("DOCKER_HOST"),
        ask=asker(sys.stderr, sys.stdin),
    )


def _check_inputs(app: App, name: str | None, options: dict[str, Any]) -> None:
    """Ask about everything that the run names, so that a wrong name starts nothing."""
    if name is not None:
        try:
            app.api.pipelines.get(name)
        except ApiError as error:
            if error.status in (400, 404):
                raise Refused(f"Passed pipeline id: {name} does not exist") from error
            raise
    for context in options["context"]:
        try:
            app.api.contexts.get(context)
        except ApiError as error:
            raise Refused(f"Failed to verify context {context} with error: {told(error)}") from error
    if options["yaml"] is not None:
        from headrace.cli.commands.validate import check_file

        check_file(app, options["yaml"])
    if options["runtime_name"]:
        _check_runtime(app, options["runtime_name"])


def _check_runtime(app: App, name: str) -> None:
    try:
        app.api.runtime_envs.get(name, extend=False)
    except ApiError as error:
        if error.status != 404:  # noqa: PLR2004 — HTTP: not found
            raise
        click.echo(f"Runtime environment {name} not found. Default runtime will be used.", err=True)


def _variable_sets(options: dict[str, Any]) -> list[Any]:
    """One set of variables per run, as the API takes it: a list from options, a map from a file."""
    if options["variable_file"] is None:
        secret = [pair | {"encrypted": True} for pair in files.pairs(options["secret"])]
        return [files.pairs(options["variable"]) + secret]
    document = files.read_document(options["variable_file"])
    if not isinstance(document, list) or not document or not all(isinstance(item, dict) for item in document):
        raise Refused(f"{options['variable_file']}: expected a list of maps, one for each run: - NAME: value")
    return document


def _body(app: App, options: dict[str, Any], variables: object) -> types.PlanBody:
    wanted: dict[str, Any] = {wire: True for name, wire in FLAGS.items() if options[name]}
    wanted |= {name: list(options[name]) for name in ("skip", "only") if options[name]}
    units = (("cpu", "cpu", "m"), ("memory", "memory", "Mi"), ("disk", "disk", "Gi"))
    machine = {wire: f"{options[name]}{unit}" for name, wire, unit in units if options[name]}
    names = (("runtime_name", "runtimeName"), ("pack_name", "packName"))
    machine |= {wire: options[name] for name, wire in names if options[name]}
    annotations = files.mapping(options["annotation"])
    if app.environ.get("CF_BUILD_ID"):
        annotations["cf_predecessor"] = app.environ["CF_BUILD_ID"]
    body = {
        "options": wanted,
        "userMachineConfig": machine,
        "branch": options["branch"],
        "sha": options["sha"],
        "trigger": options["trigger"],
        "userYamlDescriptor": files.read_text(options["yaml"]) if options["yaml"] else None,
        "variables": variables,
        "annotations": annotations,
        "contexts": list(options["context"]) if isinstance(variables, list) else None,
    }
    given: Any = {key: value for key, value in body.items() if value is not None}
    found: types.PlanBody = given
    return found


def _start(app: App, name: str | None, body: types.PlanBody, *, debug: bool) -> str:
    """Start one build; the request id makes a repeated request start no second one."""
    if debug:
        if name is None:
            raise Refused("a debug run needs a pipeline; give its id or name")
        return str(app.api.pipelines.debug(name, body))
    request_id = str(uuid.uuid4())
    if name is None:
        return str(app.api.pipelines.run_yaml(body, req_id=request_id))
    return str(app.api.pipelines.run(name, body, req_id=request_id))


def _planned(app: App, name: str | None, body: types.PlanBody) -> dict[str, Any]:
    if name is None:
        return dict(app.api.pipelines.plan_yaml(body))
    return dict(app.api.pipelines.plan(name, body))


def _print_plan(plan: dict[str, Any]) -> None:
    """One line a step with what becomes of it, below it the conditions that say so."""
    depths: dict[str | None, int] = {None: 0}
    if copied := plan["hooks"].get("externalResources"):
        click.echo(f"externalResources, copied first: {', '.join(one['name'] for one in copied)}")
    for step in plan["steps"]:
        depth = depths[step["parent"]]
        depths[step["name"]] = depth + 1
        reason = f" ({step['reason']})" if step["reason"] else ""
        image = f" in {step['image']}" if step["image"] else ""
        click.echo(f"{'  ' * depth}{step['name']} [{step['stage']}]{image}: {step['verdict']}{reason}")
        for found in step["conditions"]:
            values = ", ".join(f"{key}={value!r}" for key, value in found["values"].items())
            click.echo(
                f"{'  ' * depth}    {found['kind']}: {found['text']}{f' with {values}' if values else ''}"
            )
        for moment, steps in step["hooks"].items():
            click.echo(
                f"{'  ' * depth}    {moment}: {', '.join(one['name'] for one in steps) or 'annotations'}"
            )
        if step["secrets"]:
            click.echo(f"{'  ' * depth}    secrets: {', '.join(step['secrets'])}")
