"""What this machine can do of all codecs that can be switched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from rostra.media.codecs import EVENTS, ROWS, h263

READY: Final = "ready"
NO_ENCODER: Final = "not there: no free software that Debian or PyPI packages encodes it"
AAC: Final = "not there: its form of AAC (low delay) has no free encoder; AAC-LC is taken"
NOT_NEEDED: Final = "not there: only systems that are no longer maintained need it"
ABSENT: Final = {
    **dict.fromkeys(("G719", "G7221_24", "G7221_32", "SIREN14_24", "SIREN14_32", "SIREN14_48"), NO_ENCODER),
    **dict.fromkeys(("MP4A-LATM_48", "MP4A-LATM_56", "MP4A-LATM_64", "MP4A-LATM_128", "AAC-LD_128"), AAC),
    **dict.fromkeys(("X-H264UC", "X-ULPFECUC"), NOT_NEEDED),
}
"""Switches of codecs that no node has, with the reason; they are kept as settings."""


class CodecState(NamedTuple):
    """One codec, or one form of it."""

    name: str
    switch: str
    """By which administrators switch it off; empty: it has none."""
    state: str


def all_codecs() -> Iterator[CodecState]:
    """Those we have first, then those we have not."""
    for row in ROWS:
        if row is EVENTS or row is h263.PLUS_2000:
            continue
        state = READY if row.there() else f"needs the {row.library}"
        for switch in dict.fromkeys(row.switches.values()) or [""]:
            yield CodecState(row.name, switch, state)
    for switch, reason in ABSENT.items():
        yield CodecState(switch, switch, reason)
