"""What to do about an error: one line for people, below the line that says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from headrace.client.errors import Forbidden, NotFound, TooManyRequests, Unauthorized, Unreachable

if TYPE_CHECKING:
    from headrace.cli.app import App

# What a failed connection is, by the name of its exception: `ssl` and `socket` are slow to import.
CONNECTIONS = {
    "ConnectionRefusedError": "nothing listens at {url}: start the server there (headrace serve), or {other}",
    "gaierror": "the name in {url} is unknown: correct it, or {other}",
    "TimeoutError": "{url} is silent: try again, allow more time (--request-timeout MS), or {other}",
    "SSLCertVerificationError": "the certificate of {url} is not trusted: set SSL_CERT_FILE to the file of "
    "its authority, or, where you know the way to it is safe, add --insecure",
    "SSLError": "{url} does not speak TLS as it should: if it is plain HTTP, write http://",
    "RemoteDisconnected": "{url} closed the connection: if it speaks TLS, write https://",
    "BadStatusLine": "{url} does not speak HTTP: if it speaks TLS, write https://",
}
OTHER = "log in to another: codefresh auth create-context NAME --api-key KEY --url URL"


def told(error: Exception) -> str:
    """What is wrong, in the words that the official client begins with."""
    if isinstance(error, Unauthorized):
        return f"Please create or update your authentication context; caused by Error: {error}"
    if isinstance(error, Forbidden):
        return f"You do not have permissions to perform this action; caused by Error: {error}"
    return str(error)


def cure_of(error: BaseException, app: App | None) -> str | None:
    """What would help, as a sentence; None where the message says it all.

    Args:
        error: what the command ended with; what it was raised from counts, too.
        app: whose server was asked; None where the command line could not be read.
    """
    url = _address(app)
    for one in _causes(error):
        found = _refusal(one, url, _name(app)) or _connection(one, url)
        if found is not None:
            return found
    return None


def _refusal(error: BaseException, url: str, name: str) -> str | None:
    """What helps against an answer of the server."""
    if isinstance(error, Unauthorized):
        return (
            f"the key is unknown, revoked or expired: generate one at {url}/user/keys, then: "
            f"codefresh auth create-context {name} --api-key KEY --url {url}"
        )
    if isinstance(error, Forbidden):
        return _permission(error, url)
    if isinstance(error, TooManyRequests) and error.retry_after_s is not None:
        return f"the key has made too many requests: come again in {error.retry_after_s:g} s"
    if isinstance(error, NotFound) and not error.is_json:
        return f"what answers at {url} is not this API: correct the address, or {OTHER}"
    return None


def _connection(error: BaseException, url: str) -> str | None:
    """What helps where there was no answer."""
    if isinstance(error, Unreachable) and error.__cause__ is None:
        return f"correct the address {url}, or {OTHER}"
    names = (kind.__name__ for kind in type(error).__mro__)
    found = next((CONNECTIONS[name] for name in names if name in CONNECTIONS), None)
    return found and found.format(url=url, other=OTHER)


def _permission(error: Forbidden, url: str) -> str:
    if not error.missing_scopes:
        return "ask an administrator of the account"
    lacks = " ".join(error.missing_scopes)
    plural = "s" * (len(error.missing_scopes) > 1)
    return (
        f"the key lacks the scope{plural} {lacks}: edit it at {url}/user/keys, "
        f"or with a key that may: codefresh create token NAME -s {lacks}"
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__


def _address(app: App | None) -> str:
    return app.last_url if app is not None and app.last_url else "URL"


def _name(app: App | None) -> str:
    name = app.last_name if app is not None else None
    return name if name and name != "CF_API_KEY" else "NAME"


def unexpected(error: Exception) -> str:
    """An error that no code foresaw: mostly an answer of another form than the command reads."""
    if isinstance(error, OSError):
        return f"{error.filename or 'output'}: {error.strerror or error}"
    if isinstance(error, UnicodeEncodeError):
        return "a word of the command line, a name or the key has characters that cannot be sent or printed"
    if isinstance(error, KeyError | TypeError | AttributeError | IndexError | ValueError):
        what = f"{type(error).__name__}: {error}"
        return f"the server's answer has another form than this command reads ({what}); is it up to date?"
    return f"{type(error).__name__}: {error}"
