"""The rules of Helm boards, sections and repositories: a name is taken once in its place."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from headrace.http.errors import BadRequest, Conflict, NotFound
from headrace.http.paging import Pages
from headrace.kit.clock import wire_time
from headrace.resources.helm import repository
from headrace.resources.helm.repository import Board, Repo, Section
from headrace.resources.helm.schemas import (
    BoardFields,
    BoardOut,
    Order,
    RepoFields,
    RepoOut,
    SectionFields,
    SectionOut,
)

_LOWEST = 1 << 31  # as far below 0 as an index goes
_COLOR = "#CCAA00"  # what clients send where nobody chooses


def boards(db: Connection, account_id: str, pages: Pages) -> list[BoardOut]:
    """Return the boards of an account by name."""
    return [_board(one) for one in repository.listed(db, account_id, Board, pages)]


def board(db: Connection, account_id: str, **equal: str) -> BoardOut:
    """Return the board with this ``id`` or ``name``. Raises `NotFound`."""
    return _board(_one(db, account_id, Board, **equal))


def create_board(db: Connection, account_id: str, body: BoardFields) -> BoardOut:
    """Create a board.

    Raises:
        BadRequest: it has no name.
        Conflict: the name is taken.
    """
    name = _needed("name", body.name)
    with _free(db, "board", name):
        made = repository.add(
            db, account_id, Board, name=name, filter=body.filter, created_at=datetime.now(UTC)
        )
    return board(db, account_id, id=made)


def change_board(db: Connection, account_id: str, board_id: str, body: BoardFields) -> BoardOut:
    """Change the given fields of a board.

    Raises:
        NotFound: there is none.
        Conflict: the new name is taken.
    """
    found = _one(db, account_id, Board, id=board_id)
    name = body.name or found.name
    chosen = found.filter if body.filter is None else body.filter
    with _free(db, "board", name):
        repository.change(db, account_id, Board, found.id, name=name, filter=chosen)
    return board(db, account_id, id=board_id)


def delete_board(db: Connection, account_id: str, board_id: str) -> None:
    """Delete a board with its sections. Raises `NotFound`."""
    repository.remove(db, account_id, Board, id=_one(db, account_id, Board, id=board_id).id)


def delete_boards(db: Connection, account_id: str) -> None:
    """Delete all boards of an account with their sections."""
    repository.remove(db, account_id, Board)


def sections(db: Connection, account_id: str, board_id: str, pages: Pages) -> list[SectionOut]:
    """Return the sections of a board, by their places, ties by name. Raises `NotFound`."""
    _one(db, account_id, Board, id=board_id)
    found = repository.listed(db, account_id, Section, board_id=board_id)
    return [_section(one) for one in pages.cut(found, lambda one: f"{one.index + _LOWEST:011}/{one.name}")]


def section(db: Connection, account_id: str, **equal: str) -> SectionOut:
    """Return the section with this ``id``, or this ``board_id`` and ``name``. Raises `NotFound`."""
    return _section(_one(db, account_id, Section, **equal))


def create_section(db: Connection, account_id: str, body: SectionFields) -> SectionOut:
    """Create a section of a board.

    Raises:
        BadRequest: it names no board, or has no name.
        NotFound: there is no such board.
        Conflict: the board has a section of this name.
    """
    name, board_id = _needed("name", body.name), _needed("boardId", body.board_id)
    _one(db, account_id, Board, id=board_id)
    with _free(db, "section", name):
        made = repository.add(
            db,
            account_id,
            Section,
            board_id=board_id,
            name=name,
            section=body.section or "",
            color=body.color or _COLOR,
            index=body.place or 0,
            created_at=datetime.now(UTC),
        )
    return section(db, account_id, id=made)


def change_section(db: Connection, account_id: str, section_id: str, body: SectionFields) -> SectionOut:
    """Change the given fields of a section; another ``boardId`` moves it there.

    Raises:
        NotFound: there is no such section or board.
        Conflict: that board has a section of this name.
    """
    found = _one(db, account_id, Section, id=section_id)
    values = {
        "board_id": body.board_id,
        "name": body.name,
        "section": body.section,
        "color": body.color,
        "index": body.place,
    }
    values = {name: value for name, value in values.items() if value is not None}
    if body.board_id is not None:
        _one(db, account_id, Board, id=body.board_id)
    if values:
        with _free(db, "section", body.name or found.name):
            repository.change(db, account_id, Section, found.id, **values)
    return section(db, account_id, id=section_id)


def reorder(db: Connection, account_id: str, order: Order) -> list[SectionOut]:
    """Give sections new places; all or none. Raises `NotFound` for one that is none."""
    for section_id, index in order.items():
        _one(db, account_id, Section, id=section_id)
        repository.change(db, account_id, Section, section_id, index=index)
    return [section(db, account_id, id=section_id) for section_id in order]


def delete_section(db: Connection, account_id: str, section_id: str) -> None:
    """Delete a section. Raises `NotFound`."""
    repository.remove(db, account_id, Section, id=_one(db, account_id, Section, id=section_id).id)


def delete_sections(db: Connection, account_id: str, board_id: str) -> None:
    """Delete all sections of a board. Raises `NotFound`."""
    repository.remove(db, account_id, Section, board_id=_one(db, account_id, Board, id=board_id).id)


def repos(db: Connection, account_id: str, query: str, pages: Pages) -> list[RepoOut]:
    """Return the Helm repositories of an account by name; only those with ``query`` in it."""
    found = [one for one in repository.listed(db, account_id, Repo) if query in one.name]
    return [_repo(one) for one in pages.cut(found, lambda one: one.name)]


def repo(db: Connection, account_id: str, name: str) -> RepoOut:
    """Return a Helm repository by its name. Raises `NotFound`."""
    return _repo(_one(db, account_id, Repo, name=name))


def create_repo(db: Connection, account_id: str, body: RepoFields) -> RepoOut:
    """Store a Helm repository.

    Raises:
        BadRequest: it has no name.
        Conflict: the name is taken.
    """
    name, now = _needed("name", body.name), datetime.now(UTC)
    with _free(db, "Helm repository", name):
        repository.add(
            db, account_id, Repo, name=name, public=bool(body.public), created_at=now, updated_at=now
        )
    return repo(db, account_id, name)


def change_repo(db: Connection, account_id: str, wanted: str, body: RepoFields) -> RepoOut:
    """Change the given fields of a Helm repository.

    Raises:
        NotFound: there is none.
        Conflict: the new name is taken.
    """
    found = _one(db, account_id, Repo, name=wanted)
    name = body.name or found.name
    public = found.public if body.public is None else body.public
    with _free(db, "Helm repository", name):
        repository.change(
            db, account_id, Repo, found.id, name=name, public=public, updated_at=datetime.now(UTC)
        )
    return repo(db, account_id, name)


def delete_repo(db: Connection, account_id: str, name: str) -> None:
    """Forget a Helm repository. Raises `NotFound`."""
    repository.remove(db, account_id, Repo, id=_one(db, account_id, Repo, name=name).id)


_Row = TypeVar("_Row", Board, Section, Repo)
_WORDS: dict[type, str] = {Board: "board", Section: "section", Repo: "Helm repository"}


def _one(db: Connection, account_id: str, kind: type[_Row], **equal: Any) -> _Row:  # noqa: ANN401 - columns
    found = repository.listed(db, account_id, kind, **equal)
    if not found:
        wanted = equal.get("name") or equal.get("id")
        raise NotFound(f"could not find the {_WORDS[kind]} {wanted!r}")
    return found[0]


def _needed(field: str, value: str | None) -> str:
    if not value:
        raise BadRequest(f"{field} is required")
    return value


@contextmanager
def _free(db: Connection, word: str, name: str) -> Iterator[None]:
    try:
        with db.begin_nested():
            yield
    except IntegrityError:
        raise Conflict(f"a {word} named {name!r} exists already; choose another name") from None


def _board(one: Board) -> BoardOut:
    return BoardOut(id=one.id, name=one.name, filter=one.filter)


def _section(one: Section) -> SectionOut:
    return SectionOut(
        id=one.id,
        name=one.name,
        board_id=one.board_id,
        section=one.section,
        color=one.color,
        index=one.index,
    )


def _repo(one: Repo) -> RepoOut:
    return RepoOut(
        name=one.name,
        public=one.public,
        created_at=wire_time(one.created_at),
        updated_at=wire_time(one.updated_at),
    )
