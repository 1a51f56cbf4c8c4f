"""The floor without containers: a plain shell started by this harness."""

import shutil
import threading
import time

import lib

MODES = ("host",)
WORKLOADS = ("W1", "W2", "W3", "W4", "W5", "W7")
SH = ["sh", "-c"]


def install():
    pass


def version():
    return "dash, git clone"


class Peer:
    server = False

    def __init__(self, mode):
        self.mode = mode

    def up(self):
        pass

    down = up

    def pids(self):
        return {}

    def tree(self):
        return []

    def once(self, w):
        begin = time.perf_counter()
        if w == "W1":
            lib.timed(SH + ["true"])
        elif w == "W2":
            for _ in range(lib.STEPS):
                lib.timed(SH + ["true"])
        elif w == "W3":
            lib.pool([lambda: lib.timed(SH + ["true"])] * lib.STEPS, lib.LIMIT)
        elif w == "W4":
            log = lib.WORK / "sh.log"
            row = lib.timed(SH + [f"yes {lib.LINE} | head -n {lib.LOG_LINES} || true"], out=log)
            if lib.count_lines(log) != lib.LOG_LINES:
                raise lib.Failed("log lines lost")
            return row
        elif w == "W7":
            shutil.rmtree(lib.WORK / "sh-clone", ignore_errors=True)
            begin = time.perf_counter()
            lib.timed(["git", "clone", "-q", f"file://{lib.repo10k()}", str(lib.WORK / "sh-clone")])
            lib.timed(SH + ["true"])
        return {"wall": time.perf_counter() - begin}

    def burst(self, n):
        return burst(lambda: self.once("W1"), n)


def burst(build, n):
    """n builds handed out at once to LIMIT runners; a start is when a runner takes one."""
    starts, lock = [], threading.Lock()

    def job():
        with lock:
            starts.append(time.time())
        build()

    begin, now = time.perf_counter(), time.time()
    lib.pool([job] * n, lib.LIMIT)
    return {"wall": time.perf_counter() - begin, "triggers": [now] * n, "starts": starts}
