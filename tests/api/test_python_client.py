"""The page of the Python client works as printed, and its types say what is right and what is not."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.server import Server, prepare

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/python-client.md"
RIGHT = """
from headrace.client import Client

client = Client("http://127.0.0.1", "key")
status: str = client.workflows.list(limit=25)["workflows"]["docs"][0]["status"]
build = client.workflows.get_build("id")
project: str = client.projects.create({"projectName": "a", "tags": ["x"]})["projectName"]
lines: list[str] = [line.text for line in client.follow("id")]
ended: str = client.wait("id")["status"]
client.triggers.events.list()
"""
WRONG = {
    'client.workflows.list(limit="many")': "arg-type",
    "client.workflows.get_build()": "call-arg",
    "client.workflows.no_such()": "attr-defined",
    'client.projects.create({"projectName": 7})': "typeddict-item",
    'client.projects.get("a")["nam"]': "typeddict-item",
    "client.pipelines.run(7)": "arg-type",
}


@pytest.mark.enable_socket
def test_the_page_of_the_client_works_as_printed(tmp_path, migrated_sqlite):
    data = tmp_path / "data"
    key = prepare(data, migrated_sqlite)
    script = "\n".join(re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    with Server(data, "--runtime", "fake", key=key) as server:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", script],
            env={"PATH": os.environ["PATH"], "CF_URL": server.url, "CF_API_KEY": key},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.stderr == ""
    assert done.stdout.splitlines()[:2] == ["ada of acme", "shop/ci"]
    assert done.stdout.splitlines()[-4:-2] == [
        "success",
        "404 could not find pipeline 'shop/no-such': not found in this account",
    ]
    assert done.stdout.splitlines()[-2:] == ["there is one already", "True"]
    assert "test: " in done.stdout


def test_mypy_takes_right_calls_and_refuses_wrong_ones(tmp_path):
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "wrong.py").write_text(
        'from headrace.client import Client\nclient = Client("http://h")\n' + "\n".join(WRONG)
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--no-incremental",
            "--config-file=",
            "right.py",
            "wrong.py",
        ],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "MYPYPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    found = re.findall(r"^(\w+)\.py:(\d+): error: .*\[([\w-]+)\]", done.stdout, re.MULTILINE)
    wanted = [("wrong", str(number), kind) for number, kind in enumerate(WRONG.values(), 3)]
    assert found == wanted, done.stdout
