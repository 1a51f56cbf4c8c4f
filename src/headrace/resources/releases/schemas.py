"""Releases of Helm on the wire.

What names something is kept to letters, digits and few signs: it becomes an argument of a command.
"""

from typing import Annotated, Any

import msgspec

from headrace.resources.clusters.schemas import Namespace, SomeNamespace

ReleaseName = Annotated[str, msgspec.Meta(max_length=53, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\Z")]
_Version = Annotated[str, msgspec.Meta(max_length=128, pattern=r"^([\w^~*<>=][\w.+~^*<>=, -]*)?\Z")]
_Chart = Annotated[str, msgspec.Meta(max_length=255, pattern=r"^\w[\w./-]*\Z")]
_Word = Annotated[str, msgspec.Meta(max_length=255)]
_Revision = Annotated[int, msgspec.Meta(ge=1, le=2_147_483_647)]
_Seconds = Annotated[int, msgspec.Meta(ge=1, le=86_400)]
_Digits = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,4}\Z")]
_Tiller = Annotated[
    str,
    msgspec.Meta(
        max_length=63,
        pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?\Z",
        description="as older clients name the namespace; `kube-system` is none",
    ),
]
_Timeout = Annotated[_Seconds | _Digits, msgspec.Meta(description="seconds for each step of Helm")]
_MOST_VALUES = 50


class ReleasesQuery(msgspec.Struct, kw_only=True):
    """Where to look."""

    namespace: Annotated[
        SomeNamespace, msgspec.Meta(description="`*`: all that the cluster's Helm configuration names")
    ] = "*"


class RevisionQuery(ReleasesQuery, kw_only=True):
    """Which revision."""

    revision: Annotated[_Revision | None, msgspec.Meta(description="the newest where absent")] = None


class ReleaseOut(msgspec.Struct, kw_only=True, rename="camel"):
    """A revision of a release."""

    name: str
    namespace: str
    revision: int
    status: Annotated[
        str, msgspec.Meta(description="`deployed`, `failed`, `superseded`, `pending-upgrade` …")
    ]
    updated: str | None
    chart: str
    chart_version: str
    app_version: str
    description: str


class ReleaseDetail(ReleaseOut, kw_only=True, rename="camel"):
    """A revision with what it was made of."""

    values: Annotated[dict[str, Any], msgspec.Meta(description="that were given")]
    chart_values: Annotated[dict[str, Any], msgspec.Meta(description="that the chart has by itself")]
    dependencies: list[str]
    manifest: str
    notes: str


class ChartOut(msgspec.Struct, kw_only=True, rename="camel"):
    """A chart of a repository: its newest version."""

    name: str
    version: str
    app_version: str
    description: str
    versions: Annotated[list[str], msgspec.Meta(description="as the index has them: the newest first")]


class ChangeQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """Of which cluster, and where in it."""

    selector: _Word
    namespace: Annotated[
        Namespace | None, msgspec.Meta(description="of the release; where absent, it is looked for")
    ] = None
    tiller_namespace: _Tiller = ""

    @property
    def place(self) -> str:
        """The namespace that was named; ``*`` for none."""
        older = "" if self.tiller_namespace == "kube-system" else self.tiller_namespace
        return self.namespace or older or "*"


class Setting(msgspec.Struct, kw_only=True):
    """A value over those of files."""

    key: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    value: Annotated[str, msgspec.Meta(max_length=65_536)] | int | float | bool


class ValuesName(msgspec.Struct, kw_only=True):
    """A context with values."""

    name: Annotated[str, msgspec.Meta(description="of a context of type `yaml` or `secret-yaml`")]


_Values = Annotated[list[ValuesName], msgspec.Meta(max_length=_MOST_VALUES)]
_Set = Annotated[list[Setting], msgspec.Meta(max_length=_MOST_VALUES)]


class InstallQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """On which cluster."""

    selector: _Word
    tiller_namespace: _Tiller = ""


class InstallBody(msgspec.Struct, kw_only=True, rename="camel"):
    """Which chart, and with what."""

    name: Annotated[_Chart, msgspec.Meta(description="of the chart in the repository")]
    repository: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=2048,
            description="address (`https://`, `oci://`), or a context of type `helm-repository`",
        ),
    ]
    version: _Version | None = None
    namespace: Namespace = "default"
    release_name: Annotated[
        ReleaseName | None, msgspec.Meta(description="that of the chart where absent")
    ] = None
    values: _Values | None = None
    set: _Set | None = None


class DeleteBody(msgspec.Struct, kw_only=True, rename="camel"):
    """How to delete a release."""

    purge: Annotated[bool, msgspec.Meta(description="false keeps the history")] = False
    no_hooks: bool = False
    timeout: _Timeout = 300


class TestBody(msgspec.Struct, kw_only=True):
    """How to test a release."""

    cleanup: Annotated[bool, msgspec.Meta(description="given to a pipeline of your own")] = False
    timeout: _Timeout = 300


class PromoteQuery(msgspec.Struct, kw_only=True, rename="camel"):
    """Where the release is now."""

    selector: Annotated[_Word, msgspec.Meta(description="cluster; may be left to a section of a board")] = ""
    namespace: Namespace | None = None
    tiller_namespace: _Tiller = ""


class PromoteBody(msgspec.Struct, kw_only=True, rename="camel"):
    """Which release goes where."""

    release_name: ReleaseName
    revision: Annotated[_Revision | _Digits | None, msgspec.Meta(description="the newest where absent")] = (
        None
    )
    board: _Word | None = None
    source_section: _Word | None = None
    target_section: _Word | None = None
    target_selector: _Word | None = None
    target_namespace: Namespace | None = None
    target_release_name: ReleaseName | None = None
    pipeline_id: Annotated[str | None, msgspec.Meta(description="runs in the place of the built-in one")] = (
        None
    )
    values: _Values | None = None
    set: _Set | None = None


class StartedOut(msgspec.Struct):
    """The build that does it."""

    id: str


class ClusterConfig(msgspec.Struct, kw_only=True, rename="camel"):
    """How Helm uses a cluster: pipelines by id, in the place of the built-in ones."""

    helm_version: Annotated[str, msgspec.Meta(description="`helm3`, the only one")] = "helm3"
    test_release_pipeline: str | None = None
    rollback_pipeline: str | None = None
    delete_release_pipeline: str | None = None
    tiller_namespace: Annotated[str | None, msgspec.Meta(description="of Helm 2: kept, and not used")] = None
    release_namespaces: (
        Annotated[
            list[Namespace],
            msgspec.Meta(max_length=100, description="where releases are; absent: anywhere"),
        ]
        | None
    ) = None
