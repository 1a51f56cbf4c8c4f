"""Stored JSON as the YAML that a person would write: keys in order, blocks for long texts."""

import re
from typing import Any

import yaml

# Every other text is quoted: readers of YAML 1.1 and 1.2 then agree on what it is.
_BARE = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*")
_WORDS = {"true", "false", "yes", "no", "on", "off", "y", "n", "null", "none"}
_SCALAR = "tag:yaml.org,2002:str"


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - as declared
        return True


def _represent_text(dumper: yaml.representer.BaseRepresenter, text: str) -> yaml.ScalarNode:
    if "\n" in text and " \n" not in text:
        return dumper.represent_scalar(_SCALAR, text, style="|")
    bare = _BARE.fullmatch(text) is not None and text.lower() not in _WORDS
    return dumper.represent_scalar(_SCALAR, text, style=None if bare else "'")


_Dumper.add_representer(str, _represent_text)


def to_yaml(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return YAML that reads back as ``value`` under YAML 1.2, and 1.1."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)
