"""``type: build`` and ``type: push``: names, tags and registries worked out; what came of it, kept.

Source: `reference/pipeline-yaml.md` 3.4, 3.5, 2.3 (members), 6.3 (the last image as a cache).
"""

import posixpath
import re
from collections.abc import Mapping, Sequence

import msgspec

from headrace.execution.errors import StepRefused
from headrace.execution.ports import MadeImage, RegistryAccess
from headrace.execution.site import Site
from headrace.pipeline.plan import BuildImage, PlannedStep, PushImage, RunCommands
from headrace.pipeline.variables import (
    Scope,
    image_tag,
    parse_environment,
    references,
    substitute,
    working_directory,
)
from headrace.runtimes.base import VOLUME, Command, ImageBuild, ImagePush, ImageResult, RegistryLogin

HUB = "docker.io"
_LONGEST_TAG = 128
_REFERENCE = re.compile(r"(?P<name>.+?)(?::(?P<tag>[\w][\w.-]*))?(?:@sha256:[0-9a-f]+)?", re.ASCII)


class ImageWork(msgspec.Struct, frozen=True, kw_only=True):
    """A build or a push, ready to start."""

    job: ImageBuild | ImagePush
    display_name: str  # what lists call the image: ``acme/app``
    registry: str  # name of the registry that it is pushed to, or its domain; empty: none
    members: Mapping[str, str]  # what is known before
    secrets: frozenset[str]
    notes: tuple[str, ...] = ()  # for the step's log, before it starts

    @property
    def name(self) -> str:
        """The first whole name of the image."""
        return self.job.names[0]

    @property
    def is_pushed(self) -> bool:
        """Whether a registry has the image in the end."""
        return isinstance(self.job, ImagePush) or self.job.push


async def plan_image(action: BuildImage | PushImage, scope: Scope, site: Site) -> ImageWork:
    """Make the work of a build or push step.

    Args:
        action: as planned; its texts are filled in here.
        scope: what they may refer to.
        site: knows the account's registries.

    Raises:
        StepRefused: an image name, a tag, a registry or a secret cannot be.
        DirectoryUnknown: the working directory refers to a step that has not run.
    """
    if action.refused:
        raise StepRefused(action.refused)
    registries = Registries(await site.registries())
    if isinstance(action, PushImage):
        return _push(action, scope, registries)
    return await _build(action, scope, registries, site)


async def _build(action: BuildImage, scope: Scope, registries: "Registries", site: Site) -> ImageWork:
    target, repository, short = _target(
        _filled(action.image_name, "image_name", scope), action, scope, registries
    )
    push = target is not None and not action.disable_push
    names = tuple(f"{repository}:{tag}" for tag in _tags_of(action, scope))
    folder = _context(action, scope)
    notes = [f"Ignored: {note}" for note in action.ignored]
    cache_from, inline = _caches(action, scope, notes)
    if target is None and not action.disable_push:
        notes.append("The image is not pushed: the account has no default registry, and the step names none")
    logins = registries.logins(_fill(action.registry_contexts, scope))
    if push and target is not None:
        logins = _with(target, logins)
    last = ""
    if not (action.no_cf_cache or action.no_cache):
        last = await site.records.last_image(site.build_id, short) or ""
    job = ImageBuild(
        names=names,
        context=folder,
        dockerfile=_filled(action.dockerfile, "dockerfile", scope),
        content=None if action.content is None else substitute(action.content, scope),
        arguments=_arguments(action, scope),
        target=substitute(action.target or "", scope),
        platform=substitute(action.platform or "", scope),
        no_cache=action.no_cache,
        cache_from=cache_from,
        last=last,
        inline_cache=inline or push,
        buildkit=action.buildkit,
        quiet=action.quiet,
        secrets={name: await _secret(name, source, folder, scope, site) for name, source in action.secrets},
        logins=logins,
        push=push,
    )
    members = {**_members(names[0]), "workingDirectory": folder}
    return ImageWork(
        job=job,
        display_name=short,
        registry=(target.name or target.domain) if push and target else "",
        members=members,
        secrets=frozenset(login.password for login in logins if login.password),
        notes=tuple(notes),
    )


def _push(action: PushImage, scope: Scope, registries: "Registries") -> ImageWork:
    candidate = _filled(action.candidate, "candidate", scope)
    given = _filled(action.image_name, "image_name", scope) if action.image_name else ""
    target, repository, short = _target(given or _short(candidate), action, scope, registries)
    if target is None:
        raise StepRefused("there is no registry to push to; name one in 'registry', or make one the default")
    if action.username is not None and action.password is not None:
        name, password = substitute(action.username, scope), substitute(action.password, scope)
        target = msgspec.structs.replace(target, username=name, password=password, refusal="")
    contexts = _fill((action.registry_context,) if action.registry_context else (), scope)
    names = tuple(f"{repository}:{_tag(tag, scope)}" for tag in action.tags)
    pull = registries.login_for(candidate, contexts)
    push = _login(target)
    return ImageWork(
        job=ImagePush(candidate=candidate, names=names, pull_login=pull, push_login=push),
        display_name=short,
        registry=target.name or target.domain,
        members={**_members(names[0]), "registry": target.name or target.domain},
        secrets=frozenset(login.password for login in (pull, push) if login and login.password),
    )


