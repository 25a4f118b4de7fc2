"""How big a JPEG picture is, from its header alone: what cannot be one, or is too big, no decoder gets. Pure."""

from __future__ import annotations

MOST_PIXELS = 40_000_000
"""Of a picture that is presented."""
_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})


def size(data: bytes) -> tuple[int, int] | None:
    """Width and height; None: it is no JPEG."""
    at = _frame(data)
    if at is None:
        return None
    height, width = (int.from_bytes(data[at + 5 + 2 * i : at + 7 + 2 * i], "big") for i in range(2))
    return (width, height) if width and height else None


def components(data: bytes) -> int:
    """Colours that are stored: 1 for grey, 3 for a screen, 4 for print; 0: it is no JPEG."""
    at = _frame(data)
    return 0 if at is None or at + 10 > len(data) else data[at + 9]


def _frame(data: bytes) -> int | None:
    """Where the header of the picture is."""
    if data[:3] != b"\xff\xd8\xff":
        return None
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in _SIZES and at + 9 <= len(data):
            return at
        if marker == 0xDA or length < 2:
            return None
        at += 2 + length
    return None


def usable(data: bytes) -> bool:
    """A JPEG picture that we decode."""
    found = size(data)
    return found is not None and found[0] * found[1] <= MOST_PIXELS
