"""Shared parts of the CI benchmark: timing, statistics, memory, load, wrk.

Standard library only. A peer module (bench/peers/NAME.py) offers:

  MODES                      the modes it can run in, such as ("host", "docker")
  WORKLOADS                  the workloads it can run, such as ("W1", "W2")
  install()                  puts the peer under HOME (idempotent)
  version()                  one line of text
  class Peer(mode):
      server                 True when a long-running server does the work
      up() / down()          start and stop the server (no-ops for a command-line peer)
      once(w) -> dict        one build of workload w; 'wall' = trigger -> finished, seconds
      burst(n) -> dict       W5: wall, trigger times, start times (epoch seconds)
      api() -> dict          W6: {"one": url, "list": url, "headers": {...}}
      pids() -> {name: pid}  server processes, for memory
      tree()                 folders whose cached pages are dropped before a cold start
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
HOME = pathlib.Path(os.environ.get("BENCH_HOME", "~/.cache/ci-bench")).expanduser()
WORK = HOME / "work"
RESULTS = HOME / "results"
STEPS, LIMIT, BURST = 20, 8, 200
LOG_LINES, LINE = 1_000_000, "x" * 99  # 100 bytes with the newline
IMAGE = os.environ.get("BENCH_IMAGE", "alpine:latest")
GIT_IMAGE = os.environ.get("BENCH_GIT_IMAGE", "ci-bench-git:latest")
NETWORK = os.environ.get("BENCH_NETWORK", "bridge")
POLL = float(os.environ.get("BENCH_POLL", "0.02"))
PATIENCE = float(os.environ.get("BENCH_PATIENCE", "20"))
WRK_S = float(os.environ.get("BENCH_WRK_S", "8"))


class Failed(Exception):
    """A build did not succeed, or did not store what it should have."""


# ---- processes ------------------------------------------------------------
def timed(argv, cwd=None, out=None, env=None, stdin=None):
    """Run to the end; wall seconds, peak memory of the largest process, CPU seconds."""
    sink = open(out, "wb") if out else subprocess.DEVNULL
    begin = time.perf_counter()
    p = subprocess.Popen(
        argv,
        cwd=cwd,
        env=env,
        stdin=stdin or subprocess.DEVNULL,
        stdout=sink,
        stderr=subprocess.STDOUT if out else sink,
    )
    _, status, usage = os.wait4(p.pid, 0)
    wall = time.perf_counter() - begin
    p.returncode = os.waitstatus_to_exitcode(status)
    if out:
        sink.close()
    if p.returncode:
        tail = pathlib.Path(out).read_bytes()[-1500:].decode("utf8", "replace") if out else ""
        raise Failed(f"exit {p.returncode}: {argv} {tail}")
    return {"wall": wall, "rss_mb": usage.ru_maxrss / 1024, "cpu": usage.ru_utime + usage.ru_stime}


def pool(jobs, width):
    """Run callables, at most `width` at a time; the first error is raised again."""
    todo, errors, lock = list(jobs)[::-1], [], threading.Lock()

    def drain():
        while True:
            with lock:
                if not todo or errors:
                    return
                job = todo.pop()
            try:
                job()
            except Exception as e:  # noqa: BLE001 - handed on below
                errors.append(e)

    threads = [threading.Thread(target=drain) for _ in range(width)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    if errors:
        raise errors[0]


def proc_status(pid, field):
    try:
        for line in open(f"/proc/{pid}/status"):
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def rss_mb(pids):
    return {k: round(proc_status(p, "VmRSS"), 1) for k, p in pids.items()}


def peak_mb(pids):
    return {k: round(proc_status(p, "VmHWM"), 1) for k, p in pids.items()}


def reset_peak(pids):
    for p in pids.values():
        with contextlib.suppress(OSError):
            open(f"/proc/{p}/clear_refs", "w").write("5")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# ---- noise ----------------------------------------------------------------
def _ticks():
    f = [int(x) for x in open("/proc/stat").readline().split()[1:]]
    return sum(f), f[3] + f[4]


def busy(span=0.25):
    a = _ticks()
    time.sleep(span)
    b = _ticks()
    return 1 - (b[1] - a[1]) / max(1, b[0] - a[0])


def settle(limit=0.30, patience=PATIENCE):
    """Wait for a quiet machine; returns the load share at which we went on."""
    end = time.time() + patience
    while True:
        share = busy()
        if share < limit or time.time() > end:
            return round(share, 2)


def spin_ms():
    """A fixed single-core loop: tells how fast the machine is right now."""
    best = 1e9
    for _ in range(3):
        t, n = time.perf_counter(), 0
        for i in range(1_000_000):
            n += i
        best = min(best, time.perf_counter() - t)
    return round(best * 1000, 1)


def forget_pages(folders):
    """Drop the page cache of these folders only (a cold start, neighbours unharmed)."""
    for folder in folders:
        for root, _, names in os.walk(folder):
            for name in names:
                try:
                    fd = os.open(os.path.join(root, name), os.O_RDONLY)
                except OSError:
                    continue
                try:
                    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                finally:
                    os.close(fd)


def machine():
    cpu = re.search(r"model name\s*:\s*(.*)", open("/proc/cpuinfo").read())
    mem = int(re.search(r"MemTotal:\s*(\d+)", open("/proc/meminfo").read()).group(1))
    return {
        "cpu": cpu.group(1) if cpu else "?",
        "cores": os.cpu_count(),
        "mem_gib": round(mem / 2**20, 1),
        "kernel": os.uname().release.split("-")[0],
    }


# ---- statistics -----------------------------------------------------------
def stats(values):
    v = sorted(values)
    mid = statistics.median(v)
    return {
        "n": len(v),
        "median": round(mid, 5),
        "min": round(v[0], 5),
        "max": round(v[-1], 5),
        "mad_pct": round(100 * statistics.median(abs(x - mid) for x in v) / mid, 1) if mid else 0,
    }


def quantile(values, q):
    v = sorted(values)
    return round(v[min(len(v) - 1, int(q * len(v)))], 4)


# ---- inputs ---------------------------------------------------------------
def repo10k():
    """A git repository of 10,000 files of about 1 KB in 100 folders, one commit, packed."""
    repo = WORK / "repo10k"
    if (repo / ".done").exists() or (repo / ".git" / "bench-done").exists():
        return repo
    shutil.rmtree(repo, ignore_errors=True)
    for d in range(100):
        (repo / f"d{d:02}").mkdir(parents=True)
        for f in range(100):
            (repo / f"d{d:02}" / f"f{f:02}.txt").write_text(f"{d} {f}\n" + f"{d * 7919 + f:08d} " * 110)
    git = ["git", "-C", str(repo), "-c", "user.name=bench", "-c", "user.email=b@example.org"]
    subprocess.run(git[:3] + ["init", "-q", "-b", "main"], check=True)
    subprocess.run(git + ["add", "."], check=True)
    subprocess.run(git + ["commit", "-qm", "10k files"], check=True)
    subprocess.run(git + ["remote", "add", "origin", "https://git.example.org/bench/repo10k.git"], check=True)
    subprocess.run(git + ["repack", "-adq"], check=True)
    subprocess.run(git + ["update-server-info"], check=True)
    (repo / ".git" / "bench-done").touch()
    return repo


def tiny_repo(name):
    """An almost empty git repository to run a command-line peer in."""
    repo = WORK / name
    if not (repo / ".git").exists():
        shutil.rmtree(repo, ignore_errors=True)
        repo.mkdir(parents=True)
        (repo / "README").write_text("bench\n")
        git = ["git", "-C", str(repo), "-c", "user.name=bench", "-c", "user.email=b@example.org"]
        subprocess.run(git[:3] + ["init", "-q", "-b", "main"], check=True)
        subprocess.run(git + ["add", "."], check=True)
        subprocess.run(git + ["commit", "-qm", "one"], check=True)
        subprocess.run(
            git + ["remote", "add", "origin", f"https://git.example.org/bench/{name}.git"], check=True
        )
    return repo


def render(name, **more):
    """A config file with its @NAMES@ filled in."""
    text = (HERE / "configs" / name).read_text()
    words = {
        "WORK": WORK,
        "REPO": WORK / "repo10k",
        "LINE": LINE,
        "LINES": LOG_LINES,
        "IMAGE": IMAGE,
        "GIT_IMAGE": GIT_IMAGE,
        "NETWORK": NETWORK,
        "MARKS": marks_file(),
        **more,
    }
    return re.sub(r"@([A-Z_]+)@", lambda m: str(words[m.group(1)]), text)


def marks_file():
    return WORK / "marks"


def read_marks():
    """Start times (epoch seconds) that the builds of W5 wrote themselves."""
    try:
        return sorted(int(x) / 1e9 for x in marks_file().read_text().split() if x.isdigit())
    except OSError:
        return []


def clear_marks():
    WORK.mkdir(parents=True, exist_ok=True)
    marks_file().unlink(missing_ok=True)


def count_lines(path):
    """How many lines of the log workload a stored log holds (an echoed command adds one or two)."""
    needle, total, rest = LINE.encode(), 0, b""
    with open(path, "rb") as f:
        while chunk := f.read(1 << 22):
            chunk = rest + chunk
            cut = chunk.rfind(b"\n") + 1
            total += chunk.count(needle, 0, cut)
            rest = chunk[cut:]
    return total + rest.count(needle)


# ---- HTTP -----------------------------------------------------------------
def http(method, url, body=None, headers=None, raw=False):
    data = None if body is None else json.dumps(body).encode()
    req = urllib.request.Request(
        url, data, {"Content-Type": "application/json", **(headers or {})}, method=method
    )
    with urllib.request.urlopen(req, timeout=60) as r:
        text = r.read()
    return text if raw else (json.loads(text) if text.strip() else None)


def wait_http(url, seconds=60, headers=None):
    end = time.time() + seconds
    while True:
        try:
            return http("GET", url, headers=headers, raw=True)
        except Exception:
            if time.time() > end:
                raise
            time.sleep(0.05)


def wrk(url, headers=None, seconds=WRK_S, connections=16):
    lua = WORK / "wrk.lua"
    lua.write_text("""
done = function(s, l, r)
  io.write(string.format("R %d %d %d %d %d\\n", s.requests, s.duration,
    l:percentile(50), l:percentile(99), s.errors.status + s.errors.read + s.errors.timeout))
end
""")
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "-s", str(lua)]
    for k, v in (headers or {}).items():
        argv += ["-H", f"{k}: {v}"]
    text = subprocess.run(argv + [url], check=True, capture_output=True, text=True).stdout
    n, us, p50, p99, bad = map(
        int, re.search(r"^R (\d+) (\d+) (\d+) (\d+) (\d+)", text, re.MULTILINE).groups()
    )
    return {
        "req_s": round(n / (us / 1e6), 1),
        "p50_ms": p50 / 1000,
        "p99_ms": p99 / 1000,
        "errors": bad,
        "bytes": len(http("GET", url, headers=headers, raw=True)),
    }
