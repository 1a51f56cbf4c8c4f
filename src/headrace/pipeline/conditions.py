"""Conditions: the expression language of ``when``, and whether a step's ``when`` holds.

An expression is read and worked out in one pass: a Pratt parser whose right-hand sides that
cannot matter (after ``&&``, ``||``) are read but not worked out. Nothing of Python is in reach.

Source: `reference/pipeline-yaml.md`, sections 4.8 and 4.9.
"""

import re
from collections.abc import Iterable, Iterator

from headrace.pipeline import functions
from headrace.pipeline.functions import Value, Wrong, as_text, is_true
from headrace.pipeline.plan import PlannedStep, StepCondition, When
from headrace.pipeline.regexes import BadRegex, search, split_literal
from headrace.pipeline.variables import Scope, StepFacts, TextTooLong, substitute, substitute_pieces

MAX_EXPRESSION = 12_000  # characters, before and after substitution
MAX_DEPTH = 60  # parentheses, calls and signs within each other

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[A-Za-z_$][\w$]*(?:\.[A-Za-z_$](?:[\w$]|-(?=[A-Za-z_]))*)*)
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<sign>===|!==|==|!=|<=|>=|&&|\|\||[-+*/%<>!(),])
    |(?P<end>\Z))""",
    re.VERBOSE | re.DOTALL,
)
_BINDING = {
    "||": 1,
    "&&": 2,
    "==": 3,
    "!=": 3,
    "===": 3,
    "!==": 3,
    "<": 4,
    "<=": 4,
    ">": 4,
    ">=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "%": 6,
}
_OPEN = "${{"
_HIDDEN = "it cannot be worked out as it is filled in; what is wrong is not shown, for a secret is part of it"
_OUTCOME = re.compile(r"\bworkflow\s*\.\s*result\b|\(\s*['\"]workflow['\"]")
_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}
_FINISHED = ("success", "failure", "skipped", "approved", "denied")
_MEANINGS = {"finished": _FINISHED, "success": ("success", "approved"), "failure": ("failure", "denied")}


class ConditionFailed(Exception):
    """A condition could not be worked out; the text names the condition and the place in it."""


def holds(when: When | None, scope: Scope) -> bool:
    """Tell whether a step may run: every part of its ``when`` must hold.

    Args:
        when: None always holds.
        scope: variables, and the facts of every step that has started or ended; a step named in
            ``when.steps`` that is absent counts as pending.

    Raises:
        ConditionFailed: an expression or a branch pattern is malformed.
    """
    if when is None:
        return True
    return _branch_holds(when, scope) and steps_hold(when, scope) and _expressions_hold(when, scope)


def tests_outcome(step: PlannedStep) -> bool:
    """Tell whether a step's conditions speak of how the build ends."""
    return any(_OUTCOME.search(text) for text in expressions(step))


def named_steps(step: PlannedStep) -> tuple[StepCondition, ...]:
    """The entries of a step's ``when.steps``."""
    if step.when is None:
        return ()
    return (step.when.steps_all or ()) + (step.when.steps_any or ())


def expressions(step: PlannedStep) -> Iterator[str]:
    """The expressions of a step's ``when``."""
    if step.when is not None:
        for group in (step.when.all_of, step.when.any_of):
            yield from (text for _, text in group or ())


def texts_of_condition(when: When | None, scope: Scope) -> list[str]:
    """The texts that a condition is worked out from: its own, and the variables that it names bare."""
    if when is None:
        return []
    own = [text for group in (when.all_of, when.any_of) for _, text in group or ()]
    branches = [*(when.branch_only or ()), *(when.branch_ignore or ())]
    composed = ((name, value) for name, value in scope.variables.items() if _OPEN in value)
    named = [value for name, value in composed if scope.expands(name) and any(name in text for text in own)]
    return [*own, *branches, *named]


def _branch_holds(when: When, scope: Scope) -> bool:
    if when.branch_only is None and when.branch_ignore is None:
        return True
    branch = scope.variables.get("CF_BRANCH")
    if when.branch_only is not None and not _any_matches(when.branch_only, branch, scope):
        return False
    return when.branch_ignore is None or not _any_matches(when.branch_ignore, branch, scope)


def _any_matches(patterns: Iterable[str], branch: str | None, scope: Scope) -> bool:
    if not branch:
        return False
    return any(_matches(_fill(pattern, scope), branch) for pattern in patterns)


def _matches(pattern: str, branch: str) -> bool:
    literal = split_literal(pattern)
    if literal is None:
        return pattern == branch
    try:
        return search(literal[0], branch, literal[1])
    except BadRegex as error:
        raise ConditionFailed(f"Failed to evaluate branch {pattern!r}: {error}") from None


def _fill(text: str, scope: Scope) -> str:
    try:
        return "".join(value for _, value, _ in substitute_pieces(text, scope))
    except TextTooLong as error:
        raise ConditionFailed(f"Failed to evaluate condition: {error}") from None


