"""The floor for W6: a server that answers fixed bytes, no work at all.
Mode nginx (Debian: nginx-light), one worker process; mode uvicorn (PyPI), one
process, a bare ASGI function: the most that one Python process can serve."""

import os
import shutil
import subprocess
import sys

import lib

MODES = ("nginx", "uvicorn")
WORKLOADS = ("W6",)
VENV = lib.HOME / "static"
ONE, LIST = b'{"build":"' + b"x" * 2000 + b'"}', b"[" + b",".join([b'"' + b"x" * 1000 + b'"'] * 50) + b"]"
APP = f"""
BODY = {{"/one": {ONE!r}, "/list": {LIST!r}}}
HEAD = {{p: [(b"content-type", b"application/json"), (b"content-length", str(len(b)).encode())]
        for p, b in BODY.items()}}
async def app(scope, receive, send):
    p = scope["path"]
    await send({{"type": "http.response.start", "status": 200, "headers": HEAD[p]}})
    await send({{"type": "http.response.body", "body": BODY[p]}})
"""


def install():
    if not (VENV / "bin" / "uvicorn").exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        subprocess.run([VENV / "bin" / "pip", "install", "-q", "uvicorn[standard]"], check=True)


def version():
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    first = subprocess.run([nginx, "-v"], capture_output=True, text=True).stderr.strip()
    return (
        first
        + ", "
        + subprocess.run(
            [VENV / "bin" / "uvicorn", "--version"], capture_output=True, text=True
        ).stdout.strip()
    )


class Peer:
    server = True

    def __init__(self, mode):
        self.mode, self.base, self.proc = mode, lib.WORK / "static", None

    def up(self):
        self.base.mkdir(parents=True, exist_ok=True)
        port = lib.free_port()
        self.url = f"http://127.0.0.1:{port}"
        (self.base / "one").write_bytes(ONE)
        (self.base / "list").write_bytes(LIST)
        if self.mode == "nginx":
            conf = self.base / "nginx.conf"
            conf.write_text(
                f"daemon off; master_process off; pid {self.base}/pid; error_log {self.base}/err.log;\n"
                f"user {os.environ.get('USER', 'root')};\nevents {{}}\nhttp {{ access_log off; sendfile on;"
                f" keepalive_requests 100000000; open_file_cache max=10; default_type application/json;"
                f" server {{ listen 127.0.0.1:{port}; root {self.base}; }} }}\n"
            )
            argv = [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(conf)]
        else:
            (self.base / "bare.py").write_text(APP)
            argv = [
                VENV / "bin" / "uvicorn",
                "--app-dir",
                str(self.base),
                "bare:app",
                "--port",
                str(port),
                "--no-access-log",
                "--log-level",
                "warning",
            ]
        self.proc = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lib.wait_http(self.url + "/one")

    def down(self):
        if self.proc:
            self.proc.terminate()
            self.proc.wait(10)
            self.proc = None

    def pids(self):
        return {"server": self.proc.pid}

    def tree(self):
        return []

    def api(self):
        return {"one": self.url + "/one", "list": self.url + "/list"}
