"""The ``codefresh`` command: reads the words, runs the command, turns failures into one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from headrace.cli.absent import refuse
from headrace.cli.app import App
from headrace.cli.errors import Findings, Refused
from headrace.cli.verbs import ENV_PREFIX, Verb, build_root, near
from headrace.client.errors import ApiError, Unreachable

# Options that may stand anywhere on the line; the number says whether a value follows.
GLOBAL_OPTIONS = {
    "--cfconfig": 1,
    "--insecure": 0,
    "--request-timeout": 1,
    "--request-max-retries": 1,
    "--request-retry-delay": 1,
}
LARGEST = 1e9  # milliseconds of an option: more than eleven days
HIDDEN = ("__complete",)


def main() -> None:
    """Entry point of ``codefresh``."""
    environ = dict(os.environ)
    sys.exit(run(sys.argv[1:], environ))


def run(words: list[str], environ: Mapping[str, str]) -> int:
    """Run one command line; print its output and its errors.

    Args:
        words: the command line without the program's name.
        environ: the environment that the command sees.

    Returns:
        The exit code: 0 done, 1 any error, or the result of a followed build.
    """
    app: App | None = None
    try:
        given, rest = take_globals(words)
        app = App(environ=environ, cfconfig=given.get("--cfconfig"), asked=_asked(given, environ))
        code = _dispatch(app, rest)
        sys.stdout.flush()  # here, where a reader that went away is no error
    except (BrokenPipeError, SystemExit):
        # The reader went away (`| head`), which click turns into an exit: what it has read is what it wanted.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (click.exceptions.Abort, KeyboardInterrupt):
        return 130
    except Findings as findings:
        click.echo(str(findings), err=True)
    except click.ClickException as error:
        click.echo(f"Error: {error.format_message()}", err=True)
        _hint(error)
    except Exception as error:  # noqa: BLE001 — the edge: a person reads this, and no traceback
        return _fail(error, app)
    else:
        return code
    return 1


def _fail(error: Exception, app: App | None) -> int:
    """Say what went wrong and what would help; return the exit code."""
    from headrace.cli import cures

    known = isinstance(error, Refused | ApiError | Unreachable)
    if not known and app is not None and app.environ.get("CF_DEBUG"):
        raise error
    click.echo(f"Error: {cures.told(error) if known else cures.unexpected(error)}", err=True)
    cure = cures.cure_of(error, app)
    if cure is not None:
        click.echo(f"What helps: {cure}", err=True)
    return error.code if isinstance(error, Refused) else 1


def _hint(error: click.ClickException) -> None:
    context = getattr(error, "ctx", None)
    if context is not None:
        click.echo(f"See: {context.command_path} --help", err=True)


def _dispatch(app: App, words: list[str]) -> int:
    root = build_root()
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    with root.make_context("codefresh", [], obj=None) as context:
        context.obj = app
        first = next((word for word in words if not word.startswith("-")), None)
        if first is None:
            click.echo(root.get_help(context))
            return 0 if "--help" in words else 1
        if first in HIDDEN:
            from headrace.cli.completion import complete

            complete(app, words[words.index(first) + 1 :])
            return 0
        if root.get_command(context, first) is None:
            return _unknown(context, root, words, first)
    result = root.main(words, prog_name="codefresh", standalone_mode=False, obj=app)
    return result if isinstance(result, int) else 0


def _unknown(context: click.Context, root: Verb, words: list[str], word: str) -> int:
    """A command that is not here.

    Scripts may rely on exit code 0 for a word that no client knows (the official client's); people get
    to read why. A command that the official client has and this one lacks is an error.
    """
    refuse(word)
    close = near(word, root.list_commands(context))
    cure = f"did you mean {close!r}?" if close else "see: codefresh --help"
    click.echo(f"Error: no command {word!r}; {cure}", err=True)
    if "--help" in words:
        click.echo(root.get_help(context))
    return 0


def take_globals(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Take the options that may stand anywhere out of the line.

    Returns:
        The options by their long names (a flag has the value ``true``), and the other words.
    """
    given: dict[str, str] = {}
    rest: list[str] = []
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word == "--":
            return given, [*rest, *words[position - 1 :]]
        name, equals, value = word.partition("=")
        if name not in GLOBAL_OPTIONS:
            rest.append(word)
        elif equals or not GLOBAL_OPTIONS[name]:
            given[name] = value if equals else "true"
        elif position < len(words):
            given[name] = words[position]
            position += 1
        else:
            raise Refused(f"option {name!r} needs a value")
    return given, rest


def _asked(given: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, Any]:
    """Values of `RequestOptions` that the line gives, else the environment; the others are preferences."""
    asked: dict[str, Any] = {}
    for option, name, unit in (
        ("--request-timeout", "timeout_s", 1000),
        ("--request-max-retries", "attempts", 1),
        ("--request-retry-delay", "retry_delay_s", 1000),
    ):
        text = given.get(option) or environ.get(ENV_PREFIX + option[2:].replace("-", "_").upper())
        if text is None:
            continue
        try:
            found = float(text)
        except ValueError:
            found = -1
        if not 0 <= found < LARGEST:
            raise Refused(f"option {option!r} needs a number from 0 on, not {text!r}")
        asked[name] = int(found) if unit == 1 else found / unit
    insecure = given.get("--insecure", environ.get(ENV_PREFIX + "INSECURE", "false")) == "true"
    return {**asked, "insecure": insecure or environ.get("NODE_TLS_REJECT_UNAUTHORIZED") == "0"}


if __name__ == "__main__":
    main()
