from headrace.execution.schedule import Readiness, Verb, judged
from headrace.pipeline.compile import compile_plan
from headrace.pipeline.conditions import ConditionFailed, steps_hold
from headrace.pipeline.status import RESULT_WORDS, StepStatus
from headrace.pipeline.variables import Scope, StepFacts


class Standing:
    def __init__(self, **statuses):
        self.statuses = {name: StepStatus(status) for name, status in statuses.items()}

    def status(self, step):
        return self.statuses.get(step, StepStatus.PENDING)

    def met(self, step):
        facts = {name: StepFacts(RESULT_WORDS[status]) for name, status in self.statuses.items()}
        return step.when is None or steps_hold(step.when, Scope(steps=facts))


def steps(**bodies):
    whole = {name: {"image": "alpine", "commands": ["true"], **body} for name, body in bodies.items()}
    return compile_plan({"version": "1.0", "mode": "parallel", "steps": whole}, variables={}).steps


def yes(_):
    return True


def names(moves):
    return [move.step.name for move in moves]


def test_a_condition_that_cannot_be_worked_out_fails_the_step():
    def broken(_):
        raise ConditionFailed("Failed to evaluate condition 'c': x")

    move = judged(steps(a={})[0], broken)
    assert (move.verb, move.reason) == (Verb.FAIL, "Failed to evaluate condition 'c': x")


def test_every_step_is_started_once():
    readiness = Readiness(steps(a={}, b={}), standing := Standing(), standing.met, yes)
    assert names(readiness.moves(closing=False)) == ["a", "b"]
    readiness.note(["a", "b"])
    assert names(readiness.moves(closing=False)) == []


def test_a_step_that_tests_the_outcome_waits_until_it_is_decided():
    end = {"when": {"condition": {"all": {"end": "workflow.result != 'success'"}}}}
    standing = Standing()
    readiness = Readiness(steps(a={}, end=end), standing, standing.met, yes)
    assert names(readiness.moves(closing=False)) == ["a"]
    standing.statuses["a"] = StepStatus.ERROR
    readiness.note(["a"])
    readiness.decide()
    assert names(readiness.moves(closing=True)) == ["end"]


def test_after_a_failure_only_what_waits_for_it_starts():
    standing = Standing(a="error")
    readiness = Readiness(
        steps(
            a={},
            other={},
            rescue={"when": {"steps": [{"name": "a", "on": ["finished"]}]}},
            never={"when": {"steps": [{"name": "a", "on": ["success"]}]}},
        ),
        standing,
        standing.met,
        yes,
    )
    assert names(readiness.moves(closing=False)) == ["rescue"]


def test_a_step_is_asked_again_only_where_its_answer_can_have_changed():
    asked = []

    def no(step):
        asked.append(step.name)
        return False

    expression = {"when": {"condition": {"all": {"c": "'${{GO}}' == 'yes'"}}}}
    branch = {"when": {"branch": {"only": ["main"]}}}
    waits = {"when": {"steps": [{"name": "a"}]}}
    standing = Standing()
    readiness = Readiness(steps(a=branch, expression=expression, waits=waits), standing, standing.met, no)
    readiness.moves(closing=False)
    assert asked == ["a", "expression"]
    asked.clear()
    standing.statuses["a"] = StepStatus.SUCCESS
    readiness.note(["a"])
    readiness.moves(closing=False)
    assert asked == ["expression", "waits"]
