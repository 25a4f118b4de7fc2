"""What is to be said about certificates: their state in lists, warnings, alarms (SYS-214, DIAG-101 …)."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable

from rostra.configuration import assignment
from rostra.configuration.assignment import Machine
from rostra.configuration.certificates import chains, facts, names, pem
from rostra.configuration.certificates.chains import Chain
from rostra.configuration.certificates.presenting import chain_of
from rostra.configuration.models import CaCertificate, ManagementVM, TlsCertificate
from rostra.management.alarms.raising import Wanted
from rostra.management.certificates.serving import authorities

SOON = datetime.timedelta(days=30)
"""How long before its end a certificate gives an alarm."""

ALARMS = (
    "tls_certificate_missing_management",
    "tls_certificate_missing",
    "tls_certificate_expiring",
    "tls_certificate_chains",
    "trustedca_expiring",
)

Authorities = tuple[tuple[str, bool], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """What the alarms depend on."""

    machines: tuple[Machine, ...]
    certificates: tuple[TlsCertificate, ...]
    authorities: tuple[CaCertificate, ...]


def known() -> Known:
    """As configured now."""
    return Known(
        tuple(assignment.machines()), tuple(TlsCertificate.objects.all()), tuple(CaCertificate.objects.order_by("pk"))
    )


def certificate_alarms(known: Known, now: datetime.datetime) -> list[Wanted]:
    """The alarms that should be up."""
    uploaded = tuple((one.certificate, one.trusted_intermediate) for one in known.authorities)
    found = [_missing(machine) for machine in known.machines if machine.tls_certificate_id is None]  # type: ignore[attr-defined]
    found += [_expiring("tls_certificate_expiring", one) for one in known.certificates if one.end_date - now < SOON]
    found += [
        Wanted("tls_certificate_chains", instance=_instance(one), details=f"Its issuer: {one.raw_issuer}")
        for one in known.certificates
        if not chain(one, uploaded).complete
    ]
    found += [_expiring("trustedca_expiring", one) for one in known.authorities if one.end_date - now < SOON]
    return found


def _missing(machine: Machine) -> Wanted:
    if isinstance(machine, ManagementVM):
        return Wanted("tls_certificate_missing_management", node=machine.address, instance=machine.name)
    return Wanted("tls_certificate_missing", node=machine.address, instance=machine.name)


def _expiring(name: str, row: TlsCertificate | CaCertificate) -> Wanted:
    return Wanted(
        name,
        instance=_instance(row),
        details=f"{row.subject_name}, issued by {row.issuer_name}: valid until {row.end_date:%Y-%m-%d %H:%M} UTC",
    )


def _instance(row: TlsCertificate | CaCertificate) -> str:
    """The serial number tells a certificate from its successor, which may be there already."""
    return f"{row.subject_name[:120]} {row.serial_no}"


def look() -> list[Wanted]:
    """The check that is run from time to time."""
    return certificate_alarms(known(), datetime.datetime.now(datetime.UTC))


def chain(row: TlsCertificate, uploaded: Authorities | None = None) -> Chain:
    """The chain of trust of a TLS certificate."""
    leaf = row.shown
    return chain_of(leaf, pem.read(row.certificate), authorities() if uploaded is None else uploaded)


def authority_chain(row: CaCertificate, uploaded: Authorities | None = None) -> Chain:
    """The chain of trust of a CA certificate."""
    return chain_of(row.leaf, pem.Bundle(), authorities() if uploaded is None else uploaded)


# ---- in lists


def state(row: TlsCertificate | CaCertificate, chain: Chain, now: datetime.datetime) -> str:
    """One word or two about a certificate; `Temporary` is one that signed itself (SYS-219)."""
    if row.end_date <= now:
        return "Expired"
    if row.start_date > now:
        return "Not valid yet"
    if not chain.complete:
        return "Incomplete chain"
    if row.end_date - now < SOON:
        return "Expires soon"
    if isinstance(row, TlsCertificate) and facts.is_self_signed(chain.certificates[0]):
        return "Temporary"
    return "Valid"


def warnings(row: TlsCertificate, machines: Iterable[Machine]) -> list[str]:
    """What an administrator should know about a certificate and those it is assigned to (SYS-213, SYS-218)."""
    leaf = row.shown
    found: list[str] = []
    for machine in machines:
        name = assignment.fqdn(machine)
        if not names.covers(leaf, name):
            found.append(f"The certificate is not valid for {name}, the name of {machine}.")
        if not isinstance(machine, ManagementVM) and names.has_wildcard(leaf):
            found.append(f"Systems that call {machine} over SIP do not accept certificates with a wildcard.")
    if not row.server_auth_usage:
        found.append("The certificate is not meant for TLS server authentication; most clients will refuse it.")
    if not chain(row).complete:
        found.append("The chain of trust is not complete: upload the intermediate certificates of its authority.")
    if chains.expires_soon(leaf, datetime.datetime.now(datetime.UTC)):
        found.append(f"The certificate is valid until {row.end_date:%Y-%m-%d} only.")
    return found
