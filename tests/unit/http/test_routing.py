import re

import msgspec
import pytest

from headrace.http.errors import BadRequest
from headrace.http.paging import Limit
from headrace.http.requests import fill_query, holds_nul, read_body, read_query
from headrace.http.routing import Match, Router, Table
from headrace.http.scopes import Scope, grants, is_known


def table_of(*declared):
    router = Router("", tag="test")
    for method, path in declared:

        def handler() -> None:
            """Do nothing."""

        router.route(method, path, scope=Scope.ANY, sdk="test." + path)(handler)
    return Table(router.routes)


PATHS = (
    ("GET", "/pipelines"),
    ("GET", "/pipelines/names"),
    ("GET", "/pipelines/{name:path}"),
    ("POST", "/pipelines/run/{name:path}"),
    ("GET", "/builds/rebuild/{id}"),
    ("GET", "/builds/{id}"),
    ("POST", "/builds/{serviceId:path}"),
    ("GET", "/workflow/{id}/pending-approval/approve"),
    ("GET", "/step-types/{name:path}/versions"),
    ("GET", "/step-types/{name:path}"),
)


@pytest.mark.parametrize(
    ("method", "raw", "path", "values"),
    [
        ("GET", "/pipelines", "/pipelines", {}),
        ("GET", "/pipelines/names", "/pipelines/names", {}),
        (
            "GET",
            "/pipelines/my-project%2Fmy-pipeline",
            "/pipelines/{name:path}",
            {"name": "my-project/my-pipeline"},
        ),
        ("GET", "/pipelines/a%2Fb/c", "/pipelines/{name:path}", {"name": "a/b/c"}),
        ("POST", "/pipelines/run/a/b/c", "/pipelines/run/{name:path}", {"name": "a/b/c"}),
        ("GET", "/builds/rebuild/5b1a", "/builds/rebuild/{id}", {"id": "5b1a"}),
        ("GET", "/builds/5b1a", "/builds/{id}", {"id": "5b1a"}),
        (
            "GET",
            "/step-types/acme%2Fhello/versions",
            "/step-types/{name:path}/versions",
            {"name": "acme/hello"},
        ),
        ("GET", "/step-types/acme%2Fhello:1.0.0", "/step-types/{name:path}", {"name": "acme/hello:1.0.0"}),
    ],
)
def test_a_raw_path_finds_its_route_and_decoded_parameters(method, raw, path, values):
    found = table_of(*PATHS).find(method, raw)
    assert isinstance(found, Match)
    assert (found.route.path, dict(found.parameters)) == (path, values)


def test_an_encoded_slash_does_not_end_a_plain_parameter():
    found = table_of(("GET", "/contexts/{name}")).find("GET", "/contexts/a%2Fb")
    assert isinstance(found, Match)
    assert found.parameters["name"] == "a/b"


def test_a_literal_slash_does_not_fit_a_plain_parameter():
    assert table_of(("GET", "/contexts/{name}")).find("GET", "/contexts/a/b") == ()


def test_a_known_path_with_another_method_names_the_methods():
    assert table_of(("GET", "/x"), ("DELETE", "/x")).find("PUT", "/x") == ("DELETE", "GET")


def test_a_path_that_is_no_utf8_is_refused():
    with pytest.raises(UnicodeDecodeError):
        table_of(("GET", "/x/{id}")).find("GET", "/x/%ff")


@pytest.mark.parametrize(
    ("held", "needed", "granted"),
    [
        (["build"], "build:read:status", True),
        (["build:read"], "build:read:status", True),
        (["build:read:status"], "build:read", False),
        (["build:read"], "build:write", False),
        (["pipeline:run"], "pipeline:read", False),
        (["pipeline"], "pipeline:approve", True),
        (["project"], "projects-of-others", False),
        (["any"], "cluster:write", True),
        ([], "build", False),
        (None, "build", True),
        (["builds:read"], "build:read:status", True),
        (["step-types"], "step-type:write", True),
        (["workflow", "kubernetes", "view"], "build:read", False),
    ],
)
def test_a_scope_grants_itself_and_what_is_below(held, needed, granted):
    assert grants(held, needed) is granted


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("build:read:status", True),
        ("builds:read", True),
        ("step-types", True),
        ("any", True),
        ("environments-v2", True),
        ("workflow:read", True),
        ("workflow:Read it", False),
        ("nope", False),
        ("build:nope", False),
        ("public", False),
    ],
)
def test_a_scope_is_known_in_singular_and_plural_and_where_it_opens_nothing(written, known):
    assert is_known(written) is known


class Query(msgspec.Struct, rename="camel"):
    limit: Limit = 25
    branch_name: list[str] = []
    labels: dict[str, str] = {}
    pagination_reset: bool = False


def test_a_query_string_fills_lists_scalars_and_brackets():
    text = "limit=3&branchName=a&branchName=b&labels%5Btags%5D=x%2Cy&labels=k=v&paginationReset=true&other=1"
    query = fill_query(Query, read_query(text))
    assert query == Query(3, ["a", "b"], {"tags": "x,y", "k": "v"}, pagination_reset=True)


@pytest.mark.parametrize("text", ["limit=x", "limit=1e9", "paginationReset=maybe", "a=%ff", "a=%00"])
def test_a_query_value_that_does_not_fit_is_a_bad_request(text):
    with pytest.raises(BadRequest):
        fill_query(Query, read_query(text))


@pytest.mark.parametrize(
    "data",
    [b"{", b"\xff", b'{"a": "\\u0000"}', b"[" * 100_000, b'{"a": 1e999}', b"nul", b'"\\ud800"'],
)
def test_a_body_that_is_no_sound_json_is_a_bad_request(data):
    with pytest.raises(BadRequest):
        read_body(dict[str, object], data)


def test_an_empty_body_is_an_empty_object():
    assert read_body(dict[str, object], b"") == {}


class Part(msgspec.Struct):
    name: str
    size: int | str = 0


class Whole(msgspec.Struct, rename="camel"):
    branch_name: str | None = None
    parts: list[Part] = []
    values: dict[str, str] = {}
    count: int = 0


def test_a_number_in_the_place_of_a_text_is_that_text_wherever_it_stands():
    data = (
        b'{"branchName": 2024, "parts": [{"name": 1.5, "size": 7}], "values": {"A": 1e3}, "count": 3, "x": 9}'
    )
    whole = Whole("2024", [Part("1.5", 7)], {"A": "1000.0"}, 3)
    assert read_body(Whole, data) == whole


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b'{"branchName": true}', "$.branchName"),
        (b'{"branchName": 1, "count": "x"}', "$.count"),
        (b'{"branchName": [1]}', "$.branchName"),
        (b'{"count": 1.5}', "$.count"),
        (b'{"parts": 7}', "$.parts"),
    ],
)
def test_no_other_type_becomes_a_text(data, place):
    with pytest.raises(BadRequest, match=re.escape(place)):
        read_body(Whole, data)


def test_an_escaped_backslash_before_u0000_is_no_nul():
    assert read_body(dict[str, str], b'{"a": "\\\\u0000"}') == {"a": "\\u0000"}
    assert not holds_nul({"a": ["\\u0000"]})
