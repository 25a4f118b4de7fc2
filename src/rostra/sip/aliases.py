"""What an address may mean here, as text fit for people."""

from __future__ import annotations

from collections.abc import Sequence

from rostra.sip.uri import Uri


def aliases(target: Uri, *, ours: bool) -> Sequence[str]:
    """What a Request-URI may mean: `user@host`, and the user alone where the host is this machine."""
    user = printable(target.decoded_user)
    if not user:
        return (target.bare_host,)
    full = f"{user}@{target.bare_host}"
    return (full, user) if ours else (full,)


def elsewhere(alias: str) -> str:
    """The URI of an alias that a caller is sent to."""
    return alias if alias.lower().startswith(("sip:", "sips:", "tel:")) else f"sip:{alias}"


def printable(text: str) -> str:
    """Text fit for the roster: bytes that are no UTF-8 replaced, controls gone."""
    clean = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c for c in clean if c.isprintable()).strip()[:250]
