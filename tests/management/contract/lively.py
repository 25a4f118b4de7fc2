"""A platform on which something goes on, so that every table has rows."""

from __future__ import annotations

import datetime
import time

import msgspec

from rostra.configuration.models import ConferenceSyncTemplate, LdapSyncSource, WorkerVM
from rostra.domain.history import (
    BackplaneEnded,
    ConferenceStarted,
    Event,
    MediaEnded,
    NodeEvent,
    ParticipantEnded,
    ParticipantRecord,
    RegistrationAdded,
    RegistrationDeleted,
    StreamRecord,
)
from rostra.fabric.outbox import Record, encode_event
from rostra.fabric.peers import NodeReport
from rostra.fabric.status import (
    BackplaneStatus,
    Command,
    CommandReply,
    ConferenceStatus,
    LegStreams,
    MediaStatus,
    NodeStatus,
    ParticipantStatus,
    Registrations,
    RegistrationStatus,
    StreamStatus,
    TellRegistrations,
)
from rostra.fabric.survey import Seen, Snapshot
from rostra.management.alarms.models import Alarm
from rostra.management.backups import jobs
from rostra.management.history.receiving import store
from rostra.management.loads import LOCATION, NODE, Loads, Sample
from rostra.management.provisioning.models import SyncStatus
from rostra.management.snapshots import keeping as snapshots

START = 1_700_000_000.5
_AUDIO = StreamStatus(kind="audio", codec="opus", bitrate=64_000, packets=90, packets_lost=9, jitter=1.5)
_VIDEO = StreamStatus(kind="video", codec="VP8", bitrate=900_000, resolution="640x360", frame_rate=25.0, sending=False)


class Lively:
    """Stands for the fabric: two conferences on one node."""

    def __init__(self) -> None:
        self.loads = Loads()
        node, now = WorkerVM.objects.get(), time.time()
        for subject in ((NODE, node.pk), (LOCATION, node.system_location_id)):  # type: ignore[attr-defined]
            self.loads.remember({subject: Sample(now - 90, 10.0)}, now)
        key = f"n{node.pk}"
        report = NodeReport(
            node=key, boot="b", version="0.1.0", capacity=120, used=36, started=START, position=10**6, registrations=2
        )  # fmt: skip
        self._snapshot = Snapshot(
            time=START + 100,
            seen={key: Seen(report=report, alive=True, ago=1.0)},
            statuses={
                key: NodeStatus(
                    node=key, conferences=tuple(_conference(key, number) for number in (1, 2)), cpu_count=4, total_ram=8
                )
            },
        )

    def snapshot(self, *, fresh: bool = True) -> Snapshot:
        return self._snapshot

    def heard(self) -> dict[str, Seen]:
        return dict(self._snapshot.seen)

    def tell(self, nodes: list[str], command: Command) -> dict[str, CommandReply]:
        if isinstance(command, TellRegistrations):
            return dict.fromkeys(nodes, Registrations(rows=(_device(1), _device(2))))
        return dict.fromkeys(nodes, LegStreams(streams=(_AUDIO, _VIDEO)))


def _device(number: int) -> RegistrationStatus:
    return RegistrationStatus(
        id=f"0000000{number}-5a6b-4c7d-8e9f-a0b1c2d3e4f5", alias=f"ann{number}@example.com",
        protocol="sip" if number == 1 else "webrtc", username=f"ann{number}", remote_address=f"192.0.2.{number}",
        vendor=f"Phone {number}", start_time=START + number, is_natted=number == 2,
    )  # fmt: skip


def _conference(node: str, number: int) -> ConferenceStatus:
    person = ParticipantStatus(
        uuid=f"p-{number}", display_name=f"Person {number}", source_alias=f"sip:p{number}@example.com",
        destination_alias="board", protocol="sip" if number == 1 else "webrtc", vendor="Phone", role="guest",
        connect_time=START + number, has_media=True, is_muted=number == 2, bandwidth=number * 1_000_000,
        rx_bandwidth=700_000, tx_bandwidth=900_000, media_node=node, call_uuid=f"call-{number}", call_tag="tag",
        service_type="conference", remote_address=f"192.0.2.{number}", remote_port=5060 + number,
    )  # fmt: skip
    link = BackplaneStatus(peer="n99", scope="geo", since=START + number, streams=(_AUDIO, _VIDEO))
    return ConferenceStatus(
        id=f"c-{number}", name=f"Board {number}", service_type="conference", tag="t", start_time=START + number,
        is_locked=number == 2, is_started=True, participants=(person,), media=MediaStatus(backplanes=(link,)),
    )  # fmt: skip


def remember() -> None:
    """What is over: two conferences, their calls and links, an alarm; an alarm that is up; a backup; a sync."""
    store(
        [
            Record("n1", "boot", place, msgspec.Raw(encode_event(event)))
            for place, event in enumerate([event for number in (1, 2) for event in _past(number)], 1)
        ]
    )
    raised = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    for hours in (None, 1, 2):
        lowered = raised + datetime.timedelta(hours=hours) if hours else None
        Alarm.objects.create(
            name="connectivity_lost", identifier=7, level="Error", node="10.0.0.1", instance=f"i{hours}", details="why",
            time_raised=raised, time_lowered=lowered,
        )  # fmt: skip
    source = LdapSyncSource.objects.create(name="directory")
    template = ConferenceSyncTemplate.objects.create(name="all", ldap_sync_source=source)
    SyncStatus.objects.create(configuration_id=template.pk, sync_last_error_description="none")
    for asked in (jobs.JOBS, snapshots.JOBS):
        asked.requests.clear()
        asked.keep(jobs.Request(id="job-1", created_at=raised, updated_at=raised, state="failed", message="full"))


def _past(number: int) -> list[Event]:
    who = ParticipantRecord(
        uuid=f"person-{number}", conference_id=f"past-{number}", conference_name="Old", start_time=START + number,
        display_name=f"Person {number}", local_alias="old", remote_alias="sip:x@example.com", protocol="sip",
        bandwidth=number * 1_000_000, service_type="conference", has_media=True, remote_port=5060, location=1,
    )  # fmt: skip
    stream = StreamRecord(
        id="0", type="audio", node="n1", start_time=START, end_time=START + 60, rx_codec="opus", rx_bitrate=48_000,
        rx_packets_received=100, rx_packet_loss=0.5,
    )  # fmt: skip
    return [
        NodeEvent(time=START, kind="started", details="first"),
        ConferenceStarted(time=START, id=f"past-{number}", name="Old", service_type="conference", tag="t"),
        ParticipantEnded(time=START + 60 * number, participant=who, disconnect_reason="gone"),
        MediaEnded(time=START + 60 * number, participant=who.uuid, streams=(stream,), quality=(1, 1, 2)),
        RegistrationAdded(
            time=START, id=f"registration-{number}", alias=f"ivy{number}@acme.test", protocol="sip", username="ivy",
            remote_address="192.0.2.7", is_natted=number == 1, vendor=f"Phone {number}",
        ),
        RegistrationDeleted(time=START + 60, id=f"registration-{number}", alias=f"ivy{number}@acme.test"),
        BackplaneEnded(
            time=START + 60, id=f"link-{number}", conference_id=f"past-{number}", conference_name="Old", location=1,
            start_time=START, media_node="n1", remote_media_node="n2", scope="geo", streams=(stream,),
        ),
    ]  # fmt: skip
