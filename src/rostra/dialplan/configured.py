"""From configured rows to the rules of the dial plan."""

from __future__ import annotations

import json
from typing import Any

from rostra.configuration.rows import RuleRow
from rostra.dialplan.rules import Rule
from rostra.domain.gateway import by_target
from rostra.domain.vocabulary import CallProtocol

_SOURCES = {
    "match_incoming_webrtc": CallProtocol.WEBRTC,
    "match_incoming_sip": CallProtocol.SIP,
    "match_incoming_mssip": CallProtocol.MSSIP,
    "match_incoming_h323": CallProtocol.H323,
}


def rule_of(row: RuleRow) -> Rule:
    """A configured rule as it is matched."""
    protocol = by_target(row.called_device_type, CallProtocol(row.outgoing_protocol))
    proxies = {
        CallProtocol.SIP: row.sip_proxy,
        CallProtocol.H323: row.h323_gatekeeper,
        CallProtocol.MSSIP: row.mssip_proxy,
    }
    return Rule(
        id=row.id,
        name=row.name,
        priority=row.priority,
        match=row.match_string,
        replace=row.replace_string,
        enabled=bool(row.enable),
        incoming=bool(row.match_incoming_calls),
        outgoing=bool(row.match_outgoing_calls),
        location=row.match_source_location,
        registered_only=bool(row.match_incoming_only_if_registered),
        sources=frozenset(source for name, source in _SOURCES.items() if getattr(row, name)),
        full=bool(row.match_string_full),
        target=row.called_device_type,
        outgoing_location=row.outgoing_location,
        protocol=protocol,
        proxy=proxies.get(protocol),
        theme=row.ivr_theme,
        call_type=row.call_type,
        rate_in=row.max_callrate_in,
        rate_out=row.max_callrate_out,
        tag=row.tag,
        description=row.description,
        quality=row.max_pixels_per_second or "",
        crypto_mode=row.crypto_mode or "",
        disabled_codecs=_codecs(row.disabled_codecs),
    )


def _codecs(given: Any) -> tuple[str, ...]:
    found = json.loads(given) if isinstance(given, str) else given
    return tuple(str(one.get("value", "")) for one in found or ())