async def with_login(command: Command, action: RunCommands, scope: Scope, site: Site) -> Command:
    """Give a command what its image is pulled with: the account's login for that registry.

    Raises:
        StepRefused: the step names a registry that does not exist, or that nobody can log in to.
    """
    contexts = _fill((action.registry_context,) if action.registry_context else (), scope)
    login = Registries(await site.registries()).login_for(command.image, contexts)
    return command if login is None else msgspec.structs.replace(command, login=login)


class Registries:
    """The account's registries, as a step may name them."""

    def __init__(self, known: Sequence[RegistryAccess]) -> None:
        # Of several with one domain the default comes first, then by name.
        self._known = sorted(known, key=lambda each: (not each.is_default, each.name))

    def named(self, name: str) -> RegistryAccess:
        """Find a registry by its name, or by its domain, which need not be registered.

        Raises:
            StepRefused: there is none.
        """
        place = name.removeprefix("https://").removeprefix("http://").rstrip("/")
        for each in self._known:
            if each.name == name:
                return each
        for each in self._known:
            if each.domain == place:
                return each
        if domain_of(f"{place}/any") == place:
            return RegistryAccess(name="", domain=place)
        raise StepRefused(f"Registry {name!r} does not exist; create it, or name another in the step")

    def default(self) -> RegistryAccess | None:
        """The registry that images are pushed to where a step names none."""
        return next((each for each in self._known if each.is_default), None)

    def by_domain(self, domain: str) -> RegistryAccess | None:
        """The registry of a domain; the default one comes first where there are several."""
        return next((each for each in self._known if each.domain == domain), None)

    def logins(self, contexts: Sequence[str] = ()) -> tuple[RegistryLogin, ...]:
        """Logins for pulls, one a domain; those of ``contexts`` come before others.

        Raises:
            StepRefused: one of the contexts does not exist.
        """
        found = {each.domain: each for each in reversed(self._known) if not each.refusal}
        found |= {each.domain: each for each in map(self.named, contexts)}
        return tuple(login for each in found.values() if (login := _login(each)) is not None)

    def login_for(self, image: str, contexts: Sequence[str] = ()) -> RegistryLogin | None:
        """The login to pull one image with; None where its registry is not known."""
        domain = domain_of(image)
        return next((login for login in self.logins(contexts) if login.domain == domain), None)


def domain_of(image: str) -> str:
    """Return the registry of an image, ``docker.io`` where it names none."""
    first, slash, _ = image.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return first if named else HUB


def _login(registry: RegistryAccess) -> RegistryLogin | None:
    if registry.refusal:
        raise StepRefused(f"registry {registry.name!r}: {registry.refusal}")
    if not registry.username and not registry.password:
        return None
    return RegistryLogin(registry.domain, registry.username, registry.password)


def _with(target: RegistryAccess, logins: tuple[RegistryLogin, ...]) -> tuple[RegistryLogin, ...]:
    """The same logins, with that of the registry that is pushed to for its domain."""
    login = _login(target)
    rest = tuple(each for each in logins if each.domain != target.domain)
    return rest if login is None else (*rest, login)


def _target(
    image: str, action: BuildImage | PushImage, scope: Scope, registries: Registries
) -> tuple[RegistryAccess | None, str, str]:
    """Where an image goes: its registry, its whole repository, and its name without the domain."""
    image = image.lower().strip("/")
    domain = domain_of(image)
    is_whole = image.startswith(f"{domain}/")
    short = image.removeprefix(f"{domain}/")
    if action.registry:
        target: RegistryAccess | None = registries.named(_filled(action.registry, "registry", scope))
    elif is_whole:
        target = registries.by_domain(domain) or RegistryAccess(name="", domain=domain)
    else:
        target = registries.default()
    if target is None or (isinstance(action, BuildImage) and action.disable_push and not action.registry):
        return target, image, short
    prefix = target.prefix.strip("/")
    path = short if not prefix or short.startswith(f"{prefix}/") else f"{prefix}/{short}"
    return target, f"{target.domain}/{path}", short


