"""Tokens: joining, staying, leaving, and watching (sections 2 to 4)."""

from __future__ import annotations

import asyncio
import time

import msgspec
import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from rostra.calls.switchboard import (
    CallRefused,
    CallRequest,
    ExtensionRequired,
    Former,
    IdentityRequired,
    PinRequired,
    Refusal,
    ServiceDescription,
    Session,
)
from rostra.clientapi import counters
from rostra.clientapi.asking import Asked, Platform, Switches
from rostra.clientapi.bodies import ReleaseToken, RequestToken
from rostra.clientapi.clients import Client
from rostra.clientapi.envelope import INVALID_TOKEN, NO_SUCH_CONFERENCE, PIN_RETRIES, ApiProblem
from rostra.clientapi.handlers import answering, signon
from rostra.clientapi.handlers.signon import NOT_GIVEN
from rostra.clientapi.invitations import Invitation
from rostra.clientapi.network import caller_address
from rostra.clientapi.results import ExtensionChallenge, PinChallenge, TokenGranted, TokenRefreshed, Version
from rostra.clientapi.stream import EventResponse
from rostra.clientapi.tokens import LIFETIME, former, mark_of
from rostra.clientapi.wire import call_kind, current_kind, service_kind, token_role
from rostra.domain.gateway import GATEWAY
from rostra.domain.signon import Identity
from rostra.domain.vocabulary import CallProtocol

logger = structlog.get_logger("rostra.clientapi")

NAMELESS = "User"
LONGEST_TOKEN = 500
DATA_CHANNEL = 3
"""Of direct media: id of the channel that carries chat (API-094, API-118)."""
STATISTICS_EVERY = 5000
"""Milliseconds between reports of clients with direct media, of whose media the platform sees nothing."""
MAX_NAME = 250
"""Characters of a display name or call tag; the rest is cut off."""


async def request_token(asked: Asked) -> TokenGranted:
    body = asked.carried(RequestToken)
    platform, alias = asked.platform, asked.values["alias"]
    one_time = _one_time_token(asked, body)
    if (call := answering.ringing(asked, one_time)) is not None:
        taker, session = await answering.take(asked, body, call)
        return _granted(session, platform.clients.admit(taker), tuple(platform.alternatives()), platform.switches())
    invitation = _invited(asked, one_time) if one_time else None
    address, now = caller_address(asked.request), time.monotonic()
    pin = _pin(asked)
    if pin and platform.pins.blocked(address, alias, now):
        logger.warning("PIN refused: too many wrong ones", alias=alias, remote_address=address)
        raise ApiProblem(403, PIN_RETRIES)
    client = Client(platform.clients, {alias.casefold()})
    identity = signon.signed_on(asked, body) if invitation is None else None
    platform.clients.invitations.use(one_time)  # before anything is waited for: nobody else may come by it meanwhile
    try:
        session = await _join(asked, body, _call(asked, body, pin, address, invitation, identity, client), client)
    except (ApiProblem, CallRefused):
        signon.not_used(asked, body)
        if invitation is not None:
            platform.clients.invitations.give_back(one_time, invitation)
        raise
    if pin:
        logger.info("PIN accepted", alias=alias, remote_address=address, participant=session.participant.uuid)
    if not client.joined(session):
        raise ApiProblem(403, INVALID_TOKEN)
    if await asked.request.is_disconnected():
        # It tries elsewhere by now; nobody would ever hold the token of this participant.
        await session.leave()
        raise ClientDisconnect
    token = platform.clients.admit(client)
    if body.replaces and len(body.replaces) <= LONGEST_TOKEN:  # other nodes are asked about it
        platform.clients.spawn(_end_earlier(platform, body.replaces))
    granted = _granted(session, token, tuple(platform.alternatives()), platform.switches())
    if identity is None:
        return granted
    return msgspec.structs.replace(granted, sso_token=platform.desk.again(identity, alias))


