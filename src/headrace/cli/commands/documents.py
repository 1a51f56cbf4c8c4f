"""Resources from files: ``create -f``, ``replace -f``, ``delete -f``. The file's ``kind`` decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from headrace.cli import files
from headrace.cli.commands.validate import findings_of, validate_text
from headrace.cli.errors import Refused
from headrace.cli.verbs import leaf, pass_app

if TYPE_CHECKING:
    from headrace.cli.app import App


@leaf("create pipeline")
@click.option("-f", "--filename", required=True, help="A .yml, .yaml or .json file.")
@pass_app
def create_pipeline(app: App, filename: str) -> None:
    """Create the pipeline that a file describes."""
    create_from(app, filename)


@leaf("create step-type")
@click.option("-f", "--filename", required=True, help="A .yml, .yaml or .json file.")
@pass_app
def create_step_type(app: App, filename: str) -> None:
    """Create the step type that a file describes."""
    create_from(app, filename)


def create_from(app: App, filename: str) -> None:
    """Create whatever the file holds: annotation, context, pipeline, project or step-type."""
    kind, name, document = files.read_resource(filename)
    if not name and kind != "annotation":
        raise Refused("Name is missing")
    if kind == "pipeline":
        _check(app, document)
        app.api.pipelines.create(document)
    elif kind == "project":
        from headrace.cli.commands.projects import create

        metadata = document["metadata"]
        create(app, name, {key: metadata[key] for key in ("tags", "variables") if key in metadata})
    elif kind == "context":
        app.api.contexts.create(document)
    elif kind == "step-type":
        app.api.steps.create(document)
    elif kind == "annotation":
        _annotate(app, filename, document["metadata"])
    else:
        raise Refused(f"Entity: {kind} not supported")
    click.echo(" ".join(word for word in (kind.capitalize(), name, "created") if word))


def _annotate(app: App, filename: str, metadata: dict[str, Any]) -> None:
    about: Any = {key: metadata.get(key) for key in ("entityId", "entityType")}
    if missing := [key for key, value in about.items() if value is None]:
        raise Refused(f"{filename}: metadata.{missing[0]} is missing; it says what the annotations are of")
    labels = metadata.get("labels")
    if not isinstance(labels, list):
        raise Refused(f"{filename}: metadata.labels must be a list: - {{key: coverage, value: 75%}}")
    for number, label in enumerate(labels):
        if not isinstance(label, dict) or not {"key", "value"} <= label.keys():
            raise Refused(f"{filename}: metadata.labels.{number} needs a 'key' and a 'value'")
    for label in labels:
        app.api.annotations.create(about | {"key": label["key"], "value": label["value"]})


def _check(app: App, document: dict[str, Any]) -> None:
    """Have the server check the steps first, so that its findings are printed whole."""
    spec = document.get("spec")
    if not isinstance(spec, dict):
        raise Refused("'spec' is missing; it holds the pipeline's steps")
    if spec.get("specTemplate"):
        return  # the steps are in a Git repository
    from headrace.cli.yamltext import dump

    steps = {"version": document.get("version"), "steps": spec.get("steps"), "stages": spec.get("stages")}
    result = validate_text(app, dump({key: value for key, value in steps.items() if value is not None}))
    if not result.get("valid"):
        click.echo(findings_of(result, "Provided spec is not valid"), err=True)
        raise Refused("the pipeline was not stored; correct the findings above and try again")


@leaf("replace resource")
@click.option("-f", "--filename", required=True, help="A .yml, .yaml or .json file.")
@click.option("--skip-trigger-validation", is_flag=True, help="Do not check a pipeline's triggers.")
@pass_app
def replace(app: App, filename: str, *, skip_trigger_validation: bool) -> None:
    """Replace a context, a pipeline or a step type by what a file holds."""
    kind, name, document = files.read_resource(filename)
    if not name:
        raise Refused("Name is missing")
    if kind == "context":
        app.api.contexts.replace(name, document)
        click.echo(f"Context: {name} updated")
    elif kind == "pipeline":
        _check(app, document)
        app.api.pipelines.replace(
            name,
            document,
            skip_trigger_validation=skip_trigger_validation or None,
            disable_revision_check=True,
        )
        click.echo(f"Pipeline '{name}' updated")
    elif kind == "step-type":
        app.api.steps.replace(name, document)
        click.echo(f"Step-type '{name}' updated")
    else:
        raise Refused(f"Entity: {kind} not supported")


def delete_from(app: App, filename: str) -> None:
    """Delete the context or pipeline that the file names."""
    kind, name, _ = files.read_resource(filename)
    if not name:
        raise Refused("Name is missing")
    if kind == "context":
        app.api.contexts.delete(name)
        click.echo(f"Context: {name} deleted")
    elif kind == "pipeline":
        app.api.pipelines.delete(name)
        click.echo(f"Pipeline '{name}' deleted")
    else:
        raise Refused(f"Entity: {kind} not supported")
