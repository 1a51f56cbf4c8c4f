import json

import pytest

from headrace.pipeline.propose import Repository, propose
from headrace.pipeline.validate import validate


def proposed(*names, has_registry=True, **texts):
    """The steps for a repository with these names at its root, and the files that they come from.

    Texts are by names with underscores for dots: ``package_json``.
    """
    read = {name.replace("__", "-").replace("_", "."): text for name, text in texts.items()}
    repo = Repository(owner="Acme", name="Shop", git="github", names=frozenset(names) | set(read), texts=read)
    document, sources = propose(repo, has_registry=has_registry)
    assert validate(document).errors == (), document
    assert {step["stage"] for step in document["steps"].values()} == set(document["stages"])
    return document["steps"], sources


def package(**more):
    return json.dumps({"name": "shop", **more})


def test_the_repository_is_cloned_at_the_commit_of_the_run():
    steps, _ = proposed("go.mod")
    clone = steps["main_clone"]
    assert (clone["type"], clone["repo"], clone["git"]) == ("git-clone", "Acme/Shop", "github")
    assert clone["revision"] == "${{CF_REVISION}}"


@pytest.mark.parametrize(
    ("names", "texts", "image", "commands"),
    [
        (["go.mod"], {"go_mod": "module x\n\ngo 1.22.3\n"}, "golang:1.22", ["go vet ./...", "go test ./..."]),
        (["Cargo.toml"], {}, "rust:1", ["cargo test", "cargo build --release"]),
        (["pom.xml"], {}, "maven:3-eclipse-temurin-21", ["mvn -B verify"]),
        (
            ["mvnw"],
            {"pom_xml": "<java.version>1.8</java.version>"},
            "eclipse-temurin:8",
            ["./mvnw -B verify"],
        ),
        (["build.gradle.kts", "gradlew"], {}, "eclipse-temurin:21", ["./gradlew build"]),
        (["build.gradle"], {}, "gradle:jdk21", ["gradle build"]),
        (
            ["Gemfile", "spec/"],
            {"Gemfile": "x"},
            "ruby:3",
            ["bundle install", "bundle exec rspec"],
        ),
        (
            [],
            {"composer_json": json.dumps({"require-dev": {"phpunit/phpunit": "^11"}})},
            "composer:2",
            ["composer install", "vendor/bin/phpunit"],
        ),
        (
            ["package-lock.json"],
            {
                "package_json": package(
                    scripts={"build": "vite", "test": "vitest", "dev": "x"}, engines={"node": ">=20.1"}
                )
            },
            "node:20",
            ["npm ci", "npm run test", "npm run build"],
        ),
        (
            ["yarn.lock"],
            {"package_json": package(scripts={"test": 'echo "Error: no test specified" && exit 1'})},
            "node:lts",
            ["corepack enable", "yarn install"],
        ),
        (
            ["pnpm-lock.yaml"],
            {"package_json": package(scripts={"lint": "eslint"})},
            "node:lts",
            ["corepack enable", "pnpm install --frozen-lockfile", "pnpm run lint"],
        ),
        (
            ["tests/"],
            {"requirements_txt": "flask"},
            "python:3",
            ["pip install -r requirements.txt", "python -m unittest discover"],
        ),
        (
            ["uv.lock"],
            {"pyproject_toml": '[project]\nrequires-python = ">=3.12"\n[tool.pytest.ini_options]\n'},
            "python:3.12",
            ["pip install uv", "uv sync", "uv run python -m pytest"],
        ),
        (["setup.py"], {}, "python:3", ["pip install .", "python -m compileall -q ."]),
        ([], {"Makefile": "all:\n\ttrue\ntest: all\n\ttrue\n"}, "buildpack-deps:stable", ["make test"]),
    ],
)
def test_a_language_is_tested_as_its_own_tools_do(names, texts, image, commands):
    steps, _ = proposed(*names, **texts)
    (step,) = [step for name, step in steps.items() if name.endswith("_tests")]
    assert step["image"] == image
    assert step["commands"][: len(commands)] == commands
    assert step["working_directory"] == "${{main_clone}}"


def test_every_dockerfile_becomes_an_image_named_for_it():
    steps, sources = proposed("Dockerfile", "Dockerfile.worker")
    assert (steps["build_image"]["image_name"], steps["build_image"]["dockerfile"]) == (
        "acme/shop",
        "Dockerfile",
    )
    assert steps["build_image_worker"]["image_name"] == "acme/shop-worker"
    assert "disable_push" not in steps["build_image"]
    assert sources == ["Dockerfile", "Dockerfile.worker"]


def test_an_image_is_not_pushed_where_there_is_no_registry():
    steps, _ = proposed("Dockerfile", has_registry=False)
    assert steps["build_image"]["disable_push"] is True


def test_images_of_a_compose_file_run_beside_the_tests():
    compose = """
services:
  web: {build: ., ports: ['80:80']}
  db: {image: 'postgres:16', environment: {POSTGRES_PASSWORD: x}, ports: ['5432:5432'], depends_on: [web]}
"""
    steps, sources = proposed("go.mod", "Dockerfile", compose_yaml=compose)
    db = {"image": "postgres:16", "environment": {"POSTGRES_PASSWORD": "x"}}
    assert steps["go_tests"]["services"] == {"composition": {"db": db}}
    assert sources == ["go.mod", "Dockerfile", "compose.yaml"]


def test_two_languages_are_tested_each_and_a_makefile_does_not_count_beside_them():
    steps, sources = proposed("go.mod", "Makefile", "package.json")
    assert sources == ["go.mod", "package.json"]
    assert [name for name in steps if name.endswith("_tests")] == ["go_tests", "node_tests"]


@pytest.mark.parametrize("broken", ["", "{", "[1]", "null", '{"scripts": [], "engines": 7}', "\x00"])
def test_a_broken_file_of_somebody_else_is_no_failure(broken):
    steps, _ = proposed(
        package_json=broken, composer_json=broken, pyproject_toml=broken, compose_yaml=broken, go_mod=broken
    )
    assert steps["go_tests"]["image"] == "golang:1"


def test_a_repository_that_tells_nothing_is_looked_at():
    steps, sources = proposed("README.md")
    assert list(steps) == ["main_clone", "look"]
    assert sources == []
