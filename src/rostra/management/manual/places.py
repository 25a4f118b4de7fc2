"""Which section of the manual tells of which page of the site (pure)."""

from __future__ import annotations

START = "admin/site.md"
_SETTINGS = "admin/settings.md"
_PLACES = {
    "first-steps": "admin/getting-started.md#set-it-up",
    "status": "admin/status.md#in-the-site",
    "status/alarm": "admin/alarms.md",
    "status/registration_alias": "admin/registrations.md#seeing-what-is-there",
    "status/backplane": "admin/distribution.md#what-crosses-between-nodes",
    "status/worker_vm": "admin/status.md#taking-a-node-out-of-service",
    "status/conference_sync": "admin/provisioning.md#what-a-run-does",
    "status/conference": "admin/status.md#controlling-conferences",
    "status/participant": "admin/status.md#controlling-conferences",
    "history": "admin/status.md#in-the-site",
    "history/alarm": "admin/alarms.md#all-alarms",
    "history/registration_alias": "admin/registrations.md#seeing-what-is-there",
    "history/login_history": "admin/accounts.md#sessions-banners-guessing",
    "log/administrator": "admin/administrator-log.md",
    "services": "admin/calling-out.md",
    "configuration/conference": f"{_SETTINGS}#services",
    "configuration/conferencealias": f"{_SETTINGS}#services",
    "management/virtualauditorium": f"{_SETTINGS}#services",
    "management/virtualreception": "admin/admission.md#virtual-receptions",
    "management/testcallservice": "admin/admission.md#test-calls",
    "configuration/automaticparticipant": "admin/calling-out.md#who-is-called-when-a-conference-starts",
    "configuration/gatewayroutingrule": "admin/dial-plan.md#a-rule-takes-a-call-if",
    "call-control/test": "admin/dial-plan.md#in-which-order",
    "configuration/h323gatekeeper": "admin/sip.md#proxies",
    "configuration/sipproxy": "admin/sip.md#proxies",
    "configuration/mssipproxy": "admin/sip.md#proxies",
    "configuration/sipcredential": "admin/sip.md#proxies",
    "configuration/turnserver": "admin/sip.md#ways-of-media",
    "configuration/stunserver": "admin/sip.md#ways-of-media",
    "configuration/policyserver": "admin/policy.md",
    "policy": "admin/policy.md#scripts",
    "configuration/breakinallowlistaddress": "admin/abuse.md#who-is-never-shut-out",
    "accounts": "admin/accounts.md",
    "accounts/account": "admin/accounts.md#accounts",
    "accounts/authenticationsettings": "admin/accounts.md#signing-in-with-ldap-or-active-directory",
    "accounts/role": "admin/accounts.md#roles-and-permissions",
    "accounts/rolemapping": "admin/accounts.md#signing-in-with-ldap-or-active-directory",
    "accounts/oauth2client": "admin/accounts.md#api-clients-with-oauth2",
    "configuration/identityprovider": "admin/single-sign-on.md",
    "configuration/identityproviderattribute": "admin/single-sign-on.md",
    "configuration/identityprovidergroup": "admin/single-sign-on.md",
    "configuration/device": "admin/registrations.md#letting-a-device-in",
    "configuration/registration": "admin/registrations.md#how-long-a-registration-lasts-system--registration",
    "configuration/enduser": f"{_SETTINGS}#people",
    "configuration/usergroup": f"{_SETTINGS}#people",
    "configuration/usergroupentitymapping": f"{_SETTINGS}#people",
    "licences": "admin/licences.md",
    "configuration/systemlocation": f"{_SETTINGS}#locations",
    "configuration/managementvm": f"{_SETTINGS}#the-management-node",
    "configuration/workervm": "admin/nodes.md#adding-a-node",
    "nodes": "admin/nodes.md#adding-a-node",
    "configuration/globalsettings": f"{_SETTINGS}#global-settings",
    "configuration/eventsink": f"{_SETTINGS}#servers",
    "configuration/dnsserver": f"{_SETTINGS}#servers",
    "configuration/ntpserver": f"{_SETTINGS}#clocks",
    "configuration/syslogserver": f"{_SETTINGS}#servers",
    "configuration/snmpnetworkmanagementsystem": f"{_SETTINGS}#servers",
    "configuration/smtpserver": "admin/provisioning.md#mail",
    "configuration/staticroute": f"{_SETTINGS}#servers",
    "configuration/httpproxy": f"{_SETTINGS}#servers",
    "configuration/hostsystem": f"{_SETTINGS}#kept-for-later",
    "configuration/scheduledscaling": f"{_SETTINGS}#kept-for-later",
    "configuration/diagnosticgraph": f"{_SETTINGS}#kept-for-later",
    "configuration/sshauthorizedkey": f"{_SETTINGS}#servers",
    "configuration/tlscertificate": "admin/certificates.md#tls-certificates",
    "configuration/cacertificate": "admin/certificates.md#trusted-ca-certificates",
    "configuration/certificatesigningrequest": "admin/certificates.md#certificate-signing-requests",
    "configuration/ivrtheme": "admin/themes.md",
    "themes": "admin/themes.md#make-a-theme",
    "configuration/webappbranding": "admin/branding.md",
    "configuration/webappalias": "admin/branding.md",
    "configuration/softwarebundlerevision": "admin/branding.md",
    "configuration/softwarebundle": "admin/branding.md",
    "configuration/externalwebapphost": "admin/branding.md",
    "configuration/loglevel": "admin/operations.md#logs",
    "configuration/autobackup": "admin/backup.md#automatically",
    "configuration/ldapsyncsource": "admin/provisioning.md#sources",
    "configuration/ldapsyncfield": "admin/provisioning.md#sources",
    "configuration/conferencesynctemplate": "admin/provisioning.md#patterns",
    "utilities/sync": "admin/provisioning.md#what-a-run-does",
    "utilities/backup": "admin/backup.md",
    "utilities/upgrade": "admin/upgrade.md#upgrade-1",
    "utilities/snapshot": "admin/site.md#diagnostic-snapshots",
    "platform/schema": "admin/site.md#api-reference",
    "csv": "admin/site.md#csv-files",
}
"""By the beginning of a page's path below /admin/; the longest counts."""


def section(path: str) -> str:
    """Page of the manual, and where on it, that tells of the site's page at `path`."""
    parts = path.strip("/").split("/")[1:]
    for length in range(len(parts), 0, -1):
        found = _PLACES.get("/".join(parts[:length]))
        if found is not None:
            return found
    return START


def sections() -> list[str]:
    """Everything that pages of the site lead to."""
    return [START, *_PLACES.values()]
