"""What the calls of one participant may do about presentation. Pure but for the worker that is passed in."""

from __future__ import annotations

from collections.abc import Mapping

from rostra.conference.instance import ConferenceInstance
from rostra.domain import capacity
from rostra.domain.presenting import CallContent
from rostra.domain.vocabulary import CallProtocol
from rostra.media.client import Worker
from rostra.media.messages import Slides

FLOOR_TAKEN = "Another participant is presenting"
FLOOR_RELEASED = "Presentation has ended"


def content_of(present: str) -> CallContent:
    """What a WebRTC call is for, from its member `present` (API-095)."""
    wanted = {"send": CallContent.SEND, "receive": CallContent.RECEIVE, "main": CallContent.MIX}
    return wanted.get(present, CallContent.MAIN)


def rivals(contents: Mapping[str, CallContent], call: str) -> list[str]:
    """The calls that a new one replaces: those that are there for the same (API-077)."""
    mine = contents[call]
    return [
        other
        for other, content in contents.items()
        if other != call and (content.is_main, content.presents) == (mine.is_main, mine.presents)
    ]


def slides_policy(conference: ConferenceInstance, participant: str, content: CallContent, media_type: str) -> Slides:
    """Which directions of slides are answered (API-092): from us to who may receive them, to us from the presenter."""
    known, presenter = conference.participant(participant), conference.presenting.presenter
    if known is None or media_type != "video":
        return Slides(wanted=False)
    presents = content is CallContent.SEND and conference.presenting.may(participant, video=True)
    floor = presenter is not None and presenter.uuid == participant
    return Slides(
        only=content in (CallContent.SEND, CallContent.RECEIVE),
        sends=content is not CallContent.SEND and known.rx_presentation_allowed and known.joined,
        receives=presents or (content.is_main and floor),
    )


def price_of(content: CallContent, call: int) -> int:
    """Tokens of a call, `call` being those of a main one (sheet 11, 12.2)."""
    match content:
        case CallContent.SEND:
            return capacity.presentation(CallProtocol.WEBRTC, sends=True)
        case CallContent.RECEIVE:
            return capacity.presentation(CallProtocol.WEBRTC, receives=True)
        case CallContent.STILLS:
            return 0
        case _:
            return call


async def accept_stills(worker: Worker) -> None:
    """Nothing is to be set up before the first picture."""
    del worker
