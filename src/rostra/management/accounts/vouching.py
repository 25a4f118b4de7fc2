"""Signing in with a browser's certificate instead of a password (SYS-068...SYS-071).

While it is required, the server asks every connection of the site for a certificate of an uploaded authority; one of
another makes no connection. Who the certificate names is looked up where accounts are. Programs go on with passwords
and tokens.
"""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME, login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext

from rostra.heads import PEER
from rostra.management.accounts import backend, banners, entrance
from rostra.management.accounts.models import AuthenticationSettings

NO, BY_NAME, BY_PRINCIPAL = "NO", "CN", "UPN"
_PRINCIPAL = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
"""userPrincipalName among the other names of subjectAltName; a UTF8String in DER."""
_UTF8_STRING = 0x0C


class NotVouched(Exception):
    """The connection says nothing of who it is that we could believe; the text is for the person."""


def how() -> str:
    """What is required: `NO`, or where in a certificate its holder's name is."""
    return AuthenticationSettings.objects.filter(pk=1).values_list("client_certificate", flat=True).first() or NO


def presented(request: HttpRequest) -> x509.Certificate | None:
    """The certificate of the connection; the handshake has proved and verified it."""
    state: Any = getattr(request, "scope", {}).get("state", {})
    given = state.get(PEER)
    return x509.load_der_x509_certificate(given) if given else None


def named(certificate: x509.Certificate, where: str) -> str:
    """Whom a certificate names. Raises NotVouched when it is nobody, or several."""
    names = _principals(certificate) if where == BY_PRINCIPAL else _common_names(certificate)
    if len(names) != 1 or not names[0]:
        raise NotVouched(gettext("Your certificate does not name exactly one person."))
    return names[0]


def _common_names(certificate: x509.Certificate) -> list[str]:
    return [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]


def _principals(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [_text(one.value) for one in found.get_values_for_type(x509.OtherName) if one.type_id == _PRINCIPAL]


def _text(value: bytes) -> str:
    """A short UTF8String; empty for anything else."""
    if len(value) < 2 or value[0] != _UTF8_STRING or value[1] > 0x7F or value[1] != len(value) - 2:
        return ""
    try:
        return value[2:].decode()
    except UnicodeDecodeError:
        return ""


def enter(request: HttpRequest, where: str) -> Any:
    """The account of who is at the other end. Raises NotVouched."""
    certificate = presented(request)
    if certificate is None:
        raise NotVouched(gettext("Your browser has shown no certificate."))
    name = named(certificate, where)
    verdict = backend.vouched(name)
    allowed = verdict.account is not None and verdict.account.is_staff
    entrance.note(request, name, entrance.WEB, success=allowed)
    if verdict.unavailable:
        raise NotVouched(gettext("The directory cannot be asked now; try again later."))
    if not allowed:
        raise NotVouched(gettext("Nobody may sign in here as “%(name)s”.") % {"name": name})
    return verdict.account


def page(request: HttpRequest, where: str) -> HttpResponse:
    """In place of the login page (SYS-069): lets in, or says why not."""
    try:
        account = enter(request, where)
    except NotVouched as problem:
        context = {**admin.site.each_context(request), "title": gettext("Access denied"), "reason": str(problem)}
        return render(request, "admin/vouching.html", context, status=403)
    login(request, account, backend=entrance.BACKEND)
    return redirect(_next(request))


def _next(request: HttpRequest) -> str:
    """Where to: with a banner to read first, to the login history (DIAG-122)."""
    if banners.context()["rostra_logon_banner"]:
        return reverse("admin:history_table", kwargs={"name": "login_history"})
    wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
    here = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if here and not wanted.startswith(reverse("admin:login")) else reverse("admin:index")