async def _join(asked: Asked, body: RequestToken, request: CallRequest, client: Client) -> Session:
    """Raises ApiProblem for what has to be answered first, CallRefused."""
    switchboard, alias = asked.platform.switchboard, asked.values["alias"]
    try:
        return await switchboard.join(request, client)
    except ExtensionRequired as wanted:
        raise ApiProblem(403, ExtensionChallenge(conference_extension_type=wanted.type)) from None
    except PinRequired as wanted:
        raise ApiProblem(403, _challenge(wanted, switchboard.lookup(alias))) from None
    except IdentityRequired as wanted:
        raise signon.challenge(asked, body, wanted) from None
    except CallRefused as refused:
        if refused.refusal is Refusal.INVALID_PIN:
            _wrong_pin(asked, request.remote_address, time.monotonic())
        raise


async def _end_earlier(platform: Platform, token: str) -> None:
    """The person whose session `token` was has joined anew: one of them is enough in the roster."""
    if not await platform.clients.release(token):
        await platform.release_elsewhere(token)


def _one_time_token(asked: Asked, body: RequestToken) -> str:
    token = body.token or asked.request.headers.get("token", "")
    return "" if token == NOT_GIVEN else token


def is_expected(asked: Asked) -> bool:
    """Does who asks hold a one-time token: of a call to it, or of a conference it is sent to?"""
    if "alias" not in asked.values:
        return False
    token = _one_time_token(asked, asked.body) if isinstance(asked.body, RequestToken) else asked.token
    invited = asked.platform.clients.invitations.find(token, asked.values["alias"]) is not None
    return invited or answering.ringing(asked, token) is not None


def _invited(asked: Asked, token: str) -> Invitation:
    """What a one-time token stands for. Raises ApiProblem (API-027); unknown aliases are told first."""
    alias = asked.values["alias"]
    found = asked.platform.clients.invitations.find(token, alias)
    if found is None:
        known = asked.platform.switchboard.lookup(alias)
        raise ApiProblem(403, INVALID_TOKEN) if known else ApiProblem(404, NO_SUCH_CONFERENCE)
    return found


def _pin(asked: Asked) -> str | None:
    """None: no header. Empty: the caller chose to have no PIN (API-032)."""
    pin = asked.request.headers.get("pin")
    return "" if pin is not None and pin.strip() in ("", NOT_GIVEN) else pin


def _call(
    asked: Asked, body: RequestToken, pin: str | None, address: str, invitation: Invitation | None,
    identity: Identity | None, client: Client,
) -> CallRequest:  # fmt: skip
    """With an invitation, who says nothing else is who he was (API-027). A name that is vouched for comes first."""
    name = (identity.name if identity else "") or (body.display_name if isinstance(body.display_name, str) else "")
    name = name or (invitation.display_name if invitation else "")
    tag = body.call_tag or (invitation.call_tag if invitation else "")
    name = "".join(character for character in name if character.isprintable()).strip()[:MAX_NAME] or NAMELESS
    registered = answering.caller(asked, body)
    return CallRequest(
        alias=(invitation.room if invitation else "") or asked.values["alias"],
        protocol=CallProtocol.API,
        display_name=name,
        remote_alias=registered or name,
        vendor=asked.request.headers.get("user-agent", "")[:MAX_NAME],
        remote_address=address,
        remote_port=asked.request.client.port if asked.request.client else 0,
        pin=pin,
        extension=_extension(body),
        call_tag=tag[:MAX_NAME],
        role=invitation.role if invitation else None,
        direct_chat=bool(body.supports_direct_chat),
        encrypted=True,
        identity=identity,
        direct_media=bool(body.direct_media),
        readmitted=invitation is not None and invitation.inside,
        mark=mark_of(client.secret),
        former=_former(body.replaces),
        registered=registered,
    )


def _former(token: str | None) -> Former | None:
    found = former(token) if token else None
    return Former(*found) if found else None


def _extension(body: RequestToken) -> str | None:
    """What the caller typed at a Virtual Reception, if anything."""
    given = (body.conference_extension or "").strip()
    return None if given in ("", NOT_GIVEN) else given[:MAX_NAME]


