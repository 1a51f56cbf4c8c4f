"""What every command gets: the server, the printer, the environment."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from headrace.cli import auth
from headrace.client.api import Client, RequestOptions

if TYPE_CHECKING:
    from headrace.client.api import Query

VERSION = "1.2.7"  # of the official client whose commands we take; sent as it sends it
HEADERS = {
    "User-Agent": f"codefresh-cli-v{VERSION}",
    "Codefresh-User-Agent-Type": "cli",
    "Codefresh-User-Agent-Version": VERSION,
}


@dataclass(kw_only=True)
class App:
    """One run of the command.

    Attributes:
        environ: the environment; nothing in this room reads it elsewhere.
        cfconfig: the file given by ``--cfconfig``.
        options: how requests are sent.
        sleep: waits; takes seconds.
        last_url: the server that was asked last, and ``last_name`` its saved name; for error messages.
    """

    environ: Mapping[str, str]
    cfconfig: str | None = None
    options: RequestOptions = field(default_factory=RequestOptions)
    sleep: Callable[[float], None] = time.sleep
    last_url: str | None = None
    last_name: str | None = None

    @cached_property
    def api(self) -> Client:
        """The server in use; raises `Refused` where nobody logged in."""
        return self.api_of(auth.choose(self.environ, self.cfconfig))

    def api_of(self, context: auth.AuthContext, options: RequestOptions | None = None) -> Client:
        """A client for any saved context."""
        self.last_url, self.last_name = context.url, context.name
        return Client(
            context.url,
            context.token,
            options=options or self.options,
            environ=self.environ,
            headers=HEADERS,
            sleep=self.sleep,
        )

    def call(self, operation: str, body: object = None, *, query: Query | None = None, **path: str) -> Any:  # noqa: ANN401 — JSON edge
        """Call an operation of the server in use; see `Client.call`."""
        return self.api.call(operation, body, query=query, **path)

    def config_file(self) -> auth.ConfigFile:
        """The file of saved contexts."""
        return auth.ConfigFile(auth.config_path(self.environ, self.cfconfig))
