"""The resources of the history API (sheet 10, 3.2)."""

from __future__ import annotations

import datetime
from typing import Any

from django.db.models import QuerySet

from rostra.management.api.stored import ModelSource
from rostra.management.api.tables import Column, Row, Table
from rostra.management.history.models import BackplaneRecord, ConferenceRecord, ParticipantRecord, PlatformEvent
from rostra.management.words import column, columns

_CONFERENCE = Column("conference", "related", "The conference.", target="conference")
_STREAMS = Column("media_streams", "list", "Statistics of the media streams.")
MEDIA_STREAM = columns(
    "stream_id node rx_codec rx_resolution stream_type tx_codec tx_resolution",
    datetime="end_time start_time",
    integer="id rx_bitrate rx_packets_lost rx_packets_received tx_bitrate tx_packets_lost tx_packets_sent",
    float="rx_fps rx_packet_loss tx_fps tx_packet_loss",
)
_OF_PARTICIPANT = (*MEDIA_STREAM, Column("participant", "related", "The call.", target="participant"))
_OF_BACKPLANE = (*MEDIA_STREAM, Column("backplane", "related", "The link.", target="backplane"))
_NOTHING: dict[str, Any] = {
    "direct_media_available": False,
    "idp_uuid": "",
    "is_direct": False,
    "is_idp_authenticated": False,
    "parent_id": "",
    "transcoding_enabled": True,
}
"""Columns of functions we do not have."""


def _conferences() -> QuerySet[Any]:
    return ConferenceRecord.objects.exclude(end_time=None).prefetch_related("participants")


def _participants() -> QuerySet[Any]:
    return ParticipantRecord.objects.exclude(end_time=None)


def _backplanes() -> QuerySet[Any]:
    return BackplaneRecord.objects.exclude(end_time=None)


def _row(names: tuple[Column, ...], record: Any) -> Row:
    row: dict[str, Any] = {}
    for one in names:
        match one.type:
            case "related":
                row[one.name] = getattr(record, f"{one.name}_id")
            case "many":
                row[one.name] = sorted(other.pk for other in getattr(record, one.name).all())
            case _:
                row[one.name] = getattr(record, one.name) if hasattr(record, one.name) else _NOTHING[one.name]
    return row


def _source(names: tuple[Column, ...], rows: Any, order: str = "-end_time") -> ModelSource:
    return ModelSource(rows, lambda record: _row(names, record), order, _NOTHING)


def _streams(row: Row) -> list[Row]:
    found: list[Row] = []
    for number, stream in enumerate(row["media_streams"], 1):
        times = {name: _moment(stream[name]) for name in ("start_time", "end_time")}
        found.append({**stream, **times, "id": number, "participant": row["id"], "backplane": row["id"]})
    return found


def _moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


def _delete_conference(key: str) -> bool:
    deleted, _ = ConferenceRecord.objects.exclude(end_time=None).filter(pk=key).delete()
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
        children={"media_stream": (_OF_PARTICIPANT, _streams)},
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
        children={"media_stream": (_OF_BACKPLANE, _streams)},
        shown=("conference_name", "media_node", "remote_media_node", "type", "start_time", "duration"),
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
