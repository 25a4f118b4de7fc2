"""Calling somebody into the conference, and sending somebody to another one (sections 12 and 13)."""

from __future__ import annotations

import time

from rostra.calls.switchboard import NotDialled
from rostra.clientapi.asking import Asked
from rostra.clientapi.bodies import Dial, Transfer
from rostra.clientapi.envelope import ApiProblem
from rostra.clientapi.network import caller_address
from rostra.domain import sipheaders
from rostra.domain.dialling import Wanted, plain_alias
from rostra.domain.ending import KeepAlive
from rostra.domain.referral import goes_itself
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

_ROLES = {"host": Role.HOST, "chair": Role.HOST, "guest": Role.GUEST}


async def dial(asked: Asked) -> list[str]:
    """The uuids of those who are being called (API-127)."""
    try:
        called = await asked.platform.switchboard.dial(asked.values["alias"], wanted_of(asked.carried(Dial)))
    except NotDialled as problem:
        raise ApiProblem(problem.status, problem.reason) from None
    return list(called)


def wanted_of(body: Dial) -> Wanted:
    """What a request to call somebody asks for. Raises ApiProblem 400."""
    role = _ROLES.get((body.role or "HOST").strip().lower())
    if role is None:
        raise ApiProblem(400, "Illegal role")
    streaming = body.streaming in (True, "yes", "true", "YES")
    usual = KeepAlive.NEVER if streaming or body.protocol == "rtmp" else KeepAlive.YES
    try:
        keep_alive = KeepAlive(body.keep_conference_alive) if body.keep_conference_alive else usual
    except ValueError:
        raise ApiProblem(400, "Illegal keep_conference_alive") from None
    return Wanted(
        destination=body.destination.strip()[:LONGEST],
        protocol=None if body.protocol == "auto" else CallProtocol(body.protocol),
        role=role,
        call_type=body.call_type,
        display_name=(body.remote_display_name or "").strip()[:250],
        overlay_text=(body.text or "").strip()[:250],
        keep_alive=keep_alive,
        streaming=streaming,
        presentation_url=(body.presentation_url or body.presentation_uri or "").strip()[:LONGEST],
        dtmf_sequence=(body.dtmf_sequence or "").strip()[:250],
        source_alias=plain_alias((body.source or "").strip())[:250],
        source_name=(body.source_display_name or "").strip()[:250],
        headers=_headers(body),
    )


def _headers(body: Dial) -> sipheaders.Headers:
    try:
        headers = sipheaders.read(body.custom_sip_headers or "")
        problem = sipheaders.allowed(headers, administrator=False)
    except ValueError as wrong:
        headers, problem = (), str(wrong)
    if problem:
        raise ApiProblem(400, f"Invalid custom_sip_headers: {problem}")
    return headers


def _decides(asked: Asked, alias: str, role: Role | None) -> bool:
    """May the caller say what somebody is in another conference without its PIN?

    Where there is no Host PIN everybody is a Host: that must not open conferences that have PINs.
    """
    if asked.me.role is not Role.HOST or asked.client.session.service.has_host_pin:
        return asked.me.role is Role.HOST
    target = asked.platform.switchboard.lookup(alias)
    if target is None or not target.has_host_pin:
        return target is not None
    return role is Role.GUEST and target.allow_guests and not target.has_guest_pin


LONGEST = 1000
"""Characters of an address."""


async def transfer(asked: Asked) -> bool:
    """Send the target to another conference; false when there is none, or the PIN is wrong (API-129).

    Only Hosts decide what somebody is there; others have to know the PIN, and may be wrong as often as who joins.
    Hosts can also send SIP endpoints out of the platform, by `sip:user@host`, and everybody to where a Call Routing
    Rule leads.
    """
    body, target = asked.carried(Transfer), asked.target
    alias, guard = body.conference_alias, asked.platform.pins
    role = _ROLES.get((body.role or "").lower())
    pin = None if body.pin in (None, "", "none") else body.pin
    address, now = caller_address(asked.request), time.monotonic()
    if pin is not None and guard.blocked(address, alias, now):
        return False
    if pin is None and not _decides(asked, alias, role):
        role = None
    admitted = await asked.platform.switchboard.admits(alias, role, pin)
    if pin is not None and admitted is False:
        guard.wrong(address, alias, now)
    if admitted is False and pin is None and asked.me.role is Role.HOST:
        on = goes_itself(alias, target.protocol) or asked.platform.switchboard.leads_on(alias, target, asked.me)
        admitted = role if on else False
    if isinstance(admitted, bool) or target.service_type is ServiceType.CONNECTING or target.is_transferring:
        return False
    await asked.conference.transfer(
        target.uuid, body.conference_alias, admitted, trusted=asked.me.is_trusted
    )  # fmt: skip
    return True
