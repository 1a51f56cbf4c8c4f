"""The page that the block of a failed step names."""

from pathlib import Path

import pytest

from headrace.execution.report import documentation
from headrace.pipeline.plan import PlannedStep, WaitForApproval

_DOCS = Path(__file__).resolve().parents[3] / "docs"
_GROUPS = {"parallel"}


def _page_of(type_name: str) -> str:
    return documentation(
        PlannedStep(
            name="s", title="s", type=type_name, action=WaitForApproval(timeout_s=1, on_timeout="denied")
        )
    )


@pytest.mark.parametrize("page", sorted(page.stem for page in (_DOCS / "steps").glob("*.md")))
def test_a_step_type_with_a_page_of_its_own_names_it(page):
    expected = "step-types.md" if page in _GROUPS else f"steps/{page}.md"
    assert _page_of(page) == f"docs/{expected}"


@pytest.mark.parametrize("type_name", ["helm", "slack-notifier", "acme/greet"])
def test_any_other_step_type_names_the_page_of_step_types(type_name):
    assert _page_of(type_name) == "docs/step-types.md"
    assert (_DOCS / "step-types.md").exists()
