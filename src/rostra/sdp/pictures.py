"""Sizes of pictures a far end would like to be sent (`a=imageattr`, RFC 6236)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SETS = re.compile(r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\]")
_MEMBER = re.compile(r"(x|y|par|q)=(\[[^\]]*\]|[^,\[\]]+)")
_USUAL = 0.5
"""Preference of a size that states none (3.1.1)."""


def wanted_ratio(values: Iterable[str]) -> float:
    """Width to height of what is preferred to be received; 0: nothing is said that can be read."""
    best, found = -1.0, 0.0
    for value in values:
        _, _, wishes = value.partition("recv")
        for text in _SETS.findall(wishes.partition("send")[0]):
            members = dict(_MEMBER.findall(text))
            ratio, preference = _ratio(members), _largest(members.get("q", "")) or _USUAL
            if ratio and preference > best:
                best, found = preference, ratio
    return found


def _ratio(members: dict[str, str]) -> float:
    shape = _largest(members.get("par", ""))
    width, height = _largest(members.get("x", "")), _largest(members.get("y", ""))
    return shape or (width / height if width and height else 0.0)


def _largest(text: str) -> float:
    """Of a number, a list `[640,800]`, or a range `[480:16:800]` or `[1.2-1.3]`."""
    numbers = re.findall(r"\d{1,5}(?:\.\d{1,4})?", text)
    return max((float(number) for number in numbers), default=0.0)
