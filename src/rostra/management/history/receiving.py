"""From the nodes' events to rows of history, each exactly once whatever comes twice, late or out of order."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import structlog
from django.db import OperationalError, models, transaction

from rostra.configuration import orm
from rostra.domain import history as domain
from rostra.domain.quality import overall
from rostra.fabric.outbox import Record, decode_event
from rostra.management.directory import KILO, Directory, licence, protocol
from rostra.management.history.models import (
    BackplaneRecord,
    BackplaneStream,
    ConferenceRecord,
    ParticipantRecord,
    ParticipantStream,
    PlatformEvent,
    Run,
)
from rostra.management.history.received import Received

logger = structlog.get_logger("rostra.management.history")

_LONGEST = 1000
"""Characters kept of a text."""


Follower = Callable[[Sequence[tuple[Record, domain.Event]], Directory], None]
followers: list[Follower] = []
"""Told new events after they were taken into history, in the same transaction."""


def moment(seconds: float) -> datetime.datetime:
    """Unix seconds as a time. Raises ValueError or OverflowError for what is none."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def text(value: str) -> str:
    """What every database can hold of a text."""
    return value.replace("\0", "")[:_LONGEST]


def store(records: Sequence[Record]) -> int:
    """Take a batch into history; returns how many of its events were new. What no database would take is logged and
    left out. Raises OperationalError when the database does not work now.
    """
    try:
        with transaction.atomic():
            return _Intake(records).run()
    except OperationalError:
        raise
    except Exception:
        if len(records) > 1:
            return sum(store([record]) for record in records)
        logger.exception("An event cannot be kept", node=records[0].node if records else "")
        with transaction.atomic():
            return len(_fresh(records))


def _fresh(records: Sequence[Record]) -> list[tuple[Record, domain.Event]]:
    """The events we do not have yet, their numbers noted; what cannot be read is had with that."""
    found: list[tuple[Record, domain.Event]] = []
    runs: dict[tuple[str, str], tuple[Run, Received]] = {}
    for record in records:
        key = record.node[:64], record.boot[:64]
        if key not in runs:
            row, _ = Run.objects.select_for_update().get_or_create(node=key[0], boot=key[1])
            runs[key] = row, Received(row.received)
        if not runs[key][1].take(record.sequence):
            continue
        try:
            found.append((record, decode_event(record.event)))
        except msgspec.DecodeError as problem:
            logger.warning("An event is not understood", node=record.node, problem=str(problem))
    for row, received in runs.values():
        row.received = received.ranges
        row.save(update_fields=["received"])
    return found