def _challenge(wanted: PinRequired, called: ServiceDescription | None) -> PinChallenge:
    """`called` is what the alias names: for who came through a reception, that reception (API-035)."""
    through = called is not None and called.service_type == "two_stage_dialing"
    return PinChallenge(
        pin="required" if wanted.host_pin else "none",
        guest_pin="required" if wanted.guest_pin else "none",
        conference_extension=called.reception.challenge if through and called else msgspec.UNSET,
    )


def _wrong_pin(asked: Asked, address: str, now: float) -> None:
    alias = asked.values["alias"]
    asked.platform.pins.wrong(address, alias, now)
    counters.WRONG_PINS.inc()
    logger.warning("Invalid PIN", alias=alias, remote_address=address)


def _granted(session: Session, token: str, node_urls: tuple[str, ...], switches: Switches) -> TokenGranted:
    me, service, turn = session.participant, session.service, [*switches.turn()]
    return TokenGranted(
        token=token,
        expires=str(int(LIFETIME)),
        participant_uuid=me.uuid,
        version=Version(),
        role=token_role(me.role),
        display_name=me.display_name,
        current_service_type=current_kind(me, service),
        service_type=service_kind(service),
        conference_name=me.local_alias if service.service_type == GATEWAY else service.name,
        service_name=me.local_alias if service.service_type == GATEWAY else service.name,
        call_type=call_kind(service),
        chat_enabled=service.enable_chat,
        fecc_enabled=switches.enable_fecc,
        rtmp_enabled=switches.enable_rtmp,
        breakout_rooms=service.breakout_rooms,
        guests_can_present=service.guests_can_present,
        allow_1080p=service.quality == "fullhd",
        call_tag=me.call_tag,
        idp_uuid=me.idp,
        direct_media=me.is_direct,
        pex_datachannel_id=DATA_CHANNEL if me.is_direct else msgspec.UNSET,
        stun=[{"url": url} for url in switches.stun()] or msgspec.UNSET,
        turn=turn if turn or me.is_direct else msgspec.UNSET,
        client_stats_update_interval=STATISTICS_EVERY if me.is_direct else msgspec.UNSET,
        bandwidth_in=_kbps(service.max_callrate_out),
        bandwidth_out=_kbps(service.max_callrate_in),
        node_urls=node_urls,
    )


def _kbps(limit: int | None) -> int | msgspec.UnsetType:
    """A limit as clients want it, left out when there is none. What the platform sends, the client receives."""
    return limit // 1000 if limit else msgspec.UNSET


async def refresh_token(asked: Asked) -> TokenRefreshed:
    token = asked.platform.clients.refresh(asked.client)
    return TokenRefreshed(
        token=token,
        expires=str(int(LIFETIME)),
        role=token_role(asked.me.role),
        client_stats_update_interval=STATISTICS_EVERY if asked.me.is_direct else msgspec.UNSET,
        node_urls=tuple(asked.platform.alternatives()),
    )


async def release_token(asked: Asked) -> bool:
    """Also the beacon of a closing browser; releasing twice is fine (API-025)."""
    clients = asked.platform.clients
    client = asked.holder
    if client is None:
        if (call := answering.ringing(asked, asked.token)) is not None:
            call.reject()
            return True
        if clients.ended(asked.token):
            return True
        raise ApiProblem(403, INVALID_TOKEN)
    told = asked.body if isinstance(asked.body, ReleaseToken) else ReleaseToken()
    logger.info(
        "Participant released its token",
        participant=client.uuid,
        reason=str(told.reason or "")[:MAX_NAME],
        error=str(told.error or "")[:MAX_NAME],
    )
    await clients.leave(client)
    return True


async def events(asked: Asked) -> Response:
    return EventResponse(asked.client.open_stream(asked.platform.node))


REFUSED_REFRESH_DELAY = 1.0
"""Seconds a refused refresh is held back: the SDK repeats it without any pause (API-022)."""


async def hold_back_refused_refresh() -> None:
    await asyncio.sleep(REFUSED_REFRESH_DELAY)
