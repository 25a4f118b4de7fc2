"""The few picture sizes of the older codecs (H.261, H.263): what a receiver states of them. Pure.

Each size comes with its smallest picture interval, in units of 1001/30000 s (RFC 4587 6.1, RFC 4629 8.1).
"""

from __future__ import annotations

from typing import Final

from rostra.media.codecs.row import Parameters, Size

SIZES: Final[dict[str, tuple[int, int, int]]] = {
    "cif4": (704, 576, 1_000_000),
    "cif": (352, 288, 384_000),
    "qcif": (176, 144, 128_000),
    "sqcif": (128, 96, 64_000),
}
"""Name to width, height and bit/s; the best first."""
_RATE = 30
_LONGEST = 32
SQUARE = (
    "capssetter join=true caps=video/x-raw,pixel-aspect-ratio=12/11 ! videoscale ! video/x-raw,pixel-aspect-ratio=1/1"
)
"""Their pictures are 4:3, so their pixels are wider than high."""


def answer(known: tuple[str, ...], offered: Parameters) -> dict[str, str]:
    """What we take: each known size at full rate, without annexes, whatever is offered (sizes are one-sided)."""
    del offered
    return dict.fromkeys(known, "1")


def stated(known: tuple[str, ...], parameters: Parameters) -> tuple[Size, ...]:
    """The sizes a receiver takes, of those that are `known`; QCIF where it states none (RFC 4629 8.2.1)."""
    found: list[Size] = []
    bits = number(parameters.get("maxbr", "")) * 100
    for name in known:
        interval = number(parameters.get(name, ""))
        if 1 <= interval <= _LONGEST:
            width, height, usual = SIZES[name]
            found.append(Size(width, height, max(1, _RATE // interval), min(usual, bits) if bits else usual))
    return tuple(found) or (Size(*SIZES["qcif"][:2], _RATE, SIZES["qcif"][2]),)


def number(text: str) -> int:
    """0 for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0
