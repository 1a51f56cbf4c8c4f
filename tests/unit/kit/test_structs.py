"""Structs are prepared before threads decode them; a process of its own, as it may die."""

import subprocess
import sys

import pytest

from headrace.pipeline.compile import compile_plan
from headrace.pipeline.plan import to_json

DECODE = """
import sys, threading
from headrace.kit import structs
from headrace.pipeline.plan import from_json
structs.prepare()
sys.setswitchinterval(1e-6)
text, together = sys.stdin.buffer.read(), threading.Barrier(8)
def decode():
    together.wait()
    from_json(text)
threads = [threading.Thread(target=decode) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


@pytest.mark.parametrize("_attempt", range(5))
def test_threads_may_decode_a_struct_for_the_first_time_together(_attempt):
    steps = {"a": {"image": "alpine", "commands": ["true"]}, "b": {"type": "pending-approval"}}
    text = to_json(compile_plan({"version": "1.0", "steps": steps}, variables={}))
    done = subprocess.run([sys.executable, "-c", DECODE], input=text, check=False, timeout=60)
    assert done.returncode == 0
