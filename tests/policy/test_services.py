"""Policy answers and configured services become the same conferences (POL-051)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.configuration.rows import AutomaticRow, GlobalRow, ServiceRow
from rostra.dialplan.outward import Route
from rostra.domain import layouts
from rostra.domain.admission import AccessRules
from rostra.domain.theme import BASE_SETTINGS
from rostra.domain.vocabulary import CallProtocol
from rostra.node.outward import wanted_of
from rostra.node.policy import adp_of, configuration_of, platform_of
from rostra.node.services import service_of
from rostra.policy.checking import Invalid
from rostra.policy.configurations import configuration
from rostra.policy.services import gateway_call, service, shown
from tests.policy.fakes import MEETING, NAMES
from tests.policy.test_configurations import LEAST

ROW: dict[str, Any] = {
    "id": 7, "name": "Alice", "description": "", "service_type": "conference", "tag": "", "pin": "",
    "allow_guests": False, "guest_pin": "", "call_type": "video", "host_view": "one_main_seven_pips",
    "guest_view": None, "force_presenter_into_main": False, "enable_overlay_text": False,
    "enable_active_speaker_indication": False, "mute_all_guests": False, "participant_limit": None,
    "max_callrate_in": None, "max_callrate_out": None, "match_string": "", "replace_string": "",
    "two_stage_dial_type": "regular", "crypto_mode": "", "enable_chat": "default", "guests_can_present": True,
    "max_pixels_per_second": None, "guests_can_see_guests": "no_hosts", "direct_media": "never",
    "breakout_rooms": False, "live_captions_enabled": "default", "primary_owner_email_address": "",
    "ivr_theme_id": None, "denoise_enabled": False,
}  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=250)
LAYOUTS = st.sampled_from([one.key for one in layouts.LAYOUTS if layouts.allowed(one, lecture=True)])
RATES = st.none() | st.integers(128, 8192)
PINS = st.sampled_from([("", False, ""), ("1234", False, ""), ("1234", True, ""), ("1234", True, "5678")])


class Themes:
    def names(self, *themes: int | None) -> tuple[str, ...]:
        return tuple(f"t{theme}" for theme in themes if theme)

    def settings(self, names: tuple[str, ...]) -> Any:
        return BASE_SETTINGS


def theme(name: str) -> Any:
    return Themes().names(1 if name else None, 9), BASE_SETTINGS


@st.composite
def rows(draw: st.DrawFn) -> ServiceRow:
    kind = draw(st.sampled_from(["conference", "lecture", "two_stage_dialing", "test_call"]))
    meeting = kind in ("conference", "lecture")
    pin, guests, guest_pin = draw(PINS) if meeting else ("", False, "")
    flags = (
        "enable_overlay_text",
        "denoise_enabled",
        "enable_active_speaker_indication",
        "mute_all_guests",
        "breakout_rooms",
    )
    more: dict[str, Any] = {name: draw(st.booleans()) for name in flags} if meeting else {}
    if meeting:
        more |= {
            "host_view": draw(LAYOUTS), "enable_chat": draw(st.sampled_from(["default", "yes", "no"])),
            "guests_can_present": draw(st.booleans()), "participant_limit": draw(st.none() | st.integers(0, 99)),
        }  # fmt: skip
    if kind == "lecture":
        more |= {"guest_view": draw(st.none() | LAYOUTS), "force_presenter_into_main": draw(st.booleans()),
                 "guests_can_see_guests": draw(st.sampled_from(["no_hosts", "never", "always"]))}  # fmt: skip
    if kind == "two_stage_dialing":
        more |= {
            "match_string": draw(st.sampled_from(["", r"(\d+)"])),
            "two_stage_dial_type": draw(st.sampled_from(["regular", "mssip"])),
        }
    if kind != "test_call":
        more["max_callrate_out"] = draw(RATES)
    values = {
        **ROW, **more, "service_type": kind, "name": draw(TEXT.filter(bool)), "description": draw(TEXT),
        "tag": draw(TEXT), "pin": pin, "allow_guests": guests, "guest_pin": guest_pin, "max_callrate_in": draw(RATES),
        "call_type": draw(st.sampled_from(["video", "video-only", "audio"])),
        "ivr_theme_id": draw(st.sampled_from([None, 1])),
    }  # fmt: skip
    return ServiceRow(**values)


@pytest.mark.spec("POL-051", "POL-084", "POL-085")
@given(rows(), st.booleans(), RATES)
def test_the_same_by_configuration_and_by_policy(row: ServiceRow, chat: bool, rate: int | None) -> None:
    settings = GlobalRow(
        enable_chat=chat, default_theme_id=9, max_callrate_in=rate, enable_breakout_rooms=chat, enable_denoise=chat
    )
    said = configuration_of(row, "Night" if row.ivr_theme_id else "", [])
    found = configuration(shown(said), NAMES)
    by_policy = service(found, platform_of(settings, theme), NAMES, id=7)
    configured = service_of(row, settings, Themes())
    assert by_policy.description == configured.description
    assert by_policy.access == configured.access
    assert configuration(shown(found), NAMES) == found, "what scripts are given they can give back"


@pytest.mark.spec("POL-049", "POL-051")
@pytest.mark.parametrize("routing", ["manual", "routing_rule"])
@pytest.mark.parametrize("protocol", ["sip", "h323", "rtmp", "mssip"])
def test_the_same_are_called(routing: str, protocol: str) -> None:
    row = AutomaticRow(
        id=4, alias="carol@example.com", protocol=protocol, call_type="audio", role="chair", dtmf_sequence="1,2#",
        keep_conference_alive="keep_conference_alive", routing=routing, system_location=2, streaming=True,
        remote_display_name="Carol", presentation_url="rtmp://x/y",
    )  # fmt: skip
    said = configuration_of(ServiceRow(**ROW), "", [adp_of(row, {1: "London", 2: "Oslo"}, "alice@example.com")])
    made = service(configuration(shown(said), NAMES), platform_of(GlobalRow(), theme), NAMES)
    assert made.automatic is not None
    (wanted,) = made.automatic
    configured = wanted_of(row)
    different = {"source_alias", "automatic"}
    for name in wanted.__struct_fields__:
        if name not in different:
            assert getattr(wanted, name) == getattr(configured, name), name
    assert (wanted.source_alias, wanted.automatic) == ("alice@example.com", -1)


def test_a_service_without_an_alias_cannot_be_said() -> None:
    row = AutomaticRow(4, "c@d", "sip", "video", "guest", "", "keep_conference_alive", "manual", None, False, "", "")
    said = configuration_of(ServiceRow(**ROW), "", [adp_of(row, {}, "")])
    with pytest.raises(Invalid, match="local_alias"):
        configuration(shown(said), NAMES)


def test_what_a_whole_answer_becomes() -> None:
    answer = {
        "service_type": "lecture", "name": "Town hall", "service_tag": "th-7", "pin": "482913", "allow_guests": True,
        "guest_pin": "130775", "host_view": "two_mains_twentyone_pips", "guest_view": "one_main_zero_pips",
        "force_presenter_into_main": True, "max_callrate_in": 1536000, "locked": True,
        "automatic_participants": [
            {"protocol": "rtmp", "remote_alias": "rtmps://stream.example.net/live/th7",
             "local_alias": "townhall@example.net", "role": "guest", "streaming": True},
        ],
    }  # fmt: skip
    made = service(configuration(answer, NAMES), platform_of(GlobalRow(), theme), NAMES, alias="hall")
    description = made.description
    assert (description.id, description.name, description.tag, made.alias) == (0, "Town hall", "th-7", "hall")
    assert (description.host_view, description.guest_view) == ("two_mains_twentyone_pips", "one_main_zero_pips")
    assert (description.max_callrate_in, description.max_callrate_out, description.locked) == (1536000, 4128000, True)
    assert made.access == AccessRules(host_pin="482913", allow_guests=True, guest_pin="130775")
    assert made.automatic is not None
    assert made.automatic[0].protocol is CallProtocol.RTMP


def test_a_gateway_call_names_its_systems_by_number() -> None:
    answer = {
        **LEAST["gateway"], "outgoing_location_name": "Oslo", "sip_proxy_name": "Trunk", "max_callrate_out": 512000,
        "call_type": "auto",
    }  # fmt: skip
    made = gateway_call(configuration(answer, NAMES), NAMES)
    assert (made.location, made.proxy, made.stun_server, made.rate_out) == (2, 1, None, 512000)
    route = Route(
        protocol=made.protocol, destination=made.destination, location=made.location or 0, rate_out=made.rate_out
    )
    assert (route.protocol, route.destination) == (CallProtocol.SIP, "sip:c@d")


def test_an_old_way_to_say_skype() -> None:
    class More:
        def find(self, thing: Any, name: str) -> int | None:
            return 1

    answer = {**LEAST["two_stage_dialing"], "mssip_proxy_name": "Front", "match_string": r"\d+"}
    made = service(configuration(answer, More()), platform_of(GlobalRow(), theme), More())
    assert made.description.reception.kind == "mssip"
    assert MEETING["name"] == made.description.name
