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
from typing import Any

import msgspec

from rostra.configuration import local
from rostra.configuration.rows import (
    AddressesRow,
    AutomaticRow,
    BrandingRow,
    CertificateRow,
    DeviceRow,
    FabricMemberRow,
    FoundRow,
    GlobalRow,
    LocationRow,
    NodeRow,
    PolicyRow,
    ProviderRow,
    ProxyRow,
    RuleRow,
    ServiceRow,
    ThemeRow,
    columns_of,
    named,
)
from rostra.configuration.server_queries import ServerQueries
from rostra.domain.registration import RegistrarSettings

_REFERENCES = frozenset(
    {
        "match_source_location", "outgoing_location", "sip_proxy", "h323_gatekeeper", "mssip_proxy", "ivr_theme",
    }
)  # fmt: skip
_RULE_COLUMNS = [f"{name}_id" if name in _REFERENCES else name for name in RuleRow.__struct_fields__]
_THEMES = (
    "SELECT theme.uuid, file.id, COALESCE(file.sha256, '') FROM configuration_ivrtheme AS theme "
    "LEFT JOIN configuration_storedfile AS file ON file.id = theme.package_id"
)
_SERVICES = (
    "SELECT alias.alias, COALESCE(NULLIF(alias.description, ''), conference.description) "
    "FROM configuration_conferencealias AS alias "
    "JOIN configuration_conference AS conference ON conference.id = alias.conference_id "
    "WHERE conference.service_type IN ('conference', 'lecture', 'two_stage_dialing') AND (? = '' OR "
    "instr(LOWER(alias.alias || char(10) || alias.description || char(10) || conference.description), LOWER(?))) "
    "ORDER BY LOWER(alias.alias) LIMIT ?"
)
_DEVICES = (
    "SELECT alias, description FROM configuration_device "
    "WHERE ? = '' OR instr(LOWER(alias || char(10) || description), LOWER(?)) ORDER BY LOWER(alias) LIMIT ?"
)
_BRANDING = (
    "SELECT file.id, file.sha256 FROM configuration_webappalias AS path "
    "JOIN configuration_webappbranding AS branding ON branding.id = path.branding_id "
    "JOIN configuration_storedfile AS file ON file.id = branding.branding_file_id "
    "WHERE path.is_enabled AND "
)


