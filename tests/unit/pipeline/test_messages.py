"""The catalogue of messages, in the exact words: each case of it, and how suggestions are chosen."""

import pytest

from headrace.pipeline.findings import nearest
from headrace.pipeline.steps import STEP_TYPES
from headrace.pipeline.steps.base import COMMON_FIELDS, POST_FIELDS
from headrace.pipeline.validate import validate

HEAD = "version: '1.0'\nsteps:\n  a: "
NO_VERSION = (
    "Step version not specified. The latest version will be used, which may result in breaking changes."
)
DURATION = '"<duration><units> where duration is int|float and units are s|m|h" pattern'
HOOKS = 'Either old "on_success/on_fail/on_finish" or new "hooks" should be used'
NAMES = 'step name cannot contain ".", "#", "$", "[", or "]"'
RESULTS = "success, running, failure, skipped, pending, terminating, terminated, finished, approved, denied"


def messages(text):
    return [one.message for one in validate(text).errors]


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("foo: 1", ['"foo" is not allowed. Current value: 1 ']),
        ("foo: {a: 1}", ['"foo" is not allowed. Current value: [object Object] ']),
        ("foo: 0", ['"foo" is not allowed']),
        ("mode: foo", ['"mode" must be one of [sequential, parallel]. Current value: foo ']),
        ("stages: one", ['"stages" must be an array. Current value: one ']),
        ("stages: [1]", ['"0" must be a string. Current value: 1 ']),
        ("indicators: 5", ['"indicators" must be an array. Current value: 5 ']),
        ("services: 5", ['"services" must be an object. Current value: 5 ']),
        ("build_version: v3", ['"build_version" must be one of [v1, v2]. Current value: v3 ']),
        (
            "strict_fail_fast: 'true'",
            [
                '"strict_fail_fast" must be a boolean',
                '"strict_fail_fast" with value "true" fails to match the [object Object] pattern',
            ],
        ),
        ("hooks: {on_foo: [a]}", ['"on_foo" is not allowed. Did you mean "on_fail"?']),
        ("fail_fast: maybe", []),  # the original takes any text here
        ("fail_fast: {a: 1}", []),
        (
            "fail_fast: 5.5",
            ['"fail_fast" must be a boolean', '"fail_fast" must be a string. Current value: 5.5 '],
        ),
    ],
)
def test_every_message_about_the_root_has_the_words_of_the_catalogue(root, expected):
    assert messages(f"version: '1.0'\nsteps: {{}}\n{root}\n") == expected


@pytest.mark.parametrize("written", ["2.0", "2", "'2.0'"])
def test_another_version_is_the_only_thing_that_is_said(written):
    expected = ["Current version: 2.0 is invalid. please change version to 1.0"]
    assert messages(f"version: {written}\nsteps: 5\nfoo: 1\n") == expected


