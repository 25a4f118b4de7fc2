"""Responses that ask for the request again: with credentials, or elsewhere (RFC 3261 8.1.3.4, 22.2)."""

from __future__ import annotations

import dataclasses

from rostra.sip import digest
from rostra.sip.digest import Credentials
from rostra.sip.errors import RemoteError
from rostra.sip.message import Request, Response


def answer(request: Request, response: Response, credentials: Credentials, word: str) -> tuple[str, str] | None:
    """The header, with its value, that answers the challenge in a 401 or 407; None: it cannot be, or was already."""
    server = response.status == 401
    asked, given = ("WWW-Authenticate", "Authorization") if server else ("Proxy-Authenticate", "Proxy-Authorization")
    if request.headers.get(given) is not None:
        return None
    answers = (
        digest.answer(value, request.method, request.uri, credentials, word) for value in response.headers.all(asked)
    )
    found = next((value for value in answers if value is not None), None)
    return None if found is None else (given, found)


def repeated(request: Request, fresh: Request, name: str, value: str) -> Request:
    """`fresh`, of the same dialog, made what `request` was, with one header more."""
    fresh.uri, fresh.body = request.uri, request.body
    for known, text in request.headers:
        if fresh.headers.get(known) is None:
            fresh.headers.add(known, text)
    fresh.headers.add(name, value)
    return fresh


def elsewhere(response: Response) -> str:
    """Where a 3xx response sends the caller; empty: nowhere."""
    try:
        contact = response.contact if 300 <= response.status < 400 else None
    except RemoteError:
        return ""
    return str(dataclasses.replace(contact, headers="")) if contact is not None and contact.is_sip else ""