def _short(candidate: str) -> str:
    """The name of an image without registry, tag and digest."""
    match = _REFERENCE.fullmatch(candidate)
    name = match["name"] if match else candidate
    return name.removeprefix(f"{domain_of(candidate)}/")


def _members(name: str) -> dict[str, str]:
    repository, _, tag = name.rpartition(":")
    return {"imageName": repository, "imageTagName": tag}


def _filled(text: str, field: str, scope: Scope) -> str:
    """Fill a text that needs a value.

    Raises:
        StepRefused: nothing is left of it, or it refers to what has no value.
    """
    value = substitute(text, scope).strip()
    if unknown := references(value):
        raise StepRefused(f"{field} {text!r} refers to {unknown[0]!r}, which has no value here")
    if not value:
        raise StepRefused(f"{field} {text!r} is empty here")
    return value


def _fill(texts: Sequence[str], scope: Scope) -> tuple[str, ...]:
    return tuple(substitute(text, scope).strip() for text in texts)


def _tags_of(action: BuildImage, scope: Scope) -> tuple[str, ...]:
    if not action.tags:
        known = (scope.variables.get(name) for name in ("CF_BRANCH", "CF_REVISION"))
        tags = [image_tag(next((value for value in known if value), "latest"))]
    else:
        tags = [_tag(tag, scope) for tag in action.tags]
    cased = (tag.lower() if action.lower_case else tag for tag in tags)
    return tuple(dict.fromkeys(tag.lstrip(".-")[:_LONGEST_TAG] or "latest" for tag in cased))


def _tag(text: str, scope: Scope) -> str:
    return image_tag(_filled(text, "tag", scope))


def _context(action: BuildImage, scope: Scope) -> str:
    folder = working_directory(action.working_directory, scope)
    if folder != VOLUME and not folder.startswith(f"{VOLUME}/"):
        raise StepRefused(
            f"working directory {folder or action.working_directory!r} is not in the volume; "
            "a build sees what is there alone"
        )
    return folder


def _arguments(action: BuildImage, scope: Scope) -> dict[str, str]:
    """Build arguments by name; one without ``=`` takes the value of the build's variable."""
    given = parse_environment(substitute(entry, scope) for entry in action.build_arguments)
    known = scope.variables
    return {
        name: known[name] if value is None else value
        for name, value in given.items()
        if name and (value is not None or name in known)
    }


def _caches(action: BuildImage, scope: Scope, notes: list[str]) -> tuple[tuple[str, ...], bool]:
    """Images whose layers may be reused, and whether the image is to carry its own cache."""
    images, inline = [], False
    for entry in _fill(action.cache_from, scope):
        parts = dict(part.partition("=")[::2] for part in entry.split(","))
        image = parts.get("ref", "") if parts.get("type") == "registry" else "" if "type" in parts else entry
        if image:
            images.append(image)
        else:
            notes.append(f"Ignored: cache_from {entry!r}: the engine reads caches from images alone")
    for entry in _fill(action.cache_to, scope):
        inline = inline or entry in ("inline", "type=inline")
        if entry not in ("inline", "type=inline"):
            notes.append(f"Ignored: cache_to {entry!r}: the engine writes its cache into the image alone")
    return tuple(images), inline


async def _secret(name: str, source: str, folder: str, scope: Scope, site: Site) -> bytes:
    kind, _, text = source.partition("=")
    place = substitute(text, scope).strip()
    if not name or not place:
        raise StepRefused("a secret needs an id and a source: 'id=token,src=path' or 'id=token,env=NAME'")
    if kind == "env":
        if place not in scope.variables:
            raise StepRefused(f"secret {name!r}: there is no variable {place!r}")
        return scope.variables[place].encode()
    path = posixpath.normpath(posixpath.join(folder, place))
    content = None
    if path.startswith(f"{VOLUME}/"):
        content = await site.workspace.read(path.removeprefix(f"{VOLUME}/"))
    if content is None:
        raise StepRefused(f"secret {name!r}: there is no file {path} in the volume")
    return content


async def keep(work: ImageWork, result: ImageResult, step: PlannedStep, site: Site) -> dict[str, str]:
    """Put what was made on record; return what the step publishes."""
    scope = site.board.scope(step)
    known = scope.variables
    await site.records.image_made(
        site.build_id,
        MadeImage(
            id=result.id,
            display_name=work.display_name,
            names=work.job.names,
            registry=work.registry if work.is_pushed else None,
            digest=result.digest,
            size_bytes=result.size_bytes,
            created_at=result.created_at or site.clock.now(),
            branch=known.get("CF_BRANCH", ""),
            revision=known.get("CF_REVISION", ""),
            step=step.name,
        ),
    )
    members = {**work.members, "imageId": result.id}
    if isinstance(work.job, ImagePush):
        members["imageRepoDigest"] = result.digest
    return members
