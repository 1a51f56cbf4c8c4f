import pytest

from headrace.pipeline.compile import compile_step
from headrace.pipeline.plan import CloneRepository


def clone(**fields):
    return compile_step("main_clone", {"type": "git-clone", "repo": "o/r"} | fields)


@pytest.mark.parametrize(("depth", "planned"), [("3", 3), (1, 1), (0, None)])
def test_a_depth_is_a_number_however_it_is_written(depth, planned):
    assert clone(depth=depth).depth == planned


def test_credentials_and_switches_are_planned():
    action = clone(credentials={"username": "u", "password": "${{P}}"}, exclude_blobs="yes", revision="main")
    assert action == CloneRepository(
        repo="o/r", revision="main", username="u", password="${{P}}", exclude_blobs=True
    )
