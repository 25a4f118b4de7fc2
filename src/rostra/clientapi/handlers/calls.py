"""WebRTC calls of the caller itself (section 8)."""

from __future__ import annotations

import uuid
from typing import Literal

import structlog

from rostra.calls.switchboard import MediaRefused
from rostra.clientapi.asking import Asked
from rostra.clientapi.bodies import Call, DigitsBody, NewCandidate, Update
from rostra.clientapi.envelope import DISABLED, NO_CALL, ApiProblem
from rostra.clientapi.handlers import direct, participants
from rostra.clientapi.results import WebRtcCall
from rostra.clientapi.wire import call_kind
from rostra.domain.gateway import GATEWAY

logger = structlog.get_logger("rostra.clientapi")


async def begin(asked: Asked) -> WebRtcCall:
    """A new call, replacing a running one that is there for the same without a word (API-077, API-095)."""
    body = asked.carried(Call)
    if body.call_type == "presentation":
        return await _begin_stills(asked)
    if body.call_type != "WEBRTC":
        raise ApiProblem(403, DISABLED)
    if not asked.platform.switches().enable_webrtc:
        raise ApiProblem(403, DISABLED)
    if not body.sdp:
        raise ApiProblem(400, "No SDP")
    if asked.me.is_direct:
        return await direct.begin(asked, body.sdp)
    client, call = asked.client, str(uuid.uuid4())
    async with client.negotiating:
        kind = _media(asked, body.media_type)
        answer = await client.session.open_webrtc(call, body.sdp, media_type=kind, present=body.present or "")
        if client.gone:
            raise ApiProblem(403, NO_CALL)
        previous = client.begin_call(call, body.present or "")
        if body.fecc_supported is not None:
            await _declare_camera(asked, body.fecc_supported)
        if client.end_call(previous):
            await client.session.close_call(previous)
    return WebRtcCall(call, answer)


async def _begin_stills(asked: Asked) -> WebRtcCall:
    """A call that presents pictures posted one by one (API-113); it has nothing to acknowledge."""
    client, call = asked.client, str(uuid.uuid4())
    async with client.negotiating:
        await client.session.present_stills(call)
        previous = client.begin_call(call, "send")
        client.acknowledged(call)
        client.end_call(previous)
    return WebRtcCall(call)


def _media(asked: Asked, wanted: Literal["video", "video-only", "audio"] | None) -> str:
    """No more than the service has (API-078)."""
    offered = call_kind(asked.client.session.service)
    return offered if wanted is None or offered == "audio" or wanted == "video" else wanted


def _running(asked: Asked) -> str:
    """The call in the path, while it is up. Raises ApiProblem 403."""
    if asked.call not in asked.client.calls:
        raise ApiProblem(403, NO_CALL)
    return asked.call


async def acknowledge(asked: Asked) -> bool:
    """Media flows from now on. Repeated, or late for an ended call: still true, else the SDK leaves (API-070)."""
    client, call = asked.client, asked.call
    if call in client.calls and asked.me.is_direct:
        await direct.acknowledge(asked)
    elif call in client.calls:
        await client.session.confirm(call)
        client.acknowledged(call)
    elif not client.had_call(call):
        raise ApiProblem(403, NO_CALL)
    return True


async def new_candidate(asked: Asked) -> None:
    """Candidates that cannot be used are ignored (API-069)."""
    call, body = _running(asked), asked.carried(NewCandidate)
    candidate = body.candidate.strip()
    if asked.me.is_direct:
        return await direct.new_candidate(asked, body)
    words = candidate.lower().split()
    if words and (len(words) < 6 or words[2] == "tcp" or words[4].endswith(".local")):
        return None
    try:
        await asked.client.session.add_candidate(call, body.mid or "0", candidate, body.ufrag or "")
    except MediaRefused as refused:
        logger.info("Candidate ignored", call=call, reason=str(refused))


async def update(asked: Asked) -> WebRtcCall:
    """A new offer for the same call: renegotiation, ICE restart, or media lost with its worker (API-073)."""
    call, body, client = _running(asked), asked.carried(Update), asked.client
    if asked.me.is_direct:
        return await direct.update(asked, body.sdp)
    async with client.negotiating:
        kind = _media(asked, body.media_type)
        if body.fecc_supported is not None:
            await _declare_camera(asked, body.fecc_supported)
        return WebRtcCall(call, await client.session.open_webrtc(call, body.sdp, media_type=kind))


async def _declare_camera(asked: Asked, movable: bool) -> None:
    """The client's camera can be moved by others, or not (API-120)."""
    await asked.conference.set_client_state(asked.client.uuid, fecc_supported=movable)


async def dtmf(asked: Asked) -> bool:
    asked.client.session.dtmf(_running(asked), asked.carried(DigitsBody).digits)
    return True


async def camera(asked: Asked) -> bool:
    """Move the camera at the other end of a gateway call (API-120); elsewhere there is nobody meant."""
    _running(asked)
    if asked.client.session.service.service_type != GATEWAY:
        return False
    other = next((one for one in asked.conference.participants if one.uuid != asked.client.uuid and one.joined), None)
    return other is not None and await participants.move_camera(asked, other)


async def statistics(asked: Asked) -> None:
    """Taken for any call: the SDK posts those of rooms under the main path."""


async def disconnect(asked: Asked) -> None:
    """Ends the media; the participant stays and gets no echo (API-075, API-076)."""
    client, call = asked.client, asked.call
    ended = client.end_call(call)
    if ended and asked.me.is_direct:
        await direct.end(asked, call)
    elif ended:
        await client.session.close_call(call)
