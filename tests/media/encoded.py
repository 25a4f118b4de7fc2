"""Heads of encoded pictures, made by hand: of any size, without the pixels."""

from __future__ import annotations

import struct


class Bits:
    """Bits put one after another, as H.264 and VP9 have them."""

    def __init__(self) -> None:
        self._text = ""

    def put(self, *values: tuple[int, int]) -> Bits:
        """Numbers, each with how many bits it takes."""
        self._text += "".join(f"{value:0{bits}b}" for value, bits in values)
        return self

    def golomb(self, *values: int) -> Bits:
        """ITU-T H.264 9.1."""
        for value in values:
            bits = (value + 1).bit_length()
            self.put((0, bits - 1), (value + 1, bits)) if bits > 1 else self.put((1, 1))
        return self

    def octets(self) -> bytes:
        """With the bit that ends a NAL unit."""
        text = self._text + "1"
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big")


def sps(width: int, height: int, *, kept: int = 1, profile: int = 66, chroma: int = 1, depth: int = 8) -> bytes:
    """A sequence parameter set (H.264 7.3.2.1.1) of so many pixels, both in sixteens."""
    bits = Bits().put((profile, 8), (0, 8), (51, 8)).golomb(0)
    if profile == 100:
        bits.golomb(chroma, depth - 8, depth - 8).put((0, 2))
    bits.golomb(0, 2, kept).put((0, 1)).golomb(width // 16 - 1, height // 16 - 1).put((1, 1), (1, 1), (0, 2))
    plain, guarded = bits.octets(), bytearray(b"\x67")
    for octet in plain:
        if guarded[-2:] == b"\0\0" and octet < 4:
            guarded.append(3)
        guarded.append(octet)
    return bytes(guarded)


PPS = b"\x68\xce\x38\x80"
"""A picture parameter set: plain."""


def idr() -> bytes:
    """The beginning of a key frame (H.264 7.3.3) by `sps` and `PPS`, and some of its blocks."""
    head = Bits().golomb(0, 7, 0).put((0, 4)).golomb(0).put((0, 2)).golomb(0, 1).put((2**1600 - 1, 1600))
    return b"\x65" + head.octets()


def vp8(width: int, height: int, rest: bytes = bytes(200)) -> bytes:
    """A key frame (RFC 6386 9.1)."""
    head = len(rest) << 5 | 1 << 4
    return struct.pack("<I", head)[:3] + b"\x9d\x01\x2a" + struct.pack("<HH", width, height) + rest


def vp9(width: int, height: int, *, inter: bool = False) -> bytes:
    """A frame of profile 0 (VP9 6.2): a key frame, or one that needs others and has a size of its own."""
    bits = Bits().put((2, 2), (0, 2), (0, 1), (int(inter), 1), (1, 1), (1, 1))
    if inter:
        bits.put((1, 8), (0, 12), (0, 3))
    else:
        bits.put((0x498342, 24), (1, 3), (0, 1))
    return bits.put((width - 1, 16), (height - 1, 16)).octets() + bytes(20)
