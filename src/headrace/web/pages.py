"""Serves the built pages: the document for every address of a page, and its files.

The pages are made by `hatch_build.py` from `web/` at the root of the project; they speak to the
public API only. What they load comes from here, and nothing else may be loaded or may embed them.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Awaitable, Callable, MutableMapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_GUARDS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
_DOCUMENT = "/index.html"
_NAMED_BY_CONTENT = "/assets/"  # a file there never changes


class _File(msgspec.Struct, frozen=True):
    content: bytes
    zipped: bytes
    media_type: str
    etag: str


class Pages:
    """All files of the pages, in memory.

    Args:
        folder: what the build made; the package's own by default. It may be absent: a checkout
            that was never installed has no pages.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._files: dict[str, _File] = {}
        place = folder or Path(str(files("headrace.web") / "built"))
        for path in sorted(place.rglob("*")) if place.is_dir() else ():
            if path.is_file() and not path.name.startswith("."):
                self._files[f"/{path.relative_to(place).as_posix()}"] = _read(path)

    def __bool__(self) -> bool:
        """Tell whether there are pages."""
        return _DOCUMENT in self._files

    def names(self) -> list[str]:
        """Return the paths of all files: `/assets/…`, `/icon.svg`, `/index.html`."""
        return sorted(self._files)

    def has(self, scope: Message) -> bool:
        """Tell whether a request is for a file, or by a browser for the address of a page."""
        path = "/" + scope["path"].lstrip("/")
        if path in self._files or (self and path == "/"):
            return True
        accepted = next((value for name, value in scope["headers"] if name == b"accept"), b"")
        # A name in an address may hold a dot (`/projects/my.app`); one at its beginning is a file's.
        is_file = "." in path.split("/")[1] or path.startswith(_NAMED_BY_CONTENT)
        return bool(self) and b"text/html" in accepted and not is_file

    async def send(self, scope: Message, send: Send) -> None:
        """Answer a request for what `has` knows (ASGI)."""
        path = "/" + scope["path"].lstrip("/")
        name = path if path in self._files and path != "/" else _DOCUMENT
        found = self._files[name]
        asked = {
            key: value for key, value in scope["headers"] if key in (b"if-none-match", b"accept-encoding")
        }
        lasting = name.startswith(_NAMED_BY_CONTENT)
        headers = [
            *_GUARDS,
            (b"etag", found.etag.encode()),
            (b"vary", b"accept-encoding"),
            (b"cache-control", b"public, max-age=31536000, immutable" if lasting else b"no-cache"),
        ]
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, [*headers, (b"allow", b"GET, HEAD")], b"")
        elif asked.get(b"if-none-match") == found.etag.encode():
            await _answer(send, 304, headers, b"")
        else:
            zipped = b"gzip" in asked.get(b"accept-encoding", b"")
            content = found.zipped if zipped else found.content
            headers.append((b"content-type", found.media_type.encode()))
            headers.append((b"content-length", str(len(content)).encode()))
            if zipped:
                headers.append((b"content-encoding", b"gzip"))
            await _answer(send, 200, headers, b"" if scope["method"] == "HEAD" else content)


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def _read(path: Path) -> _File:
    content = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    text = kind.startswith("text/") or kind in ("application/javascript", "image/svg+xml")
    return _File(
        content=content,
        zipped=gzip.compress(content, 9, mtime=0),
        media_type=f"{kind}; charset=utf-8" if text else kind,
        etag=f'"{hashlib.sha256(content).hexdigest()[:20]}"',
    )
