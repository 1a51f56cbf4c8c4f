"""Our client and the official one do the same against a recording server: output, code, requests."""

import json
import re
import sys
from pathlib import Path

import pytest

from e2e import official
from unit.cli import stub

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.enable_socket,
]

OURS = Path(sys.executable).parent / "codefresh"
BUILD_ID = "5b4f927dc70d080001536fe3"
BUILD = {
    "id": BUILD_ID,
    "status": "error",
    "progress": "5b4f927dc70d080001536fe4",
    "created": "2024-01-02T03:04:05.678Z",
    "started": "2024-01-02T13:04:06.678Z",
    "finished": "2024-01-02T13:05:05.678Z",
    "serviceId": "5b1a78d1bdbf074c8a9b3458",
    "pipelineName": "my-project/p",
    "repoOwner": "o",
    "repoName": "r",
    "branchName": "master",
}
PIPELINE = {
    "version": "1.0",
    "kind": "pipeline",
    "metadata": {
        "id": "5b1a78d1bdbf074c8a9b3458",
        "name": "my-project/p",
        "description": "so long a description that the writer of YAML has to fold it somewhere, does it",
        "updated_at": "2024-01-02T03:04:05.678Z",
        "created_at": "2023-01-02T03:04:05.678Z",
        "originalYamlString": "version: '1.0'\nsteps: {}\n",
    },
    "spec": {
        "endpoint": "http://127.0.0.1:18080/api/pipelines/5b4f927dc70d080001536fe3/events/5b4f927dc70d080001536fe3",
        "variables": [{"key": "PORT", "value": 5000}, {"key": "N", "value": "12"}, {"key": "E", "value": ""}],
        "steps": {
            "P": {
                "image": "alpine:latest",
                "commands": [
                    "ls -l",
                    "echo 'a: b'",
                    "yes",
                    "-x",
                    "a{b}",
                    "#x",
                    "two\nlines\n",
                    "tab\there",
                    "é",
                ],
            }
        },
        "stages": [],
    },
}
PROJECT = {
    "id": "5b1a78d1bdbf074c8a9b3459",
    "projectName": "my-project",
    "tags": ["a", "b"],
    "variables": [],
    "pipelinesNumber": 2,
    "updatedAt": "2024-01-02T03:04:05.678Z",
}
TOKEN = {
    "_id": "5b1a78d1bdbf074c8a9b3450",
    "name": "ci",
    "tokenPrefix": "8c1f",
    "created": "2024-01-02T03:04:05.678Z",
    "scopes": ["pipeline:run", "build:read"],
}
CONTEXT = {
    "apiVersion": "v1",
    "kind": "context",
    "metadata": {"name": "c1"},
    "spec": {"type": "config", "data": {}},
}
FILES = {
    "p.yml": "version: '1.0'\nkind: pipeline\nmetadata:\n  name: my-project/p\nspec:\n  steps:\n    a:\n"
    "      image: alpine\n      commands:\n        - echo hi\n  stages: []\n",
    "ok.yml": "version: '1.0'\nsteps: {}\n",
    "vars.yml": "- A: 1\n  B: two\n- A: 3\n",
    "odd.yml": "kind: odd\nmetadata: {name: x}\n",
}
COMMANDS = [
    "get builds",
    "get builds -o wide",
    f"get builds {BUILD_ID} -o json",
    "get builds -o yaml",
    "get builds -s error -b master -b dev --pipeline-name my-project/p --from 2020-01-01 --page 2 -l 5",
    "get pipelines -l tags=a,b -l x=y --name foo",
    "get pipeline my-project/p -o yaml",
    "get pipeline my-project/p -o json",
    "get -o id pipelines",
    "get pipelines --sc name,created --df date",
    "get projects",
    "get project my-project -o json",
    "get project nope",
    "create project my-project",
    "create project new -t x y -v A=1 -v B=2 -e B",
    "create pipeline -f p.yml",
    "create -f odd.yml",
    "replace -f p.yml",
    "delete pipeline my-project/p",
    "patch project my-project -n q -t z",
    "delete project my-project",
    "run my-project/p -d --nc --rv --en --only s1 s2 --skip s3 --memory 512 --cpu 500 --disk 2",
    "run my-project/p --var-file vars.yml",
    "run nope",
    "run",
    f"restart {BUILD_ID} -d",
    f"terminate {BUILD_ID}",
    f"approve {BUILD_ID}",
    f"deny {BUILD_ID}",
    f"wait {BUILD_ID} -s error",
    f"wait {BUILD_ID}",
    "wait xyz",
    "validate ok.yml",
    "validate none.yml",
    "get tokens",
    "get tokens -o wide",
    "create token tk -s pipeline:read build",
    "patch token T --name n2 -s pipeline",
    "get contexts",
    "get context c1 -o yaml",
    "create context config c2 -v A=1 -v B=x=y",
    "create context git github gh -t tok",
    "create annotation workflow ID a=b c=d",
    "get annotation workflow ID",
    "auth get-contexts",
    "auth use-context nope",
    "auth create-context local2 --api-key 60d7bc98dabf78f109a24e97.zz --url URL",
    "version -c api",
]
# What one prints and the other does not, on purpose: docs/client.md, "Differences".
LOGS = [f"logs {BUILD_ID}", f"logs {BUILD_ID} --no-timestamps", "run my-project/p -b=master -v A=1"]


