"""The words of the engine in a step's log. Source: `reference/pipeline-yaml.md` 3.9b."""

from headrace.pipeline.plan import (
    BuildImage,
    CloneRepository,
    Deploy,
    FetchFile,
    KeepReports,
    PlannedStep,
    PushImage,
    RunCommands,
)

INITIALIZING = "Initializing Process"  # the build's own first log entry
READING_EXPORTS = "Reading environment variable exporting file contents."
OUT_OF_MEMORY = 137
_WITH_A_PAGE = frozenset(
    {
        "freestyle",
        "git-clone",
        "pending-approval",
        "build",
        "push",
        "composition",
        "launch-composition",
        "deploy",
    }
)  # of the types that the engine knows itself
_WIDTH = 20  # of the first column, as in the original


def success_line(step: PlannedStep) -> str:
    """What the log says last of a step that went well."""
    return f"Successfully ran {step.type} step: {step.title}"


def exit_report(step: PlannedStep, exit_code: int, *, out_of_memory: bool, image: str = "") -> list[str]:
    """The block for a process that ended with another exit code than 0.

    Args:
        step: that ran it.
        exit_code: of the process, or of the instruction that failed in a build.
        out_of_memory: whether that ended it.
        image: that was to be built or pushed; its whole name.
    """
    if isinstance(step.action, CloneRepository):
        cause = f"Cloning repository failed with exit code: {exit_code}"
    elif isinstance(step.action, BuildImage):
        cause = f"Building image failed with exit code: {exit_code}"
    elif isinstance(step.action, PushImage):
        cause = f"Pushing image failed with exit code: {exit_code}"
    elif isinstance(step.action, Deploy):
        cause = f"Deploying failed with exit code: {exit_code}"
    elif isinstance(step.action, FetchFile):
        cause = "Fetching the file failed; the line before says why"
    elif isinstance(step.action, KeepReports):
        cause = "Keeping the report failed; the lines before say why"
    else:
        cause = f"Freestyle step failed with exit code: {exit_code}"
    if out_of_memory:
        cause += " (killed: out of memory)"
    return _block(step, _place(step, cause), name="NonZeroExitCodeError", exit_code=exit_code, image=image)


def failure_report(step: PlannedStep, reason: str, *, name: str = "StepError") -> list[str]:
    """The block for a step that failed without an exit code: not started, timed out, lost."""
    return _block(step, _place(step, reason), name=name, exit_code=None)


def start_report(step: PlannedStep, image: str, reason: str) -> list[str]:
    """The block for a step of which no process ever ran."""
    cause = reason
    if isinstance(step.action, RunCommands | CloneRepository):
        cause, image = f"Failed to create a container of: {image}; {reason}", ""
    return _block(step, _place(step, cause), name="StepCouldNotStart", exit_code=None, image=image)


def _place(step: PlannedStep, operation: str) -> str:
    return f"Container for step title: {step.title}, step type: {step.type}, operation: {operation}"


def documentation(step: PlannedStep) -> str:
    """The page about a step; those of the catalogue and of the account's own types share one."""
    if isinstance(step.action, FetchFile):
        return "docs/pipelines.md"
    return f"docs/steps/{step.type}.md" if step.type in _WITH_A_PAGE else "docs/step-types.md"


def _block(step: PlannedStep, cause: str, *, name: str, exit_code: int | None, image: str = "") -> list[str]:
    message = f"Failed to run {step.type} step: {step.title}"
    if image and isinstance(step.action, BuildImage | PushImage):
        verb = "build" if isinstance(step.action, BuildImage) else "push"
        message = f"Failed to {verb} image: {image}"
    rows = [("Message", message), ("Caused by", cause)]
    rows.append(("Documentation Link", documentation(step)))
    if exit_code is not None:
        rows.append(("Exit code", str(exit_code)))
    rows.append(("Name", name))
    return ["[SYSTEM]", *(f"  {label:<{_WIDTH}}{' '.join(text.splitlines())}" for label, text in rows)]
