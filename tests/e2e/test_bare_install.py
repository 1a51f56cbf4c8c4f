"""The wheel alone, without extras, is a working client: no library of the server comes with it."""

import subprocess
import sys
from pathlib import Path

import pytest

from e2e.town import Cli

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).parent / "uv"
BARE = {"headrace", "click", "msgspec", "pyyaml"}


def run(*words):
    done = subprocess.run(
        [str(word) for word in words], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A fresh environment with the wheel in it."""
    place = tmp_path_factory.mktemp("bare")
    # The environment of the tests has the build tool: nothing is fetched to build.
    run(
        UV,
        "build",
        "--quiet",
        "--wheel",
        "--no-build-isolation",
        "--python",
        sys.executable,
        "--out-dir",
        place,
        ROOT,
    )
    wheel = next(place.glob("headrace-*.whl"))
    run(UV, "venv", "--quiet", "--python", sys.executable, place / "venv")
    lock = ROOT / "requirements.lock"
    run(UV, "pip", "install", "--quiet", "--python", place / "venv", "--constraints", lock, wheel)
    return place


def test_the_bare_install_brings_only_what_the_client_needs(folder):
    listed = run(UV, "pip", "list", "--quiet", "--python", folder / "venv", "--format", "freeze")
    assert {line.partition("==")[0] for line in listed.splitlines()} == BARE


def test_the_bare_client_tells_its_version_and_lists_builds(folder, acme, tmp_path):
    cli = Cli(folder / "venv/bin/codefresh", tmp_path / "home", acme.server.url, acme.key())
    assert "1.2.7" in cli.ok("version")
    acme.pipeline("ok")
    build_id = acme.run("p/ok")
    assert build_id in cli.ok("get", "builds")
