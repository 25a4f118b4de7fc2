"""Values to try on fields: good ones, bad ones, and queries that should or should not find them."""

from __future__ import annotations

import datetime
import urllib.parse
from typing import Any

from .facts import Field

LONG_NAME = ".".join(["x" * 59, "y" * 59, "z" * 59, "example.test"])
_HOST = ["192.0.2.9", "host.example.test", LONG_NAME]
_URL = ["https://host.example.test/path", "http://192.0.2.9:8080/"]
_V4, _V6 = ["192.0.2.9"], ["2001:db8::9"]
_DN = ["ou=people,dc=example,dc=test", "cn=Müller\\, Eva,dc=example"]
_MAIL = ["eva@example.test"]
_PATTERN = ["^(.*)@example\\.test$", ""]
SAMPLES: dict[str, list[Any]] = {
    "automatic_participant.protocol": ["h323", "mssip", "sip"],  # RTMP has addresses of another form
    "ntp_server.key_id": [1, 65535, "7"],
    "identity_provider.idp_type": ["oidc"],  # SAML has fields of its own to fill in: tests/clientapi/test_signon
    "identity_provider.uuid": [],  # stands in the redirect URLs
    "identity_provider.idp_public_key": [""],
    "identity_provider.service_public_key": [""],
    "identity_provider.oidc_token_signature_scheme": ["rs256"],
    "sso_url": _URL,
    "oidc_token_url": _URL,
    "oidc_user_info_url": _URL,
    "oidc_jwks_url": _URL,
    "assertion_consumer_service_url": ["https://host.example.test/api/v1/oidcconsumer/idp-1"],
    **{
        f"assertion_consumer_service_url{number}": ["https://host.example.test/api/v1/oidcconsumer/idp-1", ""]
        for number in range(2, 11)
    },
    "role_mapping.value": _DN,
    "static_route.gateway": ["192.0.2.1"],
    "conference_sync_template.primary_owner_email_address": ["{{ mail }}", ""],
    "webapp_branding.uuid": [],
    "conference.service_type": ["conference"],
    "guest_pin": ["654321", ""],
    "device_username": ["{{ mail }}", ""],
    "global.bursting_threshold": [1, 7, "9"],
    "authentication.api_oauth2_expiration": [60, 86400],
    "authentication.client_certificate": ["NO"],  # the others need an authority
    "authentication.ldap_user_group_attributes": ["memberOf,isMemberOf", ""],
    "call_type": ["audio", "video", "video-only"],
    "conference_sync_template.crypto_mode": ["besteffort", "on", "off", ""],
    "conference_sync_template.direct_media": ["never", "best_effort"],
    "conference_sync_template.enable_chat": ["default", "yes", "no"],
    "conference_sync_template.host_view": ["one_main_seven_pips", "one_main_zero_pips"],
    "conference_sync_template.max_pixels_per_second": ["sd", "hd", "fullhd"],
    "conference_sync_template.non_idp_participants": ["disallow_all", "allow_if_trusted"],
    "conference_sync_template.service_type": ["conference"],
    "dns_server.address": ["192.0.2.77", *_V6],
    "gateway_routing_rule.priority": [2, 200, "3"],
    "global.media_ports_end": [49998, "49999"],
    "global.media_ports_start": [41000, "40000"],
    "global.signalling_ports_end": [38000, "39999"],
    "global.signalling_ports_start": [10000, "33000"],
    "prefix": [128, 1, "64"],
    "address": _HOST,
    "alias": ["eva@example.test", "x" * 250],
    "alternative_fqdn": ["sip.example.test", ""],
    "authentication.ldap_group_membership_filter": ["(member={userdn})"],
    "authentication.ldap_server": [""],  # a server has to answer: tests/management/accounts
    "authentication.ldap_user_search_filter": ["(uid={username})"],
    "authentication.source": ["LOCAL"],
    "authentication.api_oauth2_disable_basic": [False],  # or the suite would shut itself out
    "autobackup_upload_url": ["ftp://host.example.test/backups", "ftps://192.0.2.9/", ""],
    "avatar_url": _URL,
    "break_in_allow_list_address.address": [*_V6, *_V4],
    "ca_certificate.certificate": [],  # written once; tests/management/test_certificates
    "certificate_signing_request": [],
    "contact_email_address": [*_MAIL, ""],
    "domain": ["example.test"],
    "dtmf_sequence": ["12,,#*", ""],
    "entity_resource_uri": ["/api/admin/configuration/v1/conference/1/"],
    "error_reporting_url": [*_URL, ""],
    "event_sink.restart_date": ["2026-02-03T04:05:06"],
    "from_email_address": _MAIL,
    "gateway": _V4,
    "internal_media_location_policy_template": ["{{ suggested_media_overflow_locations|pex_to_json }}", ""],
    "ipv6_address": _V6,
    "ipv6_gateway": _V6,
    "key": ["Wort für Wort"],
    "ldap_base_dn": _DN,
    "ldap_group_dn": _DN,
    "ldap_group_filter": ["(objectclass=group)"],
    "ldap_group_search_dn": [*_DN, ""],
    "ldap_server": _HOST,
    "ldap_user_filter": ["(objectclass=person)"],
    "ldap_user_search_dn": [*_DN, ""],
    "local_mssip_domain": ["sip.example.test", ""],
    "local_timezone": ["Europe/Oslo", "UTC"],
    "management_start_page": ["/admin/status/live/"],
    "management_vm.dns_servers": [["/api/admin/configuration/v1/dns_server/1/"]],
    "management_vm.ntp_servers": [["/api/admin/configuration/v1/ntp_server/1/"]],
    "match_string": _PATTERN,
    "match_string_full": [True, False],
    "gateway_routing_rule.match_string": _PATTERN[:1],
    "netmask": ["255.255.0.0"],
    "ocsp_responder_url": [*_URL, ""],
    "permissions": [["/api/admin/configuration/v1/permission/1/"]],
    "pin": ["1234", "123456#", ""],
    "post_match_string": _PATTERN,
    "presentation_url": ["rtmp://host.example.test/live/1", ""],
    "primary_email_address": _MAIL,
    "primary_owner_email_address": [*_MAIL, ""],
    "restart_date": ["2026-02-03T04:05:06"],
    "role.permissions": [["/api/admin/configuration/v1/permission/1/"]],
    "roles": [["/api/admin/configuration/v1/role/1/"]],
    "secondary_address": _V4,
    "secondary_netmask": ["255.255.0.0"],
    "site_banner_bg": ["#a1B2c3"],
    "site_banner_fg": ["#a1B2c3"],
    "slug": ["meet-us_2"],
    "ssh_authorized_key.key": [],  # has to fit the type: tests/management/test_resources_system
    "ssh_authorized_key.keytype": [],
    "static_nat_address": _V4,
    "static_route.address": ["2001:db8::"],
    "syslog_server.proto_format": [],
    "system_location.dns_servers": [["/api/admin/configuration/v1/dns_server/1/"]],
    "system_location.ntp_servers": [["/api/admin/configuration/v1/ntp_server/1/"]],
    "template_variable_name": ["given_name"],
    "tls_certificate": [],
    "url": _URL,
    "uuid": ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"],
    "webapp_alias.is_default": [True],
}
"""Good values of fields whose text has a form, by `resource.field`, `field` or `resource`."""

