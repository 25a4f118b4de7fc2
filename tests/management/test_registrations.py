"""Status > Registrations, and registrations in the administrator log."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import pytest

from rostra.configuration.models import WorkerVM
from rostra.domain.history import RegistrationAdded, RegistrationDeleted
from rostra.fabric.peers import NodeReport
from rostra.fabric.status import (
    Command,
    CommandReply,
    Refused,
    Registrations,
    RegistrationStatus,
    TellRegistrations,
)
from rostra.fabric.survey import Seen, Snapshot
from rostra.management import status
from rostra.management.audit import lines
from rostra.management.audit.models import AdministratorLog
from rostra.management.history import keeping, registered
from rostra.management.history.models import RegistrationRecord
from rostra.management.history.receiving import store
from rostra.management.loads import Loads

from .conftest import Api
from .test_history import START, records

SIP = RegistrationStatus(
    id="1d2e3f40-5a6b-4c7d-8e9f-a0b1c2d3e4f5", alias="ivy@acme.test", protocol="sip", username="ivy",
    remote_address="192.0.2.7", vendor="Phone & co", start_time=START, is_natted=True,
)  # fmt: skip
WEB = RegistrationStatus(id="2d2e3f40-5a6b-4c7d-8e9f-a0b1c2d3e4f5", alias="kim@acme.test", protocol="webrtc")


class Holding:
    """Nodes that hold devices, told two at a time."""

    def __init__(self, held: dict[str, list[RegistrationStatus]]) -> None:
        self.held = held
        self.loads = Loads()

    def heard(self) -> dict[str, Seen]:
        return {
            node: Seen(
                report=NodeReport(node=node, boot="b", registrations=len(held)), alive=node != "dead", ago=1.0
            )
            for node, held in self.held.items()
        }  # fmt: skip

    def snapshot(self, *, fresh: bool = True) -> Snapshot:
        return Snapshot(time=START)

    def tell(self, nodes: Iterable[str], command: Command) -> dict[str, CommandReply]:
        assert isinstance(command, TellRegistrations)
        replies: dict[str, CommandReply] = {}
        for node in nodes:
            rows = [one for one in self.held[node] if one.id > command.after]
            replies[node] = Registrations(rows=tuple(rows[:2]), more=len(rows) > 2)
            if node == "silent":
                replies[node] = Refused(reason="The node does not answer.")
        return replies


@pytest.mark.spec("CONF-032", "DIAG-052", "DIAG-054")
def test_what_is_registered_anywhere_is_listed(api: Api, browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    node = WorkerVM.objects.get()
    many = [RegistrationStatus(id=f"{n}0000000-0000", alias=f"a{n}", protocol="h323") for n in range(5)]
    held = {f"n{node.pk}": [SIP, WEB], "n99": many, "dead": [WEB], "silent": [WEB], "n98": []}
    monkeypatch.setattr(status._Current, "value", Holding(held))
    rows = {row["alias"]: row for row in api.list("/api/admin/status/v1/registration_alias/?limit=0")}
    assert sorted(rows) == ["h323:a0", "h323:a1", "h323:a2", "h323:a3", "h323:a4", "kim@acme.test", "sip:ivy@acme.test"]
    ivy = rows["sip:ivy@acme.test"]
    assert (ivy["username"], ivy["node"], ivy["protocol"], ivy["is_natted"]) == ("ivy", node.address, "SIP", True)
    assert (ivy["remote_address"], ivy["vendor"], ivy["registration_id"]) == ("192.0.2.7", "Phone & co", SIP.id)
    assert rows["kim@acme.test"]["protocol"] == "WebRTC"
    assert len({row["id"] for row in rows.values()}) == 7
    page = browser.get("/admin/status/registration_alias/").content.decode()
    assert "sip:ivy@acme.test" in page
    assert "Phone &amp; co" in page
    one = browser.get(f"/admin/status/registration_alias/{ivy['id']}/").content.decode()
    assert "192.0.2.7" in one


@pytest.mark.spec("CONF-034", "DIAG-160", "DIAG-141")
def test_the_log_tells_of_coming_and_going(database: Any) -> None:
    node = WorkerVM.objects.get()
    store(
        records(
            [
                RegistrationAdded(time=START, id=SIP.id, alias="ivy@acme.test", protocol="sip"),
                RegistrationDeleted(
                    time=START + 60, id=WEB.id, alias="kim@acme.test", protocol="webrtc", reason="Registration expired"
                ),
            ],
            node=f"n{node.pk}",
        )
    )
    found = AdministratorLog.objects.filter(name="administrator.registration").order_by("id")
    added, deleted = (lines.parse(entry.line) for entry in found)
    assert (added["Message"], added["Alias"], added["Protocol"]) == ("Registration added", "sip:ivy@acme.test", "SIP")
    assert (added["Registration-id"], added["Natted"], added["system"]) == (SIP.id, "False", node.address)
    assert (deleted["Message"], deleted["Alias"], deleted["Protocol"]) == (
        "Registration deleted",
        "kim@acme.test",
        "WebRTC",
    )
    assert deleted["Reason"] == "Registration expired"


HISTORY = "/api/admin/history/v1/registration_alias/"


def _came(number: int, **more: Any) -> RegistrationAdded:
    values: dict[str, Any] = {"protocol": "sip", "username": "ivy", "remote_address": "192.0.2.7", "vendor": "Phone"}
    return RegistrationAdded(time=START + number, id=f"r-{number}", alias=f"ivy{number}@acme.test", **values | more)


def _went(number: int) -> RegistrationDeleted:
    return RegistrationDeleted(time=START + 60, id=f"r-{number}", alias=f"ivy{number}@acme.test", protocol="sip")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_history_has_what_is_over_once(api: Api, order: tuple[int, ...]) -> None:
    """In whatever order and how often it is told: one that began and ended, one that lasts."""
    node = WorkerVM.objects.get()
    told = records([_came(1, is_natted=True), _went(1), _came(2)], node=f"n{node.pk}")
    for place in order:
        store([told[place]])
        store([told[place]])
    (row,) = api.list(HISTORY)
    assert (row["alias"], row["username"], row["node"]) == ("sip:ivy1@acme.test", "ivy", node.address)
    assert (row["is_natted"], row["vendor"], row["remote_address"]) == (True, "Phone", "192.0.2.7")
    assert row["start_time"] < row["end_time"]
    assert api("DELETE", f"{HISTORY}nothing/").status_code == 404
    assert api("DELETE", row["resource_uri"]).status_code == 204
    assert api.list(HISTORY) == []
    assert RegistrationRecord.objects.count() == 1


def test_a_node_that_vanished_has_no_registrations(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it turns out that it had been cut off only."""
    told = records([_came(1), _went(1), _came(2)], node="n9")
    store(told[2:])
    (run,) = keeping.open_runs()
    keeping.end_lost([run], {run: START + 50}, START + 99)
    (row,) = api.list(HISTORY)
    assert row["end_time"].startswith("2023-11-14T22:14:10")
    keeping.reopen([run])
    assert api.list(HISTORY) == []
    store(told[:2])
    assert [row["alias"] for row in api.list(HISTORY)] == ["sip:ivy1@acme.test"]
    monkeypatch.setattr(registered, "MOST", 1)
    store(records([_came(3), RegistrationDeleted(time=START + 90, id="r-3", alias="x", protocol="sip")], node="n8"))
    keeping.forget_old(START)
    assert [row["registration_id"] for row in api.list(HISTORY)] == ["r-3"]