def steps_hold(when: When, scope: Scope) -> bool:
    """Tell whether the ``when.steps`` part holds."""
    if when.steps_all is not None and not all(_step_holds(part, scope) for part in when.steps_all):
        return False
    return when.steps_any is None or any(_step_holds(part, scope) for part in when.steps_any)


def _step_holds(part: StepCondition, scope: Scope) -> bool:
    facts = scope.steps.get(part.name)
    result = facts.result if facts is not None else "pending"
    return any(result in _MEANINGS.get(word, (word,)) for word in part.on)


def _expressions_hold(when: When, scope: Scope) -> bool:
    if when.all_of is not None and not all(_holds(name, text, scope) for name, text in when.all_of):
        return False
    return when.any_of is None or any(_holds(name, text, scope) for name, text in when.any_of)


def _holds(name: str, text: str, scope: Scope) -> bool:
    try:
        return is_true(evaluate(text, scope))
    except ConditionFailed as failure:
        raise ConditionFailed(f"Failed to evaluate condition {name!r}: {failure}") from None


def evaluate(text: str, scope: Scope) -> Value:
    """Fill an expression's references and work it out.

    Returns:
        A string, a float, a Boolean or None.

    Raises:
        ConditionFailed: it is malformed, too long, calls an unknown function, or gives a function
            or operator what it cannot take.
    """
    if len(text) > MAX_EXPRESSION:
        raise ConditionFailed(f"the expression is longer than {MAX_EXPRESSION} characters")
    try:
        filled = fill_expression(text, scope)
    except TextTooLong as error:
        raise ConditionFailed(str(error)) from None
    if len(filled) > MAX_EXPRESSION:
        raise ConditionFailed(f"the expression is longer than {MAX_EXPRESSION} characters once filled in")
    try:
        return _Parser(filled, scope).whole()
    except ConditionFailed as failure:
        if _carries_secret(text, scope):
            raise ConditionFailed(_HIDDEN) from None
        raise failure from None


def _carries_secret(text: str, scope: Scope) -> bool:
    """Whether a secret was put into an expression: its message would show a part of it."""
    values = [value for _, value, filled in substitute_pieces(text, scope) if filled]
    values += [value for name, value in scope.variables.items() if name in text]  # named bare
    return any(secret in value for value in values for secret in scope.hidden if secret)


def fill_expression(text: str, scope: Scope) -> str:
    """Fill the references of an expression so that a value never ends the literal it stands in.

    Between quotes, a quote in a value gets a backslash unless it has one (commit messages come
    with theirs). Elsewhere the value is part of the expression, as written.
    """
    quote = ""
    out: list[str] = []
    for source, value, filled in substitute_pieces(text, scope):
        if filled:
            out.append(_inside(value, quote) if quote else value)
        else:
            quote = _quote_after(source, quote)
            out.append(source)
    return "".join(out)


def _quote_after(text: str, quote: str) -> str:
    """The quote that is open at the end of a piece, ``""`` for none."""
    for char in re.findall(r"\\.|['\"]", text, re.DOTALL):
        if char == quote:
            quote = ""
        elif not quote and char in ("'", '"'):
            quote = char
    return quote


def _inside(value: str, quote: str) -> str:
    return re.sub(
        r"\\.|\\\Z|['\"]",
        lambda found: "\\" + found[0] if found[0] in (quote, "\\") else found[0],
        value,
        flags=re.DOTALL,
    )


