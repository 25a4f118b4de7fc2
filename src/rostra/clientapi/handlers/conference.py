"""Functions on the conference as a whole (sections 6 and 10)."""

from __future__ import annotations

import msgspec

from rostra.clientapi import results
from rostra.clientapi.asking import Asked
from rostra.clientapi.bodies import Message, OverrideLayout, Setting, SilentVideo, TransformLayout
from rostra.clientapi.envelope import ApiProblem
from rostra.clientapi.results import ConferenceState, ParticipantObject
from rostra.clientapi.wire import conference_state, participant_object, visible
from rostra.domain import layouts
from rostra.domain.look import IllegalValue
from rostra.domain.silence import SilenceRules

TERMINATED = "API initiated conference termination"


async def conference_status(asked: Asked) -> ConferenceState:
    return conference_state(asked.conference.flags, asked.client.session.service, direct=asked.me.is_direct)


async def participants(asked: Asked) -> list[ParticipantObject]:
    """Everybody the caller may see; who waits sees itself only."""
    me = asked.me
    return [
        participant_object(other, me, in_list=True)
        for other in asked.conference.participants
        if visible(other, me, hosted=asked.client.session.service.has_host_pin)
    ]


async def lock(asked: Asked) -> bool:
    await asked.conference.lock(True)
    return True


async def unlock(asked: Asked) -> bool:
    await asked.conference.lock(False)
    return True


async def start_conference(asked: Asked) -> bool:
    await asked.conference.start(asked.client.uuid)
    return True


async def mute_guests(asked: Asked) -> bool:
    await asked.conference.mute_guests(True)
    return True


async def unmute_guests(asked: Asked) -> bool:
    await asked.conference.mute_guests(False)
    return True


async def guests_can_unmute(asked: Asked) -> bool:
    await asked.conference.set_rules(guests_can_unmute=asked.carried(Setting).setting)
    return True


async def silent_video_detection(asked: Asked) -> bool:
    config = asked.carried(SilentVideo).config
    rules = SilenceRules(
        silent_after=config.silent_after, reactivate_after=config.reactivate_after,
        require_no_faces=config.require_no_faces,
    )  # fmt: skip
    await asked.conference.detect_silence(rules if config.enable else None)
    return True


async def guests_can_present(asked: Asked) -> bool:
    await asked.conference.set_rules(guests_can_present=asked.carried(Setting).setting)
    return True


async def disconnect(asked: Asked) -> bool:
    await asked.conference.remove_all(TERMINATED)
    return True


async def clear_all_buzz(asked: Asked) -> bool:
    for participant in tuple(asked.conference.participants):
        if participant.buzz_time:
            await asked.conference.set_client_state(participant.uuid, buzz_time=0.0)
    return True


async def clear_spotlights(asked: Asked) -> bool:
    for participant in tuple(asked.conference.participants):
        if participant.spotlight:
            await asked.conference.spotlight(participant.uuid, False)
    return True


async def message(asked: Asked) -> bool:
    """Chat to everybody; false when it is switched off (API-116)."""
    body = checked_message(asked)
    if not chat_enabled(asked):
        return False
    await asked.conference.message(asked.client.uuid, body.type, body.payload)
    return True


def chat_enabled(asked: Asked) -> bool:
    return asked.conference.flags.chat_enabled and asked.client.session.service.enable_chat


def checked_message(asked: Asked) -> Message:
    """The message in the body. Raises ApiProblem 400 for a type or payload nobody could read."""
    body = asked.carried(Message)
    kind = body.type.partition(";")[0].strip().lower()
    if kind not in ("text/plain", "application/json"):
        raise ApiProblem(400, "Unsupported message type")
    if kind == "application/json":
        try:
            msgspec.json.decode(body.payload)
        except (msgspec.DecodeError, RecursionError):
            raise ApiProblem(400, "Message payload is not JSON") from None
    return body


async def available_layouts(asked: Asked) -> list[str | results.LayoutName]:
    """Names of the layouts that can be chosen, with `annotate=true` as objects (POL-145)."""
    offered = _offered(asked)
    if asked.request.query_params.get("annotate", "").lower() == "true":
        return [results.LayoutName(name=layout.name, tags=layout.tags) for layout in offered]
    return [layout.name for layout in offered]


async def layout_svgs(asked: Asked) -> dict[str, str]:
    """A drawing for each layout, with the very keys of `available_layouts` (API-125)."""
    return {layout.name: layouts.drawing(layout) for layout in _offered(asked)}


def _offered(asked: Asked) -> list[layouts.Layout]:
    lecture = asked.client.session.service.service_type == "lecture"
    return [layout for layout in layouts.LAYOUTS if layouts.allowed(layout, lecture=lecture)]


async def transform_layout(asked: Asked) -> bool:
    """Change how the pictures look; 400 for a value that cannot be, and nothing changes (API-122, API-123)."""
    try:
        await asked.conference.transform_layout(asked.carried(TransformLayout).transforms)
    except IllegalValue:
        raise ApiProblem(400, "Illegal value") from None
    return True


async def override_layout(asked: Asked) -> bool:
    """Name who is shown."""
    try:
        await asked.conference.override_layout(asked.carried(OverrideLayout).layouts)
    except IllegalValue:
        raise ApiProblem(400, "Illegal value") from None
    return True
