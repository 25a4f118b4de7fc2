"""Who is sent a presentation, and how: as slides beside main video, or inside it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from rostra.conference.picture import Program
from rostra.conference.roster import Participant
from rostra.domain.presenting import CallContent, call_of, slides_of
from rostra.domain.scene import SCENE_WIDTH
from rostra.domain.vocabulary import CallProtocol

_SINGLE_STREAM = frozenset({CallProtocol.SIP, CallProtocol.H323, CallProtocol.MSSIP, CallProtocol.RTMP})
"""Protocols of systems that cannot fetch pictures of a presentation by themselves."""


class Slideshow(msgspec.Struct, frozen=True, kw_only=True):
    """A presentation that runs."""

    presenter: str
    source: str
    sent: Mapping[str, str]
    """Calls that are sent it as slides, and the source."""
    mixed: frozenset[str]
    """Participants that get it in their main picture, with the speaker small in it (CONF-076)."""


def slideshow(
    participants: Iterable[Participant], presenter: Participant | None, brought: tuple[str, CallContent] | None
) -> Slideshow | None:
    """The presentation, or None while there is none (API-106, API-108; CONF-076, CONF-124)."""
    if presenter is None or brought is None:
        return None
    source = slides_of(brought[0])
    sent: dict[str, str] = {}
    mixed: set[str] = set()
    for viewer in participants:
        if viewer.uuid == presenter.uuid or not _may_see(viewer):
            continue
        dual = [leg.call for leg in viewer.legs if leg.slides and not leg.content.presents]
        sent |= dict.fromkeys(dual, source)
        wished = viewer.presentation_in_mix or any(leg.content is CallContent.MIX for leg in viewer.legs)
        if wished or (not dual and viewer.protocol in _SINGLE_STREAM):
            mixed.add(viewer.uuid)
    return Slideshow(presenter=presenter.uuid, source=source, sent=sent, mixed=frozenset(mixed))


def _may_see(viewer: Participant) -> bool:
    return viewer.joined and viewer.rx_presentation_allowed and not viewer.is_on_hold


def with_slides(program: Program, show: Slideshow | None, here: Collection[str]) -> Program:
    """The program with the calls that are sent slides, of those carried `here`, and the slides to fetch for it."""
    if show is None:
        return program
    sent = {call: source for call, source in show.sent.items() if call in here}
    painted = any(tile.source == show.source for view in program.compose.views.values() for tile in view.tiles)
    fetched = {show.source: SCENE_WIDTH} if (sent or painted) and call_of(show.source) not in here else {}
    return msgspec.structs.replace(
        program, compose=msgspec.structs.replace(program.compose, slides=sent),
        elsewhere={**program.elsewhere, **fetched},
    )  # fmt: skip
