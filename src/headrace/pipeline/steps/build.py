"""``type: build`` and ``type: push``: an image from a Dockerfile; tags of an image in a registry.

What an engine here cannot do is either without consequence for the image, then the log says so
(`_ignored`), or it is refused when the step's turn comes (`_refused`); `docs/steps/build.md` lists both.
Source: Codefresh docs, "Build step" and "Push step" (pipelines/steps).
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
from headrace.pipeline.plan import BuildImage, PushImage
from headrace.pipeline.steps.base import COMMON_FIELDS, TEXTS, StepSpec, StepType

_BUILDX = Mapping(
    qemu=Mapping(image=Text(), platforms=Text()), builder=Mapping(driver=Text(), driver_opts=Text())
)
_SECRET = Mapping(id=Text(required=True), src=Text(required=True), strict=False)


_NO_ROLE = (
    "'role_arn' is not carried out by this server; register the registry with user AWS and the password "
    "of `aws ecr get-login-password`"
)


class Build(StepType):
    """An image, pushed to a registry."""

    name = "build"
    strict = True
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
        "secrets": Either(Items(Text()), Items(_SECRET)),
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
        is_kept = body.get("disable_push") not in (None, False, "false")
        if is_kept and body.get("buildx") not in (None, False, "false"):
            found.add(
                place / "disable_push", '"disable_push" is not allowed', hint="remove it, or leave out buildx"
            )
        if "aws_duration_seconds" in body and "role_arn" not in body:
            found.add(
                place / "aws_duration_seconds", '"aws_duration_seconds" is not allowed', hint="set role_arn"
            )

    def plan(self, spec: StepSpec) -> BuildImage:
        """The image, where its parts come from, and where it goes."""
        dockerfile = spec["dockerfile"]
        content = dockerfile["content"] if isinstance(dockerfile, dict) else None
        return BuildImage(
            image_name=spec["image_name"],
            tags=_tags(spec),
            lower_case=spec["tag_policy"] != "original",
            dockerfile=dockerfile if isinstance(dockerfile, str) and dockerfile else "Dockerfile",
            content=content,
            working_directory=spec["working_directory"],
            build_arguments=spec["build_arguments"] or (),
            target=spec["target"],
            platform=spec["platform"],
            no_cache=bool(spec["no_cache"]),
            no_cf_cache=bool(spec["no_cf_cache"]),
            cache_from=spec["cache_from"] or (),
            cache_to=spec["cache_to"] or (),
            registry=spec["registry"],
            disable_push=bool(spec["disable_push"]),
            registry_contexts=spec["registry_contexts"] or (),
            buildkit=bool(spec["buildkit"])
            or _is_on(spec["buildx"])
            or any(spec[name] for name in ("ssh", "secrets", "progress")),
            quiet=spec["progress"] == "quiet",
            secrets=tuple(_secret(entry) for entry in spec["secrets"] or ()),
            ignored=_ignored(spec),
            refused=_refused(spec),
        )


def _tags(spec: StepSpec) -> tuple[str, ...]:
    one = (spec["tag"],) if spec["tag"] else ()
    return tuple(dict.fromkeys((*one, *(spec["tags"] or ()))))


def _is_on(value: object) -> bool:
    return isinstance(value, dict) or value in (True, "true")


def _secret(entry: str | dict[str, Any]) -> tuple[str, str]:
    """The id and the source of a secret: ``id=token,src=file`` or ``id=token,env=NAME``."""
    if isinstance(entry, dict):
        return entry["id"], f"src={entry['src']}"
    parts = dict(part.strip().partition("=")[::2] for part in entry.split(","))
    if "env" in parts:
        return parts.get("id", ""), f"env={parts['env']}"
    return parts.get("id", ""), f"src={parts.get('src') or parts.get('source') or ''}"


def _ignored(spec: StepSpec) -> tuple[str, ...]:
    said = []
    if spec["squash"]:
        said.append("squash: the image keeps its layers")
    if _is_on(spec["buildx"]):
        said.append("buildx: the engine's own BuildKit builds, for one platform")
    if spec["progress"] in ("auto", "tty", "rawjson"):
        said.append(f"progress {spec['progress']}: shown as plain lines")
    if (spec["provider"] or {}).get("type") == "gcb":
        said.append("provider gcb: this server's own engine builds")
    if spec["region"] and not spec["role_arn"]:
        said.append("region: the registry's own address is used")
    return tuple(said)


def _refused(spec: StepSpec) -> str:
    if spec["role_arn"]:
        return _NO_ROLE
    if spec["ssh"]:
        return "'ssh' is not carried out by this server; give the key as one of the step's secrets"
    if (spec["cosign"] or {}).get("sign"):
        return "'cosign' is not carried out by this server; sign in a freestyle step after the push"
    if spec["platform"] and "," in spec["platform"]:
        return "one build makes an image for one platform here; write a step for each platform"
    return ""


class Push(StepType):
    """``type: push``: tags of an image, in a registry."""

    name = "push"
    strict = True
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

    def plan(self, spec: StepSpec) -> PushImage:
        """The image and its new names."""
        credentials = spec["credentials"] or {}
        refused = ""
        if spec["role_arn"]:
            refused = _NO_ROLE
        elif spec["accessKeyId"] or spec["secretAccessKey"]:
            refused = _NO_ROLE.replace("role_arn", "accessKeyId")
        return PushImage(
            candidate=spec["candidate"],
            image_name=spec["image_name"],
            tags=_tags(spec) or ("latest",),
            registry=spec["registry"],
            registry_context=spec["registry_context"],
            username=credentials.get("username"),
            password=credentials.get("password"),
            refused=refused,
        )
