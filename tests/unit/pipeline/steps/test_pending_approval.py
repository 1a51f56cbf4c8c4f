import pytest

from headrace.pipeline.compile import compile_step
from headrace.pipeline.errors import SpecErrors
from headrace.pipeline.plan import WaitForApproval


def plan_of(**timeout):
    return compile_step("ask", {"type": "pending-approval", "timeout": timeout})


@pytest.mark.parametrize(("duration", "unit", "wait_s"), [(30, "minutes", 1800), ("2", "hours", 7200)])
def test_the_wait_is_in_seconds(duration, unit, wait_s):
    plan = plan_of(duration=duration, timeUnit=unit, finalState="denied")
    assert plan == WaitForApproval(timeout_s=wait_s, on_timeout="denied")


def test_silence_ends_the_build_after_a_week():
    week = WaitForApproval(timeout_s=7 * 24 * 3600, on_timeout="terminated")
    assert compile_step("ask", {"type": "pending-approval"}) == plan_of() == week


def test_an_unknown_unit_names_its_place():
    with pytest.raises(SpecErrors) as failure:
        plan_of(timeUnit="days")
    assert [error.path for error in failure.value.errors] == ["steps.ask.timeout.timeUnit"]
