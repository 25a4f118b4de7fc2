"""What a platform has from the start, made at the first start that knows of it; deleted, it stays so."""

from __future__ import annotations

import re
import socket
from typing import Any

from rostra import machine
from rostra.configuration.journal import Mark
from rostra.configuration.models import (
    AutoBackup,
    DnsServer,
    GlobalSettings,
    IvrTheme,
    ManagementVM,
    NtpServer,
    StunServer,
    SystemLocation,
    WebappAlias,
)
from rostra.configuration.models.location import SHIPPED_STUN
from rostra.environment import Environment
from rostra.management import shipped
from rostra.management.setup.identity import kept

MANAGER = 1
"""Id of the Management Node."""
PUBLIC_RESOLVER = "9.9.9.9"
"""Asked by a machine that knows no resolver others could ask as well."""
CLOCKS = tuple(f"{number}.pool.ntp.org" for number in range(4))
_LONGEST_NAME, _LONGEST_HOSTNAME, _LONGEST_DOMAIN = 32, 63, 192


def seed_system(environment: Environment) -> None:
    """Name servers and clocks for every location, the Management Node and the settings of its backups.

    Services and call control have to be there (`shipped.seed`).
    """
    AutoBackup.objects.get_or_create(pk=1)
    identity = {**identity_of(environment.own_address), **kept(environment)}
    manager, is_new = ManagementVM.objects.get_or_create(
        pk=MANAGER, defaults={**identity, "name": f"{identity['hostname']}.{identity['domain']}"[:_LONGEST_NAME]}
    )
    if any(getattr(manager, name) != value for name, value in identity.items()):
        ManagementVM.objects.filter(pk=MANAGER).update(**identity)
    _, first = Mark.objects.get_or_create(name="seeded:system", defaults={"value": "1"})
    if first:
        _seed_servers()
    if is_new:
        manager.dns_servers.set(DnsServer.objects.all())
        manager.ntp_servers.set(NtpServer.objects.all())


def identity_of(address: str) -> dict[str, str]:
    """Who this machine is on the network, by field of the Management Node."""
    host, _, domain = socket.gethostname().partition(".")
    netmask, gateway = machine.ipv4_network(address)
    return {
        "hostname": _hostname(host),
        "domain": (domain or "local")[:_LONGEST_DOMAIN].lower(),
        "address": address,
        "netmask": netmask,
        "gateway": gateway,
    }


def _hostname(name: str) -> str:
    """A name that passes as one: machines may be called anything, by a number for example."""
    fitting = re.sub(r"[^a-z0-9-]+", "-", name.lower())[:_LONGEST_HOSTNAME].strip("-")
    return fitting if fitting and not fitting.isdecimal() else f"node{fitting}"[:_LONGEST_HOSTNAME]


def _seed_servers() -> None:
    for address in machine.resolvers() or [PUBLIC_RESOLVER]:
        DnsServer.objects.get_or_create(address=address)
    for address in CLOCKS:
        NtpServer.objects.get_or_create(address=address)
    for location in SystemLocation.objects.all():  # made before there were any, by us or an older version
        _fill(location.dns_servers, DnsServer.objects.all())
        _fill(location.ntp_servers, NtpServer.objects.all())
        _fill(location.client_stun_servers, StunServer.objects.filter(address=SHIPPED_STUN))
    settings = GlobalSettings.objects.get(pk=1)
    settings.default_theme = settings.default_theme or IvrTheme.objects.filter(name=shipped.THEME).first()
    settings.default_webapp_alias = settings.default_webapp_alias or WebappAlias.objects.filter(is_default=True).first()
    settings.save()


def _fill(relation: Any, rows: Any) -> None:
    if not relation.exists():
        relation.set(rows)