_V6_NETWORK = {"address": "2001:db8::", "gateway": "2001:db8::1"}
COMPANIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("autobackup", "autobackup_enabled"): {"autobackup_passphrase": "a passphrase"},
    ("break_in_allow_list_address", "prefix"): {"address": "2001:db8::"},
    ("conference", "allow_guests"): {"pin": "1234"},
    ("ldap_sync_source", "ldap_server"): {"ldap_bind_password": "known"},
    ("conference", "guest_pin"): {"pin": "123456"},
    ("conference_sync_template", "enable_service_emails"): {"sync_conferences": True, "smtp_server": "smtp_server"},
    ("conference_sync_template", "device_username"): {"device_password": "{{ mail }}"},
    ("conference_sync_template", "sync_devices"): {"device_username": "", "device_password": ""},
    ("conference_sync_template", "sync_end_users"): {
        "primary_owner_email_address": "{{mail}}",
        "end_user_uuid": "{{objectGUID}}",
    },
    ("gateway_routing_rule", "called_device_type"): {"mssip_proxy": "mssip_proxy"},
    ("global", "ocsp_state"): {"ocsp_responder_url": "http://ocsp.example.test/"},
    ("management_vm", "ipv6_gateway"): {"ipv6_address": "2001:db8::9"},
    ("management_vm", "snmp_mode"): {
        "snmp_username": "monitor",
        "snmp_authentication_password": "eight or more",
        "snmp_privacy_password": "more than eight",
    },
    ("ntp_server", "key"): {"key_id": 7},
    ("ntp_server", "key_id"): {"key": "secret"},
    ("registration", "maximum_min_refresh"): {"maximum_max_refresh": 7200},
    ("registration", "natted_min_refresh"): {"natted_max_refresh": 3600},
    ("scheduled_scaling", "time_to"): {"time_from": "01:02:03"},
    ("static_route", "address"): {"gateway": "2001:db8::1"},
    ("static_route", "prefix"): _V6_NETWORK,
}
COMPANIONS["worker_vm", "snmp_mode"] = COMPANIONS["management_vm", "snmp_mode"]
COMPANIONS["worker_vm", "ipv6_gateway"] = COMPANIONS["management_vm", "ipv6_gateway"]
"""What other fields must be for a value to be good; the name of a resource stands for an object of it."""


