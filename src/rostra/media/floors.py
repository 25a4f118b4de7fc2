"""Floor control in offers and answers (RFC 8856): who gives the floor of slides, and who connects. Pure."""

from __future__ import annotations

from rostra.domain.media import FloorControl, MediaDescription, MediaKind, MediaStream
from rostra.media.negotiation import SLIDES_LABEL

FLOOR_PROFILES = ("UDP/BFCP", "TCP/BFCP")
FLOOR = 1
"""Number of the floor where the far end names none."""
USER = 2
"""What we call the far end where it does not name itself."""


def floor_section(offer: MediaDescription) -> int | None:
    """Index of the section for floor control that we take: plain UDP or TCP, first in the offer's order.

    Those over TLS or DTLS are refused: media is encrypted by keys in the description, and endpoints that offer them
    offer plain ones beside them or go on without (RFC 8856 4).
    """
    return next(
        (
            index
            for index, stream in enumerate(offer.streams)
            if not stream.refused and stream.control is not None and stream.profile in FLOOR_PROFILES
        ),
        None,
    )


def floor_answer(theirs: MediaStream, address: str, port: int, *, conference: int) -> MediaStream:
    """Our answer to a section for floor control (RFC 8856 5): we give the floor, unless the far end must."""
    control = theirs.control or FloorControl()
    ours = FloorControl(
        roles=("c-only",) if control.roles == ("s-only",) else ("s-only",),
        conference=control.conference or conference,
        user=control.user or USER,
        floor=control.floor or FLOOR,
        label=SLIDES_LABEL,
        setup="passive" if control.setup in ("actpass", "active", "") else "active",
    )
    return MediaStream(
        kind=theirs.kind, address=address, port=port, profile=theirs.profile, formats=theirs.formats, mid=theirs.mid,
        control=ours,
    )  # fmt: skip


def floor_offer(address: str, port: int, *, conference: int) -> MediaStream:
    """Our section in an offer: over UDP, and either side may give the floor."""
    control = FloorControl(
        roles=("c-s",), conference=conference, user=USER, floor=FLOOR, label=SLIDES_LABEL, setup="actpass"
    )
    return MediaStream(
        kind=MediaKind.APPLICATION, address=address, port=port, profile="UDP/BFCP", formats=("*",), control=control
    )


def floor_agreed(ours: MediaStream, theirs: MediaStream) -> FloorControl | None:
    """What an answer to our section comes to, as seen by us; None: no floor control."""
    if theirs.refused or theirs.control is None or ours.control is None:
        return None
    gives = theirs.control.roles != ("s-only",)
    return FloorControl(
        roles=("s-only",) if gives else ("c-only",),
        conference=theirs.control.conference or ours.control.conference,
        user=theirs.control.user or ours.control.user,
        floor=theirs.control.floor or FLOOR,
        label=SLIDES_LABEL,
    )
