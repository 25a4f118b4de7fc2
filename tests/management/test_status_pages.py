"""Status, history and Live View in the site, and what can be done with several nodes at once."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rostra.configuration.models import WorkerVM
from rostra.fabric.peers import NodeReport
from rostra.fabric.status import (
    BackplaneStatus,
    Command,
    CommandReply,
    ConferenceStatus,
    MediaStatus,
    MoveCallsAway,
    Moved,
    NodeStatus,
    Obeyed,
    ParticipantStatus,
    Refused,
)
from rostra.fabric.survey import Seen, Snapshot
from rostra.management import status
from rostra.management.history.receiving import store
from rostra.management.loads import Loads

from .conftest import Api
from .test_history import CALL, records

NODES = "/admin/configuration/workervm/"


class Made:
    """A platform that says what the test wants."""

    def __init__(self) -> None:
        self.shown = Snapshot(time=1_700_000_100.0)
        self.replies: dict[str, CommandReply] = {}
        self.told: list[tuple[str, Command]] = []
        self.loads = Loads()

    def snapshot(self, *, fresh: bool = True) -> Snapshot:
        return self.shown

    def tell(self, nodes: Any, command: Command) -> dict[str, CommandReply]:
        self.told += [(node, command) for node in nodes]
        usual = Moved(legs=3) if isinstance(command, MoveCallsAway) else Obeyed()
        return {node: self.replies.get(node, usual) for node in nodes}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    found = Made()
    monkeypatch.setattr(status._Current, "value", found)
    return found


@pytest.fixture
def nodes(browser: Any) -> list[WorkerVM]:
    first = WorkerVM.objects.get()
    second = WorkerVM.objects.create(
        name="node2",
        hostname="node2",
        domain="x",
        address="10.0.0.2",
        netmask="255.0.0.0",
        gateway="10.0.0.1",
        password="x",
        system_location=first.system_location,
    )
    return [first, second]


def fill(made: Made, node: WorkerVM) -> None:
    key = f"n{node.pk}"
    person = ParticipantStatus(
        uuid="p-1", display_name="Ada <script>", source_alias="sip:ada@example.com", has_media=True
    )
    part = ConferenceStatus(
        id="c-1",
        name="Board & co",
        participants=(person,),
        media=MediaStatus(backplanes=(BackplaneStatus(peer="n99"),)),
    )
    made.shown = Snapshot(
        time=1_700_000_100.0,
        seen={
            key: Seen(report=NodeReport(node=key, boot="b", version="9.9", capacity=120, used=60), alive=True, ago=1.0)
        },
        statuses={key: NodeStatus(node=key, conferences=(part,))},
    )


@pytest.mark.spec("DIAG-002", "DIAG-018", "DIAG-023", "NODE-114")
def test_every_page_opens_and_shows_its_rows(browser: Any, made: Made, nodes: list[WorkerVM]) -> None:
    fill(made, nodes[0])
    store(records(CALL))
    pages = {
        "/admin/status/worker_vm/": "9.9",
        f"/admin/status/worker_vm/{nodes[0].pk}/": "Max audio calls",
        f"/admin/status/worker_vm/{nodes[1].pk}/": "Never",
        "/admin/status/system_location/": "50 %",
        "/admin/status/conference/": "Board &amp; co",
        "/admin/status/conference/c-1/": "sip:ada@example.com",
        "/admin/status/participant/": "Ada &lt;script&gt;",
        "/admin/status/participant/p-1/": "Board &amp; co",
        "/admin/status/backplane/": "n99",
        "/admin/status/conference_shard/": "Board &amp; co",
        "/admin/history/conference/": "0:01:42",
        "/admin/history/conference/c-1/": "Person 2",
        "/admin/history/participant/?q=nobody": "Nothing to show.",
        "/admin/history/participant/": "Call disconnected",
        "/admin/history/participant/person-1/": "/admin/history/conference/c-1/",
        "/admin/history/backplane/": "Nothing to show.",
        "/admin/history/workervm_status_event/": "Nothing to show.",
    }
    for path, expected in pages.items():
        response = browser.get(path)
        assert response.status_code == 200, path
        assert expected in response.content.decode(), path
        assert "<script>" not in re.findall(r"Ada .{0,10}", response.content.decode()), path
    menu = browser.get("/admin/").content.decode()
    for path in ("/admin/status/live/", "/admin/status/worker_vm/", "/admin/history/conference/"):
        assert path in menu


def test_lists_are_ordered_filtered_and_paged(browser: Any, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    from rostra.management import status_pages

    monkeypatch.setattr(status_pages, "PAGE", 1)
    store(records(CALL))
    path = "/admin/history/participant/?order_by=display_name"
    first = browser.get(path).content.decode()
    assert "Person 1" in first
    assert "Person 2" not in first
    link = re.search(r'href="(\?[^"]*)">Next', first)
    assert link is not None
    second = browser.get("/admin/history/participant/" + link[1].replace("&amp;", "&")).content.decode()
    assert "Person 2" in second
    assert ">Next<" not in second
    assert "Person 1" in browser.get("/admin/history/participant/?display_name=Person 1").content.decode()
    assert browser.get("/admin/history/participant/?bandwidth=x").status_code == 404


@pytest.mark.spec("DIAG-004")
def test_a_conference_that_has_ended_says_so(browser: Any, made: Made) -> None:
    response = browser.get("/admin/status/conference/c-9/")
    assert response.status_code == 404
    assert "Conference instance no longer active" in response.content.decode()
    assert browser.get("/admin/status/participant/p-9/").status_code == 404
    assert browser.get("/admin/status/nothing/").status_code == 404


def test_live_view_and_its_data_are_for_administrators(browser: Any, made: Made, nodes: list[WorkerVM]) -> None:
    from django.test import Client

    fill(made, nodes[0])
    assert "live/live.js" in browser.get("/admin/status/live/").content.decode()
    body = browser.get("/admin/status/live/data.json").json()
    assert [one["name"] for one in body["conferences"]] == ["Board & co"]
    assert [node["state"] for node in body["nodes"]] == ["normal", "never"]
    for path in ("/admin/status/live/", "/admin/status/live/data.json", "/admin/history/participant/"):
        assert Client().get(path).status_code == 302


# ---- several nodes at once


def act(browser: Any, action: str, rows: list[WorkerVM], **more: str) -> str:
    body = {"action": action, "_selected_action": [str(row.pk) for row in rows], **more}
    response = browser.post(NODES, body, follow=True)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.spec("CLOUD-055", "NODE-126")
def test_maintenance_mode_for_several_nodes_after_a_question(
    browser: Any, made: Made, nodes: list[WorkerVM], api: Api
) -> None:
    page = act(browser, "enable_maintenance", nodes)
    assert "take no new calls" in page
    assert not WorkerVM.objects.filter(maintenance_mode=True).exists()
    page = act(browser, "enable_maintenance", nodes[:1], confirmed="yes")
    assert "Maintenance mode enabled on 1 Conferencing Node." in page
    page = act(browser, "enable_maintenance", nodes, confirmed="yes")
    assert "Maintenance mode enabled on 1 Conferencing Node. 1 Conferencing Node had it already." in page
    assert WorkerVM.objects.filter(maintenance_mode=True).count() == 2
    page = act(browser, "disable_maintenance", nodes, confirmed="yes")
    assert "Maintenance mode disabled on 2 Conferencing Nodes." in page
    assert not WorkerVM.objects.filter(maintenance_mode=True).exists()


def test_calls_are_moved_away_from_several_nodes_after_a_question(
    browser: Any, made: Made, nodes: list[WorkerVM]
) -> None:
    assert "handed to other nodes" in act(browser, "move_calls_away", nodes)
    assert made.told == []
    made.replies[f"n{nodes[1].pk}"] = Refused(reason="No other node has room.")
    page = act(browser, "move_calls_away", nodes, confirmed="yes")
    assert "3 calls are being moved away from 1 Conferencing Node." in page
    assert "node2: No other node has room." in page
    assert made.told == [(f"n{row.pk}", MoveCallsAway()) for row in nodes]


def test_who_may_only_look_moves_nothing(made: Made, nodes: list[WorkerVM]) -> None:
    from django.test import Client

    from . import people

    reader = people.account("reader", "use_web", "view_platform")
    client = Client()
    client.force_login(reader)
    for action in ("enable_maintenance", "move_calls_away"):
        client.post(NODES, {"action": action, "_selected_action": [str(nodes[0].pk)], "confirmed": "yes"})
    assert made.told == []
    assert not WorkerVM.objects.filter(maintenance_mode=True).exists()