class _Parser:
    """Reads one expression from left to right; `live` says whether what it reads matters."""

    def __init__(self, text: str, scope: Scope) -> None:
        self._text, self._scope = text, scope
        self._at = 0  # where the current lexeme begins
        self._next = 0
        self._kind, self._lexeme = "end", ""
        self._depth = 0
        self._advance()

    def whole(self) -> Value:
        value = self._expression(0, live=True)
        if self._kind != "end":
            raise self._failure("an operator is missing before")
        return value

    def _advance(self) -> None:
        found = _TOKEN.match(self._text, self._next)
        if found is None or found.lastgroup is None:
            self._at = self._next + len(self._text[self._next :]) - len(self._text[self._next :].lstrip())
            self._lexeme = self._text[self._at : self._at + 1]
            text = "a string is not closed:" if self._lexeme in "'\"" else "unexpected character"
            raise self._failure(text)
        self._kind, self._lexeme = found.lastgroup, found[found.lastgroup]
        self._at, self._next = found.start(found.lastgroup), found.end()

    def _failure(self, what: str, at: int | None = None) -> ConditionFailed:
        shown = repr(self._text[self._at :][:20]) if self._kind != "end" or self._lexeme else "the end"
        place = self._at if at is None else at
        return ConditionFailed(f"{what} {shown} at character {place + 1}")

    def _expression(self, binding: int, *, live: bool) -> Value:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ConditionFailed(f"nested deeper than {MAX_DEPTH} levels at character {self._at + 1}")
        left = self._operand(live=live)
        while self._kind == "sign" and _BINDING.get(self._lexeme, 0) > binding:
            left = self._operation(left, live=live)
        self._depth -= 1
        return left

    def _operation(self, left: Value, *, live: bool) -> Value:
        sign, at = self._lexeme, self._at
        self._advance()
        if sign in ("&&", "||"):
            decided = is_true(left) != (sign == "&&")
            right = self._expression(_BINDING[sign], live=live and not decided)
            return left if decided else right
        right = self._expression(_BINDING[sign], live=live)
        if not live:
            return None
        return self._guarded(at, functions.OPERATORS[sign], left, right)

    def _operand(self, *, live: bool) -> Value:
        kind, lexeme, at = self._kind, self._lexeme, self._at
        if kind == "end":
            raise self._failure("a value is missing before")
        self._advance()
        if kind == "number":
            return float(lexeme)
        if kind == "string":
            return functions.unescape(lexeme[1:-1])
        if kind == "name":
            return self._named(lexeme, at, live=live)
        if lexeme == "(":
            value = self._expression(0, live=live)
            self._expect(")")
            return value
        if lexeme in ("-", "!"):
            value = self._expression(max(_BINDING.values()), live=live)
            if lexeme == "!":
                return not is_true(value)
            return self._guarded(at, functions.negate, value) if live else None
        raise ConditionFailed(f"a value is missing before {lexeme!r} at character {at + 1}")

    def _expect(self, sign: str) -> None:
        if self._kind != "sign" or self._lexeme != sign:
            raise self._failure(f"{sign!r} is missing before")
        self._advance()

    def _named(self, name: str, at: int, *, live: bool) -> Value:
        if self._kind == "sign" and self._lexeme == "(":
            arguments = self._arguments(live=live)
            return self._call(name, arguments, at) if live else None
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        return identifier(name, self._scope)

    def _arguments(self, *, live: bool) -> list[Value]:
        self._advance()
        arguments: list[Value] = []
        while not (self._kind == "sign" and self._lexeme == ")"):
            if arguments:
                self._expect(",")
            arguments.append(self._expression(0, live=live))
        self._advance()
        return arguments

    def _call(self, name: str, arguments: list[Value], at: int) -> Value:
        if name in ("Variable", "Member"):
            count = 1 if name == "Variable" else 2
            if len(arguments) != count or not all(isinstance(value, str) for value in arguments):
                raise ConditionFailed(f"{name} takes {count} strings, at character {at + 1}")
            words = [as_text(value) for value in arguments]
            if count == 1:
                return variable(words[0], self._scope)
            return member(words[0], words[1], self._scope)
        function = functions.FUNCTIONS.get(name)
        if function is None:
            known = ", ".join(sorted([*functions.FUNCTIONS, "Variable", "Member"]))
            raise ConditionFailed(f"unknown function {name!r} at character {at + 1}, use one of {known}")
        return self._guarded(at, function, *arguments)

    def _guarded(self, at: int, work: functions.Function, *values: Value) -> Value:
        try:
            return work(*values)
        except (Wrong, BadRegex) as error:
            raise ConditionFailed(f"{error}, at character {at + 1}") from None


def identifier(name: str, scope: Scope) -> Value:
    """What a bare name stands for.

    ``steps.S.member`` and ``workflow.result`` first, then variables, then steps; a member that has
    no value is null, any other unknown name is a string of its own text.
    """
    if name.startswith("steps."):
        step, _, rest = name.removeprefix("steps.").partition(".")
        return member(step, rest or "result", scope)
    step, dot, rest = name.partition(".")
    if dot and step in scope.steps and name not in scope.variables:
        return member(step, rest, scope)
    value = _looked_up(name, scope)
    return name if value is None else value


def _looked_up(name: str, scope: Scope) -> str | None:
    """The value of a variable or step, with what is named within it filled in."""
    value = scope.look_up(name)
    if value is None or _OPEN not in value or not scope.expands(name):
        return value
    try:
        return substitute(f"{_OPEN}{name}}}}}", scope)
    except TextTooLong as error:
        raise ConditionFailed(str(error)) from None


def variable(name: str, scope: Scope) -> Value:
    """The value of a variable or step whose name is no identifier; null where there is none."""
    value = _looked_up(name, scope)
    return functions.StepResult(value) if value is not None and name.endswith(".result") else value


def member(step: str, name: str, scope: Scope) -> Value:
    """What a step publishes; null where the step or the member does not exist."""
    facts: StepFacts | None = scope.steps.get(step)
    if facts is None:
        return None
    value = facts.member(name)
    return functions.StepResult(value) if value is not None and name == "result" else value
