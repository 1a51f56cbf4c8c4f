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
    from headrace.cli.preferences import Preferences

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
        asked: values of `RequestOptions` that the command line or the environment gives.
        sleep: waits; takes seconds.
        last_url: the server that was asked last, and ``last_name`` its saved name; for error messages.
    """

    environ: Mapping[str, str]
    cfconfig: str | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)
    sleep: Callable[[float], None] = time.sleep
    last_url: str | None = None
    last_name: str | None = None

    @cached_property
    def preferences(self) -> Preferences:
        """What this user prefers on this machine; raises `Refused` where the file is broken."""
        from headrace.cli import preferences

        return preferences.Preferences(preferences.preferences_path(self.environ))

    @cached_property
    def options(self) -> RequestOptions:
        """How requests are sent: as asked, else as preferred."""
        preferred = {
            "timeout_s": int(self.preferences.value("request.timeout")) / 1000,
            "attempts": int(self.preferences.value("request.maxAttempts")),
            "retry_delay_s": int(self.preferences.value("request.retryDelay")) / 1000,
            "backoff": 1,  # as the official client waits
        }
        return RequestOptions(**{**preferred, **self.asked})

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

    def config_file(self) -> auth.ConfigFile:
        """The file of saved contexts."""
        return auth.ConfigFile(auth.config_path(self.environ, self.cfconfig))
