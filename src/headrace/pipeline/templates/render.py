"""Carrying out a template."""

from collections.abc import Iterable, Mapping

from headrace.pipeline.templates.functions import call, field
from headrace.pipeline.templates.parse import Block, Call, Fields, Jump, Literal, Node, Pipeline, Variable
from headrace.pipeline.templates.values import (
    Budget,
    Reference,
    TemplateError,
    Value,
    Wrong,
    decided,
    kind,
    truth,
    written,
)


def render(template: tuple[Node, ...], data: Mapping[str, Value]) -> str:
    """Carry out a template that `parse` read.

    Args:
        template: its tree.
        data: what ``.`` and ``$`` are, for example ``{"Arguments": {…}}``.

    Raises:
        TemplateError: a function cannot be carried out, or the template does too much.
    """
    rendering = _Rendering(dict(data))
    rendering.walk(template, dict(data))
    return "".join(rendering.out)


class _Jumped(Exception):  # control flow
    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class _Rendering:
    def __init__(self, data: Value) -> None:
        self.out: list[str] = []
        self._budget = Budget()
        self._variables: list[tuple[str, Value]] = [("$", data)]

    def walk(self, nodes: Iterable[Node], dot: Value) -> None:
        for node in nodes:
            try:
                self._budget.step()
                self._node(node, dot)
            except Wrong as wrong:
                raise TemplateError(str(wrong), node.line) from None

    def _node(self, node: Node, dot: Value) -> None:
        if isinstance(node, Literal):
            self._budget.spend(len(node.value))
            self.out.append(node.value)
        elif isinstance(node, Pipeline):
            value = self._value(node, dot)
            if not node.names:
                self.out.append(written(value, self._budget))
        elif isinstance(node, Block):
            known = len(self._variables)
            try:
                self._block(node, dot)
            finally:
                del self._variables[known:]
        elif isinstance(node, Jump):
            raise _Jumped(node.word)

    def _block(self, node: Block, dot: Value) -> None:
        if node.word == "range":
            self._range(node, dot)
            return
        value = self._value(node.pipeline, dot)
        if truth(value):
            self.walk(node.body, value if node.word == "with" else dot)
        else:
            self.walk(node.otherwise, dot)

    def _range(self, node: Block, dot: Value) -> None:
        names = node.pipeline.names
        value = decided(self._commands(node.pipeline, dot))
        pairs = _pairs(value)
        if not pairs:
            self.walk(node.otherwise, dot)
            return
        known = len(self._variables)
        for key, item in pairs:
            self._budget.step()
            values = (key, item) if len(names) > 1 else (item,)
            for name, given in zip(names, values, strict=False):  # there may be no names
                self._assign(name, given, declares=node.pipeline.declares)
            try:
                self.walk(node.body, item)
            except _Jumped as jump:
                if jump.word == "break":
                    return
            finally:
                del self._variables[known:]

    # Values

    def _value(self, pipeline: Pipeline, dot: Value) -> Value:
        value = self._commands(pipeline, dot)
        for name in pipeline.names:
            self._assign(name, value, declares=pipeline.declares)
        return value

    def _commands(self, pipeline: Pipeline, dot: Value) -> Value:
        first, *later = pipeline.commands
        value = self._operand(first, dot)
        for command in later:
            if isinstance(command, Call):
                value = self._call(command, dot, (value,))
        return value

    def _operand(self, node: Node, dot: Value) -> Value:
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Variable):
            return dot if node.name == "." else self._look_up(node.name)
        if isinstance(node, Pipeline):
            return self._value(node, dot)
        if isinstance(node, Call):
            return self._call(node, dot, ())
        value = self._operand(node.of, dot) if isinstance(node, Fields) else None
        for name in node.names if isinstance(node, Fields) else ():
            value = field(value, name)
        return value

    def _call(self, node: Call, dot: Value, piped: tuple[Value, ...]) -> Value:
        self._budget.step()
        if node.function in ("and", "or"):
            return self._either(node, dot, piped)
        arguments = [self._operand(argument, dot) for argument in node.arguments]
        try:
            return call(node.function, [*arguments, *piped], self._budget)
        except Wrong as wrong:
            raise TemplateError(str(wrong), node.line) from None

    def _either(self, node: Call, dot: Value, piped: tuple[Value, ...]) -> Value:
        """``and``, ``or``: the argument that decides; those after it are not worked out."""
        if not node.arguments and not piped:
            raise Wrong(f"{node.function}: takes at least 1 argument")
        value: Value = None
        for argument in node.arguments:
            value = self._operand(argument, dot)
            if truth(value) == (node.function == "or"):
                return value
        return piped[0] if piped else value

    def _look_up(self, name: str) -> Value:
        return next(value for known, value in reversed(self._variables) if known == name)

    def _assign(self, name: str, value: Value, *, declares: bool) -> None:
        if declares:
            self._variables.append((name, value))
            return
        index = max(at for at, (known, _) in enumerate(self._variables) if known == name)
        self._variables[index] = (name, value)


def _pairs(value: Value) -> list[tuple[Value, Value]]:
    if value is None:
        return []
    if isinstance(value, list):
        return list(enumerate(value))
    if isinstance(value, dict):
        return sorted(value.items())
    if isinstance(value, int) and not isinstance(value, bool):
        if value > 10_000:  # noqa: PLR2004  # more than any pipeline has steps
            raise Wrong(f"range over {value}: more than 10000 times")
        return [(index, index) for index in range(value)]
    shown = "a reference" if isinstance(value, Reference) else f"a {kind(value)}"
    raise Wrong(f"range over {shown}; it needs a list or a map")
