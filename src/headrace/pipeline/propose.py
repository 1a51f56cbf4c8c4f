"""A first pipeline for a repository, from the files that are at its root. Pure: text in, document out.

Each language has a reader: from names and contents of files to the commands that its own tools know. A
proposal is a beginning that runs, in steps that a person would write, and no analysis of the code.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from headrace.pipeline.document import load
from headrace.pipeline.errors import SpecErrors

OWN_FILE = "codefresh.yml"
_COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
# What is read of a repository; of the others the name is enough.
WANTED = (
    OWN_FILE,
    *_COMPOSE,
    ".ruby-version",
    "Gemfile",
    "Makefile",
    "composer.json",
    "go.mod",
    "package.json",
    "pom.xml",
    "pyproject.toml",
    "requirements-dev.txt",
    "requirements.txt",
)
_KEPT = ("image", "environment", "command")  # of a service that the tests need
_NO_TESTS = "no test specified"  # what npm writes into a new package
_STEP_NAME = re.compile(r"[^a-z0-9_]+")


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a repository."""

    owner: str
    name: str
    git: str  # the git context that reads it; "" for none
    names: frozenset[str]  # at the root; a folder ends with a slash
    texts: Mapping[str, str] = {}  # of those of `WANTED` that there are and can be read

    def has(self, *names: str) -> bool:
        """Tell whether one of these is at the root."""
        return not self.names.isdisjoint(names)

    def text(self, name: str) -> str:
        """Return a file that was read; empty where there is none."""
        return self.texts.get(name, "")


class Tests(msgspec.Struct, frozen=True):
    """How a language is tested."""

    language: str  # also the name of the step
    image: str
    commands: Sequence[str]
    source: str  # the file that says so


def propose(repo: Repository, *, has_registry: bool) -> tuple[dict[str, Any], list[str]]:
    """Return the document of a pipeline, and the files that it was made from.

    Args:
        repo: what is known of the repository.
        has_registry: the account has a registry, so that images can be pushed.
    """
    found = [tests for read in _READERS if (tests := read(repo)) is not None]
    images = sorted(name for name in repo.names if name == "Dockerfile" or name.startswith("Dockerfile."))
    services, compose = _services(repo)
    sources = [
        *(one.source for one in found),
        *images,
        *([compose] if compose and found and services else []),
    ]
    steps: dict[str, Any] = {"main_clone": _clone(repo)}
    for one in found:
        steps[f"{one.language}_tests"] = {
            "title": f"Testing ({one.language})",
            "stage": "test",
            "image": one.image,
            "working_directory": "${{main_clone}}",
            "commands": list(one.commands),
            **({"services": {"composition": services}} if services else {}),
        }
    for name in images:
        steps[_image_step(name)] = _image(repo, name, has_registry=has_registry)
    if not sources:
        steps["look"] = {
            "title": "Looking around",
            "stage": "test",
            "image": "alpine",
            "working_directory": "${{main_clone}}",
            "commands": ["ls -la"],
        }
    stages = [
        one for one in ("clone", "test", "build") if any(step["stage"] == one for step in steps.values())
    ]
    return {"version": "1.0", "stages": stages, "steps": steps}, sources


def _clone(repo: Repository) -> dict[str, Any]:
    return {
        "title": "Cloning the repository",
        "type": "git-clone",
        "stage": "clone",
        "repo": f"{repo.owner}/{repo.name}",
        "revision": "${{CF_REVISION}}",
        **({"git": repo.git} if repo.git else {}),
    }


def _image_step(file: str) -> str:
    words = _STEP_NAME.sub("_", file.removeprefix("Dockerfile").lower()).strip("_")
    return f"build_image_{words}" if words else "build_image"


def _image(repo: Repository, file: str, *, has_registry: bool) -> dict[str, Any]:
    more = file.removeprefix("Dockerfile").lower().replace(".", "-")
    return {
        "title": "Building the image",
        "type": "build",
        "stage": "build",
        "working_directory": "${{main_clone}}",
        "dockerfile": file,
        "image_name": f"{repo.owner}/{repo.name}{more}".lower(),
        "tag": "${{CF_BRANCH_TAG_NORMALIZED}}",
        **({} if has_registry else {"disable_push": True}),
    }


def _services(repo: Repository) -> tuple[dict[str, Any], str]:
    """Return what a compose file starts from images alone, which tests may need, and the file's name."""
    name = next((one for one in _COMPOSE if repo.text(one)), "")
    services = _mapping(_yaml(repo.text(name)).get("services")) if name else {}
    kept = {
        service: {key: body[key] for key in _KEPT if key in body}
        for service, body in services.items()
        if isinstance(body, dict) and isinstance(body.get("image"), str) and "build" not in body
    }
    return kept, name


def _node(repo: Repository) -> Tests | None:
    if not repo.has("package.json"):
        return None
    package = _json(repo.text("package.json"))
    scripts = {name: text for name, text in _mapping(package.get("scripts")).items() if isinstance(text, str)}
    major = re.search(r"\d+", str(_mapping(package.get("engines")).get("node", "")))
    if repo.has("pnpm-lock.yaml"):
        tool, commands = "pnpm", ["corepack enable", "pnpm install --frozen-lockfile"]
    elif repo.has("yarn.lock"):
        tool, commands = "yarn", ["corepack enable", "yarn install"]
    else:
        tool, commands = "npm", ["npm ci" if repo.has("package-lock.json") else "npm install"]
    if _NO_TESTS in scripts.get("test", ""):
        del scripts["test"]
    commands += [f"{tool} run {script}" for script in ("lint", "test", "build") if script in scripts]
    return Tests("node", f"node:{major[0] if major else 'lts'}", commands, "package.json")


