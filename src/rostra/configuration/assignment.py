"""Which machines present a TLS certificate: by their DNS names, as the management API has it (sheet 10)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError

from rostra.configuration.models import ManagementVM, TlsCertificate, WorkerVM
from rostra.configuration.models.certificates import name_problem
from rostra.configuration.translating import gettext

Machine = ManagementVM | WorkerVM

_ADDRESS = re.compile(r"(?:https?://[^/]+)?/api/admin/configuration/v1/(worker_vm|management_vm)/([0-9]{1,18})/?")


def fqdn(machine: Machine) -> str:
    """Hostname and domain."""
    return f"{machine.hostname}.{machine.domain}" if machine.domain else machine.hostname


def machines() -> list[Machine]:
    """Everything that presents a certificate: the Management Node, then the Conferencing Nodes."""
    return [*ManagementVM.objects.all(), *WorkerVM.objects.all()]


def users(certificate: TlsCertificate) -> list[Machine]:
    """The machines that `certificate` is assigned to."""
    found: Any = certificate  # reverse relations are nobody's attributes for a type checker
    return [*found.management_vms.all(), *found.worker_vms.all()]


def node_names(certificate: TlsCertificate) -> list[str]:
    """The names of `users`, each once: a node may share the Management Node's machine, and then its name."""
    return list(dict.fromkeys(fqdn(machine) for machine in users(certificate)))


def assign_named(certificate: TlsCertificate, value: Any) -> None:
    """`assign` for the machines in a list of names or addresses from a client. Raises ValidationError."""
    if not isinstance(value, list):
        raise ValidationError({"nodes": gettext("Give a list.")})
    known = machines()
    chosen: list[Machine] = []
    for one in value:
        found = [machine for machine in known if isinstance(one, str) and _is_named(machine, one)]
        if not found:
            raise ValidationError({"nodes": gettext("There is no node %(one)s.") % {"one": str(one)[:100]}})
        chosen += found
    assign(certificate, chosen)


def assign(certificate: TlsCertificate, chosen: Iterable[Machine]) -> None:
    """Let exactly these machines present `certificate`. Raises ValidationError (`nodes`)."""
    wanted = {(type(machine), machine.pk): machine for machine in chosen}
    for machine in users(certificate):
        if wanted.pop((type(machine), machine.pk), None) is None:
            machine.tls_certificate = None
            machine.save(update_fields=["tls_certificate"])
    for machine in wanted.values():
        machine.tls_certificate = certificate
        problem = name_problem(machine)
        if problem:
            raise ValidationError({"nodes": f"{machine}: {problem['tls_certificate']}"})
        machine.save(update_fields=["tls_certificate"])


def _is_named(machine: Machine, name: str) -> bool:
    address = _ADDRESS.fullmatch(name)
    if address is not None:
        kind = "worker_vm" if isinstance(machine, WorkerVM) else "management_vm"
        return address[1] == kind and int(address[2]) == machine.pk
    return name.lower().rstrip(".") in {fqdn(machine).lower(), machine.alternative_fqdn.lower()} - {""}
