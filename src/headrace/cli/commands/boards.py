"""Release boards and their sections: ``get``, ``create``, ``patch`` and ``delete``.

A board or section is named by its id or by its name; the name of a section counts within its board.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from headrace.cli.cures import told
from headrace.cli.errors import Refused
from headrace.cli.output import Columns, Row, show
from headrace.cli.verbs import leaf, output_options, pass_app
from headrace.client.errors import ApiError

if TYPE_CHECKING:
    from headrace.cli.app import App

BOARDS = Columns(default=("id", "name", "filter"))
SECTIONS = Columns(default=("id", "name", "board_id", "cluster"))
NO_BOARD = "Neither board-id nor board-name was specified"
NO_SECTION = "Neither section-id nor section-name was specified"


def _board_row(board: Mapping[str, Any]) -> Row:
    info = {key: board[key] for key in ("_id", "name", "type", "filter") if key in board}
    return Row(id=board["_id"], name=f"board/{board['name']}", info=info, cells={**info, "id": board["_id"]})


def _section_row(section: Mapping[str, Any]) -> Row:
    info = {key: section[key] for key in ("_id", "name", "boardId", "section") if key in section}
    cells = {
        "id": section["_id"],
        "name": section["name"],
        "board_id": section["boardId"],
        "cluster": section["section"],
    }
    return Row(id=section["_id"], name=f"section/{section['name']}", info=info, cells=cells)


def _found(kind: str, name: str, ask: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    try:
        return ask()
    except ApiError as error:
        raise Refused(f"{kind} '{name}' was not found; caused by Error: {told(error)}") from error


def _board_id(app: App, board_id: str | None, name: str | None) -> str:
    """The id of the board that the options name."""
    if board_id is not None:
        return board_id
    if name is None:
        raise Refused(NO_BOARD)
    return app.api.helm.boards.get_by_name(name)["_id"]


def _section_id(
    app: App, section_id: str | None, name: str | None, board_id: str | None, board_name: str | None
) -> str:
    """The id of the section that the words name."""
    if section_id is not None:
        return section_id
    if name is None:
        raise Refused(NO_SECTION)
    board = _board_id(app, board_id, board_name)
    return app.api.helm.sections.get_by_name(board, name)["_id"]


@leaf("get boards")
@click.argument("names", nargs=-1, metavar="[ID|NAME]...")
@click.option("--id", "board_id", help="Only the board of this id.")
@click.option("--name", help="Only the board of this name.")
@output_options
@pass_app
def get_boards(
    app: App,
    names: tuple[str, ...],
    board_id: str | None,
    name: str | None,
    **out: Any,  # noqa: ANN401 — values of `output_options`
) -> None:
    """Show release boards, or some of them."""

    def rows() -> list[Row]:
        boards = app.api.helm.boards
        if board_id is not None:
            return [_board_row(_found("Board", board_id, lambda: boards.get(board_id)))]
        if name is not None:
            return [_board_row(_found("Board", name, lambda: boards.get_by_name(name)))]
        every = [_board_row(board) for board in boards.list()]
        return [row for row in every if not names or {row.id, row.cells["name"]} & set(names)]

    show(rows, BOARDS, out)


@leaf("create board")
@click.argument("name")
@click.option("--filter", "filter_", metavar="TEXT", help="Which releases it shows; kept as it is.")
@pass_app
def create_board(app: App, name: str, filter_: str | None) -> None:
    """Create a release board."""
    app.api.helm.boards.create({"name": name, **({} if filter_ is None else {"filter": filter_})})
    click.echo(f'Board: "{name}" created')


@leaf("patch board")
@click.argument("board_id", required=False, metavar="[ID]")
@click.option("--name", help="The board, by its name.")
@click.option("--newName", "--new-name", "new_name", help="Rename the board.")
@click.option("--filter", "filter_", metavar="TEXT", help="Which releases it shows.")
@pass_app
def patch_board(
    app: App, board_id: str | None, name: str | None, new_name: str | None, filter_: str | None
) -> None:
    """Rename a release board, or change its filter."""
    found = _board_id(app, board_id, name)
    named = {"name": new_name, "filter": filter_}
    changes: Any = {key: value for key, value in named.items() if value is not None}
    app.api.helm.boards.patch(found, changes)
    click.echo(f'Board: "{name or found}" patched.')


@leaf("delete board")
@click.argument("board_id", required=False, metavar="[ID]")
@click.option("--name", help="The board, by its name.")
@pass_app
def delete_board(app: App, board_id: str | None, name: str | None) -> None:
    """Delete a release board with its sections."""
    found = _board_id(app, board_id, name)
    app.api.helm.boards.delete(found)
    click.echo(f"Board '{name or found}' deleted.")


@leaf("get sections")
@click.argument("section_id", required=False, metavar="[ID]")
@click.option("--board-id", help="Sections of this board.")
@click.option("--board-name", help="The same, by the board's name.")
@click.option("--name", help="Only the section of this name.")
@output_options
@pass_app
def get_sections(
    app: App,
    section_id: str | None,
    board_id: str | None,
    board_name: str | None,
    name: str | None,
    **out: Any,  # noqa: ANN401 — values of `output_options`
) -> None:
    """Show the sections of a release board, or one."""

    def rows() -> list[Row]:
        sections = app.api.helm.sections
        if section_id is not None:
            return [_section_row(_found("Section", section_id, lambda: sections.get(section_id)))]
        board = _board_id(app, board_id, board_name)
        if name is not None:
            return [_section_row(_found("Section", name, lambda: sections.get_by_name(board, name)))]
        return [_section_row(section) for section in sections.list(board)]

    show(rows, SECTIONS, out)


@leaf("create section")
@click.argument("name")
@click.option("--board-id", help="The board.")
@click.option("--board-name", help="The board, by its name.")
@click.option("--cluster", help="A cluster, or CLUSTER/NAMESPACE.")
@click.option("--color", default="#CCAA00", show_default=True, help="Colour of the section.")
@click.option("--index", type=int, default=1, show_default=True, help="Place on the board.")
@pass_app
def create_section(
    app: App,
    name: str,
    board_id: str | None,
    board_name: str | None,
    cluster: str | None,
    color: str,
    index: int,
) -> None:
    """Create a section of a release board."""
    body: Any = {
        "name": name,
        "boardId": _board_id(app, board_id, board_name),
        "color": color,
        "index": index,
    }
    app.api.helm.sections.create(body | ({} if cluster is None else {"section": cluster}))
    click.echo(f'Section: "{name}" created')


@leaf("patch section")
@click.argument("section_id", required=False, metavar="[ID]")
@click.option("--boardId", "--board-id", "board_id", help="The board of the section.")
@click.option("--boardName", "--board-name", "board_name", help="The board of the section, by its name.")
@click.option("--name", help="The section, by its name.")
@click.option("--newName", "--new-name", "new_name", help="Rename the section.")
@click.option("--cluster", help="A cluster, or CLUSTER/NAMESPACE.")
@click.option("--color", help="Colour of the section.")
@click.option("--index", type=int, help="Place on the board.")
@pass_app
def patch_section(app: App, section_id: str | None, **options: Any) -> None:  # noqa: ANN401 — the options above
    """Change a section of a release board."""
    name = options["name"]
    found = _section_id(app, section_id, name, options["board_id"], options["board_name"])
    wire = {
        "new_name": "name",
        "cluster": "section",
        "color": "color",
        "index": "index",
        "board_id": "boardId",
    }
    changes: Any = {key: options[option] for option, key in wire.items() if options[option] is not None}
    app.api.helm.sections.patch(found, changes)
    click.echo(f'Section: "{name or found}" patched.')


@leaf("delete section")
@click.argument("section_id", required=False, metavar="[ID]")
@click.option("--boardId", "--board-id", "board_id", help="The board of the section.")
@click.option("--boardName", "--board-name", "board_name", help="The board of the section, by its name.")
@click.option("--name", help="The section, by its name.")
@pass_app
def delete_section(
    app: App, section_id: str | None, board_id: str | None, board_name: str | None, name: str | None
) -> None:
    """Delete a section of a release board."""
    found = _section_id(app, section_id, name, board_id, board_name)
    app.api.helm.sections.delete(found)
    click.echo(f"Section '{name or found}' deleted.")
