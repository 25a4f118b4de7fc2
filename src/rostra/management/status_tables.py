"""The resources of the status API (sheet 10, 3.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rostra.management import status_rows
from rostra.management.api.memory import MemorySource
from rostra.management.api.tables import Column, Row, Table
from rostra.management.status_rows import View
from rostra.management.status_view import view
from rostra.management.words import columns


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


def _no_streams(_row: Row) -> list[Row]:
    """Nodes do not tell statistics of participants' streams yet; they come with the end of the call."""
    return []


def _load(row: Row) -> list[Row]:
    return [{"media_load": float(row["media_load"])}]


_STATISTICS = ((Column("media_load", "float", "Share of the capacity in use, in percent."),), _load)

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
        shown=("name", "service_type", "start_time", "is_locked", "is_started"),
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
        children={"media_stream": (MEDIA_STREAM, _no_streams)},
        shown=(
            "participant_alias",
            "display_name",
            "conference",
            "connect_time",
            "protocol",
            "role",
            "system_location",
            "signalling_node",
            "media_node",
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
        children={"statistics": _STATISTICS},
        default_order=("name",),
    ),
    Table(
        api="status",
        name="system_location",
        title="Locations",
        summary="Locations and the load of their nodes.",
        columns=columns("max_connections name", integer=f"id {CAPACITY}", float="media_load"),
        source=_source(status_rows.system_locations),
        children={"statistics": _STATISTICS},
        shown=("name", "max_hd_calls", "media_load"),
        default_order=("name",),
    ),
)
