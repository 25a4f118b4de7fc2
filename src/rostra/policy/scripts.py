"""Local policy scripts: Jinja in a sandbox, whose output is JSON (section 10 of the sheet).

What runs them is `policy.sandbox`, in a process of its own that is killed when a script does not come to an end.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jinja2
import msgspec
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rostra.domain.patterns.limits import Withheld
from rostra.policy import functions

OUTPUT = 256 * 1024
"""Bytes of output at most (POL-083)."""
LOGGED = 100
"""Entries that one run may write to the support log."""
_LINE = 2000
_OUTSIDE = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
_DEBUG = "pex_debug_log"


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one run; with a problem, there is no output."""

    output: str = ""
    log: tuple[str, ...] = ()
    problem: str = ""


class _TooLong(Exception):
    """The output is larger than it may be."""


def environment(log: Callable[..., str] = lambda *_: "") -> ImmutableSandboxedEnvironment:
    """The language of scripts, with a place for what they log. Nothing is computed before a script runs."""
    made = ImmutableSandboxedEnvironment(autoescape=False, optimized=False)
    named: dict[str, Callable[..., Any]] = {**functions.OWN, _DEBUG: log}
    filters: Any = {**functions.STOCK, **named, "range": functions.spread}
    made.filters = filters
    kept = {name: made.globals[name] for name in ("range", "dict", "namespace")}
    made.globals.clear()
    made.globals.update({**kept, **named})  # type: ignore[arg-type] - Jinja knows the types of its own only
    return made


def problem(source: str) -> str:
    """Why `source` is no script, with the line; empty when it is one (POL-082). Runs nothing of it."""
    known = environment()
    try:
        tree = known.parse(source)
        for node in tree.find_all((nodes.Filter, nodes.Test, *_OUTSIDE)):
            if found := _problem_of(node, known):
                return f"Line {node.lineno}: {found}"
    except jinja2.TemplateSyntaxError as wrong:
        return f"Line {wrong.lineno}: {wrong.message}"
    except (RecursionError, ValueError, MemoryError):
        return "This script is nested too deeply."
    return ""


def _problem_of(node: nodes.Node, known: jinja2.Environment) -> str:
    match node:
        case nodes.Filter() if node.name not in known.filters:
            return f"There is no filter {node.name}."
        case nodes.Test() if node.name not in known.tests:
            return f"There is no test {node.name}."
        case nodes.Include() | nodes.Import() | nodes.FromImport() | nodes.Extends():
            return "A script cannot include others."
        case _:
            return ""


class Runner:
    """Runs scripts in this process, and counts on somebody to end it: for `policy.sandbox`."""

    def __init__(self) -> None:
        self._log: list[str] = []
        self._environment = environment(self._debug)
        self._compiled = functools.lru_cache(maxsize=64)(self._environment.from_string)

    def run(self, source: str, variables: Mapping[str, Any]) -> Rendered:
        """The output for these variables; whatever goes wrong is its problem (POL-080)."""
        self._log.clear()
        try:
            output, wrong = self._output(self._compiled(source).generate(variables)), ""
        except Withheld as held:
            output, wrong = "", f"pex_require_min_length: {held}"
        except _TooLong:
            output, wrong = "", f"the output is larger than {OUTPUT // 1024} KiB"
        except RecursionError:
            output, wrong = "", "the script is nested too deeply"
        except MemoryError:
            output, wrong = "", "the script takes too much memory"
        except jinja2.TemplateSyntaxError as error:
            output, wrong = "", f"line {error.lineno}: {error.message}"
        except Exception as error:  # the script's own: whatever its expressions raise
            output, wrong = "", f"{type(error).__name__}: {error}"[:_LINE]
        return Rendered(output=output, log=tuple(self._log), problem=wrong)

    @staticmethod
    def _output(parts: Any) -> str:
        found: list[str] = []
        size = 0
        for part in parts:
            size += len(part.encode(errors="replace"))
            if size > OUTPUT:
                raise _TooLong
            found.append(part)
        return "".join(found)

    def _debug(self, *values: Any) -> str:
        """POL-090."""
        if len(self._log) < LOGGED:
            self._log.append(",".join(str(value) for value in values)[:_LINE])
        return ""
