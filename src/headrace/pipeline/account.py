"""What a pipeline names, held against what its account has; and habits that are no mistakes.

Source: `reference/pipeline-yaml.md`, 11.4. Of its codes, 204 cannot come up (a build step without a
registry is pushed to the default one, or not at all: 205), 206 speaks of logins that no engine here
carries out, and 303 of a default cluster, which there is not.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from headrace.pipeline.findings import Findings, Place
from headrace.pipeline.spec import StepRead
from headrace.pipeline.variables import SYSTEM_PREFIXES, references

DEFAULT_GIT = "CF-default"  # always there
_LISTS = {"Git": "contexts", "Registry": "registries", "Cluster": "clusters"}
_FOLDED = re.compile(r"( *)- *>-\s*")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has that its pipelines may name."""

    git: tuple[str, ...] = ()  # names of Git integrations
    default_git: str | None = None
    registries: Mapping[str, str] = {}  # domain by name
    default_registry: str | None = None
    clusters: tuple[str, ...] = ()
    variables: frozenset[str] | None = None  # names that a run will know; None: that is not known


def uneven_folds(text: str) -> list[int]:
    """The lines of a ``- >-`` item that are indented deeper than its first, from 1.

    YAML keeps the line ends around such a line, which nobody means who writes ``>-``.
    """
    found: list[int] = []
    dash = first = -1  # columns of the item and of its text; -1: none
    for number, line in enumerate(text.split("\n"), 1):
        column = len(line) - len(line.lstrip(" "))
        if not line.strip():
            continue
        if dash >= 0 and column > dash:
            first = column if first < 0 else first
            found += [number] if column > first else []
            continue
        start = _FOLDED.fullmatch(line)
        dash, first = (len(start[1]), -1) if start else (-1, -1)
    return found


def check_account(steps: Iterable[StepRead], account: Account, found: Findings) -> None:
    """Add what steps name and the account has not, and what they leave to a default.

    Args:
        steps: as read; those of hooks are not looked at, as the original does not.
        account: what there is.
        found: takes errors and warnings, with their codes.
    """
    checker = _Checker(account, found, frozenset(step.name for step in steps))
    for step in steps:
        body = (
            {**arguments, **step.body}
            if isinstance(arguments := step.body.get("arguments"), dict)
            else step.body
        )
        check = _CHECKS.get(step.type.partition(":")[0])
        if check is not None:
            check(checker, body, step.place)


