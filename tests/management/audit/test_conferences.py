"""Conferences and calls in the administrator log."""

from __future__ import annotations

from typing import Any

import pytest

from rostra.configuration.models import WorkerVM
from rostra.domain import history as domain
from rostra.domain.history import ConferenceEnded, ConferenceStarted
from rostra.management.audit import lines
from rostra.management.audit.models import AdministratorLog
from rostra.management.history.receiving import store
from tests.management.test_history import START, ended, joined, records


def told() -> list[dict[str, str]]:
    found = AdministratorLog.objects.filter(name="administrator.conference").order_by("id")
    return [lines.parse(entry.line) for entry in found]


@pytest.mark.spec("DIAG-147", "DIAG-149", "DIAG-151", "DIAG-165", "REF-075", "SVC-017")
def test_a_conference_is_told_from_its_start_to_its_end(database: Any) -> None:
    node = WorkerVM.objects.get()
    store(
        records(
            [
                ConferenceStarted(time=START, id="c-1", name="Board", service_type="conference", tag="cust-88"),
                joined(1, service_tag="cust-88", remote_alias="sip:ivy@acme.test", has_media=True, license_count=2),
                ended(1, 311.47, "Remote disconnect", service_tag="cust-88"),
                ConferenceEnded(time=START + 400.5, id="c-1", name="Board", service_type="conference", tag="cust-88"),
            ],
            node=f"n{node.pk}",
        )
    )
    created, came, left, stopped = told()
    for line in (created, came, left, stopped):
        assert (line["Conference"], line["Service-tag"], line["Service-type"]) == ("Board", "cust-88", "conference")
        assert line["system"] == node.address
    assert created["Message"] == "Conference has been created."
    assert created["originating_time"] == "2023-11-14 22:13:20,000"
    assert came["Message"] == "Participant has joined."
    assert (came["Participant"], came["DisplayName"], came["Protocol"]) == ("sip:ivy@acme.test", "Person 1", "WebRTC")
    assert (came["Participant-id"], came["Location"], came["Licenses"]) == ("person-1", "Default", "2")
    assert (came["Signaling-node"], came["Media-node"]) == (node.address, node.address)
    assert (left["Message"], left["Duration"], left["Detail"]) == (
        "Participant has disconnected.",
        "311.470",
        "Remote disconnect",
    )
    assert (stopped["Message"], stopped["Duration"]) == ("Conference has been stopped.", "400.500")


def test_what_comes_twice_is_told_once(database: Any) -> None:
    batch = records([joined(1)])
    store(batch)
    store(batch)
    assert len(told()) == 1


def test_a_call_that_found_no_room(database: Any) -> None:
    store(records([domain.CapacityRefused(time=START, alias="board", conference_name="Board", reason="full")]))
    (line,) = told()
    assert (line["Level"], line["Message"]) == ("WARNING", "Participant failed to join conference.")
    assert line["Reason"] == "insufficient capacity: full"


def test_what_makes_no_sense_stops_nothing(database: Any) -> None:
    store(records([ConferenceStarted(time=1e300, id="c-9", name="Never"), joined(1)]))
    assert [line["Message"] for line in told()] == ["Participant has joined."]
