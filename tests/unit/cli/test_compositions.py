import json

import pytest

ONE = {"_id": "5", "name": "shop", "isAdvanced": False, "created": "2026-11-24T10:00:00Z"}


def test_a_composition_is_stored_from_a_file(server, codefresh):
    (codefresh.home / "c.yml").write_text("services: {}")
    server.answers["POST /api/compositions"] = ONE
    words = ("shop", "-c", "c.yml", "-v", "A=1", "B=2", "--advanced")
    assert codefresh("create", "composition", *words) == (0, "Composition: 'shop' created\n", "")
    sent = {"name": "shop", "isAdvanced": True, "vars": ["A=1", "B=2"], "yamlJson": "services: {}"}
    assert server.bodies("POST /api/compositions") == [sent]


def test_compositions_are_shown_and_deleted(server, codefresh):
    server.answers |= {"GET /api/compositions": [ONE], "GET /api/compositions/shop": ONE}
    server.answers["DELETE /api/compositions/5"] = {}
    assert codefresh("get", "com")[1].split() == ["ID", "NAME", "IS_ADVANCED", "5", "shop", "false"]
    code, out, _ = codefresh("get", "compositions", "shop", "-o", "json")
    told = {"id": "5", "name": "shop", "is_advanced": False, "created": "2026-11-24T10:00:00.000Z"}
    assert (code, json.loads(out)) == (0, told)
    assert codefresh("delete", "composition", "shop") == (0, "Composition: 'shop' deleted\n", "")


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (
            ("shop", "-c", "c.yml", "-v", "A=1"),
            {"name": "shop", "isAdvanced": False, "vars": ["A=1"], "yamlJson": "services: {}"},
        ),
        (("-f", "all.json"), {"name": "shop", "yamlJson": "services: {}"}),
    ],
)
def test_a_composition_is_replaced_by_options_or_a_file(server, codefresh, words, sent):
    (codefresh.home / "c.yml").write_text("services: {}")
    (codefresh.home / "all.json").write_text('{"name": "shop", "yamlJson": "services: {}"}')
    server.answers |= {"GET /api/compositions/shop": ONE, "PUT /api/compositions/5": ONE}
    assert codefresh("replace", "composition", *words) == (0, "Composition: 'shop' replaced\n", "")
    assert server.bodies("PUT /api/compositions/5") == [sent]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("shop",), "the document of services is missing; give its file: --compose-file FILE"),
        (("-c", "c.yml"), "Missing name of the composition"),
        (("-f", "nameless.json"), "Missing name of the composition"),
        (("gone", "-c", "c.yml"), "could not find"),
    ],
)
def test_what_names_no_composition_replaces_nothing(server, codefresh, words, message):
    (codefresh.home / "c.yml").write_text("services: {}")
    (codefresh.home / "nameless.json").write_text('["shop"]')
    code, out, err = codefresh("replace", "com", *words)
    assert (code, out) == (1, "")
    assert err.startswith(f"Error: {message}")
    assert not [line for line in server.lines if line.startswith("PUT")]
