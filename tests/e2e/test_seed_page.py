"""Every line that the seed page prints works as printed, with this server's address in its place."""

import contextlib
import functools
import http.server
import json
import re
import shlex
import subprocess
import threading
from pathlib import Path

import pytest

from e2e.server import until
from e2e.town import Cli, curl, step

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
REPOSITORY = "kostis-codefresh/nestjs-example"
PIPELINE = "my-project/my-basic-pipeline"
RUN = f"run {PIPELINE} -b master -t my-trigger"
WITH_VARIABLES = f"{RUN} -v sample-var1=sample1 -v SAMPLE_VAR2=SAMPLE2"
POST = (
    "curl '{url}/api/builds/{pipeline}' --compressed -H 'content-type:application/json; charset=utf-8' "
    "-H 'Authorization: {key}' --data-binary '{body}'"
)
GET = (
    'curl -X GET --header "Accept: application/json" --header "Authorization: {key}" "{url}/api/builds/{id}"'
)
BODY = {
    "type": "build",
    "repoOwner": "kostis-codefresh",
    "branch": "master",
    "repoName": "nestjs-example",
}
VARIABLES = {"sample-var1": "sample1", "SAMPLE_VAR2": "SAMPLE2"}
FINAL = ("success", "error", "denied", "terminated")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def git(folder, *words):
    """Run git with an identity of its own."""
    author = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    subprocess.run(["git", "-C", str(folder), *author, *words], check=True, capture_output=True, timeout=60)


@contextlib.contextmanager
def serving(folder):
    """Serve a folder by plain HTTP; yield the address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def git_url(tmp_path):
    """A git server with the repository that the page names, of one commit."""
    bare = tmp_path / "git" / f"{REPOSITORY}.git"
    work = tmp_path / "work"
    work.mkdir()
    git(work, "init", "--quiet", "--initial-branch", "master")
    (work / "only-in-this-repository.txt").write_text("hello\n")
    git(work, "add", ".")
    git(work, "commit", "--quiet", "-m", "first")
    git(tmp_path, "clone", "--quiet", "--bare", str(work), str(bare))
    git(bare, "update-server-info")
    with serving(tmp_path / "git") as url:
        yield url


@pytest.fixture
def cli(program, acme, git_url, tmp_path):
    """A client that was logged in by the page's own line, and the git context that the spec names."""
    acme.call(
        "POST",
        "/api/contexts",
        {
            "apiVersion": "v1",
            "kind": "context",
            "metadata": {"name": "github-1"},
            "spec": {"type": "git.github", "data": {"auth": {"type": "basic", "apiHost": git_url}}},
        },
    )
    user = Cli(program, tmp_path / "home", acme.server.url)
    user.ok("auth", "create-context", "--api-key", acme.key(), "--url", user.url)
    user.write("my-pipeline-spec.yml", (EXAMPLES / "seed-pipeline.yml").read_text())
    user.ok(*shlex.split("create project my-project"))
    user.ok(*shlex.split("create pipeline -f my-pipeline-spec.yml"))
    return user


def ended(acme, build_id):
    """Wait for the end of a build; return it."""

    def look():
        build = acme.build(build_id)
        return build if build["status"] in FINAL else None

    return until(look, f"the end of build {build_id}")


def let_tell(acme):
    """Add a step that prints the variables of the page to its pipeline."""
    path = f"/api/pipelines/{PIPELINE.replace('/', '%2F')}"
    document = acme.call("GET", path)
    document["spec"]["steps"]["tell"] = step("echo 'values: ${{sample-var1}} ${{SAMPLE_VAR2}}'")
    acme.call("PUT", path, document)


def test_the_pipeline_of_the_page_clones_and_lists_the_repository(cli):
    log = cli.ok(*shlex.split(RUN))
    assert "only-in-this-repository.txt" in log
    assert "secret-value" not in log


def test_extra_variables_are_passed_though_undeclared(cli, acme):
    let_tell(acme)
    assert "values: sample1 SAMPLE2" in cli.ok(*shlex.split(WITH_VARIABLES))


def test_a_specification_is_taken_from_a_pipeline(cli):
    text = cli.ok(*shlex.split(f"get pipeline {PIPELINE} -o yaml"))
    assert re.search(r"^kind: pipeline$", text, re.MULTILINE)
    assert "main_clone" in text


@pytest.mark.parametrize("more", [{}, {"variables": VARIABLES}], ids=["plain", "with variables"])
def test_curl_runs_the_pipeline_and_asks_for_the_status(cli, acme, more):
    let_tell(acme)
    pipeline_id, key = cli.ok("get", "pipelines", "-o", "id").strip(), acme.key()
    body = json.dumps({"serviceId": pipeline_id, **BODY, **more})
    post = POST.format(url=acme.server.url, pipeline=pipeline_id, key=key, body=body)
    build_id = json.loads(curl(*shlex.split(post)[1:]))
    assert ended(acme, build_id)["status"] == "success"
    build = json.loads(curl(*shlex.split(GET.format(url=acme.server.url, key=key, id=build_id))[1:]))
    assert (build["id"], build["status"], build["branchName"]) == (build_id, "success", "master")
    assert build_id in cli.ok("get", "builds", build_id)
    told = "values: sample1 SAMPLE2" in acme.server.log(build_id, "tell")
    assert told == ("variables" in more)
