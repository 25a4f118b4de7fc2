"""What nodes and the Management Node say to each other about licences for calls.

Nodes ask only when a licence with a limit is loaded, which the Management Node announces. A new member has a
default, and kinds are plain text (`domain.licensing.LicenceKind`): nodes of two versions understand each other.
"""

from __future__ import annotations

import msgspec

from rostra.fabric import subjects

LICENCES = subjects.LICENCES.pattern
"""Requests of nodes: a LicenceRequest, answered by a LicenceReply (none for GiveBack)."""
POLICY = subjects.POLICY.pattern
"""Announcements of the Management Node: a Policy."""


def holdings_subject(node: str) -> str:
    """Empty request to a node; the answer is Holdings."""
    return subjects.HOLDINGS.of(node)


class Take(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="type"):
    """A participant begins to have media, or adds video to it."""

    node: str
    boot: str
    holder: str
    """UUID of the participant."""
    kinds: tuple[str, ...] = ("port",)
    """What is wanted: one for each leg."""


class GiveBack(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="type"):
    """Its media has ended. Published, not asked."""

    node: str
    boot: str
    holder: str


class AskPolicy(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="type"):
    """A node has begun and wants to know whether calls are counted."""

    node: str = ""


LicenceRequest = Take | GiveBack | AskPolicy


class Granted(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="type"):
    """One for each that was wanted; `audio` for a wanted `port`: goes on without video (SYS-188)."""

    kinds: tuple[str, ...] = ("port",)


class Denied(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="type"):
    """There is none."""

    reason: str = "insufficient"
    """Value of `domain.licensing.Shortage`."""


class Policy(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="type"):
    """Whether calls are counted, and up to which number of them."""

    counted: bool = False
    limit: int = 0


LicenceReply = Granted | Denied | Policy


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a node's participants hold."""

    node: str
    boot: str
    held: dict[str, tuple[str, ...]] = {}
    """Kinds by holder."""


encode = msgspec.msgpack.Encoder().encode
decode_request = msgspec.msgpack.Decoder(LicenceRequest).decode
decode_reply = msgspec.msgpack.Decoder(LicenceReply).decode
decode_policy = msgspec.msgpack.Decoder(Policy).decode
decode_holdings = msgspec.msgpack.Decoder(Holdings).decode
