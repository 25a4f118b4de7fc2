"""From what happens in the conference to what one client's stream shows of it (API-044 to API-056)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rostra.clientapi.wire import conference_state, participant_object, visible
from rostra.conference.events import (
    CallEnded,
    CameraMoved,
    ConferenceEvent,
    ConferenceUpdated,
    HoldChanged,
    LayoutChanged,
    MessageReceived,
    ParticipantCreated,
    ParticipantDeleted,
    ParticipantUpdated,
    PresentationFrame,
    PresentationStarted,
    PresentationStopped,
    Removed,
    RoleChanged,
    RoomReferred,
    RoomsChanged,
    StageChanged,
    SyncBegan,
    SyncEnded,
)
from rostra.conference.roster import Participant
from rostra.domain.vocabulary import Role

if TYPE_CHECKING:
    from rostra.clientapi.clients import Client

Rendered = tuple[str, Any]
"""Event name and data."""


class StreamView:
    """What one client has been shown on one subscription.

    Whoever the client may not see is left out; who becomes visible appears by `participant_create`, so a create
    always precedes updates and deletes of the same participant (API-046).
    """

    def __init__(self, client: Client, *, repeated: bool) -> None:
        self._client = client
        self._repeated = repeated
        self._known: dict[str, Participant] = {}
        self._me = client.session.participant

    def render(self, happened: ConferenceEvent) -> Iterator[Rendered]:
        """Zero or more stream events for one event of the conference."""
        match happened:
            case SyncBegan():
                self._known.clear()
                yield "participant_sync_begin", None
            case SyncEnded():
                yield "participant_sync_end", None
            case ParticipantCreated(participant=participant) | ParticipantUpdated(participant=participant):
                yield from self._participant(participant)
            case ParticipantDeleted(uuid=uuid):
                if self._known.pop(uuid, None):
                    yield "participant_delete", {"uuid": uuid}
            case ConferenceUpdated(flags=flags):
                service, direct = self._client.session.service, self._me.is_direct
                yield "conference_update", conference_state(flags, service, direct=direct)
            case StageChanged() | LayoutChanged() | MessageReceived():
                yield from self._room(happened)
            case PresentationStarted() | PresentationStopped() | PresentationFrame():
                yield from self._presentation(happened)
            case RoleChanged():
                yield "refresh_token", None
            case HoldChanged(held=held):
                yield "on_hold", {"setting": held}
            case RoomReferred(room=room, name=name, requester=requester):
                yield "breakout_refer", {"breakout_uuid": room, "breakout_name": name, "requester_uuid": requester}
            case RoomsChanged():
                pass  # the stream itself follows the rooms
            case CameraMoved():
                yield "fecc", camera_moved(happened)
            case CallEnded(call=call, reason=reason):
                if self._client.end_call(call):
                    yield "call_disconnected", {"call_uuid": call, "reason": reason}
            case Removed(reason=reason):
                yield "disconnect", {"reason": reason}

    def _presentation(
        self, happened: PresentationStarted | PresentationStopped | PresentationFrame
    ) -> Iterator[Rendered]:
        """A repeated connection learns after its snapshot that no presentation runs, a first one does not (API-044)."""
        if isinstance(happened, PresentationFrame):
            yield "presentation_frame", {}
        elif isinstance(happened, PresentationStopped):
            if self._repeated or not happened.initial:
                yield "presentation_stop", {}
        else:
            hidden = self._me.role is not Role.HOST
            yield (
                "presentation_start",
                {
                    "presenter_name": happened.name,
                    "presenter_uri": happened.name if hidden else happened.uri,
                    "presenter_uuid": happened.uuid,
                    "presenter_source": "static" if happened.static else "video",
                },
            )

    def _participant(self, participant: Participant) -> Iterator[Rendered]:
        if participant.uuid == self._me.uuid:
            before, self._me = self._me, participant
            if before.is_transferring and not participant.is_transferring:
                self._client.withdraw()
                yield "cancel_refer", {}
            if participant.uuid in self._known and before.role is not participant.role:
                yield from self._review()
        yield from self._show(participant)

    def _review(self) -> Iterator[Rendered]:
        """The client's role changed: it may see more or fewer of those who wait (API-147)."""
        for other in self._client.session.conference.participants:
            if other.uuid != self._me.uuid and self._sees(other) != (other.uuid in self._known):
                yield from self._show(other)

    def _sees(self, participant: Participant) -> bool:
        return visible(participant, self._me, hosted=self._client.session.service.has_host_pin)

    def _show(self, participant: Participant) -> Iterator[Rendered]:
        shown = self._known.pop(participant.uuid, None)
        if self._sees(participant):
            self._known[participant.uuid] = participant
            rendered = participant_object(participant, self._me)
            yield "participant_update" if shown else "participant_create", rendered
        elif shown:
            yield "participant_delete", {"uuid": participant.uuid}

    def _room(self, happened: StageChanged | LayoutChanged | MessageReceived) -> Iterator[Rendered]:
        """What only those inside the room get, unless it is addressed to the client."""
        if isinstance(happened, MessageReceived):
            if self._me.joined or happened.direct:
                yield (
                    "message_received",
                    {
                        "origin": happened.origin,
                        "uuid": happened.uuid,
                        "type": happened.type,
                        "payload": happened.payload,
                        "direct": happened.direct,
                    },
                )
        elif not self._me.joined:
            return
        elif isinstance(happened, StageChanged):
            yield (
                "stage",
                [
                    {"participant_uuid": entry.participant, "stage_index": entry.stage_index, "vad": entry.vad}
                    for entry in happened.entries
                ],
            )
        else:
            yield "layout", _layout(happened)


def camera_moved(happened: CameraMoved) -> dict[str, object]:
    return {
        "action": happened.action,
        "movement": [{"axis": one.axis, "direction": one.direction} for one in happened.movement],
        "timeout": happened.timeout,
    }


def _layout(happened: LayoutChanged) -> dict[str, object]:
    """Both requested layouts are always there, as clients read them without a look (API-124)."""
    requested = {"chair_layout": happened.requested_for_hosts, "guest_layout": happened.requested_for_guests}
    return {
        "view": happened.view,
        "participants": list(happened.participants),
        "requested_layout": {"primary_screen": requested},
        "overlay_text_enabled": happened.overlay_text,
    }
