"""Live status: the API's rows, Live View's graph, and commands, from made-up nodes on a real fabric."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rostra import release
from rostra.configuration.models import SystemLocation, WorkerVM
from rostra.fabric import status
from rostra.fabric.bus import Bus
from rostra.fabric.status import (
    BackplaneStatus,
    ConferenceStatus,
    LegStreams,
    MediaStatus,
    MoveCallsAway,
    NodeStatus,
    ParticipantStatus,
    Refused,
    StreamStatus,
    TellStreams,
)
from rostra.fabric.survey import Snapshot
from rostra.management import live, status_rows, status_tables
from rostra.management.directory import Directory
from rostra.management.loads import PERIOD
from rostra.management.status import Observatory, observed
from rostra.management.status_rows import View
from rostra.management.status_view import view

from .conftest import Api
from .nodes import FakeNode, until

BASE = "/api/admin/status/v1/"
COMMAND = "/api/admin/command/v1/platform/move_calls_away/"


@pytest.fixture
def configured(database: Path) -> list[int]:
    """Three nodes: two in Oslo, one in New York; returns their numbers."""
    WorkerVM.objects.all().delete()
    SystemLocation.objects.all().delete()
    places = [SystemLocation.objects.create(name=name) for name in ("Oslo", "New York", "Empty")]
    found: list[int] = []
    for number, place in enumerate((places[0], places[0], places[1]), 1):
        row = WorkerVM.objects.create(
            name=f"node{number}",
            hostname=f"node{number}",
            domain="example.com",
            address=f"10.0.0.{number}",
            netmask="255.255.255.0",
            gateway="10.0.0.254",
            password="x",
            system_location=place,
        )
        found.append(row.pk)
    return found


class Platform:
    """The made-up nodes, and the Management Node that watches them."""

    def __init__(self, bus: Bus, numbers: list[int], observatory: Observatory) -> None:
        self.observatory = observatory
        self.nodes = [FakeNode(bus, number) for number in numbers]
        self.api = Api()

    async def start(self) -> None:
        for node in self.nodes:
            await node.start()
        await until(lambda: len(self.observatory.peers.alive) == len(self.nodes))

    async def __call__(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """From another thread, as the web half does it."""
        return await asyncio.to_thread(function, *arguments)

    async def list(self, path: str) -> list[Any]:
        return await self(self.api.list, BASE + path)


@pytest.fixture
async def platform(bus: Bus, configured: list[int]) -> AsyncIterator[Platform]:
    async with observed(bus) as observatory:
        found = Platform(bus, configured, observatory)
        await found.start()
        yield found
        for node in found.nodes:
            await node.stop()


def conference(node: FakeNode, peer: FakeNode | None, people: int, **more: Any) -> NodeStatus:
    streams = (
        StreamStatus(kind="audio", bitrate=64_000, codec="opus", packets=100, packets_lost=1),
        StreamStatus(source="x", kind="video", quality="full", bitrate=1_500_000, sending=False, resolution="1280x720"),
    )
    links = (BackplaneStatus(peer=peer.id, scope="geo", since=1_700_000_000.0, streams=streams),) if peer else ()
    part = ConferenceStatus(
        id="11111111-1111-1111-1111-111111111111",
        name="Board",
        service_type="conference",
        tag="t",
        start_time=1_700_000_000.0,
        is_started=True,
        participants=tuple(
            ParticipantStatus(
                uuid=f"{node.id}-{number}",
                display_name=f"Person {number}",
                source_alias=f"sip:p{number}@example.com",
                destination_alias="board",
                protocol="webrtc" if number % 2 else "sip",
                role="chair" if number == 0 else "guest",
                connect_time=1_700_000_000.0 + number,
                bandwidth=1_500_000,
                has_media=True,
                encrypted=True,
                media_node=node.id,
                service_type="conference",
            )
            for number in range(people)
        ),
        media=MediaStatus(worker="w", legs=people, backplanes=links),
        **more,
    )
    return NodeStatus(node=node.id, boot="boot", conferences=(part,), cpu_count=4)


def spread(platform: Platform) -> None:
    """One conference on the first and the third node."""
    first, _, third = platform.nodes
    first.status = conference(first, third, 2)
    third.status = conference(third, first, 1, is_locked=True)


# ---- the API


@pytest.mark.spec("DIAG-018", "DIAG-022", "DIAG-025", "DIAG-026")
async def test_a_conference_over_two_nodes_is_one(platform: Platform) -> None:
    spread(platform)
    (one,) = await platform.list("conference/")
    assert one == {
        "direct_media_available": False,
        "guests_muted": False,
        "id": "11111111-1111-1111-1111-111111111111",
        "is_locked": True,
        "is_started": True,
        "name": "Board",
        "resource_uri": f"{BASE}conference/11111111-1111-1111-1111-111111111111/",
        "service_type": "conference",
        "start_time": "2023-11-14T22:13:20",
        "tag": "t",
    }
    assert await platform(platform.api.read, one["resource_uri"]) == one
    assert [shard["node"] for shard in await platform.list("conference_shard/?order_by=node")] == [
        "10.0.0.1",
        "10.0.0.3",
    ]
    links = await platform.list("backplane/?order_by=media_node")
    assert [(link["media_node"], link["remote_media_node"], link["type"]) for link in links] == [
        ("10.0.0.1", "10.0.0.3", "geo"),
        ("10.0.0.3", "10.0.0.1", "geo"),
    ]
    streams = await platform(platform.api.list, f"{links[0]['resource_uri']}media_stream/")
    assert [(s["type"], s["tx_bitrate"], s["rx_bitrate"], s["tx_packet_loss"]) for s in streams] == [
        ("audio", 64, 0, 1.0),
        ("video", 0, 1500, 0.0),
    ]


@pytest.mark.spec("DIAG-036", "DIAG-044", "DIAG-045")
async def test_participants_with_filters_order_and_pages(platform: Platform) -> None:
    spread(platform)
    rows = await platform.list("participant/?order_by=-connect_time&order_by=id")
    assert [row["id"] for row in rows] == [
        f"{platform.nodes[0].id}-1",
        f"{platform.nodes[0].id}-0",
        f"{platform.nodes[2].id}-0",
    ]
    row = rows[0]
    assert (row["protocol"], row["encryption"], row["bandwidth"], row["conference"]) == ("WebRTC", "On", 1500, "Board")
    assert (row["signalling_node"], row["media_node"], row["system_location"]) == ("10.0.0.1", "10.0.0.1", "Oslo")
    counts = {
        "conference=Board": 3,
        "conference=other": 0,
        "protocol__regex=^Web": 1,
        "protocol__iregex=^web": 1,
        "role=chair": 2,
        "connect_time__gt=2023-11-14T22:13:20Z": 1,
        "connect_time__range=2023-11-14T22:13:20,2023-11-14T22:13:20": 2,
        "has_media=true": 3,
        "is_muted=1": 0,
        "bandwidth__gte=1500&role__in=guest,unknown": 1,
        "display_name__icontains=PERSON 1": 1,
        "display_name__contains=PERSON": 0,
        "proxy_node__isnull=false": 3,
        "unknown=1": 3,
    }
    for query, count in counts.items():
        assert len(await platform.list(f"participant/?{query}")) == count, query
    page = await platform(platform.api.read, f"{BASE}participant/?limit=2&role__startswith=g")
    assert page["meta"] == {"limit": 2, "next": None, "offset": 0, "previous": None, "total_count": 1}
    page = await platform(platform.api.read, f"{BASE}participant/?limit=2")
    assert page["meta"]["next"] == f"{BASE}participant/?limit=2&offset=2"
    assert len((await platform(platform.api.read, page["meta"]["next"]))["objects"]) == 1


@pytest.mark.parametrize(
    "query",
    [
        *("bandwidth=many", "has_media=perhaps", "connect_time=soon", "role__like=x", "order_by=nothing"),
        *("protocol__regex=(", "limit=x", "bandwidth__range=1"),
    ],
)
async def test_what_does_not_fit_is_refused(platform: Platform, query: str) -> None:
    response = await platform(platform.api, "GET", f"{BASE}participant/?{query}")
    assert response.status_code == 400
    assert set(response.json()) == {"error"}


@pytest.mark.spec("NODE-005", "DIAG-081", "DIAG-084")
async def test_a_node_never_heard_of_has_no_times(platform: Platform) -> None:
    await platform.nodes[1].stop()
    silent = await asyncio.to_thread(
        lambda: WorkerVM.objects.create(
            name="new", hostname="new", domain="x", address="10.0.0.9", netmask="255.0.0.0", gateway="10.0.0.1",
            password="x", system_location=SystemLocation.objects.get(name="Oslo"),
        ).pk
    )  # fmt: skip
    first = platform.nodes[0]
    first.report = msgspec.structs.replace(first.report, used=30, media_load=25, participants=3, position=10**9)
    await until(lambda: platform.observatory.peers.known[first.id][0].used == 30)
    await until(lambda: platform.nodes[1].id not in platform.observatory.peers.alive)
    await platform.observatory.sweep()
    rows = {row["name"]: row for row in await platform.list("worker_vm/")}
    assert (rows["new"]["last_reported"], rows["new"]["last_updated"], rows["new"]["version"]) == (None, None, "")
    assert rows["new"]["id"] == rows["new"]["configuration_id"] == silent
    assert (rows["node1"]["media_load"], rows["node1"]["max_hd_calls"], rows["node1"]["max_audio_calls"]) == (
        25,
        10,
        120,
    )
    assert (rows["node1"]["signaling_count"], rows["node1"]["media_tokens_used"]) == (3, 30)
    assert (rows["node1"]["sync_status"], rows["node1"]["version"]) == ("synchronised", "0.1.0")
    assert rows["node3"]["sync_status"] == "pending"
    heard = datetime.datetime.fromisoformat(rows["node1"]["last_reported"]).replace(tzinfo=datetime.UTC)
    assert abs(heard.timestamp() - time.time()) < 5
    assert rows["node2"]["last_reported"] is not None
    assert rows["node2"]["signaling_count"] == 0


@pytest.mark.spec("NODE-128", "DIAG-086", "DIAG-088", "DIAG-089")
async def test_locations_add_up_and_maintenance_is_full(platform: Platform) -> None:
    first = platform.nodes[0]
    first.report = msgspec.structs.replace(first.report, used=60)
    await until(lambda: platform.observatory.peers.known[first.id][0].used == 60)
    rows = {row["name"]: row for row in await platform.list("system_location/")}
    assert (rows["Oslo"]["media_load"], rows["Oslo"]["max_hd_calls"]) == (25.0, 20)
    assert rows["Empty"]["media_load"] == 100.0
    await asyncio.to_thread(lambda: WorkerVM.objects.filter(name="node1").update(maintenance_mode=True))
    (row,) = await platform.list("worker_vm/?name=node1")
    assert (row["media_load"], row["maintenance_mode"]) == (100, True)
    statistics = await platform(platform.api.list, f"{row['resource_uri']}statistics/?order_by=-time")
    assert statistics[0]["media_load"] == 100.0


@pytest.mark.spec("DIAG-046")
async def test_streams_of_a_call_are_asked_of_the_node_that_carries_it(platform: Platform) -> None:
    first, _, third = platform.nodes
    told = conference(first, None, 1)
    (part,) = told.conferences
    person = msgspec.structs.replace(part.participants[0], media_node=third.id, call_uuid="c-7")
    first.status = msgspec.structs.replace(told, conferences=(msgspec.structs.replace(part, participants=(person,)),))
    carrying = msgspec.structs.replace(part, participants=(), media=MediaStatus(quality={"c-7": 3, "c-8": 1}))
    third.status = msgspec.structs.replace(conference(third, None, 0), conferences=(carrying,))
    third.reply = LegStreams(
        streams=(
            StreamStatus(
                kind="video",
                codec="VP8",
                bitrate=1_200_000,
                packets=1000,
                packets_lost=25,
                frame_rate=29.5,
                recent_loss=1.254,
                since=1_700_000_060.0,
            ),
            StreamStatus(
                kind="video",
                codec="H264",
                bitrate=700_000,
                sending=False,
                resolution="640x360",
                jitter=2.5,
                packets=75,
                packets_lost=25,
                since=1_700_000_050.0,
            ),
            StreamStatus(kind="audio", codec="opus", bitrate=48_000, sending=False),
        )
    )
    (row,) = await platform.list("participant/")
    assert row["call_quality"] == "3_bad"
    audio, video = await platform(platform.api.list, f"{row['resource_uri']}media_stream/")
    assert third.commands == [TellStreams(call="c-7")]
    assert first.commands == []
    assert (audio["type"], audio["rx_codec"], audio["rx_bitrate"], audio["tx_codec"]) == ("audio", "opus", 48, "")
    assert (audio["node"], audio["start_time"], audio["end_time"]) == ("10.0.0.3", row["connect_time"], None)
    assert (video["start_time"], video["tx_windowed_packet_loss"]) == ("2023-11-14T22:14:10", 1.25)
    assert (video["rx_packets_received"], video["rx_packets_lost"], video["rx_packet_loss"]) == (75, 25, 25.0)
    assert (video["tx_codec"], video["tx_bitrate"], video["tx_fps"]) == ("VP8", 1200, 29.5)
    assert (video["tx_packets_sent"], video["tx_packets_lost"], video["tx_packet_loss"]) == (1000, 25, 2.5)
    assert (video["rx_codec"], video["rx_resolution"], video["rx_jitter"]) == ("H264", "640x360", 2.5)
    third.reply = status.NotHere()
    assert await platform(platform.api.list, f"{row['resource_uri']}media_stream/") == []


async def test_the_management_node_has_a_status(platform: Platform) -> None:
    (row,) = await platform.list("management_vm/")
    assert (row["id"], row["configuration_id"], row["primary"], row["sync_status"]) == (1, 1, True, "synchronised")
    assert (row["version"], row["upgrade_status"]) == (release.VERSION, "IDLE")
    changed = datetime.datetime.fromisoformat(row["last_updated"]).replace(tzinfo=datetime.UTC)
    assert abs(changed.timestamp() - time.time()) < 60  # the fixture's nodes


async def test_the_load_of_the_last_hour_is_there(platform: Platform) -> None:
    first = platform.nodes[0]
    number = int(first.id[1:])
    platform.observatory._sampled = -PERIOD
    await platform.observatory.sweep()
    first.report = msgspec.structs.replace(first.report, used=60)
    await until(lambda: platform.observatory.peers.known[first.id][0].used == 60)
    loads = await platform.list(f"worker_vm/{number}/statistics/")
    assert [sample["media_load"] for sample in loads] == [0.0, 50.0]
    place = (await platform.list("system_location/?name=Oslo"))[0]["resource_uri"]
    assert [one["media_load"] for one in await platform(platform.api.list, f"{place}statistics/")][-1] == 25.0


async def test_nodes_that_are_mute_or_talk_nonsense_are_left_out(platform: Platform) -> None:
    spread(platform)
    platform.nodes[0].status = b"\x93garbage"
    platform.nodes[1].status = None
    platform.nodes[2].status = msgspec.structs.replace(platform.nodes[2].status, node="n999")  # type: ignore[arg-type]
    began = time.monotonic()
    assert await platform.list("conference/") == []
    assert time.monotonic() - began < 2.5
    assert len(await platform.list("worker_vm/")) == 3


async def test_values_that_make_no_sense_do_no_harm(platform: Platform) -> None:
    first = platform.nodes[0]
    person = ParticipantStatus(uuid="u", connect_time=-1e300, bandwidth=2**62)
    odd = ConferenceStatus(id="../x\0", name="\ud7ff" * 300, start_time=1e300, participants=(person,))
    first.status = NodeStatus(node=first.id, conferences=(odd,))
    (row,) = await platform.list("conference/")
    assert row["start_time"] is None
    (row,) = await platform.list("participant/?connect_time__isnull=true&order_by=connect_time")
    assert row["connect_time"] is None


async def test_without_a_fabric_there_is_configuration_only(configured: list[int], api: Api) -> None:
    assert await asyncio.to_thread(api.list, f"{BASE}conference/") == []
    assert len(await asyncio.to_thread(api.list, f"{BASE}worker_vm/")) == 3


def test_every_table_has_a_root_a_schema_and_its_columns(api: Api, configured: list[int]) -> None:
    for kind, some in (("status", "worker_vm"), ("history", "participant")):
        root = api.read(f"/api/admin/{kind}/v1/")
        assert some in root
        for entry in root.values():
            described = api.read(entry["schema"])
            assert described["allowed_list_http_methods"] == ["get"]
            for name in described["filtering"]:
                assert api("GET", f"{entry['list_endpoint']}?{name}__isnull=true").status_code == 200, name
            for name in described["ordering"]:
                assert api("GET", f"{entry['list_endpoint']}?order_by=-{name}").status_code == 200, name
            assert api("POST", entry["list_endpoint"], {}).status_code == 405
            assert api("GET", f"{entry['list_endpoint']}nothing/").status_code == 404
    (row, *_) = api.list(f"{BASE}worker_vm/")
    assert set(row) == set(api.read(f"{BASE}worker_vm/schema/")["fields"])
    assert api("GET", f"{BASE}nothing/").status_code == 404
    assert {table.name for table in status_tables.TABLES} >= {"conference", "participant", "backplane", "worker_vm"}


def test_only_administrators_read(api: Api) -> None:
    for path in (f"{BASE}conference/", "/api/admin/history/v1/participant/", "/api/admin/command/v1/platform/"):
        assert api("GET", path, Authorization="").status_code == 401
    assert api("POST", COMMAND, {"worker_vm_id": 1}, Authorization="").status_code == 401


# ---- Live View


@pytest.mark.spec("PLAT-142", "DIAG-005", "DIAG-006", "DIAG-007", "DIAG-008")
async def test_live_view_draws_what_there_is(platform: Platform) -> None:
    spread(platform)
    first, second, third = platform.nodes
    await second.stop()
    await until(lambda: second.id not in platform.observatory.peers.alive)
    found = live.graph(await platform(view))
    assert [(place["name"], place["hd"], place["nodes"]) for place in found["locations"]] == [
        ("Oslo", 10, 2),
        ("New York", 10, 1),
        ("Empty", 0, 0),
    ]
    assert [(node["id"], node["state"]) for node in found["nodes"]] == [
        (first.id, "normal"),
        (second.id, "lost"),
        (third.id, "normal"),
    ]
    (one,) = found["conferences"]
    assert (one["name"], one["locked"], one["nodes"], len(one["people"])) == (
        "Board",
        True,
        sorted([first.id, third.id]),
        3,
    )
    (link,) = found["links"]
    assert ({link["a"], link["b"]}, link["scope"], link["streams"], link["kbps"]) == (
        {first.id, third.id},
        "geo",
        2,
        128,
    )


async def test_those_who_look_at_the_same_time_share_an_answer(platform: Platform) -> None:
    spread(platform)
    asked = 0
    told = platform.nodes[0]._asked

    async def count(subject: str, payload: bytes) -> bytes | None:
        nonlocal asked
        asked += 1
        return await told(subject, payload)

    await platform.nodes[0]._stops.pop(0)()
    await platform.nodes[0]._bus.subscribe(status.status_subject(platform.nodes[0].id), count)
    snapshots = await asyncio.gather(*(asyncio.to_thread(platform.observatory.snapshot, fresh=False) for _ in range(8)))
    assert {len(snapshot.statuses) for snapshot in snapshots} == {3}
    assert asked == 1
    await asyncio.to_thread(platform.observatory.snapshot)
    assert asked == 2


# ---- commands


async def test_calls_are_moved_away_by_the_api(platform: Platform) -> None:
    first, second = platform.nodes[:2]
    first.reply = status.Moved(legs=4)
    second.reply = Refused(reason="No other node has room.")
    number = int(first.id[1:])
    response = await platform(platform.api, "POST", COMMAND, {"worker_vm_id": number})
    assert response.status_code == 202
    assert response.json() == {"status": "success", "data": {"legs": 4}}
    assert first.commands == [MoveCallsAway()]
    response = await platform(platform.api, "POST", COMMAND, {"worker_vm_id": int(second.id[1:])})
    assert (response.status_code, response.json()["status"]) == (202, "failed")
    assert response.json()["message"] == "No other node has room."
    await second.stop()
    response = await platform(platform.api, "POST", COMMAND, {"worker_vm_id": int(second.id[1:])})
    assert (response.status_code, response.json()["message"]) == (202, "The node does not answer.")
    for body, message in (
        ({}, "This field is required."),
        ({"worker_vm_id": "x"}, "Enter a whole number."),
        ({"worker_vm_id": 10**6}, "Failed to find Conferencing Node."),
    ):
        response = await platform(platform.api, "POST", COMMAND, body)
        assert response.status_code == 400
        assert response.json() == {"move_calls_away": {"worker_vm_id": [message]}}
    assert (await platform(platform.api, "POST", COMMAND, b"[1]")).status_code == 400
    assert "move_calls_away" in await platform(platform.api.read, "/api/admin/command/v1/platform/")
    described = await platform(platform.api.read, f"{COMMAND}schema/")
    assert described["fields"]["worker_vm_id"]["type"] == "integer"


def test_status_tells_sign_on_and_direct_media() -> None:
    """From what a node keeps of a participant to the row of the API (sheet 10, 3.1)."""
    alone = ParticipantStatus(uuid="p-1", has_media=True, idp="idp-1", is_direct=True)
    told = status.decode_status(
        status.encode_status(
            NodeStatus(
                node="n1",
                conferences=(
                    ConferenceStatus(id="c-1", participants=(alone,), direct_media_available=True),
                    ConferenceStatus(id="c-2", participants=(ParticipantStatus(uuid="p-2"),)),
                ),
            )
        )
    )
    seen = View(Snapshot(time=1.0, statuses={"n1": told}), Directory(nodes={}, locations={}))
    first, second = status_rows.participants(seen)
    names = ("idp_uuid", "is_idp_authenticated", "is_direct", "transcoding_enabled")
    assert [first[name] for name in names] == ["idp-1", True, True, False]
    assert [second[name] for name in names] == ["", False, False, True]
    assert [row["direct_media_available"] for row in status_rows.conferences(seen)] == [True, False]
    assert [row["is_direct"] for row in status_rows.conference_shards(seen)] == [True, False]
