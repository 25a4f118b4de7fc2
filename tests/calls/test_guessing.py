"""Wrong PINs close a service to strangers for a while, however they are given."""

from __future__ import annotations

import pytest
from tests.calls.people import Guest, until

from rostra.calls.exchange import Exchange
from rostra.calls.switchboard import CallRefused, CallRequest, PinRequired, Refusal
from rostra.domain.abuse import Shield
from rostra.domain.vocabulary import CallProtocol, Role

OFFICE, STRANGER = "203.0.113.9", "198.51.100.7"


async def come(
    exchange: Exchange, address: str, pin: str | None = None, protocol: CallProtocol = CallProtocol.API
) -> Guest:
    guest = Guest(exchange)
    request = CallRequest(alias="hosts", protocol=protocol, display_name="Ada", pin=pin, remote_address=address)
    guest.session = await exchange.join(request, guest.listener)
    return guest


async def refused(exchange: Exchange, address: str, pin: str) -> Refusal:
    with pytest.raises(CallRefused) as problem:
        await come(exchange, address, pin)
    return problem.value.refusal


def shield_of(exchange: Exchange) -> Shield:
    return exchange._here.shield


async def test_pins_guessed_from_everywhere_close_the_service_to_strangers(exchange: Exchange) -> None:
    host = await come(exchange, OFFICE, "1234")
    answers = [await refused(exchange, f"192.0.2.{number}", f"{9000 + number}") for number in range(25)]
    assert set(answers[:20]) == {Refusal.INVALID_PIN}
    assert set(answers[21:]) == {Refusal.PIN_RETRIES}
    assert await refused(exchange, STRANGER, "1234") is Refusal.PIN_RETRIES, "even the right one, from there"
    with pytest.raises(PinRequired):
        await come(exchange, STRANGER)
    assert (await come(exchange, OFFICE, "1234")).session.participant.role is Role.HOST
    assert host.session.participant.joined


async def test_keypads_are_counted_and_closed_as_well(exchange: Exchange) -> None:
    for _ in range(7):
        caller = await come(exchange, STRANGER, protocol=CallProtocol.SIP)
        caller.session.dtmf("c", "111122223333")
        await until(lambda caller=caller: bool(caller.listener.reasons))
    with pytest.raises(CallRefused) as problem:
        await come(exchange, STRANGER, protocol=CallProtocol.SIP)
    assert problem.value.refusal is Refusal.PIN_RETRIES


async def test_a_right_pin_on_the_keypad_is_remembered(exchange: Exchange) -> None:
    caller = await come(exchange, OFFICE, protocol=CallProtocol.SIP)
    caller.session.dtmf("c", "1234")
    for number in range(25):
        shield_of(exchange).wrong_pin(f"192.0.2.{number}", "Hosts", 0)
    assert (await come(exchange, OFFICE, "1234")).session.participant.role is Role.HOST
