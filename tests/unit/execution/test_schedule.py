from headrace.execution.schedule import Verb, next_in_order, next_ready
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.conditions import ConditionFailed
from headrace.pipeline.status import StepStatus


class Standing:
    def __init__(self, **statuses):
        self._statuses = statuses

    def status(self, step):
        return StepStatus(self._statuses.get(step, "pending"))


def plan(mode="sequential", **steps):
    bodies = {name: {"image": "alpine", "commands": ["true"], **body} for name, body in steps.items()}
    return compile_plan({"version": "1.0", "mode": mode, "steps": bodies}, variables={})


def yes(_):
    return True


def ready(plan, standing, *, room=9, running=(), decided=False, judge=yes):
    moves = next_ready(plan, standing, judge, running=frozenset(running), room=room, decided=decided)
    return [move.step.name for move in moves]


def test_nothing_starts_in_order_while_a_step_runs():
    assert next_in_order(plan(a={}, b={}), Standing(a="running"), yes) is None


def test_a_condition_that_cannot_be_worked_out_fails_the_step():
    def broken(_):
        raise ConditionFailed("Failed to evaluate condition 'c': x")

    move = next_in_order(plan(a={}), Standing(), broken)
    assert (move.verb, move.reason) == (Verb.FAIL, "Failed to evaluate condition 'c': x")


def test_steps_that_are_being_started_are_not_started_again_and_room_is_kept():
    steps = plan("parallel", a={}, b={}, c={})
    assert ready(steps, Standing(), running=["a"], room=1) == ["b"]
    assert ready(steps, Standing(), room=0) == []


def test_a_step_that_tests_the_outcome_waits_until_it_is_decided():
    end = {"when": {"condition": {"all": {"end": "workflow.result != 'success'"}}}}
    steps = plan("parallel", a={}, end=end)
    assert ready(steps, Standing()) == ["a"]
    assert ready(steps, Standing(a="error"), decided=True) == ["end"]


def test_after_a_failure_only_what_waits_for_it_starts():
    steps = plan(
        "parallel",
        a={},
        other={},
        rescue={"when": {"steps": [{"name": "a", "on": ["finished"]}]}},
        never={"when": {"steps": [{"name": "a", "on": ["success"]}]}},
    )
    assert ready(steps, Standing(a="error")) == ["rescue"]
