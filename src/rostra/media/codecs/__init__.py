"""Codecs: one module and one row each.

A row says everything the rest of the platform needs: names and numbers for negotiation, GStreamer factories
for the engine, the cost in the same unit for placement. Nothing outside this package names a codec.
No `gi` import here: rows are plain values, used by signalling and engine alike.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache, partial

import msgspec

from rostra.media.codecs import (
    aac,
    g722,
    g729,
    h224,
    h261,
    h263,
    h264,
    opus,
    pcma,
    pcmu,
    siren7,
    speex,
    telephone_event,
    vp8,
    vp9,
)
from rostra.media.codecs.row import CodecRow, Parameters

ROWS: tuple[CodecRow, ...] = (
    *(opus.ROW, g722.ROW, siren7.ROW, pcma.ROW, pcmu.ROW, g729.ROW),
    *(aac.PLAIN, aac.IN_LATM, speex.ROW, telephone_event.ROW),
    *(h264.ROW, vp8.ROW, vp9.ROW, h263.PLUS, h263.PLUS_2000, h263.ROW, h261.ROW),
)
"""In our order of preference within each kind."""

CAMERAS: CodecRow = h224.ROW
"""Beside audio and video: far-end camera control."""

BY_NAME: dict[str, CodecRow] = {row.name: row for row in (*ROWS, CAMERAS)}

BROWSERS: Mapping[str, CodecRow] = {
    row.name: msgspec.structs.replace(row, feedback=tuple(one for one in row.feedback if one != "ccm tmmbr"))
    for row in (
        *(opus.ROW, g722.ROW, pcma.ROW, pcmu.ROW, telephone_event.ROW, vp8.ROW),
        msgspec.structs.replace(h264.ROW, accept=h264.accept_baseline),
    )
}
"""What clients with WebRTC may choose (API-086, API-087)."""

EVENTS: CodecRow = telephone_event.ROW
"""Digits beside audio: not a codec, but negotiated like one."""

OFF_BY_DEFAULT = ("MP4A-LATM_128", "H264_H_0", "H264_H_1")
"""Switches of codecs that nobody gets who does not ask for them (SYS-118)."""


def chosen(disabled: Collection[str]) -> tuple[CodecRow, ...]:
    """The codecs that may be negotiated while these are switched off."""
    return _chosen(frozenset(disabled))


@cache
def _chosen(disabled: frozenset[str]) -> tuple[CodecRow, ...]:
    found = (_narrowed(row, disabled) for row in (*ROWS, CAMERAS) if row.there())
    return tuple(row for row in found if row is not None)


def _narrowed(row: CodecRow, disabled: frozenset[str]) -> CodecRow | None:
    """What is left of a codec; None: nothing."""
    off = frozenset(form for form, switch in row.switches.items() if switch in disabled)
    if not off:
        return row
    if len(off) == len(row.switches):
        return None
    return msgspec.structs.replace(
        row,
        offers=tuple(offered for offered in row.offers if row.form(offered) not in off),
        accept=partial(_accept, row, off),
    )


def _accept(row: CodecRow, off: frozenset[str], offered: Parameters) -> dict[str, str] | None:
    return None if row.form(offered) in off else row.accept(offered)


def sent_as(row: CodecRow, taken: Parameters) -> CodecRow:
    """The row whose encoder serves a receiver that states these parameters."""
    return h264.made_for(taken) if row.name == h264.ROW.name else row


def careful(row: CodecRow) -> CodecRow:
    """The row whose encoder makes the most of few pictures a second."""
    return h264.CAREFUL.get(row.made, row)


__all__ = [
    "BROWSERS",
    "BY_NAME",
    "CAMERAS",
    "EVENTS",
    "OFF_BY_DEFAULT",
    "ROWS",
    "CodecRow",
    "careful",
    "chosen",
    "sent_as",
]
