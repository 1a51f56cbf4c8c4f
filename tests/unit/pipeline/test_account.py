"""What the validator says of names that an account has or has not."""

import pytest

from headrace.pipeline.account import Account
from headrace.pipeline.validate import validate

HEAD = "version: '1.0'\nsteps:\n  a: "
RICH = Account(
    git=("hub", "lab"),
    default_git="hub",
    registries={"own": "r.example.org", "mirror": "r.example.org", "other": "o.example.org"},
    default_registry="own",
    clusters=("prod",),
    variables=frozenset({"KNOWN"}),
)
ONE = Account(git=("hub",), default_git="hub", registries={"own": "r.example.org"}, default_registry="own")
BUILD = "type: build, image_name: x"
DEPLOY = "type: deploy, kind: kubernetes, namespace: n, service: s"
UNCONFIGURED = "that is not configured and will fail without defining it."


def found(body, account):
    answer = validate(f"{HEAD}{{{body}}}\n", account=account)
    return [(one.code, one.message) for one in (*answer.errors, *answer.warnings)]


@pytest.mark.parametrize(
    ("body", "account", "expected"),
    [
        ("type: git-clone, repo: a/b", Account(), [(100, "You have not added a Git integration.")]),
        ("type: git-clone, repo: 'https://x.org/a/b'", Account(), []),
        (
            "type: git-clone, repo: a/b, git: '${{NOPE}}'",
            RICH,
            [(101, f"Your Git integration uses a variable 'NOPE' {UNCONFIGURED}")],
        ),
        ("type: git-clone, repo: a/b, git: '${{KNOWN}}'", RICH, []),
        ("type: git-clone, repo: a/b, git: '${{CF_X}}${{steps.a.repo}}'", RICH, []),
        ("type: git-clone, repo: a/b, git: '${{NOPE}}'", ONE, []),
        ("type: git-clone, repo: a/b, git: gone", RICH, [(102, "Git 'gone' does not exist.")]),
        ("type: git-clone, repo: a/b, git: CF-default", RICH, []),
        ("type: git-clone, repo: a/b, git: lab", RICH, []),
        ("type: git-clone, repo: a/b", RICH, [(103, "You are using the default Git integration 'hub'.")]),
        ("type: git-clone, repo: a/b", ONE, []),
        ("type: push, candidate: x", Account(), [(200, "You have not added a registry integration.")]),
        ("type: push, candidate: x, registry: r.example.org/y", Account(), []),
        (
            f"{BUILD}, registry: '${{{{NOPE}}}}'",
            RICH,
            [(201, f"Your registry integration uses a variable 'NOPE' {UNCONFIGURED}")],
        ),
        (f"{BUILD}, registry: gone", RICH, [(202, "Registry 'gone' does not exist.")]),
        ("type: push, candidate: x, registry: gone", ONE, [(202, "Registry 'gone' does not exist.")]),
        (f"{BUILD}, registry: r.example.org", RICH, []),
        (f"{BUILD}, arguments: {{registry: gone}}", ONE, [(202, "Registry 'gone' does not exist.")]),
        (BUILD, RICH, [(203, "You are using the default registry integration 'own'.")]),
        (BUILD, ONE, []),
        (BUILD, Account(), [(205, "The image that will be built will not be pushed")]),
        (f"{BUILD}, disable_push: true", Account(), []),
        (
            f"{BUILD}, registry: own, registry_contexts: [own, other, mirror]",
            RICH,
            [(207, "Registry contexts contains registries with same domain 'r.example.org'")],
        ),
        (f"{DEPLOY}, cluster: prod", Account(), [(300, "You have not added a cluster integration.")]),
        (
            f"{DEPLOY}, cluster: '${{{{NOPE}}}}'",
            RICH,
            [(301, f"Your cluster integration uses a variable 'NOPE' {UNCONFIGURED}")],
        ),
        (f"{DEPLOY}, cluster: gone", RICH, [(302, "Cluster 'gone' does not exist.")]),
        (f"{DEPLOY}, cluster: prod", RICH, []),
        (
            "type: 'helm:1.1.12', arguments: {helm_version: 2.17.0, kube_context: prod}",
            RICH,
            [(601, "Helm 2 is no longer supported by its makers.")],
        ),
        (
            "type: build, image_name: Upper, registry: own",
            RICH,
            [(None, '"image_name" should be in lowercase.')],
        ),
        ("type: build, image_name: '${{NAME}}/Upper', registry: own", RICH, []),
    ],
)
def test_what_a_step_names_is_looked_for(body, account, expected):
    assert found(body, account) == expected


def test_without_an_account_nothing_is_looked_for():
    assert found("type: git-clone, repo: a/b, git: gone", None) == []


def test_what_does_not_exist_is_an_error_and_a_default_only_a_warning():
    answer = validate(f"{HEAD}{{type: push, candidate: x, registry: gone}}\n", account=ONE)
    assert [(one.line, one.path, one.type) for one in answer.errors] == [(3, "steps.a.registry", "Error")]
    assert validate(f"{HEAD}{{{BUILD}}}\n", account=RICH).is_valid


def test_an_indentation_of_tabs_and_spaces_ends_all_other_checks():
    text = f"{HEAD}\n    image: x\n    foo: [\n    commands:\n    - |\n      a\n      \tb\n"
    answer = validate(text, account=ONE)
    assert [(one.code, one.line, one.message) for one in answer.errors] == [
        (400, 9, "Your YAML contains both spaces and tabs.")
    ]


def test_a_line_deeper_than_the_first_after_a_fold_is_told():
    text = f"{HEAD}\n    image: x\n    commands:\n    - >-\n      a\n        b\n\n      c\n"
    text += "    - >-\n        d\n    - e\n"
    answer = validate(text, account=ONE)
    assert [(one.code, one.line, one.message) for one in answer.warnings] == [
        (500, 8, "Your YAML contains invalid indentation after characters '>-'.")
    ]
    assert validate(text).warnings == ()