class _Intake:
    """One batch: what it concerns is read at once, changed in memory and written at once."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records
        self._directory = Directory.load()
        self._conferences: dict[str, ConferenceRecord] = {}
        self._participants: dict[str, ParticipantRecord] = {}
        self._backplanes: dict[str, BackplaneRecord] = {}
        self._streams: list[ParticipantStream] = []
        self._crossed: list[BackplaneStream] = []
        self._carried: dict[str, list[list[int]]] = {}
        """By participant: the quality of each stream that is known."""
        self._events: list[PlatformEvent] = []

    def run(self) -> int:
        fresh = _fresh(self._records)
        participants, conferences = _concerned([event for _, event in fresh])
        self._participants = ParticipantRecord.objects.in_bulk(participants)
        self._conferences = ConferenceRecord.objects.in_bulk(conferences)
        for key, quality in ParticipantStream.objects.filter(participant__in=participants).values_list(
            "participant_id", "quality"
        ):
            self._carried.setdefault(key, []).append(quality)
        for record, event in fresh:
            try:
                self._apply(record, event)
            except (ValueError, OverflowError, OSError) as problem:
                logger.warning("An event makes no sense", node=record.node, problem=str(problem))
        self._write()
        for follower in followers:
            follower(fresh, self._directory)
        return len(fresh)

    def _apply(self, record: Record, event: domain.Event) -> None:
        match event:
            case domain.ConferenceStarted():
                row = self._conference(event.id, event.name, event.service_type, event.tag, event.time)
                if row is not None:
                    row.direct_media_available |= event.direct_media_available
            case domain.ConferenceEnded():
                row = self._conference(event.id, event.name, event.service_type, event.tag, event.time)
                if row is not None:
                    row.instant_message_count += max(0, event.message_count)
            case domain.ParticipantJoined():
                self._joined(record, event.participant)
            case domain.ParticipantEnded():
                self._ended(record, event)
            case domain.BackplaneEnded():
                self._backplane(event)
            case domain.MediaNodeUsed():
                row = self._participants.get(event.participant[:100])
                if row is not None and (row.end_time is None or row.presumed):
                    row.media_node = text(self._directory.address(event.media_node))
                    row.proxy_node = text(self._directory.address(event.proxy_node)) if event.proxy_node else ""
                self._note(record, event, "media_node", event.media_node, participant=event.participant)
            case domain.MediaEnded():
                self._media(event)
            case domain.CapacityRefused():
                self._note(record, event, "capacity", event.reason, event.alias, participant=event.participant)
            case domain.NodeEvent():
                self._note(record, event, "node", event.kind, event.details)
            case domain.AlarmChanged():
                pass  # followers keep alarms
            case domain.RegistrationAdded() | domain.RegistrationDeleted() | domain.RuleMatched() | domain.CallPlaced():
                pass  # followers keep and log them

    def _conference(self, key: str, name: str, kind: str, tag: str, start: float) -> ConferenceRecord | None:
        if not key:
            return None
        began = moment(start)
        row = self._conferences.get(key[:100])
        if row is None:
            row = self._conferences[key[:100]] = ConferenceRecord(id=key[:100], start_time=began)
        row.name = row.name or text(name)
        row.service_type = row.service_type or text(kind)
        row.tag = row.tag or text(tag)
        row.start_time = min(row.start_time, began)
        return row

    def _joined(self, record: Record, said: domain.ParticipantRecord) -> None:
        if said.uuid[:100] not in self._participants:
            self._fill(record, said)

    def _ended(self, record: Record, event: domain.ParticipantEnded) -> None:
        known = self._participants.get(event.participant.uuid[:100])
        if known is not None and known.end_time is not None and not known.presumed:
            return
        end = moment(event.time)
        row = self._fill(record, event.participant)
        row.end_time = max(end, row.start_time)
        row.duration = round(event.duration or (row.end_time - row.start_time).total_seconds())
        row.disconnect_reason = text(event.disconnect_reason)
        row.presumed = False

    def _media(self, event: domain.MediaEnded) -> None:
        participant = event.participant[:100]
        known = self._carried.setdefault(participant, [])
        for stream in event.streams:
            quality = list(event.quality) if stream is event.streams[0] else []
            values = self._stream(stream) | {"stream_id": str(len(known))}
            self._streams.append(ParticipantStream(participant_id=participant, quality=quality, **values))
            known.append(quality)

    def _fill(self, record: Record, said: domain.ParticipantRecord) -> ParticipantRecord:
        place = self._directory
        start = moment(said.start_time)
        conference = self._conference(
            said.conference_id, said.conference_name, said.service_type, said.service_tag, said.start_time
        )
        row = self._participants.setdefault(said.uuid[:100], ParticipantRecord(id=said.uuid[:100]))
        row.conference = conference
        row.node, row.boot = record.node[:64], record.boot[:64]
        row.start_time = start
        row.system_location = text(place.location(said.location) or place.location_of(record.node))
        row.signalling_node = text(place.address(record.node))
        row.media_node = text(place.address(said.media_node)) if said.media_node else row.media_node
        row.proxy_node = text(place.address(said.proxy_node)) if said.proxy_node else ""
        row.encryption = "On" if said.encrypted else "Off"
        for name in _SAME_TEXT:
            setattr(row, name, text(getattr(said, name)))
        for name in _SAME_VALUE:
            setattr(row, name, getattr(said, name))
        for name in _RATES:
            setattr(row, name, getattr(said, name) // KILO)
        row.protocol = protocol(said.protocol)
        row.call_uuid = row.call_uuid[:200] or row.id
        row.conversation_id = row.conversation_id or row.call_uuid
        row.license_count, row.license_type = licence(said.has_media, said.license_count, said.license_type)
        row.idp_uuid, row.is_idp_authenticated = text(said.idp), bool(said.idp)
        row.is_direct, row.transcoding_enabled = said.is_direct, not said.is_direct
        return row

    def _backplane(self, event: domain.BackplaneEnded) -> None:
        start, end = moment(event.start_time), moment(event.time)
        place = self._directory
        conference = self._conference(
            event.conference_id, event.conference_name, "", event.service_tag, event.start_time
        )
        self._backplanes[event.id] = BackplaneRecord(
            id=event.id[:200],
            conference=conference,
            conference_name=text(event.conference_name),
            service_tag=text(event.service_tag),
            start_time=start,
            end_time=end,
            duration=max(0, round(event.time - event.start_time)),
            disconnect_reason=text(event.disconnect_reason),
            media_node=text(place.address(event.media_node)),
            remote_media_node=text(place.address(event.remote_media_node)),
            remote_node_name=text(place.name(event.remote_media_node)),
            remote_conference_name=text(event.conference_name),
            proxy_node=text(place.address(event.proxy_node)) if event.proxy_node else "",
            protocol="SRTP",
            system_location=text(place.location(event.location) or place.location_of(event.media_node)),
            type="geo" if event.scope == "geo" else "local",
        )
        self._crossed += [
            BackplaneStream(backplane_id=event.id[:200], **self._stream(stream)) for stream in event.streams
        ]

    def _stream(self, stream: domain.StreamRecord) -> dict[str, Any]:
        said = msgspec.structs.asdict(stream)
        body: dict[str, Any] = {
            name: text(value) if isinstance(value, str) else value
            for name, value in said.items()
            if name not in ("id", "type")
        }
        body |= {"stream_id": text(stream.id)[:20], "stream_type": text(stream.type)}
        body |= {"node": text(self._directory.address(stream.node))}
        body |= {"start_time": moment(stream.start_time), "end_time": moment(stream.end_time)}
        return body | {"rx_bitrate": stream.rx_bitrate // KILO, "tx_bitrate": stream.tx_bitrate // KILO}

    def _note(
        self, record: Record, event: domain.Event, kind: str, state: str, details: str = "", *, participant: str = ""
    ) -> None:
        node = self._directory.nodes.get(record.node)
        self._events.append(
            PlatformEvent(
                time_changed=moment(event.time),
                event_type=kind,
                state=text(state),
                details=text(details),
                context=record.boot[:64],
                participant=participant[:100],
                workervm_address=self._directory.address(record.node),
                workervm_configuration_id=node.id if node else None,
                workervm_configuration_name=self._directory.name(record.node),
                workervm_configuration_location_name=self._directory.location_of(record.node),
            )
        )

    def _write(self) -> None:
        for key, row in self._participants.items():
            row.historic_call_quality = [window for piece in self._carried.get(key, []) for window in piece]
            row.call_quality = overall(row.historic_call_quality).word
        _upsert(ConferenceRecord, list(self._conferences.values()))
        _upsert(ParticipantRecord, list(self._participants.values()))
        _upsert(BackplaneRecord, list(self._backplanes.values()))
        ParticipantStream.objects.bulk_create(self._streams, batch_size=200)
        BackplaneStream.objects.bulk_create(self._crossed, batch_size=200)
        PlatformEvent.objects.bulk_create(self._events)
        settle(set(self._conferences))


_SAME_TEXT = (
    *("conference_name", "display_name", "local_alias", "remote_alias", "vendor", "role"),
    *("call_direction", "call_uuid", "call_tag", "conversation_id", "service_type", "service_tag"),
    *("remote_address", "av_id", "presentation_id"),
)
_SAME_VALUE = ("has_media", "is_streaming", "remote_port")
_RATES = ("bandwidth", "rx_bandwidth", "tx_bandwidth")


def _concerned(events: list[domain.Event]) -> tuple[set[str], set[str]]:
    """Participants and conferences that may have rows already."""
    participants: set[str] = set()
    conferences: set[str] = set()
    for event in events:
        match event:
            case domain.ParticipantJoined() | domain.ParticipantEnded():
                participants.add(event.participant.uuid[:100])
                conferences.add(event.participant.conference_id[:100])
            case domain.ConferenceStarted() | domain.ConferenceEnded():
                conferences.add(event.id[:100])
            case domain.BackplaneEnded():
                conferences.add(event.conference_id[:100])
            case domain.MediaNodeUsed() | domain.MediaEnded():
                participants.add(event.participant[:100])
            case _:
                pass
    return participants, conferences


def _upsert(model: type[models.Model], rows: list[Any]) -> None:
    meta = orm.meta(model)
    names = [field.name for field in meta.concrete_fields if not field.primary_key]
    orm.rows(model).bulk_create(rows, update_conflicts=True, unique_fields=["id"], update_fields=names, batch_size=200)


def settle(conferences: set[str]) -> None:
    """Work out from its calls whether each of these conferences is over, when, and how many there were."""
    calls = {
        row["conference"]: row
        for row in ParticipantRecord.objects.filter(conference__in=conferences)
        .order_by()
        .values("conference")
        .annotate(
            calls=models.Count("id"),
            open=models.Count("id", filter=models.Q(end_time=None)),
            end=models.Max("end_time"),
        )
    }
    rows = list(ConferenceRecord.objects.filter(pk__in=calls))
    for row in rows:
        found = calls[row.pk]
        row.participant_count = found["calls"]
        row.end_time = None if found["open"] else found["end"]
        row.duration = round((row.end_time - row.start_time).total_seconds()) if row.end_time else 0
    ConferenceRecord.objects.bulk_update(rows, ["participant_count", "end_time", "duration"], batch_size=200)
