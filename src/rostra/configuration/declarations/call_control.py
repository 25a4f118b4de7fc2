"""Call control: systems that calls go out through, media relays, policy, addresses that are trusted."""

from __future__ import annotations

from rostra.configuration.models import (
    BreakInAllowListAddress,
    H323Gatekeeper,
    MssipProxy,
    PolicyServer,
    ScheduledScaling,
    SipCredential,
    SipProxy,
    StunServer,
    TurnServer,
)
from rostra.configuration.resources import Resource, register

register.add(
    Resource(
        model=H323Gatekeeper,
        name="h323_gatekeeper",
        section="Call Control",
        icon="router",
        summary="Gatekeepers that outgoing H.323 calls can be sent to.",
        columns=("name", "address", "port", "description"),
        search=("name", "address", "description"),
    )
)
register.add(
    Resource(
        model=SipProxy,
        name="sip_proxy",
        section="Call Control",
        icon="swap_calls",
        summary="Proxies that outgoing SIP calls can be sent to.",
        columns=("name", "address", "port", "transport", "description"),
        search=("name", "address", "description"),
    )
)
register.add(
    Resource(
        model=SipCredential,
        name="sip_credential",
        section="Call Control",
        icon="key",
        summary="What is answered to SIP peers that ask for a username and a password.",
        columns=("realm", "username"),
        search=("realm", "username"),
        csv_key="realm",
    )
)
register.add(
    Resource(
        model=MssipProxy,
        name="mssip_proxy",
        section="Call Control",
        icon="business",
        summary="Lync and Skype for Business servers that calls can be sent to.",
        columns=("name", "address", "port", "transport", "description"),
        search=("name", "address", "description"),
    )
)
register.add(
    Resource(
        model=TurnServer,
        name="turn_server",
        section="Call Control",
        icon="sync_alt",
        summary="Servers that relay media of clients behind firewalls.",
        columns=("name", "address", "port", "transport_type", "description"),
        search=("name", "address", "description"),
        groups=(("Credentials", ("server_type", "username", "password", "secret_key")),),
    )
)
register.add(
    Resource(
        model=StunServer,
        name="stun_server",
        section="Call Control",
        icon="my_location",
        summary="Servers that tell nodes and clients the address the outside sees.",
        columns=("name", "address", "port", "description"),
        search=("name", "address", "description"),
    )
)
register.add(
    Resource(
        model=PolicyServer,
        name="policy_server",
        section="Call Control",
        icon="policy",
        summary="Policy profiles: servers and scripts that decide about calls of a location.",
        columns=("name", "url", "description"),
        search=("name", "url", "description"),
        groups=(
            ("Policy server", ("url", "username", "password")),
            (
                "Services",
                (
                    "enable_service_lookup",
                    "enable_internal_service_policy",
                    "internal_service_policy_template",
                ),
            ),
            (
                "Participants",
                (
                    "enable_participant_lookup",
                    "enable_internal_participant_policy",
                    "internal_participant_policy_template",
                ),
            ),
            (
                "Media locations",
                (
                    "enable_media_location_lookup",
                    "enable_internal_media_location_policy",
                    "internal_media_location_policy_template",
                ),
            ),
            (
                "Directory and registrations",
                (
                    "enable_avatar_lookup",
                    "prefer_local_avatar_configuration",
                    "enable_directory_lookup",
                    "enable_registration_lookup",
                ),
            ),
        ),
    )
)
register.add(
    Resource(
        model=BreakInAllowListAddress,
        name="break_in_allow_list_address",
        section="Call Control",
        icon="verified_user",
        summary="Addresses that are not shut out for wrong aliases and PINs.",
        columns=("name", "address", "prefix", "allowlist_entry_type"),
        search=("name", "address", "description"),
    )
)
register.add(
    Resource(
        model=ScheduledScaling,
        name="scheduled_scaling",
        section="Call Control",
        icon="calendar_clock",
        summary="When a Microsoft Teams Connector is to have more instances.",
        columns=("policy_name", "resource_identifier", "enabled", "start_date", "time_from", "time_to"),
        search=("policy_name", "resource_identifier"),
        groups=(("Days", ("mon", "tue", "wed", "thu", "fri", "sat", "sun")),),
        csv_key="policy_name",
    )
)
