"""What the browser shows, or does, when a user comes back from the provider."""

from __future__ import annotations

import html
import secrets
from urllib.parse import quote

import msgspec
from starlette.responses import RedirectResponse, Response

from rostra.clientapi.signon.state import Pending
from rostra.domain.signon import PLACEHOLDER

_CAREFUL = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<body><p role="status">{text}</p>{more}</body></html>
"""
_TELL = """<script nonce="{nonce}">
if (window.opener) {{ window.opener.postMessage({message}, {address}); window.close(); }}
</script>"""

DONE = "You are signed on. This window can be closed."
REFUSED = "You could not be signed on. This window can be closed."
UNAVAILABLE = "Signing on is not possible at present. This window can be closed."


def succeeded(pending: Pending, token: str) -> Response:
    """The token goes to the page that waits for it, or the browser to where the user came from."""
    if pending.target:
        return RedirectResponse(pending.target.replace(PLACEHOLDER, quote(token, safe="")), 303, _CAREFUL)
    return _telling(pending, {"result": "success", "token": token}, DONE, 200)


def refused(pending: Pending | None) -> Response:
    """The provider does not vouch for the user (API-037)."""
    return _failed(pending, {"result": "forbidden", "code": 403}, REFUSED, 403)


def unavailable(pending: Pending | None) -> Response:
    """The provider cannot be asked, or this node takes nobody in."""
    return _failed(pending, {"result": "service unavailable", "code": 503}, UNAVAILABLE, 503)


def _failed(pending: Pending | None, message: dict[str, object], text: str, status: int) -> Response:
    """Without a page that is known to wait, nobody is told."""
    if pending is None:
        return _page(text, "", "'none'", status)
    if pending.target:
        again = html.escape(pending.target.replace(PLACEHOLDER, "none"))
        return _page(text, f'<p><a href="{again}">Back</a></p>', "'none'", status)
    return _telling(pending, message, text, status)


def _telling(pending: Pending, message: dict[str, object], text: str, status: int) -> Response:
    nonce = secrets.token_urlsafe(16)
    script = _TELL.format(nonce=nonce, message=_script(message), address=_script(pending.address))
    return _page(text, script, f"'nonce-{nonce}'", status)


def _script(value: object) -> str:
    """JSON that cannot end the script it stands in."""
    written = msgspec.json.encode(value).decode()
    return written.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _page(text: str, more: str, scripts: str, status: int) -> Response:
    policy = f"default-src 'none'; script-src {scripts}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    content = _PAGE.format(title="Sign-on", text=html.escape(text), more=more)
    return Response(content, status, {**_CAREFUL, "content-security-policy": policy}, "text/html")
