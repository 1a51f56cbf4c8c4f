"""Annotations and the metadata of images, as hooks ask for them.

A note that cannot be written is said in the log and changes nothing else.
Source: `reference/pipeline-yaml.md` 5.4 (annotations), 5.5 (metadata).
"""

import posixpath
from collections.abc import Awaitable, Mapping

from headrace.execution.book import Book
from headrace.execution.errors import StepRefused
from headrace.execution.ports import StepState, Target
from headrace.execution.site import Site
from headrace.pipeline.conditions import ConditionFailed, evaluate
from headrace.pipeline.functions import as_text
from headrace.pipeline.plan import Annotate, DescribeImage, Entry, Hook
from headrace.pipeline.variables import VOLUME, Scope, TextTooLong, substitute, working_directory

LONGEST_VALUE = 65_536  # characters; the rest of a longer text is cut
_FILE = "file:"


async def write_notes(site: Site, hook: Hook, owner: StepState | None, book: Book) -> None:
    """Write what a hook notes of a build, or of the step that it is of.

    Args:
        site: of the build.
        hook: of which the steps have run.
        owner: the step; None for hooks of the pipeline and those on election.
        book: takes what cannot be written.
    """
    if not hook.annotate and not hook.describe:
        return
    writer = _Writer(site, site.board.scope(hook.group), owner)
    for annotate in hook.annotate:
        await _quietly(writer.annotate(annotate), book, "annotation")
    for describe in hook.describe:
        await _quietly(writer.describe(describe), book, "metadata")


class _Writer:
    """Works out values and hands them to the records."""

    def __init__(self, site: Site, scope: Scope, owner: StepState | None) -> None:
        self._site, self._scope = site, scope
        self._members: Mapping[str, str] = owner.members if owner else {}

    async def annotate(self, note: Annotate) -> None:
        entity = None if note.entity_id is None else substitute(note.entity_id, self._scope)
        if entity is None and note.entity_type == "image":
            entity = self._own_image()
        target = Target(note.entity_type, entity)
        if note.set:
            display = None if note.display is None else substitute(note.display, self._scope)
            values = await self._values(note.set)
            await self._site.records.annotate(self._site.build_id, target, values, display=display)
        if note.unset:
            await self._site.records.remove_annotations(self._site.build_id, target, note.unset)

    async def describe(self, note: DescribeImage) -> None:
        image = self._own_image() if note.image is None else substitute(note.image, self._scope)
        await self._site.records.image_metadata(self._site.build_id, image, await self._values(note.set))

    def _own_image(self) -> str:
        image = self._members.get("imageId") or self._members.get("imageName")
        if not image:
            raise LookupError("this step has built no image; name one")
        return image

    async def _values(self, entries: tuple[Entry, ...]) -> dict[str, str]:
        return {entry.name: await self._value(entry) for entry in entries}

    async def _value(self, entry: Entry) -> str:
        if entry.evaluate:
            await self._site.board.stores.open([entry.text], self._scope)
            text = as_text(evaluate(entry.text, self._scope))
        else:
            text = substitute(entry.text, self._scope)
            if text.startswith(_FILE):
                text = await self._file(text.removeprefix(_FILE)) or text
        return self._site.shown(text)[:LONGEST_VALUE]

    async def _file(self, path: str) -> str | None:
        """The text of a file in the volume, relative to where the step ran; None where there is none."""
        home = self._members.get("workingDirectory") or working_directory(None, self._scope)
        whole = posixpath.normpath(posixpath.join(home, path))
        if not whole.startswith(f"{VOLUME}/"):
            return None
        try:
            content = await self._site.workspace.read(whole.removeprefix(f"{VOLUME}/"))
        except OSError:  # a folder, say
            return None
        return None if content is None else content.decode(errors="replace").rstrip("\r\n")


async def _quietly(work: Awaitable[None], book: Book, what: str) -> None:
    try:
        await work
    except (LookupError, ConditionFailed, StepRefused, TextTooLong) as failure:
        await book.say(f"The {what} is not written: {failure}")
