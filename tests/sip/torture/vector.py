"""The shape of a test vector."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Vector:
    """One message of RFC 4475 and what becomes of it here."""

    name: str
    section: str
    data: bytes
    outcome: int | str | None
    """Status of the final response; `call`: offered to the application; None: dropped in silence."""
    note: str
    readable: bool = True
    """The parser takes it; what follows is decided later."""


def message(head: str, body: str | bytes = b"") -> bytes:
    """Head (LF line ends) and body as on the wire; `{length}` in the head is filled in when there is a body."""
    content = body.replace("\n", "\r\n").encode() if isinstance(body, str) else body
    if content:
        head = head.replace("{length}", str(len(content)))
    return (head + "\n").replace("\n", "\r\n").encode() + content
