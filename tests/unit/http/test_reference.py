from headrace.http.reference import Reference, router
from headrace.http.routing import Example, Router
from headrace.http.scopes import Scope

made = Router("/things", tag="things")


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


def test_text_of_the_code_cannot_become_markup():
    assert "Make &lt;b&gt;a thing&lt;/b&gt;." in PAGE


def test_words_in_backticks_are_code():
    assert "With <code>size</code>, as big as that." in PAGE


def test_the_page_itself_comes_last():
    assert PAGE.index('<section id="things">') < PAGE.index('<section id="reference">')
