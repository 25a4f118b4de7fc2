"""Every configurable resource, declared once."""

from rostra.configuration.journal import Change, Mark
from rostra.configuration.models.call_control import (
    BreakInAllowListAddress,
    H323Gatekeeper,
    MssipProxy,
    PolicyServer,
    Registration,
    SipCredential,
    SipProxy,
    StunServer,
    TurnServer,
)
from rostra.configuration.models.certificates import CaCertificate, CertificateSigningRequest, TlsCertificate
from rostra.configuration.models.events import EventSink, ScheduledScaling
from rostra.configuration.models.fabric import Enrolment, FabricMember
from rostra.configuration.models.files import StoredFile, StoredPart
from rostra.configuration.models.identity import (
    IdentityProvider,
    IdentityProviderAttribute,
    IdentityProviderGroup,
)
from rostra.configuration.models.location import SystemLocation
from rostra.configuration.models.management import AutoBackup, ManagementVM
from rostra.configuration.models.node import WorkerVM
from rostra.configuration.models.provisioning import ConferenceSyncTemplate, LdapSyncField, LdapSyncSource
from rostra.configuration.models.routing import GatewayRoutingRule
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
from rostra.configuration.models.themes import IvrTheme
from rostra.configuration.models.users import Device, EndUser, UserGroup, UserGroupEntityMapping
from rostra.configuration.models.webapp import (
    ExternalWebappHost,
    SoftwareBundle,
    SoftwareBundleRevision,
    WebappAlias,
    WebappBranding,
)

__all__ = [
    "AutoBackup",
    "AutomaticParticipant",
    "BreakInAllowListAddress",
    "CaCertificate",
    "CertificateSigningRequest",
    "Change",
    "Conference",
    "ConferenceAlias",
    "ConferenceSyncTemplate",
    "Device",
    "DiagnosticGraph",
    "DnsServer",
    "EndUser",
    "Enrolment",
    "EventSink",
    "ExternalWebappHost",
    "FabricMember",
    "GatewayRoutingRule",
    "GlobalSettings",
    "H323Gatekeeper",
    "HostSystem",
    "HttpProxy",
    "IdentityProvider",
    "IdentityProviderAttribute",
    "IdentityProviderGroup",
    "IvrTheme",
    "LdapSyncField",
    "LdapSyncSource",
    "LogLevel",
    "ManagementVM",
    "Mark",
    "MssipProxy",
    "NtpServer",
    "PolicyServer",
    "Registration",
    "ScheduledScaling",
    "SipCredential",
    "SipProxy",
    "SmtpServer",
    "SnmpNetworkManagementSystem",
    "SoftwareBundle",
    "SoftwareBundleRevision",
    "SshAuthorizedKey",
    "StaticRoute",
    "StoredFile",
    "StoredPart",
    "StunServer",
    "SyslogServer",
    "SystemLocation",
    "TlsCertificate",
    "TurnServer",
    "UserGroup",
    "UserGroupEntityMapping",
    "WebappAlias",
    "WebappBranding",
    "WorkerVM",
]
