"""Rungs: which picture size and rate a leg is sent, from what it can take. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from rostra.media.codecs.row import Size


@dataclasses.dataclass(frozen=True, slots=True)
class Rung:
    """One quality of sent video: pixels, frames per second, bit/s."""

    width: int
    height: int
    frame_rate: int
    bitrate: int
    fixed: bool = False
    """The codec has no other size like it."""

    @property
    def macroblocks(self) -> int:
        """16x16 blocks of one picture, as levels count them."""
        return -(-self.width // 16) * -(-self.height // 16)


LADDER: tuple[Rung, ...] = (
    Rung(1280, 720, 30, 1_700_000),
    Rung(848, 480, 30, 900_000),
    Rung(640, 360, 30, 550_000),
    Rung(480, 272, 30, 330_000),
    Rung(320, 180, 30, 180_000),
    Rung(320, 180, 15, 100_000),
    Rung(176, 96, 15, 56_000),
)
"""Best first; no better ones than those of HD (SYS-120)."""
FULL_HD = Rung(1920, 1080, 30, 3_000_000)
SOUND = 64_000
"""bit/s of a call's limit that are kept for its sound."""
FULL_HD_CALL = 2_564_000
"""bit/s of a call below which there is no Full HD (API-091)."""
_FULL_HD_BLOCKS, _FULL_HD_BITS = 8160, FULL_HD_CALL - SOUND
"""What a receiver has to state, and its pictures may not be limited below."""
_SD_HEIGHT = 480
_STRETCH = 1.5
"""How far below a rung's own bit rate it may still be used before the next smaller picture looks better."""

_LEVELS: dict[int, tuple[int, int, int]] = {
    10: (1485, 99, 64_000),
    11: (3000, 396, 192_000),
    12: (6000, 396, 384_000),
    13: (11880, 396, 768_000),
    20: (11880, 396, 2_000_000),
    21: (19800, 792, 4_000_000),
    22: (20250, 1620, 4_000_000),
    30: (40500, 1620, 10_000_000),
    31: (108000, 3600, 14_000_000),
    32: (216000, 5120, 20_000_000),
    40: (245760, 8192, 20_000_000),
    42: (522240, 8704, 50_000_000),
    50: (589824, 22080, 135_000_000),
}
"""H.264 table A-1 up to what we send: macroblocks per second, per picture, bit/s."""


def pick(
    parameters: Mapping[str, str], limit: int | None = None, quality: str = "hd", sizes: Sequence[Size] = ()
) -> Rung:
    """The best rung for a receiver, no better than `quality`: `sd`, `hd` or `fullhd`.

    `parameters` are the receiver's fmtp members: `profile-level-id` (RFC 6184) and `max-fs`, `max-mbps`,
    `max-br`, `max-fr` (RFC 6184, RFC 7741) raise or set its limits; `limit` is its bandwidth in bit/s. Where its
    codec has but few `sizes`, it is one of those.
    """
    if sizes:
        return one_of(sizes, limit)
    rate, size, bits = _capability_within(parameters, limit)
    frames = _number(parameters, "max-fr") or 30
    if quality == "fullhd" and takes_full_hd(parameters, limit):
        return _within(FULL_HD, frames, bits)
    for rung in LADDER[:-1]:
        if quality == "sd" and rung.height > _SD_HEIGHT:
            continue
        if size and rung.macroblocks > size:
            continue
        if rate and rung.macroblocks * rung.frame_rate > rate:
            continue
        if bits and bits * _STRETCH < rung.bitrate:
            continue
        return _within(rung, frames, bits)
    return _within(LADDER[-1], frames, bits)


def takes_full_hd(parameters: Mapping[str, str], limit: int | None = None) -> bool:
    """Does a receiver with these parameters and this bandwidth, bit/s of video, take 1080p?"""
    rate, size, bits = _capability_within(parameters, limit)
    slow = 0 < rate < FULL_HD.macroblocks * FULL_HD.frame_rate
    return size >= _FULL_HD_BLOCKS and not slow and not 0 < bits < _FULL_HD_BITS


def _capability_within(parameters: Mapping[str, str], limit: int | None) -> tuple[int, int, int]:
    rate, size, bits = capability(parameters)
    return rate, size, min(bits, limit) if bits and limit else bits or limit or 0


def share(limit: int | None, *, both: bool) -> int | None:
    """What main video gets, or slides, of all that a call may be sent: sound is part of it, and `both` get half each.

    CONF-143, CONF-146, API-109.
    """
    if not limit:
        return None
    left = max(LADDER[-1].bitrate, limit - SOUND)
    return left // 2 if both else left


def one_of(sizes: Sequence[Size], limit: int | None) -> Rung:
    """The best of these that the bandwidth is enough for; else the last, thinned."""
    fitting = [size for size in sizes if not limit or limit * _STRETCH >= size.bitrate]
    best = (fitting or sizes[-1:])[0]
    return Rung(best.width, best.height, best.frame_rate, min(best.bitrate, limit or best.bitrate), fixed=True)


def narrow(rung: Rung) -> Rung:
    """As high, but 4:3 (REF-133)."""
    if rung.fixed:
        return rung
    return dataclasses.replace(rung, width=max(16, round(rung.height / 6) * 8))


def _within(rung: Rung, frames: int, bits: int) -> Rung:
    """The rung, slowed and thinned to what the receiver takes; no bits: no limit."""
    bitrate = min(rung.bitrate, bits) if bits else rung.bitrate
    return dataclasses.replace(rung, frame_rate=min(rung.frame_rate, frames), bitrate=bitrate)


def capability(parameters: Mapping[str, str]) -> tuple[int, int, int]:
    """Macroblocks per second, per picture and bit/s the receiver decodes; 0: no limit known."""
    level = parameters.get("profile-level-id", "")
    if len(level) == 6:
        try:
            number = int(level[4:], 16)
        except ValueError:
            number = 10
        floor = max((known for known in _LEVELS if known <= number), default=10)
        rate, size, bits = _LEVELS[floor]
    else:
        rate = size = bits = 0
    rate = max(rate, _number(parameters, "max-mbps"))
    size = max(size, _number(parameters, "max-fs"))
    bits = max(bits, _number(parameters, "max-br") * 1000)
    return rate, size, bits


def _number(parameters: Mapping[str, str], name: str) -> int:
    text = parameters.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0
