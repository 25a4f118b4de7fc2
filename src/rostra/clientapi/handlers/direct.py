"""Calls of clients with direct media: offers and answers go to the other client (API-159 to API-161)."""

from __future__ import annotations

import uuid

from rostra.clientapi.asking import Asked
from rostra.clientapi.bodies import Acknowledge, NewCandidate
from rostra.clientapi.envelope import NO_CALL, ApiProblem
from rostra.clientapi.results import WebRtcCall
from rostra.conference.events import PeerSignal
from rostra.domain.vocabulary import Role

LARGEST = 64 * 1024
"""Characters of an offer or answer that are passed on."""


async def begin(asked: Asked, sdp: str) -> WebRtcCall:
    """With the other client, if it has called before and answers; else the other one is to offer."""
    client, call = asked.client, str(uuid.uuid4())
    _check(sdp)
    async with client.negotiating:
        peer = client.direct.peer
        answer = await client.direct.offer("offer", call, sdp) if peer is not None and peer.direct_call else None
        if client.gone:
            raise ApiProblem(403, NO_CALL)
        client.end_call(client.begin_call(call))
        client.acknowledged(call)
        found = "" if answer is None or answer.ignored else answer.sdp
        await asked.conference.set_client_state(client.uuid, direct_call=call, direct_waiting=not found)
    return WebRtcCall(call, found) if found else WebRtcCall(call, "", offer_ignored=True)


async def acknowledge(asked: Asked) -> None:
    """The answer to the other client's offer, or that its own was answered: media flows from now on."""
    body = asked.body if isinstance(asked.body, Acknowledge) else Acknowledge()
    sdp, ignored = body.sdp or "", bool(body.offer_ignored)
    if sdp:
        if len(sdp) > LARGEST:
            raise ApiProblem(403, "Malformed SDP")
        await asked.client.direct.answer("" if ignored else sdp, ignored=ignored)
    if ignored:
        return
    video = "m=video" in sdp or asked.client.session.service.call_type != "audio"
    await asked.conference.set_client_state(
        asked.client.uuid, has_media=True, is_video_call=video, is_audio_only_call=not video, direct_waiting=False
    )
    if asked.me.role is Role.HOST and not asked.conference.flags.started:
        await asked.conference.start(asked.client.uuid)


async def update(asked: Asked, sdp: str) -> WebRtcCall:
    """A new offer; 503 when the other client gives no answer, as the SDK then tries again."""
    _check(sdp)
    client = asked.client
    async with client.negotiating:
        answer = await client.direct.offer("update", asked.call, sdp)
    if answer is None:
        raise ApiProblem(503, "503 Service Unavailable")
    return WebRtcCall(asked.call, "" if answer.ignored else answer.sdp)


async def new_candidate(asked: Asked, body: NewCandidate) -> None:
    """All of them, an empty one too (API-161)."""
    if len(body.candidate) <= LARGEST:
        signal = PeerSignal(
            kind="candidate", sender=asked.client.uuid, candidate=body.candidate[:2000], mid=(body.mid or "0")[:16],
            ufrag=(body.ufrag or "")[:256], pwd=(body.pwd or "")[:256],
        )  # fmt: skip
        await asked.client.direct.candidate(signal)


async def end(asked: Asked, call: str) -> None:
    """The other client is told when the roster says so."""
    if asked.me.direct_call == call:
        await asked.conference.set_client_state(
            asked.client.uuid, direct_call="", has_media=False, is_video_call=False, is_audio_only_call=False
        )


def _check(sdp: str) -> None:
    if not sdp.startswith("v=0") or len(sdp) > LARGEST:
        raise ApiProblem(400, "Malformed SDP")
