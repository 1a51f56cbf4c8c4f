"""Preferences of a user on this machine: how tables look, and how patiently a request is sent.

Source: section 3.2 of the client reference. The file ``~/.Codefresh/cli-config/config.yaml`` is shared with
the official client: it holds profiles of the same properties, and keys that we do not know stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.cli.errors import Refused

LARGEST = 999_999_999  # of a number; in milliseconds more than eleven days
_NO_EFFECT = "Without effect here: a log whose connection broke is followed on from its last line"


@dataclass(frozen=True, kw_only=True)
class Property:
    """What may be set.

    Attributes:
        default: its value where nothing is set; its type is the type of the property.
        choices: the only words allowed; empty for any value of the type.
        about: what it does, for ``cli-config help``.
    """

    default: bool | int | str
    choices: tuple[str, ...] = ()
    about: str

    @property
    def kind(self) -> str:
        """The word for its type: ``boolean``, ``integer`` or ``string``."""
        return {bool: "boolean", int: "integer", str: "string"}[type(self.default)]

    def read(self, value: object) -> bool | int | str:
        """A value of a file or of a command line; nothing (None) is 0 or false.

        Raises:
            ValueError: it is not of this kind; says what would be.
        """
        if isinstance(self.default, bool):
            if value in (None, False, True) or value in ("0", "1", "false", "true"):
                return value in (True, "1", "true")
            wanted = "boolean, true or false"
        elif isinstance(self.default, int):
            text = "0" if value is None else str(value)
            if re.fullmatch("[0-9]{1,20}", text) and int(text) <= LARGEST:
                return int(text)
            wanted = f"integer from 0 to {LARGEST}"
        else:
            if isinstance(value, str) and value in self.choices:
                return value
            wanted = f"equal to one of the allowed values: {', '.join(self.choices)}"
        raise ValueError(f"should be {wanted}; it is {value!r}")


# In the order of the file.
PROPERTIES = {
    "output.pretty": Property(default=False, about="Colours and status signs in tables, as --pretty"),
    "output.dateFormat": Property(
        default="default",
        choices=("default", "date", "datetime", "date-diff"),
        about="Dates in tables, as --date-format; default: what suits the resource",
    ),
    "request.timeout": Property(default=30_000, about="Milliseconds until an answer is given up; 0: never"),
    "request.maxAttempts": Property(default=10, about="How often a request is sent where the network fails"),
    "request.retryDelay": Property(default=500, about="Milliseconds between two attempts"),
    "logs.fallback.interval": Property(default=5_000, about=_NO_EFFECT),
    "logs.fallback.maxAttempts": Property(default=1_000, about=_NO_EFFECT),
}


class Preferences:
    """The file of preferences. Where none is there, or in reach, every property has its default."""

    def __init__(self, path: Path | None) -> None:
        """Read the file.

        Args:
            path: where it is, or would be; None where no home folder is known.

        Raises:
            Refused: it is there and cannot be read.
        """
        self.path = path
        self.document = {} if path is None else _read(path)

    @property
    def profile(self) -> str:
        """Name of the profile in use."""
        name = self.document.get("currentProfile")
        return "default" if name in (None, "") else str(name)

    @property
    def profiles(self) -> dict[str, Any]:
        """Name to properties, in the order of the file; the one in use is always among them."""
        stored = self._mapping(self.document.get("profiles"), "profiles")
        found = {str(name): values for name, values in stored.items()}
        return found if self.profile in found else {**found, self.profile: {}}

    def value(self, name: str) -> bool | int | str:
        """The value of one of `PROPERTIES` in the profile in use.

        Raises:
            Refused: what the file says is none; says where, and what would mend it.
        """
        wanted, place = PROPERTIES[name], f"profiles.{self.profile}"
        section = self._mapping(self.profiles[self.profile], place)
        *parents, last = name.split(".")
        for key in parents:
            place += f".{key}"
            section = self._mapping(section.get(key), place)
        if last not in section:
            return wanted.default
        try:
            return wanted.read(section[last])
        except ValueError as error:
            cure = f"codefresh cli-config set {name} {str(wanted.default).lower()}"
            raise Refused(f"{self.path}: {place}.{last} {error}; to mend it: {cure}") from error

    def set(self, name: str, value: bool | int | str) -> None:  # noqa: FBT001 — a value, no switch
        """Give a property of the profile in use a value, and write down the defaults of the others."""
        self._store({name: value})

    def use(self, profile: str) -> bool:
        """Use a profile from now on; return whether it is a new one, with the defaults."""
        created = profile not in self.profiles
        self.document = {**self.document, "currentProfile": profile, "profiles": self.profiles}
        self._store({})
        return created

    def save(self) -> None:
        """Replace the file at once."""
        if self.path is None:
            raise Refused("no home folder is known, so there is no place for preferences; set HOME")
        from headrace.cli import yamltext
        from headrace.cli.files import replace_text

        replace_text(self.path, yamltext.dump(self.document))

    def _store(self, changes: Mapping[str, object]) -> None:
        place = f"profiles.{self.profile}"
        values = dict(self._mapping(self.profiles[self.profile], place))
        for name, known in PROPERTIES.items():
            section, inside = values, place
            *parents, last = name.split(".")
            for key in parents:
                inside += f".{key}"
                section[key] = dict(self._mapping(section.get(key), inside))
                section = section[key]
            section[last] = changes.get(name, section.get(last, known.default))
        profiles = {**self.profiles, self.profile: values}
        self.document = {**self.document, "currentProfile": self.profile, "profiles": profiles}

    def _mapping(self, value: object, place: str) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise Refused(
                f"{self.path}: {place} must hold names and values, not {value!r}; correct or remove it"
            )
        return value


def preferences_path(environ: Mapping[str, str]) -> Path | None:
    """Where the preferences of a user are; None where no home folder is known."""
    try:
        home = Path(environ.get("HOME") or Path.home())
    except RuntimeError:  # a user without a name, as in many containers
        return None
    return home / ".Codefresh" / "cli-config" / "config.yaml"


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        if isinstance(error, PermissionError) and not _is_visible(path):
            return {}  # the home folder of somebody else, as in many containers
        raise _unreadable(path, error) from error
    from headrace.cli import yamltext

    try:
        document = yamltext.load(text)
    except ValueError as error:
        raise _unreadable(path, error) from error
    if document is not None and not isinstance(document, dict):
        raise Refused(f"{path} holds no profiles; remove it, and every property has its default again")
    return document or {}


def _is_visible(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True


def _unreadable(path: Path, error: Exception) -> Refused:
    return Refused(
        f"cannot read {path}: {error}; correct it, or remove it, and every property has its default again"
    )
