"""Compiling and rendering patterns: a part of Jinja in which nothing can loop, reach out or grow without bound."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import SandboxedEnvironment
from jinja2.visitor import NodeTransformer

from rostra.domain.patterns import filters
from rostra.domain.patterns.limits import MOST, PatternProblem, Withheld, checked, rendering

_LENGTH = 32 * 1024
_DEEPEST = 60
_RANDOM_DIGITS = 100
_ALLOWED: tuple[type[nodes.Node], ...] = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.List, nodes.Tuple),
    *(nodes.If, nodes.CondExpr, nodes.Assign, nodes.AssignBlock, nodes.Filter, nodes.Call, nodes.Keyword),
    *(nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Test, nodes.Concat),
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos),
    *(nodes.Getitem, nodes.Getattr, nodes.Slice),
)
_WORDS: dict[type[nodes.Node], str] = {
    nodes.For: "for",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Extends: "extends",
    nodes.Macro: "macro",
    nodes.Block: "block",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter",
    nodes.With: "with",
    nodes.Pow: "**",
    nodes.Dict: "{ }",
}
_TOO_DEEP = "This pattern is nested too deeply."


@dataclasses.dataclass(frozen=True, slots=True)
class Chance:
    """Where random values come from."""

    digits: Callable[[int], str]
    """So many random digits."""
    uuid: Callable[[], str]


class _Environment(SandboxedEnvironment):
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if not numbers and (operator != "+" or type(left) is not type(right)):
            left, right = _told(left), _told(right)
            raise PatternProblem(f"{left} {operator} {right} is not possible; put texts together with + or ~.")
        return checked(super().call_binop(context, operator, left, right))


def _told(value: Any) -> str:
    return "None" if value is None else type(value).__name__


class _Rewriter(NodeTransformer):
    """`a ~ b` becomes a filter, whose result can be checked."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja's way
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(parts, "join", [], [], None, None, lineno=node.lineno)


class Pattern:
    """A compiled pattern."""

    def __init__(self, template: jinja2.Template, variables: frozenset[str]) -> None:
        self._template = template
        self.variables = variables
        """Names that it expects from outside."""

    def render(self, values: Mapping[str, Any], absent: Any = None) -> str:
        """The text with `values`; names that are none of them are `absent`. Raises PatternProblem or Withheld."""
        given = {**dict.fromkeys(self.variables, absent), **values}
        try:
            with rendering():
                return checked(self._template.render(given))
        except (PatternProblem, Withheld):
            raise
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as problem:
            raise PatternProblem(str(problem)) from None
        except (RecursionError, MemoryError):
            raise PatternProblem(_TOO_DEEP) from None


class Language:
    """Patterns with a source of chance."""

    def __init__(self, chance: Chance) -> None:
        self._environment = made = _Environment(autoescape=False, trim_blocks=True, optimized=False)
        made.filters = {name: _guarded(function) for name, function in filters.FILTERS.items()}
        self._functions: dict[str, Callable[..., Any]] = {
            "pex_random_pin": functools.partial(_random_pin, chance),
            "pex_uuid4": chance.uuid,
        }
        made.globals.clear()
        made.globals.update(self._functions)  # type: ignore[arg-type] - Jinja knows the types of its own only

    def compile(self, source: str) -> Pattern:
        """Raises PatternProblem, with the line, for what is no pattern."""
        if len(source) > _LENGTH:
            raise PatternProblem(f"A pattern has {_LENGTH} characters at most.")
        try:
            tree = self._environment.parse(source)
            self._check(tree)
            variables = meta.find_undeclared_variables(tree) - self._functions.keys()
            tree = _Rewriter().visit(tree)
            template = self._environment.from_string(tree)
        except jinja2.TemplateSyntaxError as problem:
            raise PatternProblem(f"Line {problem.lineno}: {problem.message}") from None
        except PatternProblem:
            raise
        except (RecursionError, MemoryError, SyntaxError, ValueError, OverflowError):
            raise PatternProblem(_TOO_DEEP) from None
        return Pattern(template, frozenset(variables))

    def _check(self, tree: nodes.Node) -> None:
        waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
        called: set[int] = set()
        while waiting:
            node, depth = waiting.pop()
            problem = _TOO_DEEP if depth > _DEEPEST else self._problem(node, called)
            if problem:
                raise PatternProblem(f"Line {node.lineno}: {problem}")
            waiting += [(child, depth + 1) for child in node.iter_child_nodes()]

    def _problem(self, node: nodes.Node, called: set[int]) -> str | None:
        """Why a pattern may not have this node. `called` gathers the methods that are called."""
        if not isinstance(node, _ALLOWED):
            return f"{_WORDS.get(type(node), type(node).__name__)} cannot be used in patterns."
        match node:
            case nodes.Filter():
                return self._filter_problem(node)
            case nodes.Test() if node.name not in self._environment.tests:
                return f"There is no test {node.name}."
            case nodes.Call():
                callee = node.node
                called.add(id(callee))
                if isinstance(callee, nodes.Name) and callee.name in self._functions:
                    return None
                if isinstance(callee, nodes.Getattr) and callee.attr in filters.METHODS:
                    return None
                return f"There is no function {getattr(callee, 'name', getattr(callee, 'attr', ''))}."
            case nodes.Getattr() if id(node) not in called:
                return f"A value has no part .{node.attr}."
            case nodes.Assign() if not isinstance(node.target, nodes.Name):
                return "set gives a value to one name."
            case _:
                return None

    def _filter_problem(self, node: nodes.Filter) -> str | None:
        if node.name not in filters.FILTERS:
            return f"There is no filter {node.name}."
        first = node.args[0] if node.args else None
        if node.name == "pex_regex_replace" and isinstance(first, nodes.Const):
            return filters.regex_problem(str(first.value))
        return None


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*arguments: Any, **named: Any) -> Any:
        return checked(function(*arguments, **named))

    return run


def _random_pin(chance: Chance, length: Any) -> str:
    """So many digits, each independent of all others (SVC-160)."""
    if isinstance(length, bool) or not isinstance(length, int) or not 0 <= length <= min(_RANDOM_DIGITS, MOST):
        raise PatternProblem(f"pex_random_pin makes 0 to {_RANDOM_DIGITS} digits.")
    return chance.digits(length)
