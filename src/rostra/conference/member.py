"""How a conference reaches the session of a participant signalled here."""

from __future__ import annotations

from typing import Protocol

from rostra.conference.events import PeerSignal
from rostra.conference.messages import Transfer
from rostra.conference.roster import Participant
from rostra.domain.camera import CameraCommand
from rostra.domain.vocabulary import Role
from rostra.media.replies import CameraAsked, DtmfReceived, LegFailed, LegTold, PictureWanted


class Member(Protocol):
    """How the conference reaches the session of a participant signalled here. Must not block or raise."""

    def removed(self, reason: str) -> None: ...

    def media_lost(self, call: str, *, moving: bool = False, node: str = "") -> None:
        """The media that `node` carried or relayed for the call is gone, or has to go elsewhere (`moving`)."""

    def call_failed(self, call: str, reason: str) -> None: ...

    def let_in(self, role: Role) -> None:
        """A Host lets it in as `role`, who is asked for a PIN; if there is room (CONF-065)."""

    def pressed(self, digit: str) -> None: ...

    def picture_wanted(self, call: str) -> None:
        """The far end of the call should be asked for a key frame."""

    def camera_asked(self, command: CameraCommand) -> None:
        """Its far end moves the camera of whom it sees."""

    def move_camera(self, command: CameraCommand) -> None:
        """Somebody moves its camera."""

    def presentation_changed(self, presenter: str) -> None:
        """Who presents, as far as it may know; empty: nobody."""

    def floor_lost(self, *, taken: bool) -> None:
        """It presents no more; `taken`: another does instead."""

    def send_dtmf(self, digits: str) -> None: ...

    def signalled(self, signal: PeerSignal) -> None:
        """The other client with direct media says something."""

    def play_sounds(self, sounds: tuple[str, ...]) -> None:
        """Let the participant hear sounds of the theme."""

    def transferred(self, to: Transfer) -> None:
        """It shall go to another conference."""

    def followed(self, participant: Participant) -> None:
        """Where the participant is, or what is known of it, has changed."""


def tell(member: Member, event: LegTold) -> None:
    """Pass on what the worker says of a leg."""
    match event:
        case LegFailed(leg=call, reason=reason):
            member.call_failed(call, reason)
        case DtmfReceived(digit=digit):
            member.pressed(digit)
        case PictureWanted(leg=call):
            member.picture_wanted(call)
        case CameraAsked(command=command):
            member.camera_asked(command)
