"""Registering, to be called: tokens, events and the directory (section 14)."""

from __future__ import annotations

import base64
import binascii
import time

import msgspec
from starlette.datastructures import Headers
from starlette.responses import Response

from rostra.calls.registrations import Registration
from rostra.calls.switchboard import NotDialled
from rostra.clientapi.asking import Asked
from rostra.clientapi.bodies import RegistrationToken
from rostra.clientapi.devices import Devices, NotAdmitted
from rostra.clientapi.envelope import DISABLED, INVALID_TOKEN, UNAUTHORIZED, ApiProblem
from rostra.clientapi.handlers import avatars
from rostra.clientapi.network import caller_address
from rostra.clientapi.results import DirectoryEntry, Registered, RegistrationRefreshed
from rostra.clientapi.stream import EventResponse
from rostra.domain.registration import CLIENT_LIFETIME, Refused

SCHEME = "x-pexip-basic"
MAX_TEXT = 250
"""Characters of what is searched for, and of what a client calls itself."""
EXPIRES = str(int(CLIENT_LIFETIME))


async def request_token(asked: Asked) -> Registered:
    """Only wrong passwords are counted here, beside what `Admissions.failed` does with all failures."""
    devices, alias, pins = _devices(asked), asked.values["registration"], asked.platform.pins
    address, now = caller_address(asked.request), time.monotonic()
    credentials = credentials_of(asked.request.headers)
    if credentials != NONE and pins.blocked(address, alias, now):
        raise ApiProblem(401, UNAUTHORIZED)
    try:
        vendor = asked.request.headers.get("user-agent", "")[:MAX_TEXT]
        made = await devices.register(alias, credentials, address, vendor)
    except NotAdmitted as problem:
        if problem.why is Refused.DISABLED:
            raise ApiProblem(403, DISABLED) from None
        if credentials != NONE:
            pins.wrong(address, alias, now)
        raise ApiProblem(401, UNAUTHORIZED) from None
    except NotDialled as problem:
        raise ApiProblem(problem.status, problem.reason) from None
    return Registered(
        token=devices.token(made),
        expires=EXPIRES,
        registration_uuid=made.id,
        directory_enabled=devices.admissions.has_directory,
        route_via_registrar=devices.admissions.settings().route_via_registrar,
    )


async def refresh_token(asked: Asked) -> RegistrationRefreshed:
    devices = _devices(asked)
    return RegistrationRefreshed(token=devices.token(_holder(asked, devices)), expires=EXPIRES)


async def release_token(asked: Asked) -> bool:
    """Releasing twice is fine."""
    devices = _devices(asked)
    if not devices.ended(token_of(asked)):
        devices.release(_holder(asked, devices))
    return True


async def events(asked: Asked) -> Response:
    devices = _devices(asked)
    return EventResponse(devices.open_stream(_holder(asked, devices)))


async def search(asked: Asked) -> list[DirectoryEntry]:
    """Aliases that can be called (API-141)."""
    devices = _devices(asked)
    me = devices.holder(asked.token)
    if me is None:
        raise ApiProblem(403, INVALID_TOKEN)
    text = asked.request.query_params.get("q", "").strip()[:MAX_TEXT]
    found = await devices.admissions.directory(text, me.alias)
    return [DirectoryEntry(alias=one.alias, description=one.description, username=one.username) for one in found]


async def avatar(asked: Asked) -> Response:
    """The picture of an alias of the phone book (API-142)."""
    devices = _devices(asked)
    if devices.holder(token_of(asked)) is None:  # of any alias: it asks for the pictures of others
        raise ApiProblem(403, INVALID_TOKEN)
    return avatars.picture(await devices.admissions.picture(asked.values["registration"], *avatars.size(asked)))


NONE = ("", "")
"""No credentials."""


def credentials_of(headers: Headers) -> tuple[str, str]:
    """Name and password, in either header; base64 of either alphabet, padded or not (API-134)."""
    for name in ("authorization", "x-pexip-authorization"):
        scheme, _, encoded = headers.get(name, "").strip().partition(" ")
        if scheme.lower() != SCHEME:
            continue
        plain = encoded.strip().rstrip("=").replace("-", "+").replace("_", "/")
        try:
            text = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
        except (binascii.Error, ValueError):
            continue
        username, _, password = text.partition(":")
        return username, password
    return NONE


def _devices(asked: Asked) -> Devices:
    if asked.platform.devices is None:
        raise ApiProblem(403, DISABLED)
    return asked.platform.devices


def token_of(asked: Asked) -> str:
    """That of a registration; legacy clients put it into the body."""
    given = asked.body.token if isinstance(asked.body, RegistrationToken) else msgspec.UNSET
    return asked.token or (given if isinstance(given, str) else "")


def _holder(asked: Asked, devices: Devices) -> Registration:
    found = devices.holder(token_of(asked), asked.values["registration"])
    if found is None:
        raise ApiProblem(403, INVALID_TOKEN)
    return found
