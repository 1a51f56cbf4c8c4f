"""``type: pending-approval``: hold the build until somebody says yes or no.

Source: Codefresh docs, "Approval step" (pipelines/steps/approval).
"""

from headrace.pipeline.fields import Mapping, OneOf, PositiveNumber
from headrace.pipeline.plan import WaitForApproval
from headrace.pipeline.steps.base import COMMON_FIELDS, StepSpec, StepType

SECONDS_PER = {"minutes": 60, "hours": 3600}
MAX_WAIT_S = 366 * 24 * 3600  # what a due time can still be worked out for, everywhere


class PendingApproval(StepType):
    """A wait for a decision."""

    name = "pending-approval"
    strict = True
    fields = COMMON_FIELDS | {
        "timeout": Mapping(
            duration=PositiveNumber(default=168),  # in `timeUnit`; one week, as Codefresh waits
            timeUnit=OneOf("hours", "minutes", default="hours"),
            finalState=OneOf("approved", "denied", "terminated", default="terminated"),
        ),
    }

    def plan(self, spec: StepSpec) -> WaitForApproval:
        """What the step comes to: a wait, in seconds, and what silence means."""
        timeout = spec["timeout"]
        return WaitForApproval(
            timeout_s=min(timeout["duration"] * SECONDS_PER[timeout["timeUnit"]], MAX_WAIT_S),
            on_timeout=timeout["finalState"],
        )
