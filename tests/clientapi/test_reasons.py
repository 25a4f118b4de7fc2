"""Reason texts are an interface: clients map the exact text to a code (API-017)."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

import rostra
from rostra.calls.switchboard import Refusal
from rostra.domain.ending import End

CODES: dict[str, str] = {
    "Invalid role": "#pex100",
    "Invalid PIN": "#pex101",
    "System in maintenance mode": "#pex110",
    "Invalid token": "#pex113",
    "Timer expired awaiting token refresh": "#pex113",
    "Out of resource": "#pex114",
    "transfer failed": "#pex115",
    "API initiated conference termination": "#pex121",
    "API initiated participant disconnect": "#pex122",
    "Conference terminated by an administrator": "#pex122",
    "Disconnected by an administrator": "#pex123",
    "Disconnected by another participant": "#pex124",
    "Conference terminated by another participant": "#pex125",
    "Timeout waiting for conference host to join or permit access to locked conference": "#pex126",
    "Disabled": "#pex127",
    "Signaling node disconnected": "#pex129",
    "No participants can keep conference alive": "#pex140",
    "All conference hosts departed hosted conference": "#pex141",
    "Last remaining participant removed from conference after timeout": "#pex142",
    "Test call finished": "#pex143",
    "Conference host ended the conference with a DTMF command": "#pex120",
    "Call rejected": "#pex150",
    "Call disconnected": "#pex151",
    "Gateway dial out failed": "#pex152",
    "invalid gateway routing rule transform": "#pex153",
    "Neither conference nor gateway found": "#pex154",
    "404 Not Found": "#pex157",
    "Participant exceeded PIN entry retries": "#pex192",
    "Invalid license": "#pex193",
    "Insufficient licenses": "#pex195",
    "Participant limit reached": "#pex194",
    "SSO Authentication Failed": "#pex200",
    "SSO enabled but no Identity Providers configured": "#pex201",
    "SSO Authentication Failed. SSO is not available from this domain": "#pex204",
}
"""Those the platform says. Never said: those of proxying, direct routes and telehealth, which are not there,
that of SSO in maintenance mode, which a page says in its own way, and `502 Bad Gateway` and `Unexpected Response: 503`,
which proxies and clients say."""


@functools.cache
def program() -> str:
    """All of its source."""
    return "".join(path.read_text() for path in Path(rostra.__file__).parent.rglob("*.py"))


@pytest.mark.spec("API-017")
@pytest.mark.parametrize("text", CODES)
def test_the_platform_says_it_in_exactly_these_words(text: str) -> None:
    assert f'"{text}"' in program()


@pytest.mark.spec("API-017")
def test_refusals_and_ends_are_texts_that_clients_know() -> None:
    assert {refusal.text for refusal in Refusal} <= CODES.keys()
    assert {end.text for end in End} <= CODES.keys()
