"""What an operator may set about the running of builds. `app/settings.py` fills it."""

import msgspec


class ExecutionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits and habits of a worker; every span is in seconds."""

    git_image: str = "alpine/git:latest"  # runs git-clone steps; must hold git 2.31 or later
    stop_grace_s: float = 10.0  # between the request to a step to end and force
    destroy_deadline_s: float = 60.0  # for clean-up after a build, whatever else happens
    parallel_steps: int = 10  # of one build at a time, in `mode: parallel`
    inactivity_s: float = 45 * 60.0  # without a byte of output, a build is terminated; 0: never
    debug_session_s: float = 15 * 60.0  # a build waits so long at a breakpoint, then it ends
    debug_image: str = "alpine:latest"  # what commands at a breakpoint run in, but for `override`
    retry_lost_steps: bool = True  # start a step again, once, that was lost with its worker
    poll_s: float = 1.0  # how long a worker sleeps where nothing wakes it
