"""`make screenshots` takes every picture that the documents show."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket, pytest.mark.xdist_group("networks")]

ROOT = Path(__file__).resolve().parents[2]
PNG = b"\x89PNG\r\n"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_the_pictures_of_the_documents_can_be_taken_anew(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "tools/screenshots.py", tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    taken = {path.name for path in tmp_path.iterdir() if path.read_bytes().startswith(PNG)}
    assert taken == {path.name for path in (ROOT / "docs/screenshots").iterdir()}
