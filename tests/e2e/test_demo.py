"""`make demo` tells its whole story and ends with the build's code."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

ROOT = Path(__file__).resolve().parents[2]
STORY = [
    r"1\. A server .*steps run with: local",
    r"one-time password: \S+",
    r"Created new context: demo",
    r"Pipeline my-project/my-basic-pipeline created",
    r"README\.md",  # the checkout, cloned and listed
    r'"status": "success"',
    r"6\. A pipeline runs another one",
    r"my-project/pipeline-a +success",
]


def test_the_demo_tells_its_story_once_and_succeeds(tmp_path):
    environment = {name: text for name, text in os.environ.items() if not name.startswith("HEADRACE_")}
    environment |= {"ONCE": "1", "DEMO_HOME": str(tmp_path / "demo"), "DOCKER_HOST": "unix:///nowhere.sock"}
    done = subprocess.run(
        [sys.executable, ROOT / "tools/demo.py"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    place = 0
    for line in STORY:  # in this order
        found = re.compile(line).search(done.stdout, place)
        assert found, (line, done.stdout[place:])
        place = found.end()
