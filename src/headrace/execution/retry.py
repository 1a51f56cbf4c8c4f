"""How long a step waits before it is tried again. Source: `reference/pipeline-yaml.md` 4.6."""

from headrace.pipeline.fields import MAX_TIMEOUT_S
from headrace.pipeline.plan import Retry


def delay_s(retry: Retry, tried: int) -> float:
    """The wait after the attempt of this number, from 1.

    With a factor of 1 all waits are equal. Otherwise the first is the delay to the power of the
    factor, and each is the one before to that power, up to the longest time-out.
    """
    wait = retry.delay_s
    if retry.factor != 1:
        for _ in range(tried):
            try:
                wait = min(wait**retry.factor, MAX_TIMEOUT_S)
            except OverflowError:
                wait = MAX_TIMEOUT_S
    return min(wait, MAX_TIMEOUT_S)
