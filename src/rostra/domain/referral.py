"""Who can be sent to where the platform cannot bring anybody. Pure."""

from __future__ import annotations

import re

from rostra.domain.vocabulary import CallProtocol

_ADDRESS = re.compile(r"sips?:[^@\s<>\"]+@[^@\s<>\"]+", re.IGNORECASE)


def goes_itself(alias: str, protocol: CallProtocol) -> bool:
    """A SIP endpoint goes by itself to an address with its scheme that is none of ours (RFC 3515)."""
    return protocol is CallProtocol.SIP and _ADDRESS.fullmatch(alias) is not None
