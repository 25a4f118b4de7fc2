"""What services, call control and the web app have from the start; deleted, it stays so."""

from __future__ import annotations

import hashlib
from pathlib import Path

import rostra
from rostra import themefiles
from rostra.configuration.journal import Mark
from rostra.configuration.models import (
    IvrTheme,
    LdapSyncField,
    Registration,
    SoftwareBundle,
    SoftwareBundleRevision,
    StunServer,
    WebappAlias,
)

THEME = themefiles.SHIPPED[0].name
"""The default theme of a new installation: that of the built-in files."""
STUN = ("stun.l.google.com", 19302)
WEB_APP = "webapp3"
"""Generation of web apps that ours belongs to."""
_PATHS = ("webapp1", "webapp2", WEB_APP)
_ATTRIBUTES = {
    "company": "Company",
    "department": "Department",
    "displayName": "Name as it is shown",
    "employeeID": "Number of the employee; not in every directory",
    "givenName": "First name",
    "mail": "E-mail address",
    "mailNickname": "Another e-mail address; not in every directory",
    "mobile": "Mobile number",
    "objectGUID": "Identity of the record",
    "sAMAccountName": "Account, as in domain\\account",
    "sn": "Last name",
    "telephoneNumber": "Telephone number",
    "title": "Job title",
    "userPrincipalName": "Account, as in account@domain",
}
_BINARY = {"objectGUID"}


def seed() -> None:
    """Make what is missing: settings of the registrar and the web app's build at every start, the rest once."""
    Registration.objects.get_or_create(pk=1)
    _follow_build()
    _, first = Mark.objects.get_or_create(name="seeded:services", defaults={"value": "1"})
    if not first:
        return
    for theme in themefiles.SHIPPED:
        IvrTheme.objects.get_or_create(name=theme.name, defaults={"uuid": theme.uuid})
    address, port = STUN
    StunServer.objects.get_or_create(
        name=address, defaults={"address": address, "port": port, "description": "For web clients"}
    )
    for name, description in _ATTRIBUTES.items():
        LdapSyncField.objects.get_or_create(
            template_variable_name=name,
            defaults={"name": name, "description": description, "is_binary": name in _BINARY},
        )
    for slug in _PATHS:
        WebappAlias.objects.get_or_create(
            slug=slug, defaults={"webapp_type": slug, "is_enabled": True, "is_default": slug == WEB_APP}
        )


def _follow_build() -> None:
    """Describe the web app this version brings along, and use it unless an administrator chose another."""
    found = {"version": rostra.__version__, "revision": _revision(), "core": True}
    shipped, _ = SoftwareBundleRevision.objects.get_or_create(bundle_type=WEB_APP, core=True, defaults=found)
    if any(getattr(shipped, name) != value for name, value in found.items()):
        SoftwareBundleRevision.objects.filter(pk=shipped.pk).update(**found)
    SoftwareBundle.objects.get_or_create(bundle_type=WEB_APP, defaults={"selected_revision": shipped})


def _revision() -> str:
    """What tells builds of the web app apart: a digest of its page, which names its parts by theirs."""
    page = Path(rostra.__file__).resolve().parents[2] / "web" / "dist" / "index.html"
    return hashlib.sha256(page.read_bytes()).hexdigest()[:12] if page.is_file() else rostra.__version__
