"""History: every call's end exactly once, whatever is doubled, late, out of order or never told."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain import history as domain
from rostra.domain.history import (
    LOST,
    ConferenceStarted,
    MediaEnded,
    NodeEvent,
    ParticipantEnded,
    ParticipantJoined,
    StreamRecord,
)
from rostra.fabric.bus import Bus, Unreachable
from rostra.fabric.outbox import EVENTS, Batch, Outbox, Record, encode_batch, encode_event
from rostra.management.history import keeping
from rostra.management.history.absences import Absences
from rostra.management.history.models import ParticipantRecord
from rostra.management.history.received import Received
from rostra.management.history.receiving import store
from rostra.management.status import Observatory

from .conftest import Api
from .nodes import FakeNode, until

BASE = "/api/admin/history/v1/"
START = 1_700_000_000.0


def person(number: int, **more: Any) -> domain.ParticipantRecord:
    values = {
        "uuid": f"person-{number}",
        "conference_id": "c-1",
        "conference_name": "Board",
        "start_time": START + number,
        "display_name": f"Person {number}",
        "local_alias": "board",
        "protocol": "webrtc",
        "media_node": "n1",
        "bandwidth": 1_500_000,
        "service_type": "conference",
    } | more
    return domain.ParticipantRecord(**values)


def joined(number: int, **more: Any) -> ParticipantJoined:
    return ParticipantJoined(time=START + number, participant=person(number, **more))


def ended(number: int, after: float = 100.0, reason: str = "Call disconnected", **more: Any) -> ParticipantEnded:
    return ParticipantEnded(
        time=START + number + after, participant=person(number, **more), disconnect_reason=reason, duration=after
    )


def records(events: Iterable[domain.Event], node: str = "n1", boot: str = "boot", first: int = 1) -> list[Record]:
    return [Record(node, boot, first + place, msgspec.Raw(encode_event(event))) for place, event in enumerate(events)]


CALL = [
    ConferenceStarted(time=START, id="c-1", name="Board", service_type="conference", tag="t"),
    joined(1),
    joined(2),
    ended(1),
    ended(2),
]


# ---- the numbers of events


@given(st.lists(st.integers(1, 60)))
def test_every_number_is_taken_once(numbers: list[int]) -> None:
    received = Received()
    assert [received.take(n) for n in numbers] == [n not in numbers[:place] for place, n in enumerate(numbers)]
    flat = [n for first, last in received.ranges for n in range(first, last + 1)]
    assert flat == sorted(set(numbers))
    assert all(b[0] > a[1] + 1 for a, b in zip(received.ranges, received.ranges[1:], strict=False))


def test_absences_count_without_a_break() -> None:
    absences, run = Absences(60), ("n1", "a")
    assert absences.judge({run}, {"n1": "a"}, 0) == (set(), {run})
    assert absences.judge({run}, {}, 10) == (set(), set())
    assert absences.judge({run}, {"n1": "a"}, 50) == (set(), {run})
    assert absences.judge({run}, {"n1": "b"}, 60) == (set(), set())
    assert absences.judge({run}, {"n1": "b"}, 119) == (set(), set())
    assert absences.judge({run}, {"n1": "b"}, 120) == ({run}, set())
    absences.forget()
    assert absences.judge({run}, {}, 500) == (set(), set())


# ---- storing


def test_a_conference_appears_when_its_last_participant_has_left(api: Api) -> None:
    store(records(CALL[:4]))
    assert api.list(f"{BASE}conference/") == []
    assert [row["id"] for row in api.list(f"{BASE}participant/")] == ["person-1"]
    store(records(CALL[4:], first=5))
    (conference,) = api.list(f"{BASE}conference/")
    assert conference == {
        "direct_media_available": False,
        "duration": 102,
        "end_time": "2023-11-14T22:15:02",
        "id": "c-1",
        "instant_message_count": 0,
        "name": "Board",
        "participant_count": 2,
        "participants": [f"{BASE}participant/person-1/", f"{BASE}participant/person-2/"],
        "resource_uri": f"{BASE}conference/c-1/",
        "service_type": "conference",
        "start_time": "2023-11-14T22:13:20",
        "tag": "t",
    }


@pytest.mark.parametrize("seed", range(5))
def test_doubled_shuffled_deliveries_change_nothing(database: Path, api: Api, seed: int) -> None:
    chance = random.Random(seed)
    deliveries = records(CALL) * 3
    chance.shuffle(deliveries)
    while deliveries:
        count = chance.randrange(1, 5)
        store(deliveries[:count])
        deliveries = deliveries[count:]
    found = api.list(f"{BASE}participant/?order_by=id")
    assert [(row["id"], row["duration"], row["disconnect_reason"]) for row in found] == [
        ("person-1", 100, "Call disconnected"),
        ("person-2", 100, "Call disconnected"),
    ]
    (conference,) = api.list(f"{BASE}conference/")
    assert (conference["participant_count"], conference["duration"]) == (2, 102)


@pytest.mark.spec("DIAG-040", "DIAG-042")
def test_every_call_has_an_id_and_only_media_takes_a_licence(api: Api) -> None:
    store(records([ended(1), ended(2, has_media=True, call_uuid="call-2")]))
    first, second = api.list(f"{BASE}participant/?order_by=id")
    assert (first["call_uuid"], first["license_count"], first["license_type"]) == ("person-1", 0, "nolicense")
    assert (second["call_uuid"], second["license_count"], second["license_type"]) == ("call-2", 1, "port")


def test_two_nodes_of_one_conference_end_it_together(api: Api) -> None:
    store(records([joined(1), ended(1)]))
    assert len(api.list(f"{BASE}conference/")) == 1
    store(records([joined(2)], node="n2"))
    assert api.list(f"{BASE}conference/") == []
    store(records([ended(2)], node="n2", first=2))
    (conference,) = api.list(f"{BASE}conference/")
    assert conference["participant_count"] == 2


def test_what_makes_no_sense_is_left_out_and_not_offered_again(api: Api) -> None:
    garbage = Record("n1", "boot", 1, msgspec.Raw(msgspec.msgpack.encode({"event": "FromTheFuture", "x": 1})))
    huge = records([ended(3, remote_port=2**200 >> 140)], first=2)
    never = records([ended(4, start_time=1e300)], first=3)
    too_big = records([ended(5, has_media=True, license_count=2**63)], first=4)
    nul = records([ended(6, display_name="a\0b" + "x" * 5000)], first=5)
    assert store([garbage, *huge, *never, *too_big, *nul]) == 4
    assert store([garbage, *huge, *never, *too_big, *nul]) == 0
    names = {row["id"]: row["display_name"] for row in api.list(f"{BASE}participant/")}
    assert set(names) == {"person-3", "person-6"}
    assert names["person-6"].startswith("abx")


def test_the_oldest_conferences_go(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_CONFERENCES", 3)
    monkeypatch.setattr(keeping, "_SURPLUS", 1)
    for number in range(5):
        store(
            records(
                [joined(number, conference_id=f"c{number}"), ended(number, conference_id=f"c{number}")],
                boot=f"b{number}",
            )
        )
    assert keeping.forget_old(time.time()) == 2
    assert [row["id"] for row in api.list(f"{BASE}conference/?order_by=end_time")] == ["c2", "c3", "c4"]
    assert [row["id"] for row in api.list(f"{BASE}participant/?order_by=end_time")] == [
        "person-2",
        "person-3",
        "person-4",
    ]


# ---- media


def carried(number: int, *types: str, node: str = "n1", quality: tuple[int, ...] = (), **more: Any) -> MediaEnded:
    streams = tuple(
        StreamRecord(
            id=str(place), type=kind, node=node, start_time=START + number, end_time=START + 90,
            rx_codec="opus", rx_bitrate=48_900, rx_packets_received=900, rx_packets_lost=100, rx_packet_loss=10.0,
            tx_codec="opus", tx_bitrate=64_000, tx_packets_sent=1000, **more,
        )
        for place, kind in enumerate(types)
    )  # fmt: skip
    return MediaEnded(time=START + 90, participant=f"person-{number}", streams=streams, quality=quality)


@pytest.mark.spec("DIAG-047", "DIAG-064")
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 0, 3, 2)])
def test_streams_of_a_call_that_moved_are_kept_in_whatever_order_they_are_told(api: Api, order: list[int]) -> None:
    told = [
        joined(1, has_media=True),
        carried(1, "audio", "video", quality=(1, 1, 3)),
        ended(1, has_media=True),
        carried(1, "audio", quality=(3, 3)),
    ]
    for place, index in enumerate(order, 1):
        store(records([told[index]], first=place) * 2)
    (row,) = api.list(f"{BASE}participant/")
    found = api.list(f"{row['resource_uri']}media_stream/")
    assert sorted(stream["stream_type"] for stream in found) == ["audio", "audio", "video"]
    assert [stream["stream_id"] for stream in found] == ["0", "1", "2"]
    assert (row["call_quality"], row["bucketed_call_quality"]) == ("3_bad", [0, 2, 0, 3, 0])
    assert sorted(row["historic_call_quality"]) == [1, 1, 3, 3, 3]
    assert api.read(row["resource_uri"])["media_streams"] == found
    flat = api.list(f"{BASE}media_stream/?participant={row['id']}&stream_type=audio&order_by=id")
    assert [{name: value for name, value in stream.items() if name != "resource_uri"} for stream in flat] == [
        stream for stream in found if stream["stream_type"] == "audio"
    ]
    first = found[0]
    assert first["participant"] == row["resource_uri"]
    assert (first["rx_bitrate"], first["rx_packets_lost"], first["rx_packet_loss"]) == (48, 100, 10.0)
    assert (first["start_time"], first["end_time"]) == ("2023-11-14T22:13:21", "2023-11-14T22:14:50")


def test_streams_of_a_call_go_with_it(api: Api) -> None:
    store(records([joined(1), carried(1, "audio"), ended(1)]))
    (conference,) = api.list(f"{BASE}conference/")
    assert len(api.list(f"{BASE}media_stream/")) == 1
    assert api("DELETE", conference["resource_uri"]).status_code == 204
    assert api.list(f"{BASE}media_stream/") == []


# ---- nodes that vanish


def test_calls_of_a_vanished_run_end_and_the_truth_replaces_the_guess(api: Api) -> None:
    store(records([joined(1), joined(2)]))
    assert keeping.open_runs() == {("n1", "boot")}
    assert keeping.end_lost({("n1", "boot")}, {("n1", "boot"): START + 50}, START + 500) == 2
    assert keeping.end_lost({("n1", "boot")}, {}, START + 900) == 0
    rows = api.list(f"{BASE}participant/?order_by=id")
    assert [(row["disconnect_reason"], row["duration"]) for row in rows] == [(LOST, 49), (LOST, 48)]
    assert len(api.list(f"{BASE}conference/")) == 1
    store(records([ended(1, after=30, reason="Call disconnected")], first=3))
    rows = api.list(f"{BASE}participant/?order_by=id")
    assert [(row["disconnect_reason"], row["duration"]) for row in rows] == [("Call disconnected", 30), (LOST, 48)]
    assert keeping.reopen({("n1", "boot")}) == 1
    assert [row["id"] for row in api.list(f"{BASE}participant/")] == ["person-1"]
    assert api.list(f"{BASE}conference/") == []


# ---- over the fabric


@pytest.fixture
async def observatory(bus: Bus, database: Path) -> AsyncIterator[Observatory]:
    found = Observatory(bus, clock=lambda: clock.now, sweep=0.05)
    await found.start()
    yield found
    await found.stop()


class _Clock:
    now = 0.0


clock = _Clock()


def reasons() -> dict[str, str]:
    try:
        rows = ParticipantRecord.objects.values_list("id", "end_time", "disconnect_reason")
        return {key: reason if end else "open" for key, end, reason in rows}
    finally:
        connections.close_all()


@pytest.mark.spec("DIAG-060", "DIAG-064")
async def test_a_killed_node_leaves_no_ghosts_in_history(
    bus: Bus, observatory: Observatory, database: Path, tmp_path: Path
) -> None:
    clock.now = 1000.0
    node = FakeNode(bus, 1)
    await node.start()
    outbox = Outbox(tmp_path / "outbox.db", bus, "n1", "boot")
    await outbox.start()
    outbox.record(joined(1))
    outbox.record(joined(2))
    await until(lambda: outbox.queued == 0)
    await outbox.stop()
    await until(lambda: "n1" in observatory.peers.alive)
    await node.restart("second")
    await until(lambda: observatory.peers.boot("n1") == "second")
    await until(lambda: keeping_ran(observatory))
    clock.now += 59
    await swept(observatory)
    assert await asyncio.to_thread(reasons) == {"person-1": "open", "person-2": "open"}
    clock.now += 2
    await swept(observatory)
    assert await asyncio.to_thread(reasons) == {"person-1": LOST, "person-2": LOST}
    # Its disk had one more event after all.
    await bus.request(EVENTS, encode_batch(Batch(tuple(records([ended(1)], first=3)))))
    await swept(observatory)
    assert await asyncio.to_thread(reasons) == {"person-1": "Call disconnected", "person-2": LOST}
    await node.restart("boot")
    await until(lambda: observatory.peers.boot("n1") == "boot")
    await swept(observatory)
    assert await asyncio.to_thread(reasons) == {"person-1": "Call disconnected", "person-2": "open"}
    await node.stop()


def keeping_ran(observatory: Observatory) -> bool:
    return bool(observatory._absences._since)


async def swept(observatory: Observatory) -> None:
    await observatory.sweep()


async def test_days_without_the_management_node_are_in_history_afterwards(
    bus: Bus, database: Path, tmp_path: Path
) -> None:
    outbox = Outbox(tmp_path / "outbox.db", bus, "n1", "boot")
    await outbox.start()
    people = 1500
    day = 86400.0
    for number in range(people):
        when = START + number * 3 * day / people
        call = person(number, conference_id=f"c{number % 100}", start_time=when)
        outbox.record(ParticipantJoined(time=when, participant=call))
        outbox.record(ParticipantEnded(time=when + 60, participant=call, disconnect_reason="bye"))
    await until(lambda: outbox.debug_state()["in_memory"] == 0)
    assert outbox.queued == 2 * people
    observatory = Observatory(bus)
    await observatory.start()
    try:
        await until(lambda: outbox.queued == 0, 60)
    finally:
        await outbox.stop()
        await observatory.stop()
    api = Api()
    assert (await asyncio.to_thread(api.read, f"{BASE}participant/?limit=1"))["meta"]["total_count"] == people
    assert (await asyncio.to_thread(api.read, f"{BASE}conference/?limit=1"))["meta"]["total_count"] == 100


async def test_a_batch_that_is_none_is_not_acknowledged(bus: Bus, observatory: Observatory) -> None:
    with pytest.raises(Unreachable):
        await bus.request(EVENTS, b"garbage", timeout=0.3)
    batch = Batch(tuple(records([NodeEvent(time=START, kind="started")])))
    assert await bus.request(EVENTS, encode_batch(batch), timeout=5)


def test_conferences_can_be_deleted_by_who_may(api: Api) -> None:
    import base64

    from . import people

    store(records(CALL))
    people.account("reader", "use_api", "view_status")
    reader = "Basic " + base64.b64encode(b"reader:readerreader").decode()
    address = f"{BASE}conference/c-1/"
    assert api("GET", address, Authorization=reader).status_code == 200
    assert api("DELETE", address, Authorization=reader).status_code == 403
    assert api("DELETE", f"{BASE}participant/person-1/").status_code == 405
    assert api("DELETE", address).status_code == 204
    assert api("DELETE", address).status_code == 404
    assert api.list(f"{BASE}participant/") == []


def test_sign_on_and_direct_media_are_kept(api: Api) -> None:
    signed_on, plain = person(1, idp="idp-1", is_direct=True), person(2, conference_id="c-2")
    store(
        records(
            [
                ConferenceStarted(time=START, id="c-1", name="Board", direct_media_available=True),
                ConferenceStarted(time=START + 1, id="c-1", name="Board"),
                *(ParticipantEnded(time=START + 9, participant=one) for one in (signed_on, plain)),
            ]
        )
    )
    (row,) = api.list(f"{BASE}participant/?is_idp_authenticated=true&is_direct=1")
    assert (row["id"], row["idp_uuid"], row["transcoding_enabled"]) == ("person-1", "idp-1", False)
    (other,) = api.list(f"{BASE}participant/?transcoding_enabled=true")
    assert (other["id"], other["idp_uuid"], other["is_direct"]) == ("person-2", "", False)
    assert [one["id"] for one in api.list(f"{BASE}conference/?direct_media_available=true")] == ["c-1"]