def test_what_is_required_at_the_root_is_named():
    assert messages("stages: []\n") == ['"version" is required', '"steps" is required']


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("{}", ["image"]),
        ("{type: build}", ["image_name"]),
        ("{type: git-clone}", ["repo"]),
        ("{type: push}", ["candidate"]),
        ("{type: composition, composition: x}", ["composition_candidates"]),
        ("{type: launch-composition}", ["composition"]),
        ("{type: deploy}", ["kind", "cluster", "namespace", "service"]),
        ("{type: git-clone, repo: a/b, credentials: {}}", ["username", "password"]),
        ("{image: x, when: {steps: [{on: [success]}]}}", ["name"]),
        ("{type: integration-test}", ["test"]),
        ("{type: travis}", ["services", "test"]),
        ("{type: simple_travis}", ["services", "test"]),
    ],
)
def test_what_is_required_of_a_step_is_named(body, names):
    assert messages(f"{HEAD}{body}\n") == [f'"{name}" is required' for name in names]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("image: x, title: 1", ['"title" must be a string. Current value: 1 ']),
        ("image: x, title: null", ['"title" must be a string']),
        ("image: x, title: ''", ['"title" is not allowed to be empty']),
        ("image: x, commands: echo hi", ['"commands" must be an array. Current value: echo hi ']),
        ("image: x, commands: [a, 5]", ['"1" must be a string. Current value: 5 ']),
        ("image: x, commands: [{echo a: b}]", ['"0" must be a string. Current value: [object Object] ']),
        (
            "image: x, environment: {A: b}",
            ['"environment" must be an array. Current value: [object Object] '],
        ),
        ("image: x, shell: zsh", ['"shell" must be one of [sh, bash]. Current value: zsh ']),
        (
            "image: x, commands: [b], cmd: c",
            ['"commands" conflict with forbidden peer "cmd". Current value: b '],
        ),
        ("image: x, shell: sh, cmd: c", ['"shell" conflict with forbidden peer "cmd". Current value: sh ']),
        (
            "image: x, volumes: [abc]",
            ['"0" with value "abc" fails to match the required pattern: /:/. Current value: abc '],
        ),
        ("image: x, registry_contexts: [a]", ["'registry_contexts' not allowed"]),
        (
            "type: composition, composition: x, composition_candidates: {}, registry_context: a",
            ["'registry_context' not allowed"],
        ),
        (
            "image: x, fail_fast: maybe",
            [
                '"fail_fast" must be a boolean',
                '"fail_fast" with value "maybe" fails to match the [object Object] pattern',
            ],
        ),
        ("image: x, stage: two", ['"stage" must be one of []. Current value: two ']),
        ("image: x, retry: {delay: -1}", ['"delay" must be a positive number. Current value: -1 ']),
        (
            "image: x, retry: {maxAttempts: 0}",
            ['"maxAttempts" contains an invalid value', '"maxAttempts" must be a positive number'],
        ),
        ("image: x, when: {branch: {only: main}}", ['"only" must be an array. Current value: main ']),
        ("image: x, when: {condition: {all: {x: true}}}", ['"x" must be a string. Current value: true ']),
        ("image: x, when: {condition: {all: {a-b: x}}}", ['"a-b" is not allowed']),
        (
            "image: x, when: {steps: {all: [], any: []}}",
            ['"value" contains a conflict between exclusive peers [all, any]'],
        ),
        (
            "image: x, when: {steps: [{name: b, on: [nope]}]}",
            [f'"0" must be one of [{RESULTS}]. Current value: nope '],
        ),
        ("image: x, on_fail: {}, hooks: {on_fail: {}}", [HOOKS]),
        ("type: parallel", ['"steps" is required and must be an array of type steps']),
        ("type: parallel, steps: {b: {type: pending-approval}}", ['"type" can\'t be pending-approval']),
        ("type: parallel, steps: {a: {image: x}}", ["step name exist more than once"]),
        ("type: build, image_name: x, platform: y", ['"platform" is not allowed']),
        ("type: build, image_name: x, tag: 1.0", ['"tag" must be a string. Current value: 1 ']),
        (
            "type: push, candidate: x, provider: y",
            [
                (
                    '"provider" with value "y" fails to match the required pattern: /^standard|docker|ecr$/. '
                    "Current value: y "
                )
            ],
        ),
        ("type: pending-approval, timeout: 5m", ['"timeout" must be an object. Current value: 5m ']),
        (
            "type: pending-approval, timeout: {timeUnit: days}",
            ['"timeUnit" must be one of [hours, minutes]. Current value: days '],
        ),
    ],
)
def test_every_message_about_a_step_has_the_words_of_the_catalogue(body, expected):
    assert messages(f"{HEAD}{{{body}}}\n") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, [NAMES]) for name in ("a.b", "a#b", "a$b", "'a[b'", "a]b")),
        ("n" * 151, ["step name length is limited to 150"]),
        ("n" * 150, []),
    ],
)
def test_every_message_about_a_name_has_the_words_of_the_catalogue(name, expected):
    assert messages(f"version: '1.0'\nsteps:\n  ? {name}\n  : {{image: x}}\n") == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "image: x, timeout: 5d",
            f'"timeout" with value "5d" fails to match the {DURATION}. Current value: 5d ',
        ),
        (
            "image: x, timeout: 5",
            f'"timeout" with value "5" fails to match the {DURATION}. Current value: 5 ',
        ),
        ("type: some-step", NO_VERSION),
        ("type: 'some-step:latest'", 'Invalid semantic version "latest" for step.'),
    ],
)
def test_every_warning_has_the_words_of_the_catalogue_and_leaves_a_file_valid(body, expected):
    found = validate(f"{HEAD}{{{body}}}\n")
    assert (found.is_valid, [one.message for one in found.warnings]) == (True, [expected])


