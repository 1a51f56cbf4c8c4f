"""``services`` of the root and of a step, as the plan holds them.

Source: `reference/pipeline-yaml.md` 6.1; Codefresh docs, "Service containers" (pipelines).
"""

from collections.abc import Mapping as MappingOf
from typing import Any

from headrace.pipeline.compose import CompositionRefused, read_composition
from headrace.pipeline.fields import (
    AnyMap,
    Anything,
    Either,
    Flag,
    Items,
    Mapping,
    Number,
    PositiveNumber,
    Text,
)
from headrace.pipeline.findings import Findings, Place, nearest
from headrace.pipeline.plan import (
    Action,
    LaunchComposition,
    Readiness,
    RunComposition,
    Services,
    Setup,
)

_RENAMED = {"composition-variables": "composition_variables"}
VOLUME_NAME = "${{CF_VOLUME_NAME}}"
_COMMANDS = Items(Text(), required=True)
_READINESS = Mapping(
    image=Text(required=True),
    commands=_COMMANDS,
    periodSeconds=PositiveNumber(default=10),
    timeoutSeconds=PositiveNumber(default=10),
    initialDelaySeconds=Number(default=0),
    successThreshold=PositiveNumber(default=1),
    failureThreshold=PositiveNumber(default=3),
)
_SETUP = Mapping(image=Text(required=True), commands=_COMMANDS)
FIELDS = Mapping(
    name=Text(),
    version=Anything(),
    composition=Either(Text(), AnyMap(), required=True),
    composition_variables=Items(Text(), default=()),
    readiness=_READINESS,
    setup=_SETUP,
    shared_host_network=Flag(default=False),
)


def plan_services(body: object, place: Place, found: Findings) -> Services | None:
    """Read a map of ``services``; None where there are none, or they are wrong."""
    if not body:
        return None
    if isinstance(body, dict):
        body = {_RENAMED.get(key, key): value for key, value in body.items()}
    problems = len(found.errors)
    read = FIELDS.read(body, place, found)
    if read is not None and isinstance(read["shared_host_network"], str):
        words = '"shared_host_network" must be a boolean'
        found.add(place / "shared_host_network", words, hint="true or false")
    if read is None or len(found.errors) > problems:
        return None
    check_composition(read["composition"], place / "composition", found)
    ready, setup = read["readiness"], read["setup"]
    return Services(
        name=read["name"] or "",
        composition=read["composition"],
        variables=read["composition_variables"],
        readiness=_readiness(ready) if ready and ready["image"] else None,
        setup=None if not setup else Setup(image=setup["image"], commands=setup["commands"]),
        shared_host_network=read["shared_host_network"],
    )


def _readiness(read: MappingOf[str, Any]) -> Readiness:
    return Readiness(
        image=read["image"],
        commands=read["commands"],
        period_s=max(1.0, read["periodSeconds"]),
        timeout_s=max(1.0, read["timeoutSeconds"]),
        initial_delay_s=max(0.0, read["initialDelaySeconds"]),
        success_threshold=max(1, int(read["successThreshold"])),
        failure_threshold=max(1, int(read["failureThreshold"])),
    )


def check_composition(
    composition: object,
    place: Place,
    found: Findings,
    *,
    candidates: MappingOf[str, Any] | None = None,
    lasting: bool = False,
) -> None:
    """Report what is wrong with a composition that is written out; one in a file is read when it runs."""
    if not isinstance(composition, dict):
        return
    try:
        # What stands in for a variable does not matter: what is checked is the shape.
        read_composition(
            composition,
            variables=_Anything(),
            volume=VOLUME_NAME,
            candidates=candidates,
            lasting=lasting,
        )
    except CompositionRefused as refusal:
        for line in str(refusal).splitlines():
            found.add(place, line)


class _Anything(dict[str, str]):
    """Has a value for every variable."""

    def get(self, key: str, default: object = None) -> str:
        """Return a value that stands for any."""
        del default
        return f"${{{{{key}}}}}"


def check_names(names: list[Any], of: Services | None, place: Place, found: Findings) -> None:
    """Report names of a step's ``services`` list that the root does not have."""
    known: list[str] = []
    if of is not None:
        known = [of.name] if of.name else []
        if isinstance(of.composition, str):
            return  # what a file holds is known when it is read
        known += [str(name) for name in of.composition.get("services", of.composition)]
    for index, name in enumerate(names):
        if str(name) not in known:
            words = f'"{index}" names {name!r}, which is no service of this pipeline'
            hint = f"use {', '.join(known)}" if known else "declare 'services' at the root of the file"
            found.add(place / index, words, hint=hint, suggestion=nearest(str(name), known))


def step_services(value: object, root: Services | None, place: Place, found: Findings) -> Services | None:
    """Return a step's own services: a map is its own, a list names some of the build's (``root``)."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list):
        check_names(value, root, place, found)
        return None
    return plan_services(value, place, found)


def check_action(action: Action, place: Place, found: Findings) -> None:
    """Report what is wrong with the composition of a step; other actions have none."""
    if isinstance(action, LaunchComposition):
        check_composition(action.composition, place / "composition", found, lasting=True)
        return
    if not isinstance(action, RunComposition):
        return
    if not action.candidates:
        found.add(place / "composition_candidates", "a composition needs at least one candidate")
    for name, body in action.candidates.items():
        at = place / "composition_candidates" / name
        if isinstance(body, dict) and "working_directory" in body:
            words = '"working_directory" is not allowed'
            found.add(at / "working_directory", words, hint="the key of compose is working_dir")
        if isinstance(body, dict) and isinstance(body.get("commands"), list):
            found.add(at / "commands", '"commands" is not allowed', hint="a candidate has one 'command'")
    check_composition(action.composition, place / "composition", found, candidates=action.candidates)
