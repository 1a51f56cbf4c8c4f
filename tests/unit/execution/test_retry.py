import pytest

from headrace.execution.retry import delay_s
from headrace.pipeline.plan import Retry


@pytest.mark.parametrize(
    ("retry", "waits"),
    [
        (Retry(max_attempts=4), [5, 5, 5]),
        (Retry(max_attempts=3, delay_s=3), [3, 3]),
        (Retry(max_attempts=3, delay_s=5, factor=2), [25, 625]),
        (Retry(max_attempts=3, delay_s=2, factor=1.5), [2**1.5, (2**1.5) ** 1.5]),
    ],
)
def test_each_wait_is_the_one_before_to_the_power_of_the_factor(retry, waits):
    assert [delay_s(retry, tried) for tried in range(1, retry.max_attempts)] == pytest.approx(waits)


def test_a_wait_is_no_longer_than_the_longest_time_out():
    assert delay_s(Retry(max_attempts=10, delay_s=60, factor=5), 9) == pytest.approx(2_147_483.647)
