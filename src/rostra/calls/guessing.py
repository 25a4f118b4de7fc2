"""PINs that callers give are counted; where too many were wrong, only those who are known here are asked (sheet 10)."""

from __future__ import annotations

import time

import structlog

from rostra.calls import arrivals
from rostra.calls.arrivals import Entrance
from rostra.calls.attendant import KEYPADS
from rostra.calls.switchboard import CallRefused, CallRequest, Refusal
from rostra.domain.abuse import Shield
from rostra.domain.service import Service
from rostra.domain.vocabulary import Role

logger = structlog.get_logger("rostra.calls")


def enter(
    shield: Shield, request: CallRequest, service: Service, pin: str | None, role: Role | None, *, name: str
) -> Entrance:
    """`arrivals.enter` with a count of what was wrong. Raises CallRefused, PinRequired."""
    if not service.access.pin_asked or role is not None or not (pin or request.protocol in KEYPADS):
        return arrivals.enter(service, request.protocol, pin, role, name=name)
    called, address = service.description.name, request.remote_address
    if not shield.may_enter(address, called, time.monotonic()):
        logger.warning("Service in quarantine: too many wrong PINs", conference=called, remote_address=address)
        raise CallRefused(Refusal.PIN_RETRIES)
    try:
        entrance = arrivals.enter(service, request.protocol, pin, role, name=name)
    except CallRefused as refused:
        if refused.refusal is Refusal.INVALID_PIN:
            judged(shield, address, called, right=False)
        raise
    if pin and (entrance.role is not Role.UNKNOWN or entrance.wrong_pins):
        judged(shield, address, called, right=not entrance.wrong_pins)
    return entrance


def judged(shield: Shield, address: str, service: str, *, right: bool) -> None:
    """A PIN of a service was given at this address."""
    count = shield.right_pin if right else shield.wrong_pin
    count(address, service, time.monotonic())
