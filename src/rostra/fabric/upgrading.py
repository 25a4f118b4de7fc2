"""What the Management Node and a node say to each other when the node is upgraded (sheet 03, NODE-092 to NODE-112).

The bundle itself comes over HTTPS, as large things do; that it is genuine is seen by its own signature, and the word
by which it is handed out came over the fabric, where only the Management Node may say it.
"""

from __future__ import annotations

import msgspec

from rostra.fabric import subjects

PATH = "/api/enrol/software/"
"""Where the Management Node hands the bundle out; the token follows."""


def subject(node: str) -> str:
    """The request is an Install or an Ask, the answer a Progress."""
    return subjects.SOFTWARE.of(node)


class Install(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="command"):
    """Fetch a bundle, unpack it and start again by it. Told twice, it is done once."""

    version: str
    build: str
    size: int
    """Bytes of the bundle."""
    token: str


class Ask(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="command"):
    """How far is it?"""


Command = Install | Ask


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is."""

    state: str = "idle"
    """`idle`, `fetching`, `unpacking`, `restarting` or `failed`."""
    version: str = ""
    """Of the software that runs."""
    build: str = ""
    reason: str = ""
    """Why it failed."""


encode_command = msgspec.json.Encoder().encode
decode_command = msgspec.json.Decoder(Command).decode
encode_progress = msgspec.json.Encoder().encode
decode_progress = msgspec.json.Decoder(Progress).decode
