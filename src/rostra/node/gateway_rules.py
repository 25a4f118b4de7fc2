"""A gateway call that a Call Routing Rule makes, in the words of policy (section 4.9 of the sheet). Pure."""

from __future__ import annotations

from collections.abc import Callable

from rostra.configuration.rows import RuleRow
from rostra.domain.gateway import Onward
from rostra.domain.service import ServiceDescription
from rostra.policy.checking import Thing
from rostra.policy.configurations import Configuration
from rostra.policy.services import GATEWAY

KILO = 1000


def configuration_of(
    description: ServiceDescription, onward: Onward, rule: RuleRow, servers: tuple[int | None, int | None],
    name: Callable[[Thing, int | None], str],
) -> Configuration:  # fmt: skip
    """As an answer would have to give it. `servers`: STUN and TURN server of the rule; `name` is that of a configured
    object, by its number; empty: of none."""
    stun, turn = servers
    found = {
        "name": description.name,
        "service_type": GATEWAY,
        "service_tag": rule.tag,
        "description": rule.description,
        "local_alias": onward.wanted.source_alias,
        "local_display_name": onward.wanted.source_name,
        "remote_alias": onward.routes[0].destination if onward.routes else onward.wanted.destination,
        "outgoing_protocol": rule.outgoing_protocol,
        "called_device_type": rule.called_device_type,
        "call_type": rule.call_type,
        "crypto_mode": rule.crypto_mode or None,
        "max_pixels_per_second": rule.max_pixels_per_second or None,
        "max_callrate_in": rule.max_callrate_in and rule.max_callrate_in * KILO,
        "max_callrate_out": rule.max_callrate_out and rule.max_callrate_out * KILO,
        "ivr_theme_name": name(Thing.THEME, rule.ivr_theme),
        "outgoing_location_name": name(Thing.LOCATION, rule.outgoing_location),
        "sip_proxy_name": name(Thing.SIP_PROXY, rule.sip_proxy),
        "h323_gatekeeper_name": name(Thing.GATEKEEPER, rule.h323_gatekeeper),
        "stun_server_name": name(Thing.STUN, stun),
        "turn_server_name": name(Thing.TURN, turn),
        "mssip_proxy_name": name(Thing.MSSIP_PROXY, rule.mssip_proxy),
    }
    return {key: value for key, value in found.items() if value is not None}