def answers(url):
    progress = f"/api/progress/{BUILD['progress']}"
    return {
        "GET /api/user": stub.USER,
        "GET /api/workflow": {"workflows": {"docs": [BUILD], "total": 1}},
        f"GET /api/builds/{BUILD_ID}": BUILD,
        f"GET /api/builds/rebuild/{BUILD_ID}": BUILD_ID,
        f"GET /api/workflow/{BUILD_ID}/pending-approval/approve": {},
        f"GET /api/workflow/{BUILD_ID}/pending-approval/deny": {},
        f"GET {progress}": {
            "_id": "p",
            "account": "a",
            "location": {"type": "archive", "url": url + "/archive"},
        },
        f"DELETE {progress}": {},
        "GET /archive": {
            "steps": [
                {
                    "name": "Listing",
                    "creationTimeStamp": 1,
                    "logs": ["[2024-01-02T03:04:00.100Z] one\n", "two\n"],
                },
                {"name": "Second one", "creationTimeStamp": 2, "logs": {"-k1": "three\n"}},
            ]
        },
        "GET /api/pipelines": {"docs": [PIPELINE], "count": 1},
        "POST /api/pipelines": PIPELINE,
        "GET /api/pipelines/my-project%2Fp": PIPELINE,
        "PUT /api/pipelines/my-project%2Fp": PIPELINE,
        "DELETE /api/pipelines/my-project%2Fp": {},
        "POST /api/pipelines/run/my-project%2Fp": BUILD_ID,
        "POST /api/pipelines/yaml/validator": {"valid": True},
        "GET /api/projects": {"projects": [PROJECT], "total": 1},
        "POST /api/projects": PROJECT,
        "GET /api/projects/name/my-project": PROJECT,
        f"GET /api/projects/{PROJECT['id']}": PROJECT,
        f"PATCH /api/projects/{PROJECT['id']}": PROJECT,
        f"DELETE /api/projects/{PROJECT['id']}": {},
        "GET /api/auth/keys": [TOKEN],
        "POST /api/auth/key": b"60d7bc98dabf78f109a24e97.new",
        "PATCH /api/auth/key/T": {},
        "GET /api/contexts": [CONTEXT],
        "GET /api/contexts/c1": CONTEXT,
        "POST /api/contexts/": CONTEXT,
        "POST /api/annotations": {},
        "GET /api/annotations": [
            {"_id": "a1", "entityId": "ID", "entityType": "workflow", "key": "k", "value": "v"}
        ],
        "GET /api/version": {"current_commit": "abc"},
    }


def in_order(line):
    """A request line with its query sorted by name: what means the same is the same."""
    target, mark, query = line.partition("?")
    return target + mark + "&".join(sorted(query.split("&"), key=lambda pair: pair.partition("=")[0]))


def outcome(program, command, home):
    """All that can be seen of one command: code, output, requests, the saved contexts."""
    with stub.running_stub() as server:
        server.answers = answers(server.url)
        home.mkdir()
        for name, text in FILES.items():
            (home / name).write_text(text)
        (home / ".cfconfig").write_text(
            f"contexts:\n  local:\n    type: APIKey\n    name: local\n    url: '{server.url}'\n"
            f"    token: {stub.KEY}\n    beta: false\n    onPrem: false\ncurrent-context: local\n"
        )
        done = official.run_client(program, command.replace("URL", server.url).split(), home)

        def plain(text):
            text = text.replace(server.url, "URL").replace(str(home), "HOME")
            return re.sub(r"reqId=[-0-9a-f]+", "reqId=U", text)

        return {
            "code": done.code,
            "out": plain(done.stdout),
            "err": plain(done.stderr),
            "requests": sorted(
                plain(in_order(request.line)) + json.dumps(request.body, sort_keys=True)
                for request in server.requests
            ),
            "config": plain((home / ".cfconfig").read_text()),
        }


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_does_the_same_with_both_clients(official_program, tmp_path, command):
    ours = outcome(OURS, command, tmp_path / "ours")
    assert ours == outcome(official_program, command, tmp_path / "official")


@pytest.mark.parametrize("command", LOGS)
def test_a_log_reads_the_same_with_both_clients(official_program, tmp_path, command):
    ours = outcome(OURS, command, tmp_path / "ours")
    theirs = outcome(official_program, command, tmp_path / "official")
    assert [ours[key] for key in ("code", "out", "err")] == [theirs[key] for key in ("code", "out", "err")]
