"""Moving cameras at a distance: what is asked of one, and how H.281 says it in frames of H.224.

Frames are those of H.323 annex Q, which RFC 4573 carries in RTP: Q.922 address and control octet, terminal addresses,
client, segmentation, data; without flags, stuffing or check sequence. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

_HEAD: Final = bytes.fromhex("00710300000000")
"""High priority, unnumbered information, from and to everybody (H.224: there are but two terminals)."""
_ADDRESSES: Final = (0x61, 0x71)
_MANAGEMENT, _CAMERA = 0, 1
"""Standard clients of H.224: itself, and H.281."""
_WHOLE: Final = 0xC0
"""First and last segment at once."""
_ACTIONS: Final = {1: "start", 2: "continue", 3: "stop"}
_AXES: Final = {
    "pan": (0x80, 0x40, "left", "right"),
    "tilt": (0x20, 0x10, "down", "up"),
    "zoom": (0x08, 0x04, "out", "in"),
}
"""Bit that says that it moves, bit of the second direction, and the directions."""
_STEP, _LONGEST, _LONG = 50, 15, 800.0
"""Milliseconds of a unit, most units, and what none means."""
CLIENTS: Final = _HEAD + bytes([_MANAGEMENT, _WHOLE, 0x01, 0x00, 0x01, _CAMERA])
"""Tells the far end that there is H.281 here, with nothing more to say of it."""
_WHICH_CLIENTS: Final = bytes([0x01, 0xFF])


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """Along one axis: `pan` left or right, `tilt` up or down, `zoom` in or out."""

    axis: str
    direction: str


class CameraCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What a camera is to do."""

    action: str
    """`start`, `continue` or `stop`."""
    movement: tuple[Movement, ...] = ()
    timeout: float = 0.0
    """Milliseconds after which it stops unless told to go on; 0: as it is used to."""


def frame(command: CameraCommand) -> bytes:
    """The frame that says it. What H.281 cannot say is left out."""
    code = next(number for number, name in _ACTIONS.items() if name == command.action)
    octets = [code, sum(_bits(one) for one in command.movement)]
    if command.action == "start":
        units = round(command.timeout / _STEP)
        octets.append(units if 0 < units <= _LONGEST else 0)
    return _HEAD + bytes([_CAMERA, _WHOLE, *octets])


def command(received: bytes) -> CameraCommand | None:
    """The command that a frame carries; None: it carries none that is understood."""
    data = _of_client(received, _CAMERA)
    action = _ACTIONS.get(data[0]) if len(data) >= 2 else None
    if action is None:
        return None
    movement = tuple(_movements(data[1]))
    if not movement:
        return None
    timeout = 0.0
    if action == "start":
        units = data[2] & 0x0F if len(data) > 2 else 0
        timeout = units * float(_STEP) or _LONG
    return CameraCommand(action=action, movement=movement, timeout=timeout)


def asks_for_clients(received: bytes) -> bool:
    """Does a frame ask what there is here?"""
    return _of_client(received, _MANAGEMENT)[:2] == _WHICH_CLIENTS


def _of_client(received: bytes, client: int) -> bytes:
    """The data of a frame for a client; empty for what is none, or only a part of one."""
    right = len(received) >= 9 and received[0] == 0 and received[1] in _ADDRESSES and received[2] == 3
    if not right or received[7] & 0x7F != client or received[8] & _WHOLE != _WHOLE:
        return b""
    return received[9:]


def _bits(one: Movement) -> int:
    moves, second, first_way, second_way = _AXES.get(one.axis, (0, 0, "", ""))
    if one.direction not in (first_way, second_way):
        return 0
    return moves | (second if one.direction == second_way else 0)


def _movements(octet: int) -> Iterator[Movement]:
    for axis, (moves, second, first_way, second_way) in _AXES.items():
        if octet & moves:
            yield Movement(axis=axis, direction=second_way if octet & second else first_way)
