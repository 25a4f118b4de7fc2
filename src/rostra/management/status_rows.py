"""From what the nodes say to the rows of the status API (pure; sheet 10, 3.1)."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rostra.domain.capacity import (
    Figures,
    Load,
    figures_of,
    location_calls,
    location_load,
    max_calls,
    processor_load,
)  # fmt: skip
from rostra.domain.quality import known, loss
from rostra.fabric.peers import NodeReport
from rostra.fabric.status import BackplaneStatus, ConferenceStatus, ParticipantStatus, StreamStatus
from rostra.fabric.survey import Snapshot
from rostra.management.directory import KILO, Directory, Node, licence, protocol

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Contact:
    """What was last noted of a node (`history.models.NodeContact`)."""

    last_reported: datetime.datetime
    last_updated: datetime.datetime | None
    report: NodeReport


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """All that rows are made from."""

    snapshot: Snapshot
    directory: Directory
    contacts: Mapping[str, Contact] = dataclasses.field(default_factory=dict[str, Contact])
    position: int = 0
    """Of the newest change of configuration."""
    upgrades: Mapping[int, str] = dataclasses.field(default_factory=dict[int, str])
    """How far nodes are that are being upgraded, by the number of their configuration."""


def moment(seconds: float) -> datetime.datetime | None:
    """Unix seconds as a time; None for 0 and for what is no time."""
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC) if seconds else None
    except (ValueError, OverflowError, OSError):
        return None


# ---- conferences


Parts = list[tuple[str, ConferenceStatus]]
"""Of a conference: each with the node that has it."""


def shards(view: View) -> Iterator[tuple[str, ConferenceStatus]]:
    """Every part of every conference with the node that has it."""
    for node, status in sorted(view.snapshot.statuses.items()):
        for conference in status.conferences:
            yield node, conference


def merged(view: View) -> dict[str, Parts]:
    """The parts of each conference."""
    found: dict[str, Parts] = {}
    for node, conference in shards(view):
        found.setdefault(conference.id, []).append((node, conference))
    return found


def conferences(view: View) -> list[Row]:
    """Running instances."""
    now = view.snapshot.time
    return [_conference(key, [part for _, part in parts], now) for key, parts in merged(view).items()]


def _conference(key: str, parts: list[ConferenceStatus], now: float) -> Row:
    first = min(parts, key=lambda part: part.start_time or float("inf"))
    return {
        "direct_media_available": any(part.direct_media_available for part in parts),
        "guests_muted": any(part.guests_muted for part in parts),
        "id": key,
        "is_locked": any(part.is_locked for part in parts),
        "is_started": any(part.is_started for part in parts),
        "name": first.name,
        "service_type": first.service_type,
        "start_time": moment(first.start_time),
        "tag": first.tag,
        "duration": _since(first.start_time, now),
        "participant_count": sum(len(part.participants) for part in parts),
    }


def _since(start: float, now: float) -> int | None:
    """Whole seconds; None for what is no time."""
    return max(0, round(now - start)) if moment(start) else None


def conference_shards(view: View) -> list[Row]:
    """Instances as each node has them."""
    return [
        {
            "conference": part.name,
            "guests_muted": part.guests_muted,
            "id": f"{part.id}:{node}",
            "is_direct": any(who.is_direct for who in part.participants),
            "is_locked": part.is_locked,
            "is_started": part.is_started,
            "node": view.directory.address(node),
            "service_type": part.service_type,
            "start_time": moment(part.start_time),
            "system_location": view.directory.location_of(node),
            "tag": part.tag,
            "transcoding_enabled": part.media is not None,
        }
        for node, part in shards(view)
    ]


def participants(view: View) -> list[Row]:
    """Connected participants."""
    now = view.snapshot.time
    judged = {call: value for _, part in shards(view) if part.media for call, value in part.media.quality.items()}
    return [
        _participant(view.directory, node, part, participant)
        | {
            "call_quality": known(judged.get(participant.call_uuid, 0)).word,
            "duration": _since(participant.connect_time, now),
        }
        for node, part in shards(view)
        for participant in part.participants
    ]


def _participant(directory: Directory, node: str, part: ConferenceStatus, who: ParticipantStatus) -> Row:
    licences, kind = licence(who.has_media, who.license_count, who.license_type)
    call = who.call_uuid or who.uuid
    return {
        **_NO_PARTICIPANT_FUNCTIONS,
        **{name: getattr(who, name) for name in _SAME},
        "bandwidth": who.bandwidth // KILO,
        "call_uuid": call,
        "conference": part.name,
        "conference_id": part.id,
        "connect_time": moment(who.connect_time),
        "conversation_id": who.conversation_id or call,
        "encryption": "On" if who.encrypted else "Off",
        "id": who.uuid,
        "idp_uuid": who.idp,
        "is_idp_authenticated": bool(who.idp),
        "license_count": licences,
        "license_type": kind,
        "media_node": directory.address(who.media_node) if who.media_node else "",
        "media_node_id": who.media_node,
        "participant_alias": who.source_alias if who.call_direction == "in" else who.destination_alias,
        "protocol": protocol(who.protocol),
        "proxy_node": directory.address(who.proxy_node) if who.proxy_node else "",
        "rx_bandwidth": who.rx_bandwidth // KILO,
        "service_tag": part.tag,
        "signalling_node": directory.address(node),
        "system_location": directory.location_of(node),
        "transcoding_enabled": not who.is_direct,
        "tx_bandwidth": who.tx_bandwidth // KILO,
    }


_SAME = (
    *("call_direction", "call_tag", "destination_alias", "display_name", "has_media"),
    *("is_direct", "is_client_muted", "is_disconnect_supported", "is_mute_supported", "is_muted", "is_on_hold"),
    *("is_presentation_supported", "is_presenting", "is_streaming", "is_transfer_supported", "remote_address"),
    *("remote_port", "role", "service_type", "source_alias", "vendor"),
)
"""Columns that are members of `ParticipantStatus` as they are."""
_NO_PARTICIPANT_FUNCTIONS: Row = {
    "is_recording": False,
    "is_transcribing": False,
    "parent_id": "",
}
"""Columns of functions we do not have."""


# ---- backplanes


def backplanes(view: View) -> list[Row]:
    """Links between nodes, one for each direction (DIAG-025)."""
    return [
        {
            "conference": part.name,
            "connect_time": moment(link.since),
            "id": f"{part.id}:{node}:{link.peer}",
            "media_node": view.directory.address(node),
            "protocol": "SRTP",
            "proxy_node": "",
            "remote_conference_name": part.name,
            "remote_media_node": view.directory.address(link.peer),
            "remote_node_name": view.directory.name(link.peer),
            "service_tag": part.tag,
            "system_location": view.directory.location_of(node),
            "type": "geo" if link.scope == "geo" else "local",
            "media_streams": streams(view.directory, node, link),
        }
        for node, part in shards(view)
        for link in (part.media.backplanes if part.media else ())
    ]


def streams(directory: Directory, node: str, link: BackplaneStatus) -> list[Row]:
    """The streams of a link as `media_stream` rows: those sent and those received."""
    return [
        _stream(directory, node, moment(link.since), number, {stream.sending: stream})
        for number, stream in enumerate(link.streams)
    ]


def call_streams(directory: Directory, row: Row, told: Iterable[StreamStatus]) -> list[Row]:
    """The streams of the call of a `participant` row: what is sent and what is received of a kind in one row."""
    by_kind: dict[str, list[dict[bool, StreamStatus]]] = {}
    for stream in told:
        pairs = by_kind.setdefault(stream.kind, [])
        pair = next((pair for pair in pairs if stream.sending not in pair), None)
        if pair is None:
            pairs.append(pair := {})
        pair[stream.sending] = stream
    ordered = [pair for kind in sorted(by_kind) for pair in by_kind[kind]]
    return [
        _stream(directory, row["media_node_id"], row["connect_time"], number, pair)
        for number, pair in enumerate(ordered)
    ]


def _stream(
    directory: Directory, node: str, since: datetime.datetime | None, number: int, pair: Mapping[bool, StreamStatus]
) -> Row:
    """`pair`: what is sent (True) and what is received (False), at least one of them."""
    sent, received = pair.get(True, StreamStatus()), pair.get(False, StreamStatus(sending=False))
    begun = [stream.since for stream in pair.values() if stream.since]
    return {
        "id": str(number),
        "end_time": None,
        "node": directory.address(node),
        "start_time": moment(min(begun)) if begun else since,
        "type": next(iter(pair.values())).kind,
        **{f"rx_{name}": value for name, value in _figures(received).items()},
        "rx_packets_received": received.packets,
        **{f"tx_{name}": value for name, value in _figures(sent).items()},
        "tx_packets_sent": sent.packets,
    }


def _figures(stream: StreamStatus) -> Row:
    return {
        "bitrate": stream.bitrate // KILO,
        "codec": stream.codec,
        "fps": stream.frame_rate,
        "jitter": stream.jitter,
        "packet_loss": round(loss(stream.packets, stream.packets_lost, sending=stream.sending), 2),
        "packets_lost": stream.packets_lost,
        "resolution": stream.resolution,
        "windowed_packet_loss": round(stream.recent_loss, 2),
    }


# ---- nodes and locations


def load(view: View, node: str, configured: Node) -> Load:
    """How full a node is; one that is not there has no capacity."""
    seen = view.snapshot.seen.get(node)
    report = seen.report if seen and seen.alive else None
    maintenance = configured.maintenance_mode or bool(report and report.maintenance)
    return Load(capacity=report.capacity if report else 0, used=report.used if report else 0, maintenance=maintenance)


def figures_of_report(report: NodeReport | None) -> Figures:
    """How many calls of each kind a node can take."""
    if report is None:
        return max_calls(0)
    return figures_of(report.capacity, full_hd=report.max_full_hd, sd=report.max_sd, audio=report.max_audio)


def worker_vms(view: View) -> list[Row]:
    """Every configured Conferencing Node, whether or not it was ever heard of (NODE-005, DIAG-081)."""
    return [_worker_vm(view, key, node) for key, node in view.directory.nodes.items()]


def _worker_vm(view: View, key: str, node: Node) -> Row:
    seen, contact, status = view.snapshot.seen.get(key), view.contacts.get(key), view.snapshot.statuses.get(key)
    report = seen.report if seen else contact.report if contact else None
    load_now = load(view, key, node)
    figures = figures_of_report(report)
    reported = moment(view.snapshot.time - seen.ago) if seen else contact.last_reported if contact else None
    return {
        "boot_time": moment(report.started) if report else None,
        "configuration_id": node.id,
        "cpu_capabilities": status.cpu_capabilities if status else "",
        "cpu_count": status.cpu_count if status else 0,
        "cpu_model": status.cpu_model if status else "",
        "deploy_status": "deploy_succeeded" if report else "",
        "deploy_error": "",
        "deploy_progress": 100 if report else 0,
        "hypervisor": "",
        "id": node.id,
        "last_attempted_contact": reported,
        "last_reported": reported,
        "last_updated": contact.last_updated if contact else None,
        "maintenance_mode": load_now.maintenance,
        "maintenance_mode_reason": node.maintenance_mode_reason,
        "max_audio_calls": figures.audio,
        "max_direct_participants": 0,
        "max_full_hd_calls": figures.full_hd,
        "max_hd_calls": figures.hd,
        "max_media_tokens": report.capacity if report else 0,
        "max_sd_calls": figures.sd,
        "media_load": load_now.percent if load_now.capacity or load_now.maintenance else 0,
        "media_tokens_used": load_now.used,
        "name": node.name,
        "node_type": node.node_type,
        "signaling_count": report.participants if report and seen and seen.alive else 0,
        "sync_status": _synchronised(report, view.position),
        "system_location": view.directory.location(node.location),
        "total_ram": status.total_ram if status else 0,
        "upgrade_status": view.upgrades.get(node.id, "IDLE"),
        "version": report.version if report else "",
        "address": node.address,
        "is_alive": bool(seen and seen.alive),
        "processor_load": processor_load(report.cores_used, report.cores) if report and seen and seen.alive else 0,
        "legs": report.legs if report and seen and seen.alive else 0,
        "secondary_address": node.secondary_address,
    }


def _synchronised(report: NodeReport | None, position: int) -> str:
    if report is None:
        return ""
    return "synchronised" if report.position >= position else "pending"


def system_locations(view: View) -> list[Row]:
    """Every location with the sums of its nodes; without nodes it is full (DIAG-088, DIAG-089)."""
    return [_location(view, number, name) for number, name in view.directory.locations.items()]


def _location(view: View, number: int, name: str) -> Row:
    here = {key: node for key, node in view.directory.nodes.items() if node.location == number}
    loads = [load(view, key, node) for key, node in here.items()]
    capacity = sum(one.capacity for one in loads)
    seen = [view.snapshot.seen[key] for key in here if key in view.snapshot.seen]
    figures = location_calls(figures_of_report(one.report) for one in seen if one.alive)
    return {
        "id": number,
        "max_audio_calls": figures.audio,
        "max_connections": "",
        "max_full_hd_calls": figures.full_hd,
        "max_hd_calls": figures.hd,
        "max_media_tokens": capacity,
        "max_sd_calls": figures.sd,
        "media_load": float(location_load(loads)),
        "media_tokens_used": sum(one.used for one in loads),
        "name": name,
    }
