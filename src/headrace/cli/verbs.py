"""Groups of commands that load lazily, and options that read as the official client's do.

A noun module adds itself with ``@VERBS["get"].command("builds")``; `commands.MODULES` says which
module to import for which command, so that one command imports one module.

Source: the option rules of the official client (yargs): an array option takes all following
words, ``-b=x`` equals ``-b x``, a flag takes a word ``true`` or ``false``, and every option can
come from the environment as ``CF_ARG_<OPTION>``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from headrace.cli.absent import refuse
from headrace.cli.app import App
from headrace.cli.commands import MODULES, words_of

ENV_PREFIX = "CF_ARG_"


class Array(click.Option):
    """An option that takes all following words up to the next option; may be repeated."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 — click's own signature
        super().__init__(*args, **{**kwargs, "multiple": True})


class Command(click.Command):
    """A command whose words are first brought into the form that click reads."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 — click's own signature
    ) -> click.Context:
        """Take defaults from ``CF_ARG_*`` and hand the rewritten words on."""
        app = parent.find_object(App) if parent else None
        extra["default_map"] = defaults_from(app.environ if app else {}, self.params)
        return super().make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Rewrite, then parse as click does."""
        return super().parse_args(ctx, list(rewrite(args, self.params)))


class Verb(click.Group):
    """A group (``get``, ``create``, ``auth`` …) that imports a noun's module when it is used.

    Options before the noun are moved behind it: ``get -o json builds`` equals ``get builds -o json``.
    """

    command_class = Command

    def __init__(
        self, name: str, summary: str, *, on_file: str | None = None, alone: int = 0, usual: str | None = None
    ) -> None:
        """Make a verb.

        Args:
            name: its words, for example ``create context``; empty for the root.
            summary: one sentence for ``--help``.
            on_file: function of `commands.documents` that takes the file given by ``-f``.
            alone: exit code without a noun, the official client's.
            usual: the noun that is meant where there is none; None shows the help.
        """
        file = click.Option(["-f", "--filename"], help="A .yml, .yaml or .json file.")
        super().__init__(name, help=summary, params=[file] if on_file else [], invoke_without_command=True)
        self.on_file, self.alone, self.usual = on_file, alone, usual
        self.callback = self._without_noun

    def _without_noun(self, filename: str | None = None) -> int:
        """Take the file, or show what there is."""
        context = click.get_current_context()
        if context.invoked_subcommand is not None:
            return 0
        if filename is None or self.on_file is None:
            click.echo(context.get_help())
            return self.alone
        documents = importlib.import_module("headrace.cli.commands.documents")
        getattr(documents, self.on_file)(context.find_object(App), filename)
        return 0

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All nouns of this verb and the verbs within it, sorted; imports nothing."""
        _ = ctx
        inner = {noun for noun, command in self.commands.items() if isinstance(command, Verb)}
        return sorted({names[0] for names in _entries(self._path())} | inner)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command by its name or alias."""
        _ = ctx
        for names in _entries(self._path()):
            if cmd_name in names:
                importlib.import_module(f"headrace.cli.commands.{_module_of(self._path(), names)}")
                return self.commands.get(names[0])
        return self.commands.get(cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the noun first."""
        return super().parse_args(ctx, self._noun_first(ctx, args))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the noun, or name what there is."""
        if self.get_command(ctx, args[0]) is None:
            refuse(f"{self._path()} {args[0]}")
            known = self.list_commands(ctx)
            close = near(args[0], [*known, *(name for names in _entries(self._path()) for name in names)])
            cure = f"did you mean {close!r}? There are" if close else "there are"
            wrong = f"no command {f'{self._path()} {args[0]}'!r}; {cure}: {', '.join(known)}"
            if "--help" not in args:
                raise click.UsageError(wrong)
            click.echo(f"Error: {wrong}", err=True)
            click.echo(ctx.get_help())
            ctx.exit()
        return super().resolve_command(ctx, args)

    def _path(self) -> str:
        return str(self.name)

    def _noun_first(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or not args[0].startswith("-") or args[0] == "--help":
            return args if args or self.usual is None else [self.usual]
        for index, word in enumerate(args):
            if not word.startswith("-") and self.get_command(ctx, word) is not None:
                return [word, *args[:index], *args[index + 1 :]]
        return args if self.usual is None or "--help" in args else [self.usual, *args]


def near(word: str, known: list[str]) -> str | None:
    """The word that was probably meant; None where none is like it."""
    import difflib

    return next(iter(difflib.get_close_matches(word, known, n=1)), None)


def _entries(verb: str) -> Iterator[list[str]]:
    for lines in MODULES.values():
        for line in lines:
            path, names = words_of(line)
            if path == verb:
                yield names


def _module_of(verb: str, names: list[str]) -> str:
    return next(
        module for module, lines in MODULES.items() for line in lines if words_of(line) == (verb, names)
    )


def defaults_from(environ: Mapping[str, str], params: list[click.Parameter]) -> dict[str, Any]:
    """Options given as ``CF_ARG_<OPTION>``, by the option's long name or its aliases."""
    found: dict[str, Any] = {}
    for param in params:
        if not isinstance(param, click.Option) or param.name is None:
            continue
        for spelling in param.opts:
            value = environ.get(ENV_PREFIX + spelling.lstrip("-").replace("-", "_").upper())
            if value is not None:
                found[param.name] = [value] if param.multiple else value
    return found


def rewrite(args: list[str], params: list[click.Parameter]) -> Iterator[str]:
    """Bring words into click's form; words after ``--`` stay as they are."""
    options = {word: param for param in params if isinstance(param, click.Option) for word in param.opts}
    position = 0
    while position < len(args):
        word = args[position]
        position += 1
        if word == "--":
            yield from args[position - 1 :]
            return
        name, equals, value = word.partition("=")
        option = options.get(name) if word.startswith("-") else None
        if option is None:
            yield _checked(word, options)
        elif option.is_flag:
            if not equals and position < len(args) and args[position] in ("true", "false"):
                value, position = args[position], position + 1
            if value != "false":
                yield name
            elif option.secondary_opts:
                yield option.secondary_opts[0]
        elif equals:
            yield from (name, value)
        else:
            position = yield from _with_values(name, option, args, position)


def _checked(word: str, options: Mapping[str, click.Option]) -> str:
    """Refuse ``-nc``: two-letter aliases take two dashes, and click would read two options."""
    if len(word) > 2 and word[0] == "-" != word[1] and f"-{word.partition('=')[0]}" in options:  # noqa: PLR2004 — a dash and two letters
        raise click.UsageError(f"no option {word!r}; its short name takes two dashes: '-{word}'")
    return word


def _with_values(name: str, option: click.Option, args: list[str], position: int) -> Any:  # noqa: ANN401 — a generator that returns the next position
    if position < len(args):
        yield from (name, args[position])
        position += 1
    else:
        yield name  # click says that its value is missing
    while isinstance(option, Array) and position < len(args) and not args[position].startswith("-"):
        yield from (name, args[position])
        position += 1
    return position


def _preferred(name: str) -> Callable[[], bool | int | str | None]:
    """What an option is where it is not given: what the user prefers, looked up when a command runs."""

    def preferred() -> bool | int | str | None:
        context = click.get_current_context(silent=True)
        app = context.find_object(App) if context else None
        return app.preferences.value(name) if app else None

    return preferred


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every ``get`` command has; its function takes them as ``**out``."""
    for decorate in reversed(
        (
            click.option("-o", "--output", type=click.Choice(FORMATS), help="Form of the output."),
            click.option("--select-columns", "--sc", metavar="A,B", help="Only these columns of the table."),
            click.option(
                "--date-format",
                "--df",
                default=_preferred("output.dateFormat"),
                help="Dates in tables, or a pattern.",
            ),
            click.option(
                "--pretty/--no-pretty", default=_preferred("output.pretty"), help="Colours and status signs."
            ),
            click.option("-w", "--watch", is_flag=True, help="Ask and print again and again."),
            click.option("--watch-interval", type=float, default=3, help="Seconds between, at least 3."),
        )
    ):
        command = decorate(command)
    return command


FORMATS = ("json", "yaml", "wide", "name", "id", "jsonArray", "yamlArray", "default")

VERBS: dict[str, Verb] = {
    verb.name or "": verb
    for verb in (
        Verb("", "Headrace's command line: pipelines, builds and their logs."),
        Verb("auth", "Servers and keys that this machine knows.", alone=1),
        Verb("cli-config", "What you prefer on this machine, in profiles.", usual="show"),
        Verb("get", "Show resources."),
        Verb("create", "Create a resource, or the one in a file (-f).", on_file="create_from"),
        Verb("create context", "Create a shared configuration.", on_file="create_from"),
        Verb("create context git", "Create a Git integration."),
        Verb("create registry", "Create an image registry."),
        Verb("create context helm-repository", "Create the address of a Helm repository."),
        Verb("create context secret-store", "Create a store of secrets."),
        Verb(
            "delete", "Delete a resource, or the one that a file (-f) names.", on_file="delete_from", alone=1
        ),
        Verb("diff", "Show what two versions of something do not have in common."),
        Verb("download", "Save what the server has as a file.", alone=1),
        Verb("generate", "Make something for others from what is stored."),
        Verb("patch", "Change parts of a resource.", alone=1),
        Verb("add", "Add what an integration sees.", alone=1),
        Verb("debug", "Tell a build that waits at a breakpoint how it goes on."),
        Verb("replace", "Replace what a file (-f) names, or a composition.", usual="resource"),
        Verb("synchronize", "Take over what another system has."),
        Verb("assign", "Give something of the installation to accounts."),
        Verb("unassign", "Take something of the installation from accounts."),
        Verb("annotate", "Put annotations on a resource.", alone=1),
    )
}


def pass_app(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command's function the `App` as its first argument."""
    return click.pass_obj(command)


def leaf(path: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Register a command; ``path`` is as typed, for example ``get builds`` or ``run``."""
    verb, _, noun = path.rpartition(" ")
    return VERBS[verb].command(noun, cls=Command)


def build_root() -> Verb:
    """The whole tree, with every verb under its parent; imports no command module."""
    for path, verb in VERBS.items():
        parent, _, noun = path.rpartition(" ")
        if path:
            VERBS[parent].commands[noun] = verb
    return VERBS[""]
