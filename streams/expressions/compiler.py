"""From the tree to closures: kinds are checked here, once, so that evaluation need not."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from streams.expressions import nodes, values
from streams.expressions.durations import duration_ms, show_duration
from streams.expressions.errors import ExpressionError, error_at
from streams.expressions.nodes import Node
from streams.expressions.scope import Function, Kind, Scope, Value, not_known
from streams.expressions.values import Condition, Read

A_KIND: Final[dict[Kind, str]] = {
    "number": "a number",
    "text": "text",
    "boolean": "true or false",
    "duration": "a duration",
}
_RESULTS: Final[dict[tuple[Kind, str, Kind], Kind]] = {
    ("number", "+", "number"): "number",
    ("number", "-", "number"): "number",
    ("number", "*", "number"): "number",
    ("number", "/", "number"): "number",
    ("duration", "+", "duration"): "duration",
    ("duration", "-", "duration"): "duration",
    ("duration", "*", "number"): "duration",
    ("number", "*", "duration"): "duration",
    ("duration", "/", "number"): "duration",
    ("duration", "/", "duration"): "number",
}


class Operand(NamedTuple):
    """A part whose kind is known. `read` gives None when missing.

    `unchecked` reads as the scope does and stands only for paths and calls; `literal` is what is
    the same in every context.
    """

    kind: Kind
    read: Read
    unchecked: Read | None = None
    literal: object = None


class Compiler:
    """Compiles the tree of one text; what it reads on the way stays for the explanation."""

    def __init__(self, text: str, scope: Scope) -> None:
        self.text = text
        self.scope = scope
        self.paths: list[tuple[str, ...]] = []
        self.calls: list[tuple[str, tuple[object, ...]]] = []
        self.references: dict[str, Operand] = {}  # by their canonical text
        self.seen: dict[str, Operand] = {}  # those of the part now compiled

    def error(self, node: Node, message: str) -> ExpressionError:
        return error_at(self.text, node.start, message)

    def source(self, node: Node) -> str:
        return self.text[node.start : node.end]

    def condition(self, node: Node) -> Condition:
        """A part that must be true or false; a missing one is false."""
        operand = self.operand(node)
        if operand.kind != "boolean":
            raise self.error(
                node,
                f"{self.source(node)} is {A_KIND[operand.kind]} where a condition is needed; "
                "compare it with something",
            )
        return operand.read if operand.unchecked is None else values.true(operand.unchecked)

    def operand(self, node: Node) -> Operand:
        match node:
            case nodes.Constant():
                return Operand(node.kind, values.constant(node.value), literal=node.value)
            case nodes.Path():
                return self._path(node)
            case nodes.Call(name="exists"):
                return self._exists(node)
            case nodes.Call():
                return self._call(node)
            case nodes.Negative():
                return self._negative(node)
            case nodes.Arithmetic():
                return self._arithmetic(node)
            case nodes.Comparison():
                return self._comparison(node)
            case nodes.Membership():
                return self._membership(node)
            case nodes.Not():
                return _boolean(values.negated(self.condition(node.operand)))
            case nodes.And():
                return _boolean(values.every([self.condition(part) for part in node.parts]))
            case nodes.Or():
                return _boolean(values.some([self.condition(part) for part in node.parts]))

    def _path(self, node: nodes.Path) -> Operand:
        name = ".".join(node.parts)
        if name not in self.references:
            try:
                value = self.scope.path(node.parts)
            except ValueError as error:
                raise self.error(node, str(error)) from None
            self.paths.append(node.parts)
            self.references[name] = _reference(value)
        return self._seen(name)

    def _seen(self, name: str) -> Operand:
        self.seen[name] = self.references[name]
        return self.seen[name]

    def _exists(self, node: nodes.Call) -> Operand:
        target = node.arguments[0] if len(node.arguments) == 1 else None
        if not isinstance(target, nodes.Path | nodes.Call) or node.field:
            raise self.error(node, "exists takes one path or call, as in exists(data.value)")
        return _boolean(values.exists(self.operand(target).read))

    def _call(self, node: nodes.Call) -> Operand:
        try:
            function = self.scope.function(node.name)
        except ValueError as error:
            raise self.error(node, str(error)) from None
        arguments = self._arguments(node, function)
        kinds = zip(function.parameters, arguments, strict=False)
        name = f"{node.name}({', '.join(_shown(kind, argument) for kind, argument in kinds)})"
        name += f".{node.field}" if node.field else ""
        if name not in self.references:
            try:
                value = _field(node, function.bind(*arguments))
            except ValueError as error:
                raise self.error(node, str(error)) from None
            if (node.name, arguments) not in self.calls:
                self.calls.append((node.name, arguments))
            self.references[name] = _reference(value)
        return self._seen(name)

    def _arguments(self, node: nodes.Call, function: Function) -> tuple[object, ...]:
        given, wanted = len(node.arguments), len(function.parameters)
        if not wanted - function.optional <= given <= wanted:
            kinds = ", ".join(function.parameters) or "nothing"
            raise self.error(node, f"{node.name}() takes {kinds}; it was given {given} arguments")
        return tuple(
            self._argument(node.name, argument, kind)
            for argument, kind in zip(node.arguments, function.parameters, strict=False)
        )

    def _argument(self, name: str, node: Node, kind: Kind) -> object:
        operand = self._literal(node, f"an argument of {name}()")
        if kind == "duration" and operand.kind == "text":
            try:
                return duration_ms(str(operand.literal))
            except ValueError as error:
                raise self.error(node, str(error)) from None
        if operand.kind != kind:
            raise self.error(
                node,
                f"{self.source(node)} is {A_KIND[operand.kind]} where {name}() takes {A_KIND[kind]}"
                + ("; put it into quotes" if kind == "text" else ""),
            )
        return operand.literal

    def _literal(self, node: Node, what: str) -> Operand:
        if isinstance(node, nodes.Path):
            hint = f"put it into quotes: '{self.source(node)}'"
            raise self.error(node, f"{what} must be a literal; {hint}")
        operand = self.operand(node)
        if operand.literal is None:
            raise self.error(node, f"{what} must be a literal, as 'x', 5, 7d or true")
        return operand

    def _negative(self, node: nodes.Negative) -> Operand:
        operand = self.operand(node.operand)
        if operand.kind not in ("number", "duration"):
            found = f"{self.source(node.operand)} is {A_KIND[operand.kind]}"
            raise self.error(node, f"{found}; only numbers and durations can be negative")
        return _folded(operand.kind, values.negative(operand.read), operand)

    def _arithmetic(self, node: nodes.Arithmetic) -> Operand:
        left, right = self.operand(node.left), self.operand(node.right)
        kind = _RESULTS.get((left.kind, node.sign, right.kind))
        if kind is None:
            raise self.error(
                node,
                f"{self._both(node, left, right)}: {node.sign} does not go with them"
                + _hint(left, right),
            )
        return _folded(kind, values.computed(node.sign, left.read, right.read), left, right)

    def _comparison(self, node: nodes.Comparison) -> Operand:
        left, right = self.operand(node.left), self.operand(node.right)
        if left.kind != right.kind:
            raise self.error(
                node,
                f"{self._both(node, left, right)}: only values of one kind can be compared"
                + _hint(left, right),
            )
        if left.kind in ("text", "boolean") and node.sign not in ("==", "!="):
            raise self.error(
                node, f"{A_KIND[left.kind]} has no order; compare it by ==, != or in [...]"
            )
        return _boolean(_comparing(node.sign, left, right))

    def _both(
        self, node: nodes.Comparison | nodes.Arithmetic, left: Operand, right: Operand
    ) -> str:
        return (
            f"{self.source(node.left)} is {A_KIND[left.kind]} and "
            f"{self.source(node.right)} is {A_KIND[right.kind]}"
        )

    def _membership(self, node: nodes.Membership) -> Operand:
        operand = self.operand(node.operand)
        choices: list[object] = []
        for choice in node.choices:
            literal = self._literal(choice, "what stands in a list")
            if literal.kind != operand.kind:
                raise self.error(
                    choice,
                    f"{self.source(choice)} is {A_KIND[literal.kind]}, but "
                    f"{self.source(node.operand)} is {A_KIND[operand.kind]}"
                    + _hint(operand, literal),
                )
            choices.append(literal.literal)
        shape = values.not_among if node.negated else values.among
        return _boolean(shape(operand.read, frozenset(choices)))


def equality(compiler: Compiler, node: Node) -> tuple[tuple[str, ...], object] | None:
    """The path and the literal if the part says no more than that they are equal."""
    if isinstance(node, nodes.Comparison) and node.sign == "==":
        for one, other in ((node.left, node.right), (node.right, node.left)):
            literal = compiler.operand(other).literal
            if isinstance(one, nodes.Path) and literal is not None:
                return one.parts, literal
    return None


def _boolean(condition: Condition) -> Operand:
    return Operand("boolean", condition)


def _reference(value: Value) -> Operand:
    return Operand(value.kind, values.checked(value.kind, value.read), unchecked=value.read)


def _field(node: nodes.Call, bound: Value | Mapping[str, Value]) -> Value:
    """What a call means: the value, or that of its field. Raises ValueError."""
    if isinstance(bound, Value):
        if node.field:
            raise ValueError(f"{node.name}() has no fields; leave .{node.field} out")
        return bound
    if not node.field:
        raise ValueError(f"{node.name}() has fields; name one of .{', .'.join(sorted(bound))}")
    if node.field not in bound:
        raise not_known(node.field, bound, what=f"{node.name}() field")
    return bound[node.field]


def _shown(kind: Kind, literal: object) -> str:
    """A literal as one would write it."""
    if kind == "duration":
        return show_duration(int(literal)) if isinstance(literal, int | float) else str(literal)
    if kind == "text":
        quote = '"' if "'" in str(literal) else "'"
        return f"{quote}{literal}{quote}"
    return str(literal).lower()


def _folded(kind: Kind, read: Read, *operands: Operand) -> Operand:
    """What is computed from literals alone is a literal."""
    if all(operand.literal is not None for operand in operands):
        value = read(None)
        return Operand(kind, values.constant(value), literal=value)
    return Operand(kind, read)


def _comparing(sign: str, left: Operand, right: Operand) -> Condition:
    if right.literal is None and left.literal is not None:
        left, right, sign = right, left, values.MIRRORED[sign]
    read, literal = left.unchecked or left.read, right.literal
    if isinstance(literal, str):
        return values.text_compared(sign, read, literal)
    if isinstance(literal, bool):
        return values.boolean_compared(sign, read, literal)
    if isinstance(literal, int | float):
        return values.number_compared(sign, read, literal)
    if left.kind == "text" and sign == "==":
        return values.same_text(read, right.unchecked or right.read)
    return values.compared(sign, left.read, right.read)


def _hint(left: Operand, right: Operand) -> str:
    for one, other in ((left, right), (right, left)):
        if one.kind == "text" and one.literal and other.kind in ("number", "duration"):
            return f"; write {one.literal} without quotes"
        if one.kind == "number" and one.literal is not None and other.kind == "duration":
            return "; give the number a unit, as in 30m"
    return ""
