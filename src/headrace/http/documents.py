"""Which version of a document a client has, and how few bytes tell it (RFC 9110).

A document is the answer of a GET without consequences. Its ETag is the hash of its text, so that it
needs no column and is right for lists, too. ``If-None-Match`` asks only for what is new;
``If-Match`` writes only over what the client has seen.
"""

import gzip
import hashlib

from sqlalchemy import BigInteger, Connection, bindparam, text

_HASH_BYTES = 12
_SMALLEST_BYTES = 1400  # what fits into one packet is not worth the work
_LEVEL = 4  # a list of builds to a tenth at 80 MB/s; higher levels cost twice the time for a hundredth
_PACKED = "-gzip"
_LOCK = {
    True: text("SELECT pg_advisory_xact_lock(:name)").bindparams(bindparam("name", type_=BigInteger)),
    False: text("SELECT pg_advisory_xact_lock_shared(:name)").bindparams(bindparam("name", type_=BigInteger)),
}


def tag_of(content: bytes) -> str:
    """Return the ETag of a document, with its quotes."""
    return f'"{hashlib.blake2b(content, digest_size=_HASH_BYTES).hexdigest()}"'


def packed_tag(tag: str) -> str:
    """Return the ETag of the same document in fewer bytes: other bytes, another tag."""
    return f'{tag[:-1]}{_PACKED}"'


def names(header: str, tag: str, *, weakly: bool) -> bool:
    """Tell whether a header, ``"a", W/"b"`` or ``*``, names the document with this ETag.

    Args:
        header: of ``If-None-Match`` or ``If-Match``.
        tag: of the document as it is.
        weakly: a tag that is marked as weak counts, as `If-None-Match` has it.
    """
    for one in header.split(","):
        given = one.strip()
        if given == "*":
            return True
        if weakly:
            given = given.removeprefix("W/")
        if given in (tag, packed_tag(tag)):
            return True
    return False


def takes_gzip(header: str) -> bool:
    """Tell whether ``Accept-Encoding`` lists gzip, not at weight 0."""
    for one in header.lower().split(","):
        coding, *more = (part.strip() for part in one.split(";"))
        if coding in ("gzip", "x-gzip"):
            return all(part.replace(" ", "").rstrip("0").rstrip(".") not in ("q=", "q=0") for part in more)
    return False


def is_worth_packing(content: bytes, media_type: str) -> bool:
    """Tell whether a text is long enough to be sent in fewer bytes."""
    is_text = media_type.startswith("text/") or "json" in media_type or "javascript" in media_type
    return is_text and len(content) >= _SMALLEST_BYTES


def pack(content: bytes) -> bytes:
    """Return a text in gzip."""
    return gzip.compress(content, _LEVEL, mtime=0)


def hold(db: Connection, account_id: str, tag: str, *, alone: bool) -> None:
    """Let no other write come between the look at a document and the write over it.

    SQLite has one writer in any case. On PostgreSQL all writes to one kind of object of an account
    hold the same lock until their transactions end: together, or alone for one that has looked.
    """
    if db.dialect.name == "postgresql":
        digest = hashlib.blake2b(f"{account_id}/{tag}".encode(), digest_size=8).digest()
        db.execute(_LOCK[alone], {"name": int.from_bytes(digest, signed=True)})
