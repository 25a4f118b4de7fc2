"""Every configurable resource, declared once."""

from rostra.configuration.journal import Change, Mark
from rostra.configuration.models.fabric import Enrolment, FabricMember
from rostra.configuration.models.files import StoredFile, StoredPart
from rostra.configuration.models.location import SystemLocation
from rostra.configuration.models.management import AutoBackup, ManagementVM
from rostra.configuration.models.node import WorkerVM
from rostra.configuration.models.service import AutomaticParticipant, Conference, ConferenceAlias
from rostra.configuration.models.settings import GlobalSettings
from rostra.configuration.models.system import (
    DiagnosticGraph,
    DnsServer,
    HostSystem,
    HttpProxy,
    LogLevel,
    NtpServer,
    SmtpServer,
    SnmpNetworkManagementSystem,
    SshAuthorizedKey,
    StaticRoute,
    SyslogServer,
)

__all__ = [
    "AutoBackup",
    "AutomaticParticipant",
    "Change",
    "Conference",
    "ConferenceAlias",
    "DiagnosticGraph",
    "DnsServer",
    "Enrolment",
    "FabricMember",
    "GlobalSettings",
    "HostSystem",
    "HttpProxy",
    "LogLevel",
    "ManagementVM",
    "Mark",
    "NtpServer",
    "SmtpServer",
    "SnmpNetworkManagementSystem",
    "SshAuthorizedKey",
    "StaticRoute",
    "StoredFile",
    "StoredPart",
    "SyslogServer",
    "SystemLocation",
    "WorkerVM",
]
