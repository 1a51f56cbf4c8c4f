"""``type: build``: an image from a Dockerfile. Checked, not run yet.

Source: Codefresh docs, "Build step" (pipelines/steps/build).
"""

from typing import Any

from headrace.pipeline.fields import (
    AnyMap,
    Anything,
    Either,
    Flag,
    Items,
    Like,
    MapOf,
    Mapping,
    Number,
    OneOf,
    Text,
)
from headrace.pipeline.findings import Findings, Place
from headrace.pipeline.steps.base import COMMON_FIELDS, TEXTS, StepType

_BUILDX = Mapping(
    qemu=Mapping(image=Text(), platforms=Text()), builder=Mapping(driver=Text(), driver_opts=Text())
)


class Build(StepType):
    """An image, pushed to a registry."""

    name = "build"
    strict = True
    runs = False
    renamed = {  # noqa: RUF012  # declared once, never changed
        "image-name": "image_name",
        "build-arguments": "build_arguments",
        "tag-policy": "tag_policy",
    }
    fields = COMMON_FIELDS | {
        "working_directory": Text(),
        "dockerfile": Either(Text(), Mapping(content=Text(required=True))),
        "no_cache": Flag(),
        "no_cf_cache": Flag(),
        "cache_from": TEXTS,
        "cache_to": TEXTS,
        "squash": Flag(),
        "image_name": Text(required=True),
        "build_arguments": TEXTS,
        "tag": Text(),
        "tag_policy": OneOf("original", "lowercase"),
        "tags": TEXTS,
        "metadata": AnyMap(),
        "annotations": AnyMap(),
        "target": Text(),
        "ssh": Anything(),
        "secrets": Items(
            Either(Text(), Mapping(id=Text(required=True), src=Text(required=True), strict=False))
        ),
        "progress": Text(),
        "buildkit": Flag(),
        "registry": Text(),
        "disable_push": Flag(),
        "buildx": Either(Flag(), _BUILDX),
        "platform": Text(),
        "provider": Mapping(type=OneOf("cf", "gcb"), arguments=AnyMap()),
        "registry_contexts": TEXTS,
        "region": Text(),
        "role_arn": Text(),
        "aws_session_name": Text(),
        "aws_duration_seconds": Number(),
        "cosign": Mapping(sign=Flag(required=True), options=MapOf(Text())),
    }

    def check(self, body: dict[str, Any], place: Place, found: Findings) -> None:
        """Refuse what needs buildx, or a role, without it."""
        if "platform" in body and body.get("buildx") in (None, False, "false"):
            found.add(place / "platform", '"platform" is not allowed', hint="set buildx: true")
        if "aws_duration_seconds" in body and "role_arn" not in body:
            found.add(
                place / "aws_duration_seconds", '"aws_duration_seconds" is not allowed', hint="set role_arn"
            )


class Push(StepType):
    """``type: push``: tags of an image, in a registry."""

    name = "push"
    strict = True
    runs = False
    fields = COMMON_FIELDS | {
        "provider": Like("^standard|docker|ecr$", "/^standard|docker|ecr$/"),
        "candidate": Text(required=True),
        "registry": Text(),
        "credentials": Mapping(username=Text(required=True), password=Text(required=True)),
        "tag": Text(),
        "tags": TEXTS,
        "image_name": Text(),
        "accessKeyId": Text(),
        "secretAccessKey": Text(),
        "region": Text(),
        "registry_context": Text(),
        "role_arn": Text(),
        "aws_session_name": Text(),
        "aws_duration_seconds": Number(),
    }
