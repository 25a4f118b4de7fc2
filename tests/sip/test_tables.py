"""The transaction tables: sound in themselves, and the documentation shows them as they are."""

from __future__ import annotations

import pytest

from rostra.sip.tables import MACHINES, Act, Input, Machine, State
from tests.sip.state_tables import FILE, page


def test_the_page_shows_the_tables() -> None:
    assert FILE.read_text() == page(), "run python -m tests.sip.state_tables"


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.name)
def test_every_state_is_reached_and_has_an_end(machine: Machine) -> None:
    reached = {machine.initial.state} | {row.state for row in machine.rows.values()}
    assert {state for state, _ in machine.rows} == reached - {State.TERMINATED}
    ending = {State.TERMINATED}
    while True:
        more = {state for (state, _), row in machine.rows.items() if row.state in ending} - ending
        if not more:
            break
        ending |= more
    assert ending == reached


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.name)
def test_a_timer_that_is_started_is_served_where_it_fires(machine: Machine) -> None:
    for row in [machine.initial, *machine.rows.values()]:
        if Act.START_LINGER in row.acts:
            assert row.state in machine.linger
            assert (row.state, Input.LINGER) in machine.rows
        if Act.START_TIMEOUT in row.acts:
            assert (row.state, Input.TIMEOUT) in machine.rows
        if Act.RETRANSMIT_SOON in row.acts:
            assert (row.state, Input.RETRANSMIT) in machine.rows
