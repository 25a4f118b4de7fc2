"""A registered client takes or rejects a call that it was told of (API-139)."""

from __future__ import annotations

from rostra.calls.switchboard import Session
from rostra.clientapi.asking import Asked
from rostra.clientapi.bodies import RequestToken
from rostra.clientapi.clients import Client
from rostra.clientapi.envelope import INVALID_TOKEN, ApiProblem
from rostra.clientapi.network import caller_address
from rostra.clientapi.ringing import Ringing
from rostra.clientapi.tokens import mark_of

MAX_NAME = 250


def ringing(asked: Asked, token: str) -> Ringing | None:
    """The call that a one-time token is about."""
    devices = asked.platform.devices
    return devices.ringing(token, asked.values["alias"]) if devices is not None and token else None


async def take(asked: Asked, body: RequestToken, call: Ringing) -> tuple[Client, Session]:
    """The client joins as the participant that was called; no PIN is asked for. Raises ApiProblem."""
    client = Client(asked.platform.clients, {asked.values["alias"].casefold()})
    session = call.accept(client)
    if session is None:
        raise ApiProblem(403, INVALID_TOKEN)
    client.joined(session)
    members: dict[str, bool | str | float] = {
        "direct_chat": bool(body.supports_direct_chat),
        "remote_address": caller_address(asked.request),
        "remote_port": asked.request.client.port if asked.request.client else 0,
        "call_tag": (body.call_tag or "")[:MAX_NAME],
        "encrypted": True,
        "mark": mark_of(client.secret),
    }
    if isinstance(body.display_name, str) and (name := _plain(body.display_name)):
        members |= {"display_name": name, "overlay_text": name}
    await session.conference.set_client_state(session.participant.uuid, **members)
    await session.answered(asked.request.headers.get("user-agent", "")[:MAX_NAME])
    return client, session


def caller(asked: Asked, body: RequestToken) -> str:
    """The alias under which who joins is registered here; empty: it is not (CONF-029)."""
    devices = asked.platform.devices
    found = devices.holder(body.registration_token) if devices is not None and body.registration_token else None
    return found.alias if found is not None else ""


def _plain(name: str) -> str:
    return "".join(character for character in name if character.isprintable()).strip()[:MAX_NAME]
