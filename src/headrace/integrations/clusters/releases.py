"""Releases of Helm 3, read where Helm itself keeps them: one secret for each revision.

Source: the storage of Helm, type ``helm.sh/release.v1``: JSON, gzipped, in base64 twice.
"""

import base64
import binascii
import gzip
import io
import tarfile
import zlib
from datetime import datetime
from typing import Any, Self

import msgspec
import yaml

from headrace.integrations.clusters.errors import ClusterRefused

KIND = "helm.sh/release.v1"  # type of the secrets
_MOST_BYTES = 32 * 1024 * 1024  # of one revision, unpacked: a secret holds 1 MiB at most
_GZIP = 31  # window bits of zlib for a gzip header
_SCHEMA = "values.schema.json"


class ChartFile(msgspec.Struct, frozen=True):
    """A file of a chart; what it holds is in base64."""

    name: str
    data: str = ""


class Chart(msgspec.Struct, frozen=True):
    """A chart as a release holds it: without the charts that it depends on."""

    metadata: dict[str, Any]  # its ``Chart.yaml``
    templates: list[ChartFile] | None = None
    files: list[ChartFile] | None = None
    values: dict[str, Any] | None = None
    schema: str | None = None  # base64

    def text(self, field: str) -> str:
        """Return a field of ``Chart.yaml`` as text; empty where there is none."""
        found = self.metadata.get(field)
        return "" if found is None else str(found)

    @property
    def dependencies(self) -> list[str]:
        """The names of the charts that it depends on."""
        found = self.metadata.get("dependencies")
        every = found if isinstance(found, list) else []
        return [str(each.get("name")) for each in every if isinstance(each, dict)]


class Info(msgspec.Struct, frozen=True):
    """What Helm says about a revision."""

    status: str = ""  # ``deployed``, ``failed``, ``superseded``, ``pending-upgrade`` …
    first_deployed: str = ""
    last_deployed: str = ""
    description: str = ""
    notes: str = ""


class Release(msgspec.Struct, frozen=True):
    """One revision of a release."""

    name: str
    info: Info
    chart: Chart
    version: int  # the revision, from 1
    namespace: str = ""
    config: dict[str, Any] | None = None  # the values that were given, without those of the chart
    manifest: str = ""  # YAML

    @classmethod
    def read(cls, data: str) -> Self:
        """Read the field ``release`` of a secret. Raises `ClusterRefused` where it is none of Helm."""
        try:
            packed = base64.b64decode(base64.b64decode(data, validate=True), validate=True)
            unpacker = zlib.decompressobj(wbits=_GZIP)
            text = unpacker.decompress(packed, _MOST_BYTES)
            if unpacker.unconsumed_tail:
                raise ClusterRefused(f"a release of more than {_MOST_BYTES} bytes is not read")
            return msgspec.json.decode(text, type=cls)
        except (binascii.Error, zlib.error, msgspec.MsgspecError, ValueError) as problem:
            raise ClusterRefused(f"a secret of Helm holds no release: {problem}") from None

    @property
    def updated_at(self) -> datetime | None:
        """When this revision was brought in; None where Helm wrote no time."""
        try:
            return datetime.fromisoformat(self.info.last_deployed)
        except ValueError:
            return None

    def archive(self) -> bytes:
        """Return the chart as ``helm package`` packs it, the same for the same revision.

        Raises:
            ClusterRefused: it depends on other charts, which Helm does not keep with a release.
        """
        if self.chart.dependencies:
            missing = ", ".join(map(repr, self.chart.dependencies))
            raise ClusterRefused(
                f"the chart of release {self.name!r} depends on {missing}, which a release does not hold; "
                "install it from its repository"
            )
        folder = self.chart.text("name") or self.name
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as tar:
            for name, content in self._files():
                member = tarfile.TarInfo(f"{folder}/{name}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return gzip.compress(plain.getvalue(), mtime=0)

    def _files(self) -> list[tuple[str, bytes]]:
        chart = self.chart
        found = [
            ("Chart.yaml", _yaml(chart.metadata)),
            ("values.yaml", _yaml(chart.values or {})),
        ]
        taken = {"Chart.yaml", "values.yaml", "Chart.lock"}
        if chart.schema:
            found.append((_SCHEMA, _opened(_SCHEMA, chart.schema)))
            taken.add(_SCHEMA)
        for each in (*(chart.templates or ()), *(chart.files or ())):
            if each.name not in taken:
                taken.add(each.name)
                found.append((each.name, _opened(each.name, each.data)))
        return found


def _yaml(value: dict[str, Any]) -> bytes:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True).encode()


def _opened(name: str, data: str) -> bytes:
    if name.startswith("/") or ".." in name.split("/"):
        raise ClusterRefused(f"file {name!r} of the chart leads out of its folder")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        raise ClusterRefused(f"file {name!r} of the chart is no base64") from None
