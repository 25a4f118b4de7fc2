"""Who may present, and what each participant is told of it (API-099 to API-108). Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from rostra.domain.vocabulary import Role

SLIDES = ":slides"
"""What the name of a call's presentation ends with where sources of pictures are named."""


class CallContent(enum.StrEnum):
    """What a call of a participant is for."""

    MAIN = ""
    """Sound and camera, and perhaps slides beside them."""
    SEND = "send"
    """It shares a screen, and nothing else (`present: "send"`)."""
    RECEIVE = "receive"
    """It gets the presentation, and nothing else (`present: "receive"`)."""
    STILLS = "stills"
    """It has no media of its own: the presentation is pictures that are posted (API-113)."""
    MIX = "mix"
    """As MAIN, with the presentation in place of main video while one runs (`present: "main"`)."""

    @property
    def is_main(self) -> bool:
        return self in (CallContent.MAIN, CallContent.MIX)

    @property
    def presents(self) -> bool:
        """It is there only to bring a presentation."""
        return self in (CallContent.SEND, CallContent.STILLS)


def slides_of(call: str) -> str:
    """Name of the source of pictures that a call presents."""
    return call + SLIDES


def is_slides(source: str) -> bool:
    """Is a source of pictures a presentation?"""
    return source.endswith(SLIDES)


def call_of(source: str) -> str:
    """The call that brings a source of pictures."""
    return source.removesuffix(SLIDES)


def may_present(
    *, role: Role, joined: bool, held: bool, allowed: bool, guests_allowed: bool, call_type: str, video: bool
) -> bool:
    """May somebody take the floor, also from another (API-099)?

    `allowed` and `guests_allowed` are the conference's rules; pictures (`video` false) may be shown in conferences
    of any media (SYS-184), screens only where there is presentation at all (SVC-035).
    """
    if not joined or held or not allowed or role is Role.UNKNOWN:
        return False
    if video and call_type != "video":
        return False
    return role is Role.HOST or guests_allowed


def may_keep(*, role: Role, joined: bool, held: bool, allowed: bool, guests_allowed: bool) -> bool:
    """Does somebody who presents go on doing so? A role, a rule or a hold may have changed."""
    return may_present(
        role=role, joined=joined, held=held, allowed=allowed, guests_allowed=guests_allowed, call_type="video",
        video=True,
    )  # fmt: skip


def presented_by(calls: Iterable[tuple[str, CallContent]]) -> tuple[str, CallContent] | None:
    """Which of the presenter's calls brings the presentation: one that is there for it, else the main one."""
    found = list(calls)
    for call, content in reversed(found):
        if content.presents:
            return call, content
    return next((one for one in found if one[1].is_main), None)


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The presentation as one participant should know of it; all empty: there is none for it."""

    presenter: str = ""
    itself: bool = False
    """It is the presenter."""
    static: bool = False


class Notice(enum.Enum):
    """What a participant is told when what it should know has changed."""

    START = "start"
    STOP = "stop"


NOTHING = Shown()


def shown_to(viewer: str, presenter: str, *, joined: bool, allowed: bool, static: bool) -> Shown:
    """What `viewer` should know: nothing while it waits, or may not receive presentation (API-055, API-108)."""
    if not presenter or not joined:
        return NOTHING
    if viewer == presenter:
        return Shown(presenter=presenter, itself=True, static=static)
    return Shown(presenter=presenter, static=static) if allowed else NOTHING


def notice(before: Shown, now: Shown) -> Notice | None:
    """What to tell a participant.

    The presenter itself is never told of its own start, since that makes clients stop presenting; who is replaced
    is told of the new presenter and of no end (API-102). When the floor is free everybody hears of it (API-104).
    """
    if before == now:
        return None
    if now.itself:
        return None
    if now.presenter:
        return Notice.START
    return Notice.STOP
