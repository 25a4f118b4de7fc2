"""From a request to join to who comes in where: alias, Virtual Reception, PIN, in that order (sheet 09, section 3)."""

from __future__ import annotations

import uuid

import msgspec
import structlog

from rostra.calls.attendant import KEYPADS
from rostra.calls.switchboard import CallRefused, CallRequest, PinRequired, Refusal
from rostra.conference.messages import key_of
from rostra.conference.roster import Participant
from rostra.dialplan.resolve import RECEPTION
from rostra.domain import admission, greeting, theme
from rostra.domain.admission import Way
from rostra.domain.gateway import GATEWAY
from rostra.domain.service import Service
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

logger = structlog.get_logger("rostra.calls")

JOINABLE = frozenset({"conference", "lecture", "test_call", RECEPTION, GATEWAY})
REFUSED_AS = {
    Refusal.PARTICIPANT_LIMIT: ServiceType.INSUFFICIENT_CAPACITY,
    Refusal.OUT_OF_RESOURCE: ServiceType.INSUFFICIENT_CAPACITY,
    Refusal.INSUFFICIENT_LICENSES: ServiceType.INSUFFICIENT_LICENSES,
    Refusal.INVALID_LICENSE: ServiceType.INVALID_LICENSE,
}
"""Refusals that are shown and told to those with a keypad."""


class Entrance(msgspec.Struct, frozen=True, kw_only=True):
    """Where a caller comes in, and as what."""

    service: Service
    role: Role
    where: ServiceType
    splash: str = ""
    wrong_pins: int = 0


def enter(service: Service, protocol: CallProtocol, pin: str | None, role: Role | None, *, name: str) -> Entrance:
    """Judge the PIN. Raises CallRefused, PinRequired."""
    by_keypad = protocol in KEYPADS
    kind = service.description.service_type
    if kind == RECEPTION:
        return Entrance(service=service, role=Role.UNKNOWN, where=ServiceType.IVR, splash=theme.RECEPTION)
    if kind == GATEWAY:
        return Entrance(service=service, role=Role.HOST, where=ServiceType.GATEWAY)
    arrival = admission.arrive(service.access, pin, by_keypad=by_keypad, role=role)
    if service.access.pin_asked and pin and role is None:
        accepted = arrival.way is Way.ENTER
        logger.info(
            "PIN entry: PIN accepted." if accepted else "PIN entry: PIN rejected.",
            conference=service.description.name, participant=name,
        )  # fmt: skip
    match arrival.way:
        case Way.ENTER:
            test = kind == "test_call"
            return Entrance(
                service=service, role=arrival.role, splash=theme.TEST_CALL_IMAGE if test else "",
                where=ServiceType.TEST_CALL if test else ServiceType.CONFERENCE,
            )  # fmt: skip
        case Way.REFUSED:
            raise CallRefused(Refusal.INVALID_PIN)
        case Way.CHALLENGE:
            raise PinRequired(host_pin=True, guest_pin=service.access.guest_pin_needed)
        case Way.KEYPAD:
            return Entrance(
                service=service, role=Role.UNKNOWN, where=ServiceType.IVR, splash=theme.pin_entry(0),
                wrong_pins=arrival.wrong,
            )  # fmt: skip


def refusing(service: Service, refusal: Refusal) -> Service:
    """The service as it refuses somebody: with small pictures where there is no capacity for them."""
    if refusal is not Refusal.OUT_OF_RESOURCE:
        return service
    return msgspec.structs.replace(
        service, description=msgspec.structs.replace(service.description, quality="sd")
    )  # fmt: skip


def refused(service: Service, refusal: Refusal) -> Entrance | None:
    """Where somebody is told a refusal; None: only by an answer."""
    where = REFUSED_AS.get(refusal)
    if where is None:
        return None
    return Entrance(service=service, role=Role.UNKNOWN, where=where, splash=greeting.REFUSALS[where].image)


def participant_of(request: CallRequest, entrance: Entrance, node: str, now: float) -> Participant:
    """A new roster entry."""
    name = request.display_name or request.remote_alias
    return Participant(
        uuid=str(uuid.uuid4()), node=node, display_name=name, overlay_text=name, local_alias=request.alias,
        uri=request.remote_alias or request.display_name, vendor=request.vendor, protocol=request.protocol,
        call_direction=request.direction, role=entrance.role, service_type=entrance.where, start_time=now,
        splash=entrance.splash, encrypted=request.encrypted, call_tag=request.call_tag, direct_chat=request.direct_chat,
        attending=request.attending,
        remote_address=request.remote_address, remote_port=request.remote_port, keep_alive=request.keep_alive,
        idp=request.identity.provider if request.identity else "", is_trusted=bool(request.registered),
        mark=request.mark, direct_capable=request.direct_media, bandwidth=request.bandwidth,
    )  # fmt: skip


def moved(before: Participant, alias: str, entrance: Entrance, now: float) -> Participant:
    """The entry of somebody who comes from another conference; its media follows."""
    return msgspec.structs.replace(
        before, uuid=str(uuid.uuid4()), local_alias=alias, role=entrance.role, service_type=entrance.where,
        splash=entrance.splash, prompt="", start_time=now, legs=(), has_media=False, is_video_call=False,
        is_audio_only_call=False, is_muted=False, is_presenting=False, is_on_hold=False, spotlight=0.0, buzz_time=0.0,
        is_speaking=False, last_spoken_time=0.0, automatic=0, fork="", is_transferring=False,
        bypass_lock=False, rx_presentation_allowed=True,  # were said of the other conference
    )  # fmt: skip


def conference_key(service: Service, where: ServiceType) -> str:
    """Which conference it is: one for each service, one for all who are refused there (with pictures of each
    quality), one for each test call.

    Callers at a reception, or in front of a refusal, share a media process; they neither see nor hear each other.
    """
    name = service.description.name
    if service.description.service_type == "test_call":
        return key_of(f"{name}:{uuid.uuid4()}")
    refused = f"{name}\0refused\0{service.description.quality}"
    return key_of(refused if where in greeting.REFUSALS else name)
