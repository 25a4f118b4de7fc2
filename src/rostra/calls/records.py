"""Participants as history and status tell of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from rostra.calls import direct
from rostra.conference.instance import ConferenceInstance
from rostra.conference.messages import StreamWant
from rostra.conference.roster import Participant
from rostra.conference.streams import resolution
from rostra.domain.history import ParticipantRecord
from rostra.domain.media import MediaKind, StreamType
from rostra.domain.presenting import is_slides
from rostra.domain.vocabulary import CallProtocol, Role
from rostra.fabric.status import (
    BackplaneStatus,
    ConferenceStatus,
    MediaGraph,
    MediaStatus,
    ParticipantStatus,
    StreamStatus,
)
from rostra.media.replies import StreamStatistics

OFF = "Off"
"""Codec of a stream that has not come for a while (DIAG-048)."""


def protocol_of(participant: Participant) -> str:
    """A client of the API with media is a WebRTC participant."""
    webrtc = participant.protocol is CallProtocol.API and participant.legs
    return str(CallProtocol.WEBRTC if webrtc else participant.protocol)


def record_of(conference: ConferenceInstance, participant: Participant, licence: str = "port") -> ParticipantRecord:
    """What history keeps of a participant. `licence`: the kind it has while it has media."""
    leg = participant.legs[-1] if participant.legs else None
    return ParticipantRecord(
        uuid=participant.uuid,
        conference_id=conference.id,
        conference_name=conference.name,
        start_time=participant.start_time,
        display_name=participant.display_name,
        local_alias=participant.local_alias,
        remote_alias=participant.uri,
        protocol=protocol_of(participant),
        vendor=participant.vendor,
        role=str(Role.UNKNOWN if conference.service.onward is not None else participant.role),
        call_direction=str(participant.call_direction),
        call_uuid=leg.call if leg else "",
        call_tag=participant.call_tag,
        service_type=str(participant.service_type),
        remote_address=participant.remote_address,
        remote_port=participant.remote_port,
        bandwidth=max(participant.rx_bandwidth, participant.tx_bandwidth),
        rx_bandwidth=participant.rx_bandwidth,
        tx_bandwidth=participant.tx_bandwidth,
        service_tag=conference.service.description.tag,
        encrypted=participant.encrypted,
        has_media=participant.has_media,
        is_streaming=participant.is_streaming,
        media_node=leg.node if leg else "",
        proxy_node=leg.proxy if leg else "",
        license_type=licence,
        idp=participant.idp,
        is_direct=participant.is_direct,
    )


def status_of(participant: Participant, licence: str = "port") -> ParticipantStatus:
    """What status tells of a participant signalled here."""
    leg = participant.legs[-1] if participant.legs else None
    return ParticipantStatus(
        uuid=participant.uuid,
        display_name=participant.display_name,
        source_alias=participant.uri,
        destination_alias=participant.local_alias,
        protocol=protocol_of(participant),
        vendor=participant.vendor,
        role=str(participant.role),
        call_direction=str(participant.call_direction),
        connect_time=participant.start_time,
        has_media=participant.has_media,
        is_muted=participant.is_muted,
        is_client_muted=participant.is_client_muted,
        is_on_hold=participant.is_on_hold,
        is_presenting=participant.is_presenting,
        is_streaming=participant.is_streaming,
        is_presentation_supported=participant.presentation_supported,
        is_transfer_supported=participant.joined,
        is_audio_only=participant.is_audio_only_call,
        encrypted=participant.encrypted,
        media_node=leg.node if leg else "",
        proxy_node=leg.proxy if leg else "",
        call_uuid=leg.call if leg else "",
        call_tag=participant.call_tag,
        service_type=str(participant.service_type),
        remote_address=participant.remote_address,
        remote_port=participant.remote_port,
        bandwidth=max(participant.rx_bandwidth, participant.tx_bandwidth),
        rx_bandwidth=participant.rx_bandwidth,
        tx_bandwidth=participant.tx_bandwidth,
        license_type=licence,
        idp=participant.idp,
        is_direct=participant.is_direct,
    )


async def conference_status(
    conference: ConferenceInstance, tokens: int, licence: Callable[[str], str] = lambda _: "port"
) -> ConferenceStatus:
    """A conference this node has part in. `tokens`: what it books here; `licence`: kind by participant."""
    flags = conference.flags
    return ConferenceStatus(
        id=conference.id,
        name=conference.name,
        service_type=conference.service.description.service_type,
        tag=conference.service.description.tag,
        start_time=conference.began,
        is_locked=flags.locked,
        guests_muted=flags.guests_muted,
        is_started=flags.started,
        participants=tuple(status_of(one, licence(one.uuid)) for one in conference.own),
        media=await _media(conference, tokens),
        direct_media_available=direct.offered(conference.service.description),
    )


async def _media(conference: ConferenceInstance, tokens: int) -> MediaStatus | None:
    hosting = conference.media.hosting
    if hosting is None:
        return None
    told = await hosting.statistics()
    figures = {(figure.leg, figure.sending): figure for figure in told.streams}
    return MediaStatus(
        worker=hosting.current.id if hosting.current else "",
        since=hosting.since,
        legs=len(hosting.calls),
        tokens=tokens,
        quality={call: told.quality[call] for call in hosting.calls if call in told.quality},
        backplanes=tuple(
            BackplaneStatus(
                peer=peer,
                scope="geo" if crosses else "local",
                streams=tuple(_stream(want, sending, figures.get((want.leg, sending))) for want, sending in streams),
            )
            for peer, crosses, streams in hosting.backplanes()
        ),
    )


def _stream(want: StreamWant, sending: bool, figures: StreamStatistics | None) -> StreamStatus:
    audio = want.kind is MediaKind.AUDIO
    counted = _counted(figures) if figures else StreamStatus()
    return msgspec.structs.replace(
        counted,
        source="" if audio else want.source,
        kind=str(StreamType.of(want.kind, slides=is_slides(want.source))),
        quality="" if audio else str(want.quality),
        sending=sending,
    )


async def call_streams(conference: ConferenceInstance, call: str) -> tuple[StreamStatus, ...] | None:
    """What a call carried here sends and receives; None: it is not carried here."""
    hosting = conference.media.hosting
    if hosting is None or call not in hosting.calls:
        return None
    return tuple(_counted(figures) for figures in (await hosting.statistics()).streams if figures.leg == call)


async def media_graph(conference: ConferenceInstance) -> MediaGraph | None:
    """How a conference's media is made here; None: none is, or the worker does not tell."""
    hosting = conference.media.hosting
    told = await hosting.statistics() if hosting is not None else None
    graph = told.debug.get("graph") if told is not None else None
    if hosting is None or graph is None:
        return None
    made = msgspec.convert(msgspec.convert(graph, dict[str, Any]) | {"reply": MediaGraph.__name__}, MediaGraph)
    return msgspec.structs.replace(made, worker=hosting.current.id if hosting.current else "")


def _counted(figures: StreamStatistics) -> StreamStatus:
    return StreamStatus(
        kind=str(figures.kind),
        sending=figures.sending,
        bitrate=int(figures.bitrate),
        codec=OFF if figures.idle and not figures.sending else figures.codec,
        resolution=resolution(figures),
        packets=figures.packets,
        packets_lost=figures.lost,
        jitter=figures.jitter * 1000,
        frame_rate=figures.frame_rate,
        since=figures.since,
        recent_loss=figures.recent_loss,
    )