def good(resource: str, field: Field) -> list[Any]:
    """Values that have to be taken, the ends of ranges among them."""
    for name in (f"{resource}.{field.name}", resource, field.name):
        if name in SAMPLES:
            alone = field.nullable and SAMPLES[name] and (resource, field.name) not in COMPANIONS
            return [*SAMPLES[name], *([None] if alone else [])]
    empty: list[Any] = [None] if field.nullable else []
    match field.type:
        case "boolean":
            return [True, False, "true", *empty]
        case "integer":
            low = 7 if field.low is None else field.low
            return [low, low + 1 if field.high is None else field.high, str(low), *empty]
        case "string" if field.choices:
            return [*(choice for choice in field.choices), *empty]
        case "string":
            return ["Wort für Wort", *(["x" * field.limit] if field.limit else []), *empty]
        case "datetime":
            return ["2026-02-03T04:05:06.000007", *empty]
        case "date":
            return ["2026-02-03", *empty]
        case "time":
            return ["04:05:06", *empty]
        case "related" if field.many:
            return [[]]
        case _:
            return empty


def bad(field: Field) -> list[Any]:
    """Values that have to be refused."""
    found: list[Any] = [] if field.nullable or field.type == "related" else [None]
    if field.required and field.type == "string":
        found.append("")
    match field.type:
        case "boolean":
            return [*found, "perhaps", 7, []]
        case "integer":
            ends = [] if field.low is None else [field.low - 1]
            return [*found, "many", 1.5, True, [], *ends, *([] if field.high is None else [field.high + 1])]
        case "string":
            return [
                *found,
                *(["nonsense"] if field.choices else []),
                *(["x" * (field.limit + 1)] if field.limit else []),
                [],
                {},
                "a\x00b",
            ]
        case "datetime" | "date" | "time":
            return [*found, "yesterday", 7, []]
        case "related" if field.many:
            return ["text", 7, [7], ["/api/admin/configuration/v1/nothing/1/"]]
        case "related":
            return [
                7,
                "text",
                "/api/admin/configuration/v1/nothing/1/",
                f"/api/admin/configuration/v1/{field.target}/99999999/",
            ]
        case "list":
            return ["text", 7, {}]
        case _:
            return found


def same(found: Any, wanted: Any) -> bool:
    """Is `found` what was written? Text that stands for a value counts as the value; secrets come back sealed."""
    if isinstance(found, bool):
        return str(found).lower() == str(wanted).lower()
    if isinstance(found, int) and isinstance(wanted, str):
        return str(found) == wanted
    if isinstance(found, str) and found.startswith("$~!1"):
        return bool(wanted)
    if isinstance(found, list) and isinstance(wanted, list) and found and isinstance(found[0], dict):
        return [one.get("resource_uri", one) for one in found] == wanted
    return found == wanted or (found is None and wanted == "") or (found == "" and wanted is None)


def other(field: Field, value: Any) -> Any:
    """Something that is not `value`."""
    match field.type:
        case "boolean":
            return not value
        case "integer":
            return (value or 0) + 1
        case "datetime":
            return "2001-01-01T00:00:00"
        case "related":
            return [] if field.many else None
        case _:
            return "something else"


def queries(name: str, value: Any, kind: str) -> list[tuple[str, bool]]:
    """Parameters of a list, and whether they find an object with this value."""
    text = urllib.parse.quote(str(value))
    if kind == "related":
        return [(f"{name}={text}", True), (f"{name}=99999999", False)]
    found = [(f"{name}={text}", True), (f"{name}__in={text}", "," not in str(value)), (f"{name}__isnull=true", False)]
    if kind == "string":
        found += [
            (f"{name}__iexact={urllib.parse.quote(str(value).upper())}", True),
            (f"{name}__icontains={urllib.parse.quote(str(value)[:3].lower())}", True),
            (f"{name}__startswith={urllib.parse.quote(str(value)[:2])}", True),
            (f"{name}__iendswith={urllib.parse.quote(str(value)[-2:].upper())}", True),
            (f"{name}=no such value", False),
        ]
    if kind == "integer":
        found += [
            (f"{name}__gte={value}", True),
            (f"{name}__gt={value}", False),
            (f"{name}__range={value},{value}", True),
        ]
    if kind == "datetime":
        later = (datetime.datetime.fromisoformat(value) + datetime.timedelta(seconds=1)).isoformat()
        found += [(f"{name}__lt={later}Z", True), (f"{name}__gt={later}Z", False)]
    return found
