"""Who has to sign on at an identity provider before coming in (API-036); after the PIN, before limits (sheet 09, 3)."""

from __future__ import annotations

import structlog

from rostra.calls.arrivals import Entrance
from rostra.calls.switchboard import CallRefused, CallRequest, IdentityRequired, Refusal
from rostra.conference.roster import Participant
from rostra.domain.signon import SignOnRules
from rostra.domain.vocabulary import CallProtocol, Role

logger = structlog.get_logger("rostra.calls")


def check(request: CallRequest, entrance: Entrance) -> None:
    """Judge a caller whose role is known, or who is about to be asked for a PIN.

    Raises IdentityRequired for clients that can sign on, CallRefused for others. Whom the platform itself sends
    somewhere (a one-time token) has been let in before.
    """
    rules = entrance.service.sign_on
    if request.role is not None:
        return
    if request.protocol is CallProtocol.API:
        wanted = rules.providers(entrance.role)
        if wanted is not None and (request.identity is None or request.identity.provider not in wanted):
            raise IdentityRequired(wanted)
    elif not may_enter(rules, entrance.role, trusted=bool(request.registered)):
        logger.warning(
            "Participant failed to join conference.", participant=request.display_name, alias=request.alias,
            reason=Refusal.SIGN_ON.text,
        )  # fmt: skip
        raise CallRefused(Refusal.SIGN_ON)


def may_enter(rules: SignOnRules, role: Role, *, trusted: bool) -> bool:
    """May a caller that cannot sign on come in as `role`, or be asked for a PIN (UNKNOWN)?"""
    roles = (Role.HOST, Role.GUEST) if role is Role.UNKNOWN else (role,)
    return any(rules.admit(one, trusted=trusted) for one in roles)


def may_move(me: Participant, entrance: Entrance) -> bool:
    """May somebody who comes from another conference come in there?"""
    return may_be(me, entrance.service.sign_on, entrance.role)


def may_be(me: Participant, rules: SignOnRules, role: Role) -> bool:
    """May a participant that is here already have `role` by its PIN?"""
    wanted = rules.providers(role)
    return (me.idp != "" and wanted is not None and me.idp in wanted) or may_enter(rules, role, trusted=me.is_trusted)
