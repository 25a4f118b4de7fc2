"""Services to call, and people who call them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.calls.fakes import Listener

from rostra.calls.exchange import Exchange
from rostra.calls.session import CallSession
from rostra.calls.switchboard import CallRequest
from rostra.domain.admission import AccessRules
from rostra.domain.reception import ReceptionRules
from rostra.domain.service import Service, ServiceDescription
from rostra.domain.theme import ThemeSettings
from rostra.domain.vocabulary import CallProtocol, ServiceType

PINS = AccessRules(host_pin="1234", allow_guests=True)


def service(name: str, access: AccessRules = AccessRules(), **members: Any) -> Service:  # noqa: B008 (immutable)
    members.setdefault("service_type", "conference")
    return Service(description=ServiceDescription(id=1, name=name, **members), access=access)


SERVICES = {
    "open": service("Open"),
    "hosted": service("Hosted", PINS),
    "calm": service("Calm", denoise=True),
    "hosts": service("Hosts", AccessRules(host_pin="1234")),
    "small": service("Small", participant_limit=1),
    "test": service("Test", service_type="test_call"),
    "short": service("Short", PINS, guests_only_timeout=0.0),
    "brief": service("Brief", PINS, guests_only_timeout=0.2),
    "pinned": service("Pinned", AccessRules(host_pin="1234", allow_guests=True, guest_pin="5678")),
    "pound": service("Pound", AccessRules(host_pin="12345#", allow_guests=True, guest_pin="678#")),
    "1234": service("Numbered", AccessRules(host_pin="2468")),
    "tiny": service("Tiny", AccessRules(host_pin="2468"), participant_limit=1),
    "4321": service("Quartet", participant_limit=1),
    "ivr": service(
        "Reception",
        service_type="two_stage_dialing",
        reception=ReceptionRules(match=r"(\d{4})|nobody"),
        pin_entry_timeout=60.0,
    ),
    "lone": service("Lone", PINS, guests_only_timeout=120.0, last_participant_timeout=60.0),
    "5555": service("Voices", call_type="audio"),
    "tryout": service(
        "Tryout",
        service_type="test_call",
        theme=ThemeSettings(test_call_service_media_delay=1.0, test_call_service_disconnect_timeout=3.0),
    ),
    "stage": service("Stage", PINS, service_type="lecture", mute_all_guests=True),
    "swift": service("Swift", AccessRules(host_pin="1234"), pin_entry_timeout=0.05),
    "parting": service(
        "Parting", AccessRules(host_pin="1234", allow_guests=True, guest_pin="5678"), guests_only_timeout=0.0
    ),
    "hasty": service("Hasty", PINS, waiting_timeout=0.05, pin_entry_timeout=0.05),
}


class Guest:
    """Somebody at the switchboard."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.listener = Listener()
        self.session: CallSession

    async def join(
        self, alias: str = "open", pin: str | None = None, protocol: CallProtocol = CallProtocol.API
    ) -> Guest:
        request = CallRequest(alias=alias, protocol=protocol, display_name="Ada", pin=pin)
        self.session = await self.exchange.join(request, self.listener)
        return self

    async def call(self, call: str) -> Guest:
        await self.session.open_webrtc(call, "offer")
        await self.session.confirm(call)
        return self

    @property
    def where(self) -> ServiceType:
        return self.session.participant.service_type


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    clock = asyncio.get_running_loop().time
    end = clock() + seconds
    while clock() < end:
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"did not happen within {seconds:g} s")
