"""The command starts fast because it imports little; checked by the set of modules, not by the clock."""

import subprocess
import sys

import pytest

from unit.cli.stub import KEY, USER

FORBIDDEN = {
    "asyncio",
    "jsonschema_rs",
    "msgspec",
    "rich",
    "sqlalchemy",
    "ssl",
    "starlette",
    "yaml",
    "headrace.execution",
    "headrace.pipeline",
    "headrace.storage",
}
PROBE = """
import sys
from headrace.cli.__main__ import run
code = run(sys.argv[2:], {"HOME": sys.argv[1]})
print(*sorted(sys.modules), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    "words",
    [
        ("get", "builds"),
        ("get", "pipelines", "-o", "yaml"),
        ("auth", "get-contexts"),
        ("cli-config",),
        ("version",),
    ],
)
def test_a_command_imports_only_what_it_needs(server, tmp_path, words):
    server.answers = {
        "GET /api/user": USER,
        "GET /api/workflow": {"workflows": {"docs": []}},
        "GET /api/pipelines": {"docs": []},
    }
    (tmp_path / ".cfconfig").write_text(
        f"contexts:\n  local:\n    type: APIKey\n    name: local\n    url: '{server.url}'\n"
        f"    token: {KEY}\n    beta: false\n    onPrem: false\ncurrent-context: local\n"
    )
    (tmp_path / ".Codefresh" / "cli-config").mkdir(parents=True)
    (tmp_path / ".Codefresh" / "cli-config" / "config.yaml").write_text(
        "currentProfile: default\nprofiles:\n  default:\n    output:\n      pretty: false\n"
        "      dateFormat: default\n    request:\n      timeout: 30000\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(tmp_path), *words], capture_output=True, text=True, check=True
    )
    assert not FORBIDDEN & set(done.stderr.split())
