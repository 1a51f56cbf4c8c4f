"""From the text of a template to its tree."""

import re
from collections.abc import Iterator

import msgspec

from headrace.pipeline.templates.values import TemplateError, Value

MAX_TEMPLATE = 262_144  # characters
_MAX_NESTING = 60  # of blocks and parentheses within each other
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<comment>/\*.*?\*/)
      | (?P<raw>`[^`]*`)
      | (?P<text>"(?:\\.|[^"\\\n])*")
      | (?P<char>'(?:\\[^\n]+?|[^'\\\n])')
      | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|(?:\d[\d_]*)(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+))
      | (?P<assign>:=)
      | (?P<field>\.[^\W\d]\w*)
      | (?P<variable>\$\w*)
      | (?P<name>[^\W\d]\w*)
      | (?P<sign>[|(),=.])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))"
)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "nil": None}
_KEYWORDS = {"if", "range", "with", "end", "else", "break", "continue", "define", "template", "block"}


class Delimiters(msgspec.Struct, frozen=True):
    """What encloses an action."""

    left: str = "{{"
    right: str = "}}"


class Node(msgspec.Struct, frozen=True):
    """A part of the tree; `line` is that of the template, 1-based."""

    line: int


class Literal(Node, frozen=True):
    """A constant; also text between actions."""

    value: Value


class Variable(Node, frozen=True):
    """``$name``, or ``$`` (the data), or ``.`` (under the name ``.``)."""

    name: str


class Fields(Node, frozen=True):
    """``of.name.name``."""

    of: Node
    names: tuple[str, ...]


class Call(Node, frozen=True):
    """``function argument …``."""

    function: str
    arguments: tuple[Node, ...]


class Pipeline(Node, frozen=True):
    """Commands, the result of each the last argument of the next; assigned to names, if any."""

    commands: tuple[Node, ...]
    names: tuple[str, ...] = ()
    declares: bool = False  # ``:=``; else ``=``


class Block(Node, frozen=True):
    """``if``, ``with`` or ``range``, and what stands in it and in its ``else``."""

    word: str
    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


class Jump(Node, frozen=True):
    """``break`` or ``continue``."""

    word: str


class _Token(msgspec.Struct, frozen=True):
    kind: str
    text: str
    line: int
    glued: bool  # nothing between it and the one before


def parse(text: str, delimiters: Delimiters | None = None) -> tuple[Node, ...]:
    """Read a template.

    Raises:
        TemplateError: it is no template, or uses what is not offered.
    """
    if len(text) > MAX_TEMPLATE:
        raise TemplateError(f"the template is longer than {MAX_TEMPLATE} characters")
    enclosing = delimiters or Delimiters()
    if not enclosing.left or not enclosing.right:
        raise TemplateError("a delimiter is empty; write spec.delimiters as {left: '[[', right: ']]'}")
    return _Parser(_pieces(text, enclosing)).whole()


def _pieces(text: str, enclosing: Delimiters) -> Iterator[tuple[int, str | list[_Token]]]:
    """Cut a template into (line, text) and (line, tokens of an action)."""
    at, line, trim = 0, 1, False
    while True:
        start = text.find(enclosing.left, at)
        between = text[at:] if start < 0 else text[at:start]
        action_line = line + between.count("\n")
        inside = start + len(enclosing.left)
        trims_left = start >= 0 and re.match(r"-\s", text[inside : inside + 2]) is not None
        shown = between.lstrip() if trim else between
        shown = shown.rstrip() if trims_left else shown
        if shown:
            yield line, shown
        if start < 0:
            return
        at, trim, tokens = _action(text, inside + trims_left, action_line, enclosing)
        line = action_line + text.count("\n", start, at)
        if tokens:
            yield action_line, tokens


def _action(text: str, at: int, line: int, enclosing: Delimiters) -> tuple[int, bool, list[_Token]]:
    """Read one action; return where it ends, whether it trims to its right, and its tokens."""
    tokens: list[_Token] = []
    glued = False
    opened = 0
    first = line
    while True:
        if not opened and (trim := re.compile(r"\s-" + re.escape(enclosing.right)).match(text, at)):
            return trim.end(), True, tokens
        if not opened and text.startswith(enclosing.right, at):
            return at + len(enclosing.right), False, tokens
        found = _TOKEN.match(text, at)
        if found is None:
            if at >= len(text):
                raise TemplateError(f"the action has no end, {enclosing.right!r}", first)
            raise TemplateError(f"unexpected {text[at]!r} in an action", line)
        kind = str(found.lastgroup)
        if kind not in ("space", "comment"):
            tokens.append(_Token(kind, found.group(), line, glued))
            opened += {"(": 1, ")": -1}.get(found.group(), 0) if kind == "sign" else 0
        glued = kind not in ("space", "comment")
        line += found.group().count("\n")
        at = found.end()


class _Parser:
    def __init__(self, pieces: Iterator[tuple[int, str | list[_Token]]]) -> None:
        self._pieces = pieces
        self._tokens: list[_Token] = []
        self._at = 0
        self._line = 1
        self._variables: list[str] = ["$"]
        self._depth = 0
        self._loops = 0

    def whole(self) -> tuple[Node, ...]:
        body, end = self._body()
        if end:
            raise TemplateError(f"{end!r} without a beginning", self._line)
        return body

    # Blocks

    def _body(self) -> tuple[tuple[Node, ...], str]:
        """Read until ``end`` or ``else``, or the end of the text (then the word is empty)."""
        nodes: list[Node] = []
        for line, piece in self._pieces:
            self._line = line
            if isinstance(piece, str):
                nodes.append(Literal(line, piece))
                continue
            self._tokens, self._at = piece, 0
            word = piece[0].text if piece[0].kind == "name" else ""
            if word in ("end", "else"):
                self._at = 1
                if word == "end":
                    self._finish("end")
                return tuple(nodes), word
            nodes.append(self._action(word))
        return tuple(nodes), ""

    def _action(self, word: str) -> Node:
        line = self._line
        if word in ("define", "template", "block"):
            raise TemplateError(f"{word!r} is not offered; write the text where it is used", line)
        if word in ("break", "continue"):
            self._at = 1
            self._finish(word)
            if not self._loops:
                raise TemplateError(f"{word!r} outside of a range", line)
            return Jump(line, word)
        if word in ("if", "range", "with"):
            self._at = 1
            return self._block(word)
        pipeline = self._pipeline()
        self._finish("an action")
        return pipeline

    def _block(self, word: str) -> Block:
        line, known = self._line, len(self._variables)
        self._enter(line)
        pipeline = self._pipeline(loop=word == "range")
        self._finish(word)
        self._loops += word == "range"
        body, end = self._body()
        self._loops -= word == "range"
        otherwise: tuple[Node, ...] = ()
        if end == "else":
            if self._at < len(self._tokens):
                chained = self._tokens[self._at].text
                if chained not in ("if", "with"):
                    raise TemplateError(f"unexpected {chained!r} after 'else'", self._line)
                self._at += 1
                otherwise = (self._block(chained),)
                end = "end"
            else:
                otherwise, end = self._body()
        if end != "end":
            what = "a second 'else'" if end else "no 'end'"
            raise TemplateError(f"{word!r} has {what}", line)
        del self._variables[known:]
        self._depth -= 1
        return Block(line, word, pipeline, body, otherwise)

    def _enter(self, line: int) -> None:
        self._depth += 1
        if self._depth > _MAX_NESTING:
            raise TemplateError(f"blocks and parentheses are nested more than {_MAX_NESTING} deep", line)

    # Pipelines

    def _peek(self, ahead: int = 0) -> _Token | None:
        index = self._at + ahead
        return self._tokens[index] if index < len(self._tokens) else None

    def _is(self, text: str, ahead: int = 0) -> bool:
        token = self._peek(ahead)
        return token is not None and token.kind in ("sign", "assign") and token.text == text

    def _finish(self, what: str) -> None:
        token = self._peek()
        if token is not None:
            raise TemplateError(f"unexpected {token.text!r} in {what}", token.line)

    def _pipeline(self, *, loop: bool = False) -> Pipeline:
        first = self._peek()
        line = first.line if first else self._line
        names, declares = self._assignment(loop=loop)
        commands = [self._command()]
        while self._is("|"):
            self._at += 1
            commands.append(self._command())
        for later in commands[1:]:
            if not isinstance(later, Call):
                raise TemplateError("what follows '|' must be a function", later.line)
        if declares:
            self._variables.extend(names)
        return Pipeline(line, tuple(commands), names, declares)

    def _assignment(self, *, loop: bool) -> tuple[tuple[str, ...], bool]:
        first, second = self._peek(), self._peek(2)
        names: tuple[str, ...] = ()
        if first is None or first.kind != "variable":
            return (), False
        if self._is(":=", 1) or self._is("=", 1):
            names = (first.text,)
        elif loop and self._is(",", 1) and second and second.kind == "variable":
            names = (first.text, second.text)
            if not (self._is(":=", 3) or self._is("=", 3)):
                raise TemplateError(f"expected ':=' after {second.text}", second.line)
        if not names:
            return (), False
        self._at += 2 * len(names)
        declares = self._tokens[self._at - 1].text == ":="
        for name in names:
            if not declares and name not in self._variables:
                raise TemplateError(f"undefined variable {name}", first.line)
        return names, declares

    def _command(self) -> Node:
        token = self._peek()
        if token is None or token.text in ("|", ")"):
            raise TemplateError("a value is missing", token.line if token else self._line)
        if token.kind == "name" and token.text not in _CONSTANTS:
            name = self._function_name()
            arguments = []
            while self._more():
                arguments.append(self._operand())
            return Call(token.line, name, tuple(arguments))
        operand = self._operand()
        if self._more():
            raise TemplateError(f"{token.text!r} is no function and takes no arguments", token.line)
        return operand

    def _more(self) -> bool:
        return self._peek() is not None and not self._is("|") and not self._is(")")

    def _function_name(self) -> str:
        token = self._tokens[self._at]
        if token.text in _KEYWORDS:
            raise TemplateError(f"unexpected {token.text!r}", token.line)
        self._at += 1
        field = self._peek()
        if field is not None and field.kind == "field" and field.glued:
            self._at += 1
            return token.text + field.text
        return token.text

    def _operand(self) -> Node:
        token = self._tokens[self._at]
        if token.kind == "name" and token.text not in _CONSTANTS:
            node: Node = Call(token.line, self._function_name(), ())
        elif token.kind == "field":
            node = Variable(token.line, ".")
        else:
            self._at += 1
            node = self._primary(token)
        names = []
        while (field := self._peek()) and field.kind == "field" and (field.glued or field is token):
            names.append(field.text[1:])
            self._at += 1
        return Fields(token.line, node, tuple(names)) if names else node

    def _primary(self, token: _Token) -> Node:
        if token.text == "(" and token.kind == "sign":
            self._enter(token.line)
            inner = self._pipeline()
            if not self._is(")"):
                raise TemplateError("a parenthesis is not closed", token.line)
            self._at += 1
            self._depth -= 1
            return inner
        if token.text == "." and token.kind == "sign":
            return Variable(token.line, ".")
        if token.kind == "variable":
            if token.text not in self._variables:
                raise TemplateError(f"undefined variable {token.text}", token.line)
            return Variable(token.line, token.text)
        return Literal(token.line, _constant(token))


def _constant(token: _Token) -> Value:
    text = token.text
    if token.kind == "raw":
        return text[1:-1]
    if token.kind in ("text", "char"):
        value = _ESCAPE.sub(_unescaped, text[1:-1])
        return value if token.kind == "text" else ord(value[:1] or "\0")
    if token.kind == "name":
        return _CONSTANTS[text]
    if token.kind == "number":
        digits = text.replace("_", "")
        try:
            return int(digits, 0)
        except ValueError:
            return float(digits)
    raise TemplateError(f"unexpected {text!r}", token.line)


def _unescaped(found: re.Match[str]) -> str:
    letter, two, four, eight, octal, other = found.groups()
    if letter:
        return _ESCAPES.get(letter, letter)
    if other is not None:
        return found.group()
    code = int(octal, 8) if octal else int(two or four or eight, 16)
    return chr(code) if code < 0x110000 else "\ufffd"  # noqa: PLR2004  # the end of Unicode
