"""The step types, by name. A new type is a module here and a line in `STEP_TYPES`."""

from collections.abc import Mapping

from headrace.pipeline.steps.base import StepType
from headrace.pipeline.steps.build import Build, Push
from headrace.pipeline.steps.composition import Composition, LaunchComposition
from headrace.pipeline.steps.deploy import Deploy, Helm, IntegrationTest, SimpleTravis, Travis
from headrace.pipeline.steps.freestyle import Freestyle
from headrace.pipeline.steps.git_clone import GitClone
from headrace.pipeline.steps.pending_approval import PendingApproval

STEP_TYPES: Mapping[str, StepType] = {
    step_type.name: step_type
    for step_type in (
        Freestyle(),
        GitClone(),
        PendingApproval(),
        Build(),
        Push(),
        Composition(),
        LaunchComposition(),
        Deploy(),
        Helm(),
        IntegrationTest(),
        Travis(),
        SimpleTravis(),
    )
}
