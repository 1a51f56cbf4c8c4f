import re

import msgspec

from headrace.http.reference import Reference, router
from headrace.http.routing import Example, Router
from headrace.http.scopes import Scope

made = Router("/things", tag="things")


class Part(msgspec.Struct):
    """A part of a thing."""

    size: int = 3
    inside: "Part | None" = None


class Thing(msgspec.Struct):
    """A thing."""

    parts: list[Part]


@made.route("GET", "/{thingId}", scope=Scope.BUILD_READ, sdk="things.get")
def get_thing(thingId: str) -> Thing:  # noqa: N803
    """Get a thing."""


@made.route(
    "POST", "/{thingId}", scope=Scope.BUILD_WRITE, sdk="things.make", example=Example(body={"a": "it's"})
)
def make_thing(thingId: str, body: dict[str, str]) -> None:  # noqa: N803
    """Make <b>a thing</b>.

    With `size`, as big as that.
    """


PAGE = Reference([*router.routes, *made.routes], version="1").page("http://127.0.0.1:8080")


def test_an_operation_shows_its_scope_and_a_command_to_copy():
    assert "scope <code>build:write</code>" in PAGE
    assert "&quot;$CF_URL/api/things/$THING_ID&quot;" in PAGE


def test_an_example_is_shown_in_each_form():
    assert "codefresh api things.make thingId=&quot;$THING_ID&quot; -d &#x27;" in PAGE
    assert "client.things.make(thing_id, {&quot;a&quot;: &quot;it&#x27;s&quot;})" in PAGE


def test_text_of_the_code_cannot_become_markup():
    assert "Make &lt;b&gt;a thing&lt;/b&gt;<" in PAGE
    assert "<b>a thing" not in PAGE


def test_words_in_backticks_are_code():
    assert "With <code>size</code>, as big as that." in PAGE


def test_the_page_itself_comes_last():
    assert PAGE.index('id="tag-things"') < PAGE.index('id="tag-reference"')


def test_fields_inside_of_others_are_shown_with_their_way():
    assert "<code>parts[].size</code>" in PAGE
    assert '<a href="#type-Part">Part</a>' in PAGE
    assert "default <code>3</code>" in PAGE


def test_a_missing_scope_is_among_the_errors_by_its_name():
    assert "the key lacks the scope <code>build:write</code>" in PAGE


def test_every_link_inside_the_page_has_its_place():
    links = set(re.findall(r'href="#([^"]+)"', PAGE))
    assert links - set(re.findall(r'id="([^"]+)"', PAGE)) == set()


def test_no_script_or_style_stands_in_the_page_itself():
    assert "style=" not in PAGE
    assert re.findall(r"<script[^>]*>", PAGE) == ['<script src="/api/assets/reference.js" defer>']
    assert not re.search(r"\son\w+=", PAGE)
