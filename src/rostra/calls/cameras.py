"""Cameras that others move: of a participant with a room system (H.281), and by it."""

from __future__ import annotations

from rostra.calls.prices import CallPrices
from rostra.conference.events import CameraMove, CameraMoved
from rostra.domain.camera import CameraCommand
from rostra.domain.media import MediaDescription, MediaKind
from rostra.domain.vocabulary import Role


def movable(local: MediaDescription) -> bool:
    """Was a way to move the far end's camera agreed?"""
    return any(one.kind is MediaKind.APPLICATION and bool(one.codecs) and not one.refused for one in local.streams)


class CameraLegs(CallPrices):
    """A participant's calls, with what moves cameras."""

    def camera_asked(self, command: CameraCommand) -> None:
        """It moves the camera of the one it sees largest: in a gateway call, of the other end. Guests move nobody's."""
        if self.participant.role is not Role.HOST:
            return
        seen = self._instance.media.production.layout(self._participant.uuid).participants
        target = next((self._instance.participant(one) for one in seen if one != self._participant.uuid), None)
        if target is None or not target.fecc_supported:
            return
        movement = tuple(CameraMove(axis=one.axis, direction=one.direction) for one in command.movement)
        move = CameraMoved(action=command.action, movement=movement, timeout=command.timeout)
        self._background.spawn(self._instance.move_camera(target.uuid, move))

    def move_camera(self, command: CameraCommand) -> None:
        for call in list(self._calls):
            self._background.spawn(self._tell(call, lambda worker, call=call: worker.move_camera(call, command)))
