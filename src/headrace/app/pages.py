"""What the server answers outside ``/api``: health, metrics, version of the trigger service."""

import json
from collections.abc import Callable, Iterable

from headrace.http.answers import GUARDS, Message, Receive, Send

Page = Callable[[], tuple[int, str, str]]  # status, media type, text


def json_page(status: int, value: object) -> tuple[int, str, str]:
    """Return a JSON answer."""
    return status, "application/json", json.dumps(value)


def metric(name: str, kind: str, text: str, samples: Iterable[tuple[dict[str, str], float]]) -> str:
    """Return one metric in the text format of Prometheus."""
    lines = [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escape(label)}"' for key, label in labels.items())
        lines.append(f"{name}{{{inside}}} {value:g}" if inside else f"{name} {value:g}")
    return "\n".join(lines) + "\n"


def _escape(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


async def send_page(scope: Message, _receive: Receive, send: Send, page: tuple[int, str, str]) -> None:
    """Send a page (ASGI)."""
    status, media_type, text = page
    content = text.encode()
    headers = [
        (b"content-type", f"{media_type}; charset=utf-8".encode()),
        (b"content-length", str(len(content)).encode()),
        *GUARDS,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})