class _Checker:
    """Checks the steps of one pipeline."""

    def __init__(self, account: Account, found: Findings, steps: frozenset[str]) -> None:
        self._account, self._found, self._steps = account, found, steps

    def git_clone(self, body: Mapping[str, Any], place: Place) -> None:
        git, repo = _text(body, "git"), _text(body, "repo") or ""
        known = self._account.git
        if git is not None:
            if git != DEFAULT_GIT:
                self._named("Git", git, place / "git", 100, exists=git in known)
        elif not known and "://" not in repo and not repo.startswith("git@"):
            # No error, as it is in the original: public repositories of GitHub need no integration here.
            words = "You have not added a Git integration."
            self._say(place, 100, words, hint="only public repositories of GitHub can be cloned")
        elif len(known) > 1 and self._account.default_git:
            self._default("Git", self._account.default_git, place, 103)

    def build(self, body: Mapping[str, Any], place: Place) -> None:
        image = _text(body, "image_name")
        if image is not None and "${{" not in image and image != image.lower():
            self._say(place / "image_name", None, '"image_name" should be in lowercase.', hint="")
        self._contexts(body, place)
        registry = _text(body, "registry")
        if registry is not None:
            self._registry(registry, place / "registry")
        elif body.get("disable_push") not in (None, False, "false"):
            return
        elif self._account.default_registry is None:
            words = "The image that will be built will not be pushed"
            self._say(place, 205, words, hint="name a registry, or make one the default")
        elif len(self._account.registries) > 1:
            self._default("registry", self._account.default_registry, place, 203)

    def push(self, body: Mapping[str, Any], place: Place) -> None:
        registry = _text(body, "registry")
        if registry is not None and _is_address(registry):
            return
        if not self._account.registries:
            words = "You have not added a registry integration."
            self._say(place, 200, words, hint="codefresh create registry", is_error=True)
        elif registry is not None:
            self._registry(registry, place / "registry")
        elif len(self._account.registries) > 1 and self._account.default_registry:
            self._default("registry", self._account.default_registry, place, 203)

    def deploy(self, body: Mapping[str, Any], place: Place) -> None:
        self._cluster(body, "cluster", place)

    def helm(self, body: Mapping[str, Any], place: Place) -> None:
        if (_text(body, "helm_version") or "").lstrip("v").startswith("2."):
            words = "Helm 2 is no longer supported by its makers."
            self._say(place / "helm_version", 601, words, hint="use a helm_version of 3 or later")
        if body.get("kube_context") is not None:
            self._cluster(body, "kube_context", place)

    def _cluster(self, body: Mapping[str, Any], key: str, place: Place) -> None:
        cluster = _text(body, key)
        if not self._account.clusters:
            words = "You have not added a cluster integration."
            self._say(place, 300, words, hint="codefresh create cluster", is_error=True)
        elif cluster is not None:
            self._named("Cluster", cluster, place / key, 300, exists=cluster in self._account.clusters)

    def _registry(self, registry: str, place: Place) -> None:
        known = self._account.registries
        if not _is_address(registry):
            self._named("Registry", registry, place, 200, exists=registry in known)

    def _contexts(self, body: Mapping[str, Any], place: Place) -> None:
        written = body.get("registry_contexts")
        seen: set[str] = set()
        for name in written if isinstance(written, list) else ():
            domain = self._account.registries.get(name) if isinstance(name, str) else None
            if domain is not None and domain in seen:
                words = f"Registry contexts contains registries with same domain '{domain}'"
                self._say(
                    place / "registry_contexts", 207, words, hint="name one of each domain", is_error=True
                )
                return
            if domain is not None:
                seen.add(domain)

    def _named(self, noun: str, name: str, place: Place, codes: int, *, exists: bool) -> None:
        """Check one name: a variable that nobody defines (code + 1), or what does not exist (code + 2)."""
        unknown = [variable for variable in references(name) if self._is_unknown(variable)]
        if unknown:
            integration = noun if noun == "Git" else noun.lower()
            words = (
                f"Your {integration} integration uses a variable '{unknown[0]}' that is not configured "
                "and will fail without defining it."
            )
            self._say(place, codes + 1, words, hint=f"define {unknown[0]} in the pipeline")
        elif "${{" not in name and not exists:
            hint = f"codefresh get {_LISTS[noun]} shows those that there are"
            self._say(place, codes + 2, f"{noun} '{name}' does not exist.", hint=hint, is_error=True)

    def _is_unknown(self, variable: str) -> bool:
        known = self._account.variables
        first = variable.removeprefix("steps.").partition(".")[0]
        is_given = variable.startswith((*SYSTEM_PREFIXES, "secrets.")) or first in self._steps
        return known is not None and not is_given and variable not in known

    def _default(self, noun: str, name: str, place: Place, code: int) -> None:
        kind = "Git integration" if noun == "Git" else "registry integration"
        hint = "there are others, which a step can name"
        self._say(place, code, f"You are using the default {kind} '{name}'.", hint=hint)

    def _say(self, place: Place, code: int | None, words: str, *, hint: str, is_error: bool = False) -> None:
        self._found.add(place, words, hint=hint, kind="Error" if is_error else "Warning", code=code)


_CHECKS = {
    "git-clone": _Checker.git_clone,
    "build": _Checker.build,
    "push": _Checker.push,
    "deploy": _Checker.deploy,
    "helm": _Checker.helm,
}


def _text(body: Mapping[str, Any], key: str) -> str | None:
    value = body.get(key)
    return value if isinstance(value, str) and value else None


def _is_address(registry: str) -> bool:
    """Whether a registry is named by its address, which is not looked for among the integrations."""
    return "." in registry or "/" in registry or ":" in registry
