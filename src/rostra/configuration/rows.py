"""What calls depend on, as rows of the local database: each structure has the columns that are read."""

from __future__ import annotations

from typing import Any, get_type_hints

import msgspec


class ServiceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A service as configured; fields are those of the management API's `conference`."""

    id: int
    name: str
    description: str
    service_type: str
    tag: str
    pin: str
    allow_guests: bool
    guest_pin: str
    call_type: str
    host_view: str
    guest_view: str | None
    force_presenter_into_main: bool
    enable_overlay_text: bool
    denoise_enabled: bool
    enable_active_speaker_indication: bool
    mute_all_guests: bool
    participant_limit: int | None
    max_callrate_in: int | None
    """kbit/s."""
    max_callrate_out: int | None
    """kbit/s."""
    match_string: str
    replace_string: str
    two_stage_dial_type: str | None
    crypto_mode: str | None
    enable_chat: str
    """`default`, `yes` or `no`."""
    guests_can_present: bool
    max_pixels_per_second: str | None
    guests_can_see_guests: str
    direct_media: str
    breakout_rooms: bool
    live_captions_enabled: str
    primary_owner_email_address: str
    ivr_theme_id: int | None = None
    host_identity_provider_group_id: int | None = None
    guest_identity_provider_group_id: int | None = None
    non_idp_participants: str = "disallow_all"
    direct_media_notification_duration: int = 0
    """Seconds."""


class ProviderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An identity provider; secrets sealed. Fields of `identity_provider`."""

    id: int
    uuid: str
    name: str
    idp_type: str
    sso_url: str
    idp_entity_id: str
    idp_public_key: str
    service_entity_id: str
    service_private_key: str
    signature_algorithm: str
    display_name_attribute_name: str
    assertion_consumer_service_url: str
    assertion_consumer_service_url2: str
    assertion_consumer_service_url3: str
    assertion_consumer_service_url4: str
    assertion_consumer_service_url5: str
    assertion_consumer_service_url6: str
    assertion_consumer_service_url7: str
    assertion_consumer_service_url8: str
    assertion_consumer_service_url9: str
    assertion_consumer_service_url10: str
    worker_fqdn_acs_urls: bool
    disable_popup_flow: bool
    oidc_flow: str
    oidc_client_id: str
    oidc_client_secret: str
    oidc_token_url: str
    oidc_user_info_url: str
    oidc_jwks_url: str
    oidc_token_endpoint_auth_scheme: str
    oidc_token_signature_scheme: str
    oidc_display_name_claim_name: str
    oidc_additional_scopes: str
    oidc_france_connect_required_eidas_level: str

    @property
    def redirects(self) -> tuple[str, ...]:
        """Where it may send users back to."""
        names = [name for name in self.__struct_fields__ if name.startswith("assertion_consumer_service_url")]
        return tuple(address for name in names if (address := getattr(self, name)))


class ThemeRow(msgspec.Struct, frozen=True):
    """A theme, and the file with its package when it has one."""

    uuid: str
    file: int | None
    sha256: str


class BrandingRow(msgspec.Struct, frozen=True):
    """The file with a branding package of the web app."""

    file: int
    sha256: str


class GlobalRow(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the whole platform that calls depend on; fields of the management API's `global`."""

    guests_only_timeout: int = 60
    eject_last_participant_backstop_timeout: int = 0
    waiting_for_chair_timeout: int = 900
    pin_entry_timeout: int = 120
    default_theme_id: int | None = None
    max_callrate_in: int | None = None
    max_callrate_out: int | None = 4128
    enable_sip: bool = True
    enable_directory: bool = True
    enable_sip_udp: bool = False
    enable_h323: bool = True
    enable_webrtc: bool = True
    enable_rtmp: bool = True
    enable_chat: bool = True
    enable_denoise: bool = True
    enable_breakout_rooms: bool = False
    enable_dialout: bool = True
    enable_application_api: bool = True
    enable_fecc: bool = True
    crypto_mode: str = "besteffort"
    max_pixels_per_second: str = "hd"
    deployment_uuid: str = ""
    max_presentation_bandwidth_ratio: int = 75
    disabled_codecs: list[dict[str, str]] = []
    media_ports_start: int = 40000
    media_ports_end: int = 49999
    signalling_ports_start: int = 33000
    signalling_ports_end: int = 39999
    sip_tls_cert_verify_mode: str = "OFF"
    ocsp_state: str = "OFF"
    ocsp_responder_url: str = ""
    bdpm_pin_checks_enabled: bool = True
    bdpm_max_pin_failures_per_window: int = 20
    bdpm_scan_quarantine_enabled: bool = True
    bdpm_max_scan_attempts_per_window: int = 20

    @property
    def codecs_off(self) -> tuple[str, ...]:
        """What `disabled_codecs` lists, and the way to move cameras where nobody may."""
        cameras = () if self.enable_fecc else ("H224",)
        return tuple(item.get("value", "") for item in self.disabled_codecs) + cameras


