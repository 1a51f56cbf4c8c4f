"""Logs of steps as append-only files: one per step, written once, read by byte offset.

``<root>/<build id>/index`` names the steps in the order in which they were first opened, one JSON
line each; ``<root>/<build id>/<n>.log`` holds one step. What a file holds is masked, and each of
its lines begins with a time stamp. A reader needs nothing but the files, so it may be another
process on the same folder.
"""

from headrace.storage.logs.archive import ArchiveStep, archive
from headrace.storage.logs.marks import Extent, Mark
from headrace.storage.logs.search import Found, Hit, Place, search
from headrace.storage.logs.store import LogFollower, LogPiece, LogStore

__all__ = [
    "ArchiveStep",
    "Extent",
    "Found",
    "Hit",
    "LogFollower",
    "LogPiece",
    "LogStore",
    "Mark",
    "Place",
    "archive",
    "search",
]