def test_a_time_limit_of_another_kind_is_shown_as_the_original_shows_it():
    (warning,) = validate(f"{HEAD}{{image: x, timeout: {{a: 1}}}}\n").warnings
    assert warning.message.startswith('"timeout" with value "[object Object]" fails to match')


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("buildx: true, disable_push: true", ['"disable_push" is not allowed']),
        ("buildx: true, disable_push: false", []),
        ("disable_push: true", []),
        (
            "secrets: ['id=a,src=b', {id: a, src: b}]",  # not mixed
            [
                '"1" must be a string. Current value: [object Object] ',
                '"0" must be an object. Current value: id=a,src=b ',
            ],
        ),
        ("secrets: [{id: a, src: b}]", []),
    ],
)
def test_what_a_build_does_not_take_together(body, expected):
    assert messages(f"{HEAD}{{type: build, image_name: x, {body}}}\n") == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("a: {when: {steps: [{name: nope}]}}", ["Step 'nope' does not exist: 'a' cannot wait for it."]),
        ("a: {when: {steps: [{name: '${{X}}'}]}}", []),
        ("a: {when: {steps: [{name: a}]}}", ["Steps 'a' wait for each other and never start."]),
        (
            (
                "b: {when: {steps: [{name: c}]}}, "
                "c: {when: {steps: [{name: a}]}}, a: {when: {steps: [{name: b}]}}"
            ),
            ["Steps 'a', 'b', 'c' wait for each other and never start."],
        ),
        ("a: {when: {steps: [{name: b}]}}, b: {when: {steps: {any: [{name: a}]}}}", []),
        ("a: {when: {steps: [{name: b}]}}, b: {when: {steps: [{name: a, 'on': [running]}]}}", []),
        ("a: {when: {steps: [{name: b}]}}, b: {}", []),
    ],
)
def test_steps_in_parallel_mode_that_never_start_are_warned_of(steps, expected):
    document = f"version: '1.0'\nmode: parallel\nsteps: {{{steps}}}\n".replace("{when", "{image: x, when")
    found = validate(document.replace("b: {}", "b: {image: x}"))
    assert (found.is_valid, [one.message for one in found.warnings]) == (True, expected)
    assert validate(document.replace("mode: parallel", "mode: sequential")).warnings == ()


def test_a_step_without_a_body_is_named():
    assert messages(f"{HEAD}null\n") == ['"a" must be an object']


@pytest.mark.parametrize(
    ("body", "key", "meant"),
    [
        ("type: build, image_name: x", "dockerfil", "dockerfile"),  # begins with the wrong key
        ("type: build", "image", "image_name"),
        ("type: build, image_name: x", "aws_", "aws_session_name"),  # of two, the shorter
        ("type: git-clone, repo: x", "rpo", "repo"),  # the fewest letters to change
        ("type: git-clone, repo: x", "brnch", "env"),  # far off, and yet under the threshold
        ("type: pending-approval", "foo", "env"),
        ("type: push, candidate: x", "tagz", "tag"),
        ("type: build, image_name: x", "scale", "stage"),
        ("type: push, candidate: x", "qqqqqqqqqqq", None),
    ],
)
def test_a_wrong_key_of_a_strict_step_has_the_suggestion_of_the_original(body, key, meant):
    (problem,) = [one for one in validate(f"{HEAD}{{{body}, {key}: y}}\n").errors if one.key == key]
    suggested = "" if meant is None else f'. Did you mean "{meant}"?'
    assert problem.message == f'"{key}" is not allowed{suggested}'
    assert problem.suggestion == (None if meant is None else (key, meant))