def _python(repo: Repository) -> Tests | None:
    source = next((one for one in ("pyproject.toml", "requirements.txt", "setup.py") if repo.has(one)), None)
    if source is None:
        return None
    project = _mapping(_toml(repo.text("pyproject.toml")).get("project"))
    version = re.search(r"3\.\d+", str(project.get("requires-python", "")))
    known = "".join(repo.text(one) for one in ("pyproject.toml", "requirements.txt", "requirements-dev.txt"))
    by_pytest = "pytest" in known or repo.has("pytest.ini", "conftest.py")
    before, commands = "", []
    if repo.has("uv.lock"):
        before, commands = "uv run ", ["pip install uv", "uv sync"]
    elif repo.has("poetry.lock"):
        before, commands = "poetry run ", ["pip install poetry", "poetry install"]
    else:
        commands += [
            f"pip install -r {one}" for one in ("requirements.txt", "requirements-dev.txt") if repo.has(one)
        ]
        commands += ["pip install ."] if source != "requirements.txt" else []
        commands += ["pip install pytest"] if by_pytest and "requirements-dev.txt" not in repo.names else []
    if by_pytest:
        commands.append(f"{before}python -m pytest")
    elif repo.has("tests/", "test/"):
        commands.append(f"{before}python -m unittest discover")
    else:
        commands.append(f"{before}python -m compileall -q .")
    return Tests("python", f"python:{version[0] if version else '3'}", commands, source)


def _go(repo: Repository) -> Tests | None:
    if not repo.has("go.mod"):
        return None
    version = re.search(r"^go (\d+\.\d+)", repo.text("go.mod"), re.MULTILINE)
    image = f"golang:{version[1] if version else '1'}"
    return Tests("go", image, ["go vet ./...", "go test ./...", "go build ./..."], "go.mod")


def _java(repo: Repository) -> Tests | None:
    if repo.has("pom.xml"):
        version = re.search(
            r"<(?:maven\.compiler\.release|maven\.compiler\.source|java\.version)>\s*(\d+(?:\.\d+)?)",
            repo.text("pom.xml"),
        )
        java = version[1].removeprefix("1.") if version else "21"
        wrapped = repo.has("mvnw")
        image = f"eclipse-temurin:{java}" if wrapped else f"maven:3-eclipse-temurin-{java}"
        return Tests("java", image, [f"{'./mvnw' if wrapped else 'mvn'} -B verify"], "pom.xml")
    source = next((one for one in ("build.gradle", "build.gradle.kts") if repo.has(one)), None)
    if source is None:
        return None
    if repo.has("gradlew"):
        return Tests("java", "eclipse-temurin:21", ["./gradlew build"], source)
    return Tests("java", "gradle:jdk21", ["gradle build"], source)


def _rust(repo: Repository) -> Tests | None:
    if not repo.has("Cargo.toml"):
        return None
    return Tests("rust", "rust:1", ["cargo test", "cargo build --release"], "Cargo.toml")


def _ruby(repo: Repository) -> Tests | None:
    if not repo.has("Gemfile"):
        return None
    version = re.search(r"\d+\.\d+(\.\d+)?", repo.text(".ruby-version"))
    commands = ["bundle install"]
    if repo.has("spec/", ".rspec"):
        commands.append("bundle exec rspec")
    elif repo.has("Rakefile"):
        commands.append("bundle exec rake")
    return Tests("ruby", f"ruby:{version[0] if version else '3'}", commands, "Gemfile")


def _php(repo: Repository) -> Tests | None:
    if not repo.has("composer.json"):
        return None
    package, commands = _json(repo.text("composer.json")), ["composer install"]
    if "test" in _mapping(package.get("scripts")):
        commands.append("composer test")
    elif "phpunit/phpunit" in _mapping(package.get("require-dev")):
        commands.append("vendor/bin/phpunit")
    return Tests("php", "composer:2", commands, "composer.json")


def _make(repo: Repository) -> Tests | None:
    """A Makefile counts where no language is known: its commands need tools that no image has by chance."""
    if not repo.has("Makefile") or any(read(repo) for read in _LANGUAGES):
        return None
    has_tests = re.search(r"^test\s*:", repo.text("Makefile"), re.MULTILINE)
    return Tests("make", "buildpack-deps:stable", ["make test" if has_tests else "make"], "Makefile")


_LANGUAGES: tuple[Callable[[Repository], Tests | None], ...] = (
    _go,
    _java,
    _node,
    _php,
    _python,
    _ruby,
    _rust,
)
_READERS = (*_LANGUAGES, _make)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _json(text: str) -> dict[str, Any]:
    """Return a JSON object; an empty one for what is none, as nobody's file need be right."""
    try:
        return _mapping(msgspec.json.decode(text))
    except (msgspec.DecodeError, RecursionError):
        return {}


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _yaml(text: str) -> dict[str, Any]:
    try:
        return _mapping(load(text).data)
    except SpecErrors:
        return {}
