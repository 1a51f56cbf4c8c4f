"""Every operation of the API says who may call it and what it does, and the document shows it."""

import importlib.util
import typing
from collections import Counter

import pytest

from architecture.tree import ROOT, files
from headrace.http.rights import ACTIONS, YAML
from headrace.http.scopes import Scope
from headrace.resources.builds.changes import KINDS


def load(name):
    """A script of `tools/`, as a module."""
    spec = importlib.util.spec_from_file_location(f"tools_{name}", ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


OPENAPI = load("openapi")
ROUTES = OPENAPI.all_routes()
# What needs no key. A new one is a decision: add it here, and say in the review why.
OPEN_TO_ALL = {
    "auth-login",
    "badges-build",
    "logs-archive",
    "triggers-events-run",
    "triggers-git-receive",
    "webhooks-git-receive",
    "reference-asset",
    "reference-openapi",
    "reference-page",
    "test-reporting-file",
}
LONGEST_SUMMARY = 80
# Lists that are whole in every answer: of one thing, of what an outside system has, or of this release.
OF_A_FEW = {
    "abac-resources-list",
    "accounts-list-accounts",
    "agents-tasks",
    "analytics-metadata",
    "charts-list",
    "clusters-namespaces",
    "clusters-pods",
    "clusters-services",
    "clusters-workloads",
    "envs-list",
    "helm-releases-history",
    "helm-releases-list",
    "images-get-tags",
    "repos-git-list",
    "runtime-envs-get-base-images",
    "steps-get-version",
    "triggers-types-list",
    "workflows-context-revision",
    "workflows-reports",
    "workflows-steps",
    "workflows-variables",
}


# What rules of teams are about. What they do not touch says why here.
RULED_TAGS = {"pipelines", "builds", "projects", "clusters", "environments"}
RULED_WORDS = ("pipeline", "build", "project", "cluster")
WITHOUT_RULES = {
    "clusters-create",  # of admins, whom no rule binds
    "kubernetes-generate-image-pull-secret",  # the same
    "logs-archive",  # the link is signed for who may read the build
    "pipelines-analyze",  # stores nothing, reads no pipeline
    "pipelines-schema",  # the same for all
    "workflows-changes",  # tells that something has changed, not what
    "analytics-metadata",  # says what reports there are
    "badges-build",  # its own token
    "test-reporting-file",  # its address is signed for who may read the build
    "triggers-git-receive",  # a secret of the Git host
}


def test_rules_of_teams_stand_before_all_that_they_are_about():
    for route in ROUTES:
        is_about = (
            route.tag in RULED_TAGS
            or route.scope.startswith(RULED_WORDS)
            or any(name.startswith((*RULED_WORDS, "selector")) for name in route.path_names)
        )
        if is_about and route.tag != "not offered" and route.operation not in WITHOUT_RULES:
            assert route.right is not None, route.operation


def test_a_right_names_a_part_of_its_path_or_its_handler_asks():
    for route in ROUTES:
        if (right := route.right) is not None:
            assert right.action in ACTIONS[right.resource], route.operation
            assert right.kind == YAML or route.asks_rights or right.named_by in route.path_names, (
                route.operation
            )
            assert not right.named_by or right.named_by in route.path_names, route.operation


def test_no_operation_is_open_to_everybody_by_accident():
    assert {route.operation for route in ROUTES if route.scope is Scope.PUBLIC} <= OPEN_TO_ALL


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_operation_has_a_scope_and_a_first_line(route):
    assert isinstance(route.scope, Scope)
    assert route.summary
    assert len(route.summary) < LONGEST_SUMMARY


def test_no_two_operations_have_one_name_or_one_address():
    assert [name for name, times in Counter(route.operation for route in ROUTES).items() if times > 1] == []
    addresses = Counter((route.method, route.pattern.pattern) for route in ROUTES)
    assert [address for address, times in addresses.items() if times > 1] == []


def test_the_committed_document_is_what_the_routes_say():
    if ROUTES:
        assert OPENAPI.FILE in files()
        assert OPENAPI.FILE.read_text() == OPENAPI.text(), "`make openapi` is due"


@pytest.mark.parametrize("page", sorted(load("docs").pages().items()), ids=lambda page: page[0].name)
def test_a_page_that_is_made_from_code_is_up_to_date(page):
    path, text = page
    assert path.read_text() == text, "`make docs` is due"


def test_every_operation_that_writes_has_a_kind_in_the_stream_of_changes():
    written = {route.tag for route in ROUTES if route.effect and not route.public}
    assert written <= set(KINDS) <= {route.tag for route in ROUTES}


def is_list(kind):
    """Whether an answer is a list of rows: bare, or one that is told with how many there are."""
    fields = set(getattr(kind, "__struct_fields__", ()))
    return typing.get_origin(kind) is list or bool(fields & {"count", "total", "workflows"})


def test_every_list_that_can_grow_comes_by_page():
    reading = [route for route in ROUTES if route.method == "GET" and not route.effect]
    whole = {route.operation for route in reading if is_list(route.result_type)}
    whole -= {route.operation for route in ROUTES if route.is_paged}
    assert whole == OF_A_FEW
