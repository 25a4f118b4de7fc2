"""What nodes ask each other about registered devices.

A node that places a call asks the others which devices they hold. Nothing is copied between nodes, so nothing is left
of a node that dies, and each side of a cut network has the devices of its own nodes.
"""

from __future__ import annotations

import msgspec

from rostra.domain.registration import Held
from rostra.fabric import subjects


def registrations_subject(node: str) -> str:
    """The request is a WhoHolds, the answer Holds."""
    return subjects.REGISTRATIONS.of(node)


class WhoHolds(msgspec.Struct, frozen=True, kw_only=True):
    """Which devices are registered at you under one of these aliases?"""

    aliases: tuple[str, ...]


class Holds(msgspec.Struct, frozen=True, kw_only=True):
    """These are."""

    found: tuple[Held, ...] = ()


encode_question = msgspec.msgpack.Encoder().encode
decode_question = msgspec.msgpack.Decoder(WhoHolds).decode
encode_answer = msgspec.msgpack.Encoder().encode
decode_answer = msgspec.msgpack.Decoder(Holds).decode
