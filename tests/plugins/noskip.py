"""Where ``HEADRACE_NO_SKIP`` is set, a skipped test is a failed one.

Loaded by ``make test`` with ``-p plugins.noskip``; ``.ci/run`` sets the variable, because a
machine that it prepared lacks nothing, and a test that quietly stops running is not seen.
"""

import os

import pytest

FORBIDDEN = bool(os.environ.get("HEADRACE_NO_SKIP"))


def forbid_skip(report):
    """Turn a skip into a failure that keeps the reason. An expected failure stays one."""
    if FORBIDDEN and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"nothing may skip here (HEADRACE_NO_SKIP is set): {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return forbid_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return forbid_skip((yield))
