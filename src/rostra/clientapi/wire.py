"""From the conference's vocabulary to the API's objects, and who may see whom. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from rostra.calls.switchboard import ServiceDescription
from rostra.clientapi.results import ConferenceState, MixReceived, ParticipantObject, YesNo
from rostra.conference.roster import ConferenceFlags, Participant
from rostra.domain.admission import may_admit
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

TRANSFERABLE = frozenset({CallProtocol.API, CallProtocol.WEBRTC, CallProtocol.SIP, CallProtocol.RTMP})
"""Protocols of those who can be sent to another conference."""
_TOKEN_SERVICE_TYPES = frozenset({"conference", "lecture", "gateway", "test_call"})


def yes_no(value: bool) -> YesNo:
    return "YES" if value else "NO"


def token_role(role: Role) -> Literal["HOST", "GUEST"]:
    """Roles are upper case in token answers, lower case in rosters."""
    return "HOST" if role is Role.HOST else "GUEST"


def service_kind(service: ServiceDescription) -> str:
    """`service_type` of a token answer; sessions of a reception belong to its target, so it never shows."""
    return service.service_type if service.service_type in _TOKEN_SERVICE_TYPES else "conference"


def call_kind(service: ServiceDescription) -> Literal["video", "video-only", "audio"]:
    """`call_type` of a token answer; an empty one would fail the client's check."""
    match service.call_type:
        case "audio":
            return "audio"
        case "video-only":
            return "video-only"
        case _:
            return "video"


def current_kind(participant: Participant, service: ServiceDescription) -> str:
    """`current_service_type` of a token answer; `connecting` is no value of it."""
    if participant.service_type is ServiceType.CONNECTING:
        return service_kind(service)
    return participant.service_type.value


def participant_object(
    participant: Participant, viewer: Participant | None, *, in_list: bool = False
) -> ParticipantObject:
    """`participant` as `viewer` may know it.

    Guests do not learn addresses of others (API-056). `in_list`: `unknown` is no role of `C/participants`, it
    becomes `guest` there (API-058).
    """
    p = participant
    hidden = viewer is not None and viewer.role is not Role.HOST and viewer.uuid != p.uuid
    return ParticipantObject(
        uuid=p.uuid,
        api_url=f"/participants/{p.uuid}",
        display_name=p.display_name,
        overlay_text=p.overlay_text or p.display_name,
        local_alias=p.local_alias,
        uri="" if hidden else p.uri,
        vendor="" if hidden else p.vendor,
        protocol="" if hidden else p.protocol.value,
        call_direction=p.call_direction.value,
        role=_role(p, in_list=in_list),
        service_type=p.service_type.value,
        start_time=p.start_time,
        has_media=p.has_media,
        is_video_call=yes_no(p.is_video_call),
        is_audio_only_call=yes_no(p.is_audio_only_call),
        encryption="On" if p.encrypted else "Off",
        is_muted=yes_no(p.is_muted),
        is_presenting=yes_no(p.is_presenting),
        presentation_supported=yes_no(p.presentation_supported),
        rx_presentation_policy="ALLOW" if p.rx_presentation_allowed else "DENY",
        fecc_supported=yes_no(p.fecc_supported),
        is_streaming_conference=p.is_streaming,
        is_external=p.is_external,
        spotlight=p.spotlight,
        buzz_time=p.buzz_time,
        is_client_muted=p.is_client_muted,
        is_video_muted=p.is_video_muted,
        is_on_hold=p.is_on_hold,
        is_transferring=p.is_transferring,
        is_conjoined=p.is_conjoined,
        is_video_silent=p.is_video_silent,
        transfer_supported=yes_no(p.joined and p.protocol in TRANSFERABLE),
        needs_presentation_in_mix=p.presentation_in_mix,
        supports_direct_chat=p.direct_chat,
        can_receive_personal_mix=p.joined and p.protocol is CallProtocol.API,
        receive_from_video_mix=_mix(p), is_idp_authenticated=bool(p.idp), call_tag=p.call_tag,
        last_spoken_time=p.last_spoken_time,
    )  # fmt: skip


def _role(participant: Participant, *, in_list: bool) -> str:
    return Role.GUEST.value if in_list and participant.role is Role.UNKNOWN else participant.role.value


def _mix(participant: Participant) -> MixReceived:
    """The composition a participant is sent, with its layout when it has chosen one (API-126)."""
    layout = participant.mix_layout
    config = {"transform_layout": {"layout": layout}} if layout else msgspec.UNSET
    return MixReceived(participant.mix_name, participant.mix_since, config)


def conference_state(flags: ConferenceFlags, service: ServiceDescription, *, direct: bool = False) -> ConferenceState:
    """What is so in the conference, and of a breakout room what it is. `direct`: the one who asks has direct media."""
    room, state = service.breakout, _state(flags, service, direct=direct)
    if room is None:
        return state
    return msgspec.structs.replace(
        state, breakout=True, breakout_name=room.name, breakout_description=room.description,
        end_action=room.end_action, end_time=room.end_time,
        breakoutbuzz={"value": flags.help_wanted, "time": flags.help_since},
        breakout_guests_allowed_to_leave=room.guests_may_leave,
    )  # fmt: skip


def _state(flags: ConferenceFlags, service: ServiceDescription, *, direct: bool) -> ConferenceState:
    return ConferenceState(
        direct_media=direct,
        breakout_rooms=service.breakout_rooms,
        locked=flags.locked,
        guests_muted=flags.guests_muted,
        started=flags.started,
        presentation_allowed=flags.presentation_allowed,
        guests_can_present=flags.guests_can_present,
        guests_can_unmute=flags.guests_can_unmute,
        chat_enabled=flags.chat_enabled,
    )


def visible(participant: Participant, viewer: Participant, *, hosted: bool = True) -> bool:
    """May `viewer` see `participant` in rosters?

    Everybody sees itself; who is not in the room sees nobody else (API-055); who waits is seen by those who may
    admit it (API-147). `hosted`: the service has a Host PIN.
    """
    if participant.uuid == viewer.uuid:
        return True
    if not viewer.joined or (participant.attending and not participant.has_media):
        return False
    waits = participant.service_type is ServiceType.WAITING_ROOM
    return not waits or may_admit(viewer.role, joined=viewer.joined, hosted=hosted)
