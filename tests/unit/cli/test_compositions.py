import json

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
