"""The state tables in `docs/protocols/sip.md`: run this module to write them anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rostra.sip.tables import MACHINES, Machine
from tests.sip import call_states

FILE = Path(__file__).parents[2] / "docs" / "protocols" / "sip.md"
BEGIN = "<!-- tables: python -m tests.sip.state_tables -->\n"
END = "<!-- end of tables -->\n"


def page() -> str:
    """The whole page with its tables as the code has them."""
    before, _, rest = FILE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    lines = [line for machine in MACHINES for line in _table(machine)]
    return before + BEGIN + "\n".join([*lines, *_calls()]) + "\n" + END + after


def _calls() -> Iterator[str]:
    yield "\n### Requests within a call\n"
    yield "What is sent at once, and what the application is told, found by trying (`tests/sip/call_states.py`).\n"
    yield from call_states.table()


def _table(machine: Machine) -> Iterator[str]:
    initial = ", ".join(act.value for act in machine.initial.acts) or "nothing"
    yield f"\n### {machine.name}\n"
    yield f"Begins in {machine.initial.state.value}: {initial}.\n"
    yield "| In | On | Does | Then |"
    yield "|---|---|---|---|"
    for (state, what), row in machine.rows.items():
        acts = ", ".join(act.value for act in row.acts) or "–"
        yield f"| {state.value} | {what.value} | {acts} | {row.state.value} |"


if __name__ == "__main__":
    FILE.write_text(page())
