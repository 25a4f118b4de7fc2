"""Functions on one participant (section 7)."""

from __future__ import annotations

import time

from rostra.clientapi.asking import Asked
from rostra.clientapi.bodies import AspectRatio, CameraMove, DigitsBody, Overlay, RoleBody
from rostra.clientapi.envelope import INVALID_ROLE, ApiProblem
from rostra.clientapi.handlers.conference import chat_enabled, checked_message
from rostra.conference import events
from rostra.conference.roster import Participant
from rostra.domain.vocabulary import CallProtocol, Role

BY_SELF = "API initiated participant disconnect"
BY_OTHER = "Disconnected by another participant"


async def disconnect(asked: Asked) -> bool:
    """Remove the target, from the waiting room too (API-065)."""
    target = asked.target.uuid
    await asked.conference.remove(target, BY_SELF if target == asked.client.uuid else BY_OTHER)
    return True


async def mute(asked: Asked) -> bool:
    """Also Guests mute themselves."""
    await asked.conference.mute(asked.target.uuid, True)
    return True


async def unmute(asked: Asked) -> bool:
    """Guests end their own mute only where Hosts let them (CONF-168)."""
    if asked.me.role is not Role.HOST and not asked.conference.flags.guests_can_unmute:
        raise ApiProblem(403, INVALID_ROLE)
    await asked.conference.mute(asked.target.uuid, False)
    return True


async def hold(asked: Asked) -> bool:
    await asked.conference.hold(asked.target.uuid, True)
    return True


async def resume(asked: Asked) -> bool:
    await asked.conference.hold(asked.target.uuid, False)
    return True


USUAL_MOVE = {"start": 1000.0, "continue": 200.0, "stop": 0.0}
"""Milliseconds a camera moves for when it is not said (API-120)."""


async def camera(asked: Asked) -> bool:
    """Move the target's camera; false where it has none that can be moved (API-120)."""
    return await move_camera(asked, asked.target)


async def move_camera(asked: Asked, target: Participant) -> bool:
    """Move somebody's camera as is asked."""
    body = asked.carried(CameraMove)
    if not target.fecc_supported or not asked.platform.switches().enable_fecc:
        return False
    timeout = USUAL_MOVE[body.action] if body.timeout is None else body.timeout
    movement = tuple(events.CameraMove(axis=one.axis, direction=one.direction) for one in body.movement)
    move = events.CameraMoved(action=body.action, movement=movement, timeout=timeout)
    await asked.conference.move_camera(target.uuid, move)
    return True


async def aspect_ratio(asked: Asked) -> bool:
    """The shape of the picture the caller would like."""
    ratio = asked.carried(AspectRatio).aspect_ratio
    await asked.conference.set_client_state(asked.target.uuid, aspect_ratio=ratio)
    return True


async def spotlight_on(asked: Asked) -> bool:
    target = asked.target
    if not target.spotlight:  # its time is the order on stage: a repeated request must not change it
        await asked.conference.spotlight(target.uuid, True)
    return True


async def spotlight_off(asked: Asked) -> bool:
    await asked.conference.spotlight(asked.target.uuid, False)
    return True


async def unlock(asked: Asked) -> bool:
    """Let in one who waits."""
    await asked.conference.admit(asked.target.uuid)
    return True


async def dtmf(asked: Asked) -> bool:
    await asked.conference.send_dtmf(asked.target.uuid, asked.carried(DigitsBody).digits)
    return True


async def overlay_text(asked: Asked) -> bool:
    """Empty text restores the display name."""
    target = asked.target
    text = "".join(one for one in asked.carried(Overlay).text if one.isprintable()) or target.display_name
    await asked.conference.set_client_state(target.uuid, overlay_text=text)
    return True


async def role(asked: Asked) -> bool:
    """Nobody makes itself a Guest (CONF-064)."""
    target, wanted = asked.target, Role(asked.carried(RoleBody).role)
    if target.uuid == asked.client.uuid and wanted is not Role.HOST:
        raise ApiProblem(403, INVALID_ROLE)
    await asked.conference.set_role(target.uuid, wanted)
    return True


async def message(asked: Asked) -> bool:
    """Direct message; false when the target cannot take one (API-117)."""
    body, target = checked_message(asked), asked.target
    capable = target.protocol is CallProtocol.API and target.direct_chat
    if not capable or not chat_enabled(asked):
        return False
    await asked.conference.message(asked.client.uuid, body.type, body.payload, target.uuid)
    return True


async def client_mute(asked: Asked) -> bool:
    await asked.conference.set_client_state(asked.target.uuid, is_client_muted=True)
    return True


async def client_unmute(asked: Asked) -> bool:
    await asked.conference.set_client_state(asked.target.uuid, is_client_muted=False)
    return True


async def video_muted(asked: Asked) -> bool:
    await asked.conference.set_client_state(asked.target.uuid, is_video_muted=True)
    return True


async def video_unmuted(asked: Asked) -> bool:
    await asked.conference.set_client_state(asked.target.uuid, is_video_muted=False)
    return True


async def buzz(asked: Asked) -> bool:
    target = asked.target
    if not target.buzz_time:  # a repeated request must not move it to the end of the queue
        await asked.conference.set_client_state(target.uuid, buzz_time=time.time())
    return True


async def clear_buzz(asked: Asked) -> bool:
    await asked.conference.set_client_state(asked.target.uuid, buzz_time=0.0)
    return True


async def not_afk(asked: Asked) -> bool:
    """The user is active; nothing depends on it."""
    return True
