"""From a configuration in the words of policy to what the dial plan speaks of, and back to scripts. Pure.

A configured service and a policy answer with the same values become the same service (POL-051).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from rostra.domain.admission import AccessRules
from rostra.domain.dialling import Wanted
from rostra.domain.ending import KeepAlive
from rostra.domain.gateway import by_target
from rostra.domain.reception import ReceptionRules
from rostra.domain.service import Service, ServiceDescription
from rostra.domain.theme import ThemeSettings
from rostra.domain.vocabulary import CallProtocol, Role
from rostra.policy.checking import Names, Thing
from rostra.policy.configurations import Configuration
from rostra.policy.tables import SPEAKER

GATEWAY = "gateway"


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform has set for all services."""

    themes: Callable[[str], tuple[tuple[str, ...], ThemeSettings]]
    """The names and settings of a theme by its name; of the default theme for none."""
    enable_chat: bool = True
    enable_breakout_rooms: bool = False
    max_callrate_in: int | None = None
    """bit/s."""
    max_callrate_out: int | None = None
    quality: str = "hd"
    enable_denoise: bool = True
    crypto_mode: str = "besteffort"
    disabled_codecs: tuple[str, ...] = ()
    guests_only_timeout: float = 60.0
    last_participant_timeout: float = 0.0
    waiting_timeout: float = 900.0
    pin_entry_timeout: float = 120.0


class GatewayCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that is to be placed instead of joining anything (section 4.2). Systems are given by their numbers."""

    name: str
    """Unique to the call."""
    tag: str
    source: str
    """The alias that the called party is shown."""
    source_name: str
    destination: str
    protocol: CallProtocol
    target: str
    """`called_device_type`: `external`, `registration`, or a kind of Skype for Business system."""
    call_type: str
    """`auto`: as the call that came in."""
    location: int | None
    """Where it is placed; None: here."""
    proxy: int | None
    """SIP proxy, gatekeeper or server, by the protocol; None: by DNS."""
    theme: str
    rate_in: int | None
    """bit/s."""
    rate_out: int | None
    crypto_mode: str | None
    stun_server: int | None
    turn_server: int | None
    dtmf_sequence: str
    quality: str = ""
    """The best picture; empty: as the platform has it."""
    view: str = ""
    """Layout for both; empty: each sees the other."""
    description: str = ""
    enable_overlay_text: bool = False
    enable_active_speaker_indication: bool = False
    text: str = ""
    """What policy said, in JSON, for scripts that follow."""


def gateway_call(found: Configuration, names: Names) -> GatewayCall:
    """The call that a checked configuration of a gateway call stands for."""

    def number(thing: Thing, field: str) -> int | None:
        return names.find(thing, found[field]) if found[field] else None

    protocol = by_target(found["called_device_type"], CallProtocol(found["outgoing_protocol"]))
    proxies = {
        CallProtocol.SIP: (Thing.SIP_PROXY, "sip_proxy_name"),
        CallProtocol.H323: (Thing.GATEKEEPER, "h323_gatekeeper_name"),
        CallProtocol.MSSIP: (Thing.MSSIP_PROXY, "mssip_proxy_name"),
    }
    return GatewayCall(
        name=found["name"],
        tag=found["service_tag"],
        source=found["local_alias"],
        source_name=found["local_display_name"],
        destination=found["remote_alias"],
        protocol=protocol,
        target=found["called_device_type"],
        call_type=found["call_type"],
        location=number(Thing.LOCATION, "outgoing_location_name"),
        proxy=number(*proxies[protocol]) if protocol in proxies else None,
        theme=found["ivr_theme_name"],
        rate_in=found["max_callrate_in"],
        rate_out=found["max_callrate_out"],
        crypto_mode=found["crypto_mode"],
        stun_server=number(Thing.STUN, "stun_server_name"),
        turn_server=number(Thing.TURN, "turn_server_name"),
        dtmf_sequence=found["dtmf_sequence"],
        quality=found["max_pixels_per_second"] or "",
        view=found["view"] if found["view"] != SPEAKER else "",
        description=found["description"],
        enable_overlay_text=found["enable_overlay_text"],
        enable_active_speaker_indication=found["enable_active_speaker_indication"],
        text=msgspec.json.encode(shown(found)).decode(),
    )


def service(found: Configuration, platform: Platform, names: Names, *, id: int = 0, alias: str = "") -> Service:
    """The service of a checked configuration that is no gateway call.

    `id` is that of a configured service of which it is a variant; `alias` the one it was found by.
    """
    kind = found["service_type"]
    themes, settings = platform.themes(found["ivr_theme_name"])
    host_view, guest_view = _views(found)
    chat = found.get("enable_chat", "default")
    description = ServiceDescription(
        id=id,
        name=found["name"],
        service_type=kind,
        call_type=found["call_type"],
        description=found["description"],
        tag=found["service_tag"],
        allow_guests=found.get("allow_guests", False),
        has_host_pin=bool(found.get("pin")),
        has_guest_pin=bool(found.get("guest_pin")),
        enable_chat=platform.enable_chat if chat == "default" else chat == "yes",
        enable_overlay_text=found.get("enable_overlay_text", False),
        enable_active_speaker_indication=found.get("enable_active_speaker_indication", False),
        max_callrate_in=found["max_callrate_in"] or platform.max_callrate_in,
        max_callrate_out=found.get("max_callrate_out") or platform.max_callrate_out,
        quality=found.get("max_pixels_per_second") or platform.quality,
        denoise=platform.enable_denoise and found.get("denoise_enabled", False),
        disabled_codecs=platform.disabled_codecs,
        crypto_mode=found.get("crypto_mode") or platform.crypto_mode,
        guests_can_present=found.get("guests_can_present", True),
        host_view=host_view,
        guest_view=guest_view,
        force_presenter_into_main=found.get("force_presenter_into_main", False),
        guests_can_see_guests=found.get("guests_can_see_guests", "no_hosts"),
        participant_limit=found.get("participant_limit"),
        mute_all_guests=found.get("mute_all_guests", False),
        locked=found.get("locked", False),
        guests_only_timeout=platform.guests_only_timeout,
        last_participant_timeout=platform.last_participant_timeout,
        waiting_timeout=platform.waiting_timeout,
        pin_entry_timeout=platform.pin_entry_timeout,
        breakout_rooms=found.get("breakout_rooms", False) and platform.enable_breakout_rooms,
        themes=themes,
        theme=settings,
        reception=_reception(found),
    )
    access = AccessRules(
        host_pin=found.get("pin", ""), allow_guests=description.allow_guests, guest_pin=found.get("guest_pin", "")
    )
    called = tuple(wanted(one, names, -1 - at) for at, one in enumerate(found.get("automatic_participants", ())))
    return Service(description=description, access=access, automatic=called, alias=alias)


def _views(found: Configuration) -> tuple[str, str]:
    if found["service_type"] == "lecture":
        return found["host_view"], found["guest_view"]
    view = found.get("view", SPEAKER)
    return view, view


def _reception(found: Configuration) -> ReceptionRules:
    if found["service_type"] != "two_stage_dialing":
        return ReceptionRules()
    kind = found["two_stage_dial_type"]
    if kind == "regular" and found["mssip_proxy_name"]:
        kind = "mssip"
    return ReceptionRules(match=found["match_string"], replace=found["replace_string"], kind=kind)


def wanted(found: Configuration, names: Names, number: int) -> Wanted:
    """Somebody who is called when the conference starts. `number` tells it apart from the others there."""
    manual = found["routing"] == "manual"
    location = found["system_location_name"]
    return Wanted(
        destination=found["remote_alias"],
        protocol=CallProtocol(found["protocol"]) if manual else None,
        role=Role(found["role"]),
        call_type=found["call_type"] if manual else "video",
        display_name=found["remote_display_name"],
        keep_alive=KeepAlive(found["keep_conference_alive"]),
        streaming=found["streaming"],
        presentation_url=found["presentation_url"],
        dtmf_sequence=found["dtmf_sequence"],
        source_alias=found["local_alias"],
        source_name=found["local_display_name"],
        location=(names.find(Thing.LOCATION, location) or 0) if location else 0,
        automatic=number,
    )


def shown(found: Configuration) -> Mapping[str, Any]:
    """A configuration as scripts see it: of JSON's own types only."""
    return {name: _plain(value) for name, value in found.items()}


def _plain(value: Any) -> Any:
    return [dict(one) for one in value] if isinstance(value, tuple) else value
