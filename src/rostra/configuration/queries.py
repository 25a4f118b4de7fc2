"""What a node asks of its local database while setting up calls: prepared statements past the ORM.

Thread-safe: every thread has a connection of its own. A look-up takes some ten microseconds, so callers need
neither threads nor caches.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import threading
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from rostra.configuration import local


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
    enable_sip_udp: bool = False
    enable_h323: bool = True
    enable_webrtc: bool = True
    enable_rtmp: bool = True
    enable_chat: bool = True
    enable_breakout_rooms: bool = False
    enable_dialout: bool = True
    enable_application_api: bool = True
    enable_fecc: bool = True
    crypto_mode: str = "besteffort"
    max_pixels_per_second: str = "hd"
    max_presentation_bandwidth_ratio: int = 75
    disabled_codecs: list[dict[str, str]] = []
    media_ports_start: int = 40000
    media_ports_end: int = 49999
    bdpm_pin_checks_enabled: bool = True
    bdpm_max_pin_failures_per_window: int = 20
    bdpm_scan_quarantine_enabled: bool = True
    bdpm_max_scan_attempts_per_window: int = 20


class NodeRow(msgspec.Struct, frozen=True):
    """A Conferencing Node, as far as calls depend on it."""

    id: int
    name: str
    system_location: int
    node_type: str
    maintenance_mode: bool
    media_priority_weight: int | None
    static_nat_address: str | None


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


_REFERENCES = frozenset(
    {
        "match_source_location", "outgoing_location", "sip_proxy", "h323_gatekeeper", "mssip_proxy", "ivr_theme",
    }
)  # fmt: skip
_RULE_COLUMNS = [f"{name}_id" if name in _REFERENCES else name for name in RuleRow.__struct_fields__]


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


_THEMES = (
    "SELECT theme.uuid, file.id, COALESCE(file.sha256, '') FROM configuration_ivrtheme AS theme "
    "LEFT JOIN configuration_storedfile AS file ON file.id = theme.package_id"
)

_BRANDING = (
    "SELECT file.id, file.sha256 FROM configuration_webappalias AS path "
    "JOIN configuration_webappbranding AS branding ON branding.id = path.branding_id "
    "JOIN configuration_storedfile AS file ON file.id = branding.branding_file_id "
    "WHERE path.is_default AND path.is_enabled"
)


class Lookup:
    """Reads the local database at `path`; see `rostra.configuration.setup_node`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.local()
        self._opened: list[sqlite3.Connection] = []
        columns, self._service_flags = _columns(ServiceRow)
        fields = ", ".join(f'conference."{column}"' for column in columns)
        self._find_alias = (
            f"SELECT {fields} FROM configuration_conferencealias AS alias "  # noqa: S608 - names of our own
            "JOIN configuration_conference AS conference ON conference.id = alias.conference_id "
            "WHERE LOWER(alias.alias) = LOWER(?)"
        )
        self._get = f"SELECT {fields} FROM configuration_conference AS conference WHERE id = ?"  # noqa: S608
        self._service_columns = columns
        columns, self._global_flags = _columns(GlobalRow)
        self._global_columns = columns
        fields = ", ".join(f'"{column}"' for column in columns)
        self._global = f"SELECT {fields} FROM configuration_globalsettings WHERE id = 1"  # noqa: S608

    def find_alias(self, alias: str) -> ServiceRow | None:
        """The service that `alias` belongs to, whatever the case of its letters."""
        return self._service(self._one(self._find_alias, alias))

    def service(self, key: int) -> ServiceRow | None:
        """The service with this id."""
        return self._service(self._one(self._get, key))

    def aliases(self, key: int) -> list[str]:
        """The aliases of a service in their order; of equal ones the oldest is first."""
        statement = "SELECT alias FROM configuration_conferencealias WHERE conference_id = ? ORDER BY view_order, id"
        return [str(row[0]) for row in self._rows(statement, key)]

    def automatic_participants(self, service: int) -> list[AutomaticRow]:
        """Those whom a conference of a service calls when it starts."""
        statement = (
            "SELECT p.id, p.alias, p.protocol, p.call_type, p.role, p.dtmf_sequence, p.keep_conference_alive, "
            "p.routing, p.system_location_id, p.streaming, p.remote_display_name, p.presentation_url "
            "FROM configuration_automaticparticipant_conference AS link "
            "JOIN configuration_automaticparticipant AS p ON p.id = link.automaticparticipant_id "
            "WHERE link.conference_id = ? ORDER BY p.id"
        )
        return [AutomaticRow(*row) for row in self._rows(statement, service)]

    def rules(self) -> list[RuleRow]:
        """All Call Routing Rules."""
        rows = self._rows(f"SELECT {', '.join(_RULE_COLUMNS)} FROM configuration_gatewayroutingrule")  # noqa: S608
        return [RuleRow(*row) for row in rows]

    def sip_proxy(self, key: int) -> ProxyRow | None:
        """A system that takes outgoing SIP calls."""
        row = self._one("SELECT address, port, transport FROM configuration_sipproxy WHERE id = ?", key)
        return None if row is None else ProxyRow(*row)

    def sip_proxy_of(self, location: int) -> int | None:
        """The SIP proxy that a location nominates."""
        row = self._one("SELECT sip_proxy_id FROM configuration_systemlocation WHERE id = ?", location)
        return None if row is None else row[0]

    def sip_credential(self, realm: str) -> tuple[str, str] | None:
        """Name and sealed password for a realm; case matters (SYS-249)."""
        row = self._one("SELECT username, password FROM configuration_sipcredential WHERE realm = ?", realm)
        return None if row is None else (str(row[0]), str(row[1]))

    def global_settings(self) -> GlobalRow:
        """The platform's settings; the defaults before any configuration has arrived."""
        row = self._one(self._global)
        if row is None:
            return GlobalRow()
        values = _named(self._global_columns, self._global_flags, row)
        values["disabled_codecs"] = json.loads(values["disabled_codecs"])
        return GlobalRow(**values)

    def theme(self, key: int) -> ThemeRow | None:
        """The theme with this id."""
        row = self._one(f"{_THEMES} WHERE theme.id = ?", key)
        return None if row is None else ThemeRow(*row)

    def themes(self) -> list[ThemeRow]:
        """All themes."""
        return [ThemeRow(*row) for row in self._rows(_THEMES)]

    def branding(self) -> BrandingRow | None:
        """The branding of the path that leads to the web app by default."""
        row = self._one(_BRANDING)
        return None if row is None else BrandingRow(*row)

    def file(self, key: int) -> bytes:
        """What has arrived of a file of the configuration."""
        statement = "SELECT data FROM configuration_storedpart WHERE file_id = ? ORDER BY position"
        return b"".join(base64.b64decode(data) for (data,) in self._rows(statement, key))

    def fabric_members(self) -> list[FabricMemberRow]:
        """Who belongs to the fabric."""
        statement = "SELECT node_id, fingerprint, address, port FROM configuration_fabricmember"
        return [FabricMemberRow(*row) for row in self._rows(statement)]

    def nodes(self) -> list[NodeRow]:
        """All configured Conferencing Nodes."""
        statement = (
            "SELECT id, name, system_location_id, node_type, maintenance_mode, media_priority_weight, "
            "static_nat_address FROM configuration_workervm"
        )
        rows = self._rows(statement)
        return [
            NodeRow(key, name, location, kind, bool(maintenance), weight, nat)
            for key, name, location, kind, maintenance, weight, nat in rows
        ]

    def locations(self) -> list[LocationRow]:
        """All system locations."""
        statement = (
            "SELECT id, name, overflow_location1_id, overflow_location2_id, transcoding_location_id "
            "FROM configuration_systemlocation"
        )
        return [LocationRow(*row) for row in self._rows(statement)]

    def certificate(self, node: int) -> CertificateRow | None:
        """The TLS certificate assigned to a Conferencing Node."""
        statement = (
            "SELECT tls.certificate, tls.private_key, tls.parameters FROM configuration_workervm AS node "
            "JOIN configuration_tlscertificate AS tls ON tls.id = node.tls_certificate_id WHERE node.id = ?"
        )
        row = self._one(statement, node)
        return None if row is None else CertificateRow(*row)

    def tls_name(self, node: int) -> str:
        """The DNS name a Conferencing Node goes by in SIP over TLS; empty: its address."""
        statement = "SELECT alternative_fqdn FROM configuration_workervm WHERE id = ?"
        row = self._database().execute(statement, (node,)).fetchone()
        return "" if row is None else str(row[0])

    def authorities(self) -> list[tuple[str, bool]]:
        """Uploaded CA certificates (PEM), each with whether it is trusted though it is no root."""
        statement = "SELECT certificate, trusted_intermediate FROM configuration_cacertificate ORDER BY id"
        return [(pem, bool(trusted)) for pem, trusted in self._rows(statement)]

    def has_node(self, key: int) -> bool:
        """Is there a Conferencing Node with this id?"""
        return self._one("SELECT 1 FROM configuration_workervm WHERE id = ?", key) is not None

    def close(self) -> None:
        """Close every thread's connection; nobody may be looking up any more."""
        for database in self._opened:
            database.close()

    def _service(self, row: sqlite3.Row | None) -> ServiceRow | None:
        return None if row is None else ServiceRow(**_named(self._service_columns, self._service_flags, row))

    def _one(self, statement: str, *parameters: Any) -> Any:
        rows = self._rows(statement, *parameters)
        return rows[0] if rows else None

    def _rows(self, statement: str, *parameters: Any) -> list[Any]:
        """Raises sqlite3.DatabaseError; a damaged database is fetched again soon (see `local`)."""
        try:
            return self._database().execute(statement, parameters).fetchall()
        except sqlite3.DatabaseError as problem:
            if local.is_damage(problem):
                local.suspect(self._path)
            raise

    def _database(self) -> sqlite3.Connection:
        database: sqlite3.Connection | None = getattr(self._threads, "database", None)
        edition = local.edition(self._path)
        if database is not None and self._threads.edition != edition:  # another file has taken the place
            self._opened.remove(database)
            database.close()
            database = None
        if database is None:
            self._threads.edition = edition
            database = local.open_database(self._path, read_only=True)
            database.row_factory = None
            self._threads.database = database
            self._opened.append(database)
        return database


def _columns(row: type[msgspec.Struct]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Column names of a row type, and which of them are yes or no."""
    hints = get_type_hints(row)
    names = row.__struct_fields__
    return names, frozenset(name for name in names if hints[name] is bool)


def _named(columns: tuple[str, ...], flags: frozenset[str], row: Any) -> dict[str, Any]:
    values = dict(zip(columns, row, strict=True))
    for name in flags:
        values[name] = bool(values[name])
    return values
