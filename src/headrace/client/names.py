"""How names of the API are written in Python. Standard library only: the installation runs this file."""

import keyword
import re


def snake(name: str) -> str:
    """``getBuild`` → ``get_build``; a word that Python keeps for itself gets an underscore."""
    found = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()
    return found + "_" * keyword.iskeyword(found)


def option(name: str, path_names: list[str]) -> str:
    """A field of the query: as `snake`, with an underscore where a field of the path has the name."""
    found = snake(name)
    return found + "_" * (found in {snake(one) for one in path_names} | {"body", "self"})