class NodeRow(msgspec.Struct, frozen=True):
    """A Conferencing Node, as far as calls depend on it."""

    id: int
    name: str
    system_location: int
    node_type: str
    maintenance_mode: bool
    media_priority_weight: int | None
    static_nat_address: str | None


class AddressesRow(msgspec.Struct, frozen=True):
    """Where a Conferencing Node is in the network, and what marks its packets."""

    id: int
    address: str
    netmask: str
    secondary_address: str | None
    secondary_netmask: str | None
    ipv6_address: str | None
    static_nat_address: str | None
    signalling_qos: int | None


class LocationRow(msgspec.Struct, frozen=True):
    """A system location, as far as the placing of media depends on it."""

    id: int
    name: str
    overflow_location1: int | None
    overflow_location2: int | None
    transcoding_location: int | None


class FabricMemberRow(msgspec.Struct, frozen=True):
    """A machine that the others' NATS servers let in."""

    node: int | None
    """Id of its node; None: the Management Node."""
    fingerprint: str
    address: str
    port: int


class AutomaticRow(msgspec.Struct, frozen=True):
    """Somebody a conference calls when it starts; fields of `automatic_participant`."""

    id: int
    alias: str
    protocol: str
    call_type: str
    role: str
    dtmf_sequence: str
    keep_conference_alive: str
    routing: str
    system_location: int | None
    streaming: bool
    remote_display_name: str
    presentation_url: str


class RuleRow(msgspec.Struct, frozen=True):
    """A Call Routing Rule; fields of `gateway_routing_rule`."""

    id: int
    name: str
    priority: int
    enable: bool
    match_incoming_calls: bool
    match_outgoing_calls: bool
    match_source_location: int | None
    match_incoming_only_if_registered: bool
    match_incoming_webrtc: bool
    match_incoming_sip: bool
    match_incoming_mssip: bool
    match_incoming_h323: bool
    match_string_full: bool
    match_string: str
    replace_string: str
    called_device_type: str
    outgoing_location: int | None
    outgoing_protocol: str
    sip_proxy: int | None
    h323_gatekeeper: int | None
    mssip_proxy: int | None
    ivr_theme: int | None
    call_type: str
    max_callrate_in: int | None
    max_callrate_out: int | None
    tag: str
    description: str
    max_pixels_per_second: str | None
    crypto_mode: str | None
    disabled_codecs: Any
    """JSON, or what that says."""


class DeviceRow(msgspec.Struct, frozen=True):
    """An alias that may register; the password sealed. Fields of `device`."""

    alias: str
    username: str
    password: str
    enable_sip: bool
    enable_h323: bool
    enable_infinity_connect_non_sso: bool


class FoundRow(msgspec.Struct, frozen=True):
    """An alias that a search found."""

    alias: str
    description: str


class ProxyRow(msgspec.Struct, frozen=True):
    """A SIP proxy."""

    address: str
    port: int | None
    transport: str


class CertificateRow(msgspec.Struct, frozen=True):
    """A TLS certificate as configured; everything PEM, the private key sealed."""

    certificate: str
    private_key: str
    parameters: str


class PolicyRow(msgspec.Struct, frozen=True):
    """A policy profile; fields of `policy_server`, the password sealed."""

    id: int
    name: str
    url: str
    username: str
    password: str
    enable_service_lookup: bool
    enable_participant_lookup: bool
    enable_media_location_lookup: bool
    enable_avatar_lookup: bool
    prefer_local_avatar_configuration: bool
    enable_directory_lookup: bool
    enable_registration_lookup: bool
    enable_internal_service_policy: bool
    internal_service_policy_template: str
    enable_internal_participant_policy: bool
    internal_participant_policy_template: str
    enable_internal_media_location_policy: bool
    internal_media_location_policy_template: str


def columns_of(row: type[msgspec.Struct]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Column names of a row type, and which of them are yes or no."""
    hints = get_type_hints(row)
    names = row.__struct_fields__
    return names, frozenset(name for name in names if hints[name] is bool)


def named(columns: tuple[str, ...], flags: frozenset[str], row: Any) -> dict[str, Any]:
    """The values of a row of the database by name, with yes and no as such."""
    values = dict(zip(columns, row, strict=True))
    for name in flags:
        values[name] = bool(values[name])
    return values
