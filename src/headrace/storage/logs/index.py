"""Which file holds the log of which step. Survives a crash at any byte."""

import os
from pathlib import Path

import msgspec


class Entry(msgspec.Struct, frozen=True):
    """One line of the index."""

    name: str  # of the step
    file: str  # within the folder of the build


_decoder = msgspec.json.Decoder(Entry)


def read_index(folder: Path) -> list[Entry]:
    """Return the entries in the order in which the steps were first opened; a torn line is none."""
    try:
        data = (folder / "index").read_bytes()
    except FileNotFoundError:
        return []
    entries: dict[str, Entry] = {}
    for line in data.split(b"\n"):
        try:
            entry = _decoder.decode(line)
        except msgspec.DecodeError:  # cut off by a crash; its file holds nothing yet
            continue
        entries.setdefault(entry.name, entry)
    return list(entries.values())


def add_step(folder: Path, name: str) -> Path:
    """Return the file of a step, making it and its entry where there is none."""
    entries = read_index(folder)
    for entry in entries:
        if entry.name == name:
            return folder / entry.file
    folder.mkdir(parents=True, exist_ok=True)
    entry = Entry(name, _new_file(folder, len(entries)))
    # A newline on both sides: an entry that a crash has torn does not spoil this one.
    line = b"\n" + msgspec.json.encode(entry) + b"\n"
    index = os.open(folder / "index", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        os.write(index, line)
    finally:
        os.close(index)
    return folder / entry.file


def _new_file(folder: Path, number: int) -> str:
    while True:
        name = f"{number}.log"
        try:
            os.close(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640))
        except FileExistsError:
            number += 1
        else:
            return name
