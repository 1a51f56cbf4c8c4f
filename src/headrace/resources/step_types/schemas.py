"""Step types on the wire."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from headrace.http.paging import OffsetQuery


class NamesQuery(OffsetQuery, kw_only=True, rename="camel"):
    """Which names."""

    id: Annotated[str, msgspec.Meta(description="only names that contain this")] = ""


class StepTypesQuery(NamesQuery, kw_only=True, rename="camel"):
    """Which step types."""

    category: Annotated[str, msgspec.Meta(description="only of this category")] = ""
    tag: Annotated[str, msgspec.Meta(description="only with this tag")] = ""
    stage: Annotated[str, msgspec.Meta(description="``graduated`` or ``incubating``")] = ""
    free_text: Annotated[str, msgspec.Meta(description="only where name, title or text has this")] = ""
    official: Annotated[bool, msgspec.Meta(description="only those that come with the server")] = False
    public: Annotated[bool, msgspec.Meta(description="only public ones")] = False
    private: Annotated[bool, msgspec.Meta(description="only private ones")] = False


class StepTypesOut(msgspec.Struct, frozen=True):
    """A page of step types, the latest version of each; ``count`` is of all that match."""

    docs: Sequence[dict[str, Any]]
    count: int
