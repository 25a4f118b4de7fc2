"""What this node's database says about outgoing calls."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import structlog

from rostra.calls.registrations import Registry
from rostra.configuration import sealing
from rostra.configuration.queries import Lookup
from rostra.configuration.rows import AutomaticRow
from rostra.dialplan.configured import rule_of
from rostra.dialplan.outward import Hop
from rostra.dialplan.rules import Rule
from rostra.domain.dialling import Wanted
from rostra.domain.ending import KeepAlive
from rostra.domain.gateway import GATEWAY
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import CallProtocol, Role
from rostra.node.services import KILO, Themes

logger = structlog.get_logger("rostra.node")

_PASSWORD = "configuration_sipcredential.password"  # noqa: S105 - the name of a column


class ConfiguredPlan:
    """Implements `dialplan.outward.Plan`."""

    def __init__(self, lookup: Lookup, registry: Registry, themes: Themes) -> None:
        self._lookup = lookup
        self._themes = themes
        self.registered = registry.find

    def allowed(self) -> bool:
        return self._lookup.global_settings().enable_dialout

    def permits(self, protocol: CallProtocol) -> bool:
        settings = self._lookup.global_settings()
        switches = {
            CallProtocol.SIP: settings.enable_sip,
            CallProtocol.H323: settings.enable_h323,
            CallProtocol.RTMP: settings.enable_rtmp,
        }
        return switches.get(protocol, True)

    def aliases(self, service: int) -> Sequence[str]:
        return self._lookup.aliases(service)

    def automatic(self, service: int) -> Sequence[Wanted]:
        return [wanted_of(row) for row in self._lookup.automatic_participants(service)]

    def rules(self) -> Sequence[Rule]:
        return [rule_of(row) for row in self._lookup.rules()]

    def hop(self, protocol: CallProtocol, key: int | None) -> Hop | None:
        row = self._lookup.sip_proxy(key) if protocol is CallProtocol.SIP and key is not None else None
        return Hop(address=row.address, port=row.port, transport=row.transport) if row else None

    def hop_of(self, protocol: CallProtocol, location: int) -> Hop | None:
        return self.hop(protocol, self._lookup.sip_proxy_of(location))

    @property
    def mark(self) -> str:
        return self._lookup.global_settings().deployment_uuid

    def dress(self, theme: int | str | None) -> ServiceDescription:
        settings = self._lookup.global_settings()
        key = self._lookup.number_of("ivrtheme", theme) if isinstance(theme, str) else theme
        names = self._themes.names(key, settings.default_theme_id)
        return ServiceDescription(
            id=0, name="", service_type=GATEWAY, enable_chat=settings.enable_chat,
            max_callrate_in=settings.max_callrate_in and settings.max_callrate_in * KILO,
            max_callrate_out=settings.max_callrate_out and settings.max_callrate_out * KILO,
            quality=settings.max_pixels_per_second, themes=names,
            disabled_codecs=settings.codecs_off, crypto_mode=settings.crypto_mode,
            theme=msgspec.structs.replace(self._themes.settings(names), disable_watermark_icon=True),
        )  # fmt: skip

    def credentials(self, realm: str) -> tuple[str, str] | None:
        found = self._lookup.sip_credential(realm)
        if found is None:
            return None
        try:
            return found[0], sealing.unseal(_PASSWORD, found[1])
        except sealing.Locked as problem:
            logger.warning("SIP credential cannot be opened", realm=realm, problem=str(problem))
            return None


def wanted_of(row: AutomaticRow) -> Wanted:
    """A configured participant as it is called."""
    manual = row.routing == "manual"
    return Wanted(
        destination=row.alias,
        protocol=CallProtocol(row.protocol) if manual else None,
        role=Role(row.role),
        call_type=row.call_type if manual else "video",
        display_name=row.remote_display_name,
        keep_alive=KeepAlive(row.keep_conference_alive),
        streaming=bool(row.streaming),
        presentation_url=row.presentation_url,
        dtmf_sequence=row.dtmf_sequence,
        location=row.system_location or 0,
        automatic=row.id,
    )
