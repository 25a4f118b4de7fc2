"""What an order does with a participant that is signalled here, but for ending it."""

from __future__ import annotations

from rostra.conference import messages as w
from rostra.conference.audience import Audience
from rostra.conference.events import CameraMoved, HoldChanged
from rostra.conference.member import Member
from rostra.conference.seating import Seating
from rostra.domain.camera import CameraCommand, Movement


def obey(order: w.Order, member: Member, seating: Seating, audience: Audience) -> None:
    """Carry out all that the order asks of the participant."""
    who = order.participant
    if order.mute is not None:
        seating.update(who, is_muted=order.mute)
    if order.hold is not None and seating.update(who, is_on_hold=order.hold):
        audience.tell(who, HoldChanged(held=order.hold))
    if order.members:
        seating.update(who, **order.members)
    if order.role is not None and seating.asked(who):
        member.let_in(order.role)
    elif order.role is not None:
        seating.change_role(who, order.role)
    if order.admit:
        seating.admit(who)
    if order.camera is not None:
        audience.tell(who, order.camera)
        member.move_camera(_command(order.camera))
    if order.refer is not None:
        audience.tell(who, order.refer)
    if order.signal is not None:
        member.signalled(order.signal)
    if order.dtmf:
        member.send_dtmf(order.dtmf)
    if order.play:
        member.play_sounds(order.play)
    if order.transfer is not None:
        member.transferred(order.transfer)


def _command(move: CameraMoved) -> CameraCommand:
    movement = tuple(Movement(axis=one.axis, direction=one.direction) for one in move.movement)
    return CameraCommand(action=move.action, movement=movement, timeout=move.timeout)
