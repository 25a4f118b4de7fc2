"""The resources of the status API (sheet 10, 3.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.utils import timezone

from rostra import release
from rostra.configuration import journal
from rostra.configuration.models import ManagementVM
from rostra.fabric.status import LegStreams, TellStreams
from rostra.management import loads, registrations, status_rows
from rostra.management.api.memory import MemorySource
from rostra.management.api.tables import Column, Row, Table
from rostra.management.directory import Directory
from rostra.management.status import platform
from rostra.management.status_rows import View, moment
from rostra.management.status_view import view
from rostra.management.upgrades import running
from rostra.management.upgrades.models import MANAGEMENT
from rostra.management.words import column, columns


def _source(rows: Callable[[View], Sequence[Row]]) -> MemorySource:
    return MemorySource(lambda: rows(view()))


PARTICIPANT = columns(
    "call_uuid call_tag call_direction call_quality conference conversation_id destination_alias display_name "
    "encryption id idp_uuid license_type media_node parent_id participant_alias protocol proxy_node remote_address "
    "role service_tag service_type signalling_node source_alias system_location vendor",
    integer="bandwidth license_count remote_port rx_bandwidth tx_bandwidth",
    datetime="connect_time",
    boolean="has_media is_client_muted is_direct is_disconnect_supported is_idp_authenticated is_mute_supported "
    "is_muted is_on_hold is_presentation_supported is_presenting is_recording is_streaming is_transcribing "
    "is_transfer_supported transcoding_enabled",
)
MEDIA_STREAM = columns(
    "id node rx_codec rx_resolution tx_codec tx_resolution type",
    datetime="end_time start_time",
    integer="rx_bitrate rx_packets_lost rx_packets_received tx_bitrate tx_packets_lost tx_packets_sent",
    float="rx_fps rx_jitter rx_packet_loss rx_windowed_packet_loss tx_fps tx_jitter tx_packet_loss "
    "tx_windowed_packet_loss",
)
CAPACITY = "max_audio_calls max_full_hd_calls max_hd_calls max_media_tokens max_sd_calls media_tokens_used"


def _streams(row: Row) -> list[Row]:
    return list(row["media_streams"])


def _call_streams(row: Row) -> list[Row]:
    """Asked of the node that carries the call, when somebody looks."""
    if not row["media_node_id"]:
        return []
    (told,) = platform().tell([row["media_node_id"]], TellStreams(call=row["call_uuid"])).values()
    streams = told.streams if isinstance(told, LegStreams) else ()
    return [*status_rows.call_streams(Directory.load(), dict(row), streams)]


def _statistics(kind: str) -> tuple[tuple[Column, ...], Callable[[Row], list[Row]]]:
    """The load over the last hour; the newest row is of now."""

    def samples(row: Row) -> list[Row]:
        before = platform().loads.recent(kind, row["id"])
        found = [{"media_load": float(one.percent), "time": moment(one.time)} for one in before]
        return [*found, {"media_load": float(row["media_load"]), "time": timezone.now()}]

    return (column("time", "datetime"), column("media_load", "float")), samples


def _management_vms() -> list[Row]:
    """This machine: it always knows of itself, and has what was configured as soon as it is stored."""
    changed = journal.Change.objects.order_by("-sequence").values_list("made", flat=True).first()
    upgrading = running.going_on().get(MANAGEMENT, "IDLE")
    return [
        {
            "configuration_id": row.pk,
            "id": row.pk,
            "last_attempted_contact": timezone.now().replace(second=0, microsecond=0),
            "last_updated": moment(changed or 0),
            "name": row.name,
            "primary": True,
            "sync_status": "synchronised",
            "upgrade_status": upgrading,
            "version": release.VERSION,
        }
        for row in ManagementVM.objects.all()
    ]


TABLES = (
    Table(
        api="status",
        name="conference",
        title="Conferences",
        summary="Conferences in progress.",
        columns=columns(
            "id name service_type tag",
            boolean="direct_media_available guests_muted is_locked is_started",
            datetime="start_time",
        ),
        source=_source(status_rows.conferences),
        filtering=("name", "service_type", "start_time", "tag"),
        shown=("name", "duration", "participant_count", "service_type", "tag", "is_locked", "is_started"),
        default_order=("name",),
    ),
    Table(
        api="status",
        name="conference_shard",
        title="Conferences by node",
        summary="Conferences in progress as each node has them.",
        columns=columns(
            "conference id node service_type system_location tag",
            boolean="guests_muted is_direct is_locked is_started transcoding_enabled",
            datetime="start_time",
        ),
        source=_source(status_rows.conference_shards),
        shown=("conference", "node", "system_location", "start_time", "is_locked"),
        default_order=("conference",),
    ),
    Table(
        api="status",
        name="participant",
        title="Participants",
        summary="Participants that are connected.",
        columns=PARTICIPANT,
        source=_source(status_rows.participants),
        children={"media_stream": (MEDIA_STREAM, _call_streams)},
        shown=(
            "participant_alias",
            "duration",
            "display_name",
            "conference",
            "system_location",
            "signalling_node",
            "media_node",
            "protocol",
            "role",
            "is_presenting",
            "is_muted",
            "is_on_hold",
            "is_streaming",
        ),
        default_order=("connect_time",),
    ),
    Table(
        api="status",
        name="backplane",
        title="Backplanes",
        summary="Links between nodes, one for each direction.",
        columns=columns(
            "conference id media_node protocol proxy_node remote_conference_name remote_media_node remote_node_name "
            "service_tag system_location type",
            datetime="connect_time",
        ),
        source=_source(status_rows.backplanes),
        children={"media_stream": (MEDIA_STREAM, _streams)},
        shown=("conference", "media_node", "remote_media_node", "type", "connect_time", "system_location"),
        default_order=("conference",),
    ),
    Table(
        api="status",
        name="registration_alias",
        title="Registrations",
        summary="Devices that are registered now.",
        columns=columns(
            "alias node protocol push_token registration_id remote_address username vendor",
            integer="id",
            boolean="is_natted",
            datetime="start_time",
        ),
        source=MemorySource(registrations.rows),
        shown=("alias", "username", "node", "start_time", "protocol", "vendor"),
        default_order=("alias",),
    ),
    Table(
        api="status",
        name="worker_vm",
        title="Conferencing Nodes",
        summary="Conferencing Nodes and their load.",
        columns=columns(
            "cpu_capabilities cpu_model deploy_error deploy_status hypervisor maintenance_mode_reason name node_type "
            "sync_status system_location upgrade_status version",
            integer=f"configuration_id cpu_count deploy_progress id max_direct_participants media_load signaling_count "
            f"total_ram {CAPACITY}",
            boolean="maintenance_mode",
            datetime="boot_time last_attempted_contact last_reported last_updated",
        ),
        source=_source(status_rows.worker_vms),
        children={"statistics": _statistics(loads.NODE)},
        default_order=("name",),
    ),
    Table(
        api="status",
        name="system_location",
        title="Locations",
        summary="Locations and the load of their nodes.",
        columns=columns("max_connections name", integer=f"id {CAPACITY}", float="media_load"),
        source=_source(status_rows.system_locations),
        children={"statistics": _statistics(loads.LOCATION)},
        shown=("name", "max_hd_calls", "media_load"),
        default_order=("name",),
    ),
    Table(
        api="status",
        name="management_vm",
        title="Management Nodes",
        summary="The Management Node.",
        columns=columns(
            "name sync_status upgrade_status version",
            integer="configuration_id id",
            boolean="primary",
            datetime="last_attempted_contact last_updated",
        ),
        source=MemorySource(_management_vms),
        shown=("name", "version", "upgrade_status", "last_updated"),
        default_order=("name",),
    ),
)