@pytest.mark.parametrize(
    ("key", "allowed", "meant"),
    [
        ("ab", ["abcd", "abc", "ab1"], "abc"),  # the shortest that begins so; of equals the first
        ("stag", ["tag", "stack"], "tag"),  # the nearest
        ("xyz", ["abc", "xbc", "xyc", "ayz"], "xyc"),  # of two that are as near, the first
        ("abc", ["abcabc"], "abcabc"),
        ("xbc", ["abcdef"], None),  # three letters longer
        ("aaaaa", ["bbbbb", "abbbb"], "abbbb"),  # five letters to change are too many
    ],
)
def test_ties_of_suggestions_go_to_the_key_that_stands_first(key, allowed, meant):
    assert nearest(key, allowed) == meant


COMMON = (
    "description title fail_fast strict_fail_fast docker_machine arguments when stage retry debug env hooks "
    "timeout"
)


@pytest.mark.parametrize(
    ("name", "own"),
    [
        (
            "build",
            (
                "working_directory dockerfile no_cache no_cf_cache cache_from cache_to squash image_name "
                "build_arguments tag tag_policy tags metadata annotations target ssh secrets progress "
                "buildkit registry disable_push buildx platform provider registry_contexts region role_arn "
                "aws_session_name aws_duration_seconds cosign"
            ),
        ),
        (
            "git-clone",
            (
                "working_directory repo revision credentials git use_proxy depth exclude_blobs "
                "skip_tags_on_update"
            ),
        ),
        (
            "push",
            (
                "provider candidate registry credentials tag tags image_name accessKeyId secretAccessKey "
                "region registry_context role_arn aws_session_name aws_duration_seconds"
            ),
        ),
        ("pending-approval", ""),
    ],
)
def test_the_keys_of_a_strict_step_stand_in_the_order_that_suggestions_prefer(name, own):
    assert " ".join(COMMON_FIELDS) == COMMON
    assert " ".join(POST_FIELDS) == "on_success on_fail on_finish"
    fields = STEP_TYPES[name].fields
    assert [key for key in fields if key not in COMMON_FIELDS] == own.split()


@pytest.mark.parametrize(
    ("dash", "meant"), [("fail-fast: true", "fail_fast"), ("working-directory: x", "working_directory")]
)
def test_dashes_are_read_as_underscores(dash, meant):
    assert messages(f"{HEAD}{{type: git-clone, repo: a/b, {dash}}}\n") == [], meant


def test_dashes_of_a_build_and_of_a_composition_are_read_as_underscores():
    build = "{type: build, image-name: x, build-arguments: [A=b], tag-policy: original}"
    both = "{type: composition, composition: x, composition-candidates: {}, composition-variables: [A=b]}"
    assert messages(f"{HEAD}{build}\n  b: {both}\n") == []


@pytest.mark.parametrize("value", ["true", "'True'", "'yes'", "'ON'", "'no'", "off", "1", "0", "'${{V}}'"])
def test_a_boolean_has_many_spellings(value):
    assert messages(f"{HEAD}{{image: x, fail_fast: {value}}}\n") == []


@pytest.mark.parametrize("value", ["'a ${{V}}'", "2", "'1'", "null", "''"])
def test_no_other_text_is_a_boolean(value):
    assert messages(f"{HEAD}{{image: x, fail_fast: {value}}}\n")[0] == '"fail_fast" must be a boolean'