class Lookup(ServerQueries):
    """Reads the local database at `path`; see `rostra.configuration.setup_node`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.local()
        self._opened: list[sqlite3.Connection] = []
        columns, self._service_flags = columns_of(ServiceRow)
        fields = ", ".join(f'conference."{column}"' for column in columns)
        self._find_alias = (
            f"SELECT {fields} FROM configuration_conferencealias AS alias "  # noqa: S608 - names of our own
            "JOIN configuration_conference AS conference ON conference.id = alias.conference_id "
            "WHERE LOWER(alias.alias) = LOWER(?)"
        )
        self._get = f"SELECT {fields} FROM configuration_conference AS conference WHERE id = ?"  # noqa: S608
        self._service_columns = columns
        columns, self._global_flags = columns_of(GlobalRow)
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

    def device(self, alias: str) -> DeviceRow | None:
        """The device alias that may register, whatever the case of its letters."""
        statement = (
            "SELECT alias, username, password, enable_sip, enable_h323, enable_infinity_connect_non_sso "
            "FROM configuration_device WHERE LOWER(alias) = LOWER(?)"
        )
        row = self._one(statement, alias)
        return None if row is None else DeviceRow(*row[:3], *(bool(flag) for flag in row[3:]))

    def search_services(self, text: str, limit: int) -> list[FoundRow]:
        """Aliases of meeting rooms, auditoriums and receptions with `text` in alias or description (CONF-036)."""
        return [FoundRow(*row) for row in self._rows(_SERVICES, text, text, limit)]

    def search_devices(self, text: str, limit: int) -> list[FoundRow]:
        """Aliases that may register, with `text` in alias or description."""
        return [FoundRow(*row) for row in self._rows(_DEVICES, text, text, limit)]

    def registrar(self) -> RegistrarSettings:
        """The settings of the registrar; the defaults before any configuration has arrived."""
        fields = RegistrarSettings.__struct_fields__
        row = self._one(f"SELECT {', '.join(fields)} FROM configuration_registration WHERE id = 1")  # noqa: S608
        if row is None:
            return RegistrarSettings()
        return msgspec.convert(dict(zip(fields, row, strict=True)), RegistrarSettings, strict=False)

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
        values = named(self._global_columns, self._global_flags, row)
        values["disabled_codecs"] = json.loads(values["disabled_codecs"])
        return GlobalRow(**values)

    def resistance(self, node: int) -> tuple[str, str]:
        """What a node's location says of scanners and of guessed PINs: GLOBAL, ON or OFF."""
        of_node = "id = (SELECT system_location_id FROM configuration_workervm WHERE id = ?)"
        columns = "bdpm_scan_quarantine_enabled, bdpm_pin_checks_enabled"
        row = self._one(f"SELECT {columns} FROM configuration_systemlocation WHERE {of_node}", node)  # noqa: S608 - ours
        return (str(row[0]), str(row[1])) if row is not None else ("GLOBAL", "GLOBAL")

    def allow_list(self) -> list[tuple[str, int, bool, bool]]:
        """Networks by address and prefix, and whether wrong aliases and wrong PINs are fine there."""
        columns = "address, prefix, ignore_incorrect_aliases, ignore_incorrect_pins"
        rows = self._rows(f"SELECT {columns} FROM configuration_breakinallowlistaddress")  # noqa: S608 - names of our own
        return [(row[0], row[1], bool(row[2]), bool(row[3])) for row in rows]

    def avatar_of(self, address: str) -> str:
        """Where the picture of the user with this e-mail address is; empty: nowhere."""
        statement = "SELECT avatar_url FROM configuration_enduser WHERE lower(primary_email_address) = ?"
        row = self._one(statement, address.lower())
        return row[0] if row is not None else ""

    def policy_of(self, location: int) -> PolicyRow | None:
        """The policy profile that a location refers to."""
        columns, flags = columns_of(PolicyRow)
        fields = ", ".join(f'policy."{column}"' for column in columns)
        row = self._one(
            f"SELECT {fields} FROM configuration_systemlocation AS location "  # noqa: S608 - names of our own
            "JOIN configuration_policyserver AS policy ON policy.id = location.policy_server_id WHERE location.id = ?",
            location,
        )
        return None if row is None else PolicyRow(**named(columns, flags, row))

    def number_of(self, table: str, name: str) -> int | None:
        """The object of exactly this name, in a table of the configuration (which no client chooses)."""
        row = self._one(f"SELECT id FROM configuration_{table} WHERE name = ?", name)  # noqa: S608
        return None if row is None else row[0]

    def name_of(self, table: str, key: int) -> str:
        """The other way round; empty: there is none."""
        row = self._one(f"SELECT name FROM configuration_{table} WHERE id = ?", key)  # noqa: S608
        return "" if row is None else str(row[0])

    def theme_name(self, key: int | None) -> str:
        """The name of the theme with this id; empty: there is none."""
        row = self._one("SELECT name FROM configuration_ivrtheme WHERE id = ?", key)
        return "" if row is None else str(row[0])

    def theme(self, key: int) -> ThemeRow | None:
        """The theme with this id."""
        row = self._one(f"{_THEMES} WHERE theme.id = ?", key)
        return None if row is None else ThemeRow(*row)

    def themes(self) -> list[ThemeRow]:
        """All themes."""
        return [ThemeRow(*row) for row in self._rows(_THEMES)]

    def branding(self, slug: str = "") -> BrandingRow | None:
        """The branding of the path to the web app that is named `slug`; without one, of the default path."""
        row = self._one(f"{_BRANDING} path.slug = ?", slug) if slug else self._one(f"{_BRANDING} path.is_default")
        return None if row is None else BrandingRow(*row)

    def leads_to_webapp(self, slug: str) -> bool | None:
        """Whether the path named `slug` can be used; None where there is none of that name."""
        row = self._one("SELECT is_enabled FROM configuration_webappalias WHERE slug = ?", slug)
        return None if row is None else bool(row[0])

    def identity_provider(self, uuid: str) -> ProviderRow | None:
        """The identity provider that is known by `uuid`."""
        columns, flags = columns_of(ProviderRow)
        fields = ", ".join(f'"{column}"' for column in columns)
        row = self._one(f"SELECT {fields} FROM configuration_identityprovider WHERE uuid = ?", uuid)  # noqa: S608
        return None if row is None else ProviderRow(**named(columns, flags, row))

    def identity_providers(self, group: int) -> tuple[str, ...]:
        """What the identity providers of a group are known by, the oldest first."""
        statement = (
            "SELECT provider.uuid FROM configuration_identityprovidergroup_identity_provider AS member "
            "JOIN configuration_identityprovider AS provider ON provider.id = member.identityprovider_id "
            "WHERE member.identityprovidergroup_id = ? ORDER BY provider.id"
        )
        return tuple(str(row[0]) for row in self._rows(statement, group))

    def identity_attributes(self, provider: int) -> tuple[str, ...]:
        """Names of what a provider says of users and policy is told."""
        statement = (
            "SELECT attribute.name FROM configuration_identityprovider_attributes AS chosen "
            "JOIN configuration_identityproviderattribute AS attribute "
            "ON attribute.id = chosen.identityproviderattribute_id "
            "WHERE chosen.identityprovider_id = ? ORDER BY attribute.id"
        )
        return tuple(str(row[0]) for row in self._rows(statement, provider))

    def node_names(self) -> tuple[str, ...]:
        """DNS names of all Conferencing Nodes."""
        statement = "SELECT alternative_fqdn, hostname, domain FROM configuration_workervm ORDER BY id"
        return tuple(
            str(name or f"{host}.{domain}").lower() for name, host, domain in self._rows(statement) if name or domain
        )

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

    def addresses(self) -> list[AddressesRow]:
        """Where all Conferencing Nodes are."""
        statement = (
            "SELECT node.id, node.address, node.netmask, node.secondary_address, node.secondary_netmask, "
            "node.ipv6_address, node.static_nat_address, location.signalling_qos "
            "FROM configuration_workervm AS node "
            "JOIN configuration_systemlocation AS location ON location.id = node.system_location_id ORDER BY node.id"
        )
        return [AddressesRow(*row) for row in self._rows(statement)]

    def media_dscp(self, node: int) -> int:
        """What marks the media of a Conferencing Node."""
        statement = (
            "SELECT location.media_qos FROM configuration_workervm AS node "
            "JOIN configuration_systemlocation AS location ON location.id = node.system_location_id WHERE node.id = ?"
        )
        row = self._one(statement, node)
        return 0 if row is None else row[0] or 0

    def dns_servers(self, node: int) -> list[str]:
        """Addresses of the resolvers of a Conferencing Node's location."""
        statement = (
            "SELECT server.address FROM configuration_workervm AS node "
            "JOIN configuration_systemlocation_dns_servers AS link ON link.systemlocation_id = node.system_location_id "
            "JOIN configuration_dnsserver AS server ON server.id = link.dnsserver_id "
            "WHERE node.id = ? ORDER BY server.id"
        )
        return [str(row[0]) for row in self._rows(statement, node)]

    def sip_proxies(self, node: int) -> list[ProxyRow]:
        """The SIP proxies that calls from a Conferencing Node may go through: its location's, and those of rules."""
        here = "(SELECT system_location_id FROM configuration_workervm WHERE id = ?)"
        statement = (
            "SELECT address, port, transport FROM configuration_sipproxy WHERE id IN "  # noqa: S608 - text of our own
            f"(SELECT sip_proxy_id FROM configuration_systemlocation WHERE id = {here}) OR id IN "
            "(SELECT sip_proxy_id FROM configuration_gatewayroutingrule WHERE enable "
            f"AND (outgoing_location_id IS NULL OR outgoing_location_id = {here})) ORDER BY id"
        )
        return [ProxyRow(*row) for row in self._rows(statement, node, node)]

    def locations(self) -> list[LocationRow]:
        """All system locations."""
        statement = (
            "SELECT id, name, overflow_location1_id, overflow_location2_id, transcoding_location_id "
            "FROM configuration_systemlocation"
        )
        return [LocationRow(*row) for row in self._rows(statement)]

    def certificate(self, node: int, *, client: bool = False) -> CertificateRow | None:
        """The TLS certificate assigned to a Conferencing Node; with `client`, the one shown to those it calls."""
        statement = (
            "SELECT tls.certificate, tls.private_key, tls.parameters FROM configuration_workervm AS node "
            "JOIN configuration_tlscertificate AS tls ON tls.id = "
            "CASE WHEN ? THEN node.tls_client_certificate_id ELSE node.tls_certificate_id END WHERE node.id = ?"
        )
        row = self._one(statement, client, node)
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
        return None if row is None else ServiceRow(**named(self._service_columns, self._service_flags, row))

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
