"""The resources of the history API (sheet 10, 3.2)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from rostra.domain.quality import buckets
from rostra.management.api import wire
from rostra.management.api.stored import ModelSource
from rostra.management.api.tables import Column, Row, Table, uri
from rostra.management.history.models import (
    BackplaneRecord,
    BackplaneStream,
    ConferenceRecord,
    ParticipantRecord,
    ParticipantStream,
    PlatformEvent,
    RegistrationRecord,
)
from rostra.management.words import column, columns

_CONFERENCE = Column("conference", "related", "The conference.", target="conference")
_STREAMS = Column("media_streams", "list", "Statistics of the media streams.")
_QUALITY = (
    Column("bucketed_call_quality", "list", "How many 20 seconds were unknown, good, ok, bad and terrible."),
    Column("historic_call_quality", "list", "Quality of each 20 seconds: 0 unknown, 1 good, 2 ok, 3 bad, 4 terrible."),
)
MEDIA_STREAM = columns(
    "stream_id node rx_codec rx_resolution stream_type tx_codec tx_resolution",
    datetime="end_time start_time",
    integer="id rx_bitrate rx_packets_lost rx_packets_received tx_bitrate tx_packets_lost tx_packets_sent",
    float="rx_fps rx_packet_loss tx_fps tx_packet_loss",
)
_OF_PARTICIPANT = (*MEDIA_STREAM, Column("participant", "related", "The call.", target="participant"))
_OF_BACKPLANE = (*MEDIA_STREAM, Column("backplane", "related", "The link.", target="backplane"))
_NOTHING: dict[str, Any] = {"parent_id": ""}
"""Columns of what there no longer is."""


def _conferences() -> QuerySet[Any]:
    return ConferenceRecord.objects.exclude(end_time=None).prefetch_related("participants")


def _participants() -> QuerySet[Any]:
    return ParticipantRecord.objects.exclude(end_time=None).prefetch_related("media_streams")


def _backplanes() -> QuerySet[Any]:
    return BackplaneRecord.objects.exclude(end_time=None).prefetch_related("media_streams")


def _participant_streams() -> QuerySet[Any]:
    return ParticipantStream.objects.filter(participant__end_time__isnull=False)


def _backplane_streams() -> QuerySet[Any]:
    return BackplaneStream.objects.filter(backplane__end_time__isnull=False)


def _row(names: tuple[Column, ...], record: Any) -> Row:
    row: dict[str, Any] = {}
    for one in names:
        match one.type:
            case "related":
                row[one.name] = getattr(record, f"{one.name}_id")
            case "many":
                row[one.name] = sorted(other.pk for other in getattr(record, one.name).all())
            case "list" if one is _STREAMS:
                of = _OF_BACKPLANE if names is _BACKPLANES else _OF_PARTICIPANT
                row[one.name] = [_nested(of, stream) for stream in record.media_streams.all()]
            case "list" if one.name == "bucketed_call_quality":
                row[one.name] = buckets(record.historic_call_quality)
            case _:
                row[one.name] = getattr(record, one.name) if hasattr(record, one.name) else _NOTHING[one.name]
    return row


def _source(names: tuple[Column, ...], rows: Any, order: str = "-end_time") -> ModelSource:
    return ModelSource(rows, lambda record: _row(names, record), order, _NOTHING)


def _nested(names: tuple[Column, ...], record: Any) -> dict[str, Any]:
    """A stream inside the row it belongs to, as on the wire."""
    row = dict(_row(names, record))
    for one in names:
        if one.type == "related":
            row[one.name] = uri("history", one.target, row[one.name])
        elif one.type == "datetime":
            row[one.name] = wire.moment(row[one.name])
    return row


def _participant_children(row: Row) -> list[Row]:
    return [_row(_OF_PARTICIPANT, stream) for stream in ParticipantStream.objects.filter(participant=row["id"])]


def _backplane_children(row: Row) -> list[Row]:
    return [_row(_OF_BACKPLANE, stream) for stream in BackplaneStream.objects.filter(backplane=row["id"])]


def _delete_conference(key: str) -> bool:
    deleted, _ = ConferenceRecord.objects.exclude(end_time=None).filter(pk=key).delete()
    return deleted > 0


def _registrations() -> QuerySet[Any]:
    return RegistrationRecord.objects.exclude(end_time=None)


def _delete_registration(key: str) -> bool:
    if not key.isdecimal() or len(key) > 18:
        return False
    deleted, _ = _registrations().filter(pk=key).delete()
    return deleted > 0


_CONFERENCES = (
    *columns(
        "id name service_type tag",
        boolean="direct_media_available",
        datetime="end_time start_time",
        integer="duration instant_message_count participant_count",
    ),
    Column("participants", "many", "Its calls.", target="participant"),
)
_PARTICIPANTS = (
    _CONFERENCE,
    _STREAMS,
    *_QUALITY,
    *columns(
        "av_id call_direction call_quality call_tag call_uuid conference_name conversation_id disconnect_reason "
        "display_name encryption id idp_uuid license_type local_alias media_node parent_id presentation_id protocol "
        "proxy_node remote_address remote_alias role service_tag service_type signalling_node system_location vendor",
        datetime="end_time start_time",
        integer="bandwidth duration license_count remote_port rx_bandwidth tx_bandwidth",
        boolean="has_media is_direct is_idp_authenticated is_streaming transcoding_enabled",
    ),
)
_BACKPLANES = (
    _CONFERENCE,
    _STREAMS,
    *columns(
        "conference_name disconnect_reason id media_node protocol proxy_node remote_conference_name "
        "remote_media_node remote_node_name service_tag system_location type",
        datetime="end_time start_time",
        integer="duration",
    ),
)
_REGISTRATIONS = columns(
    "alias node protocol registration_id remote_address username vendor",
    integer="id",
    boolean="is_natted",
    datetime="end_time start_time",
)
_EVENTS = (
    *columns(
        "context details event_type state workervm_address workervm_configuration_location_name "
        "workervm_configuration_name",
        integer="id workervm_configuration_id",
    ),
    column("time_changed", "datetime"),
)


TABLES = (
    Table(
        api="history",
        name="conference",
        title="Conference history",
        summary="Conferences that are over: the newest 10,000.",
        columns=_CONFERENCES,
        source=_source(_CONFERENCES, _conferences),
        delete=_delete_conference,
        permission="history.delete_conferencerecord",
        shown=("name", "service_type", "start_time", "end_time", "duration", "participant_count"),
    ),
    Table(
        api="history",
        name="participant",
        title="Participant history",
        summary="Calls that are over.",
        columns=_PARTICIPANTS,
        source=_source(_PARTICIPANTS, _participants),
        children={"media_stream": (_OF_PARTICIPANT, _participant_children)},
        shown=(
            "remote_alias",
            "display_name",
            "conference_name",
            "start_time",
            "duration",
            "protocol",
            "role",
            "system_location",
            "disconnect_reason",
        ),
    ),
    Table(
        api="history",
        name="backplane",
        title="Backplane history",
        summary="Links between nodes that are over.",
        columns=_BACKPLANES,
        source=_source(_BACKPLANES, _backplanes),
        children={"media_stream": (_OF_BACKPLANE, _backplane_children)},
        shown=("conference_name", "media_node", "remote_media_node", "type", "start_time", "duration"),
    ),
    Table(
        api="history",
        name="media_stream",
        title="Media stream history",
        summary="Media streams of calls that are over.",
        columns=_OF_PARTICIPANT,
        source=_source(_OF_PARTICIPANT, _participant_streams),
        shown=("stream_type", "node", "start_time", "end_time", "tx_codec", "tx_bitrate", "rx_codec", "rx_bitrate"),
    ),
    Table(
        api="history",
        name="backplane_media_stream",
        title="Backplane media stream history",
        summary="Media streams between nodes that are over.",
        columns=_OF_BACKPLANE,
        source=_source(_OF_BACKPLANE, _backplane_streams),
        shown=("stream_type", "node", "start_time", "end_time", "tx_codec", "tx_bitrate"),
    ),
    Table(
        api="history",
        name="registration_alias",
        title="Registration history",
        summary="Registrations of devices that are over: the newest 10,000.",
        columns=_REGISTRATIONS,
        source=_source(_REGISTRATIONS, _registrations),
        delete=_delete_registration,
        permission="history.delete_registrationrecord",
        shown=("alias", "username", "node", "start_time", "end_time", "protocol", "vendor"),
    ),
    Table(
        api="history",
        name="workervm_status_event",
        title="Conferencing Node history",
        summary="Starts and ends of nodes, calls refused for want of capacity, nodes that carried a call's media.",
        columns=_EVENTS,
        source=_source(_EVENTS, PlatformEvent.objects.all, "-time_changed"),
        shown=("time_changed", "workervm_configuration_name", "event_type", "state", "details"),
    ),
)
