"""The way in for names and passwords: slowed down for who guesses, every attempt noted (DIAG-121, DIAG-146)."""

from __future__ import annotations

import hashlib
import hmac
import math
import threading
import time

import structlog
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext

from rostra.management.accounts import backend
from rostra.management.accounts.models import Account, LoginAttempt
from rostra.management.audit import noting
from rostra.management.guessing import Watch

logger = structlog.get_logger("rostra.management.accounts")

WEB, API = "web", "api"
BACKEND = "rostra.management.accounts.backend.Accounts"
KEPT = 100
"""Attempts that the login history shows."""
_REMEMBERED_SECONDS = 60.0

watch = Watch()


class HeldBack(Exception):
    """Too many wrong attempts; `seconds` until the next one is heard."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, math.ceil(seconds))
        super().__init__(gettext("Too many wrong attempts. Try again in %(seconds)d s.") % {"seconds": self.seconds})


class _Remembered:
    """Credentials found right in the last minute, by where they came from. Checking a password is slow by design,
    and asking a directory is slower; the account itself is read anew each time, so a changed password or a closed
    account counts at once.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, str, float]] = {}
        self._lock = threading.Lock()

    def account(self, digest: bytes, now: float) -> Account | None:
        with self._lock:
            known = self._known.get(digest)
        if known is None or now >= known[2]:
            return None
        account = Account.objects.filter(pk=known[0], password=known[1]).first()
        return account if account is not None and account.may_sign_in else None

    def remember(self, digest: bytes, account: Account, now: float) -> None:
        with self._lock:
            self._known = {key: entry for key, entry in self._known.items() if entry[2] > now}
            self._known[digest] = (account.pk, account.password, now + _REMEMBERED_SECONDS)


_remembered = _Remembered()


def enter_api(request: HttpRequest, name: str, password: str) -> backend.Verdict:
    """Who sends these credentials with a request to the API. Raises HeldBack."""
    now, address = time.monotonic(), _address(request)
    text = f"{address}\0{name}\0{password}"
    digest = hmac.digest(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256)
    account = _remembered.account(digest, now)
    _check(name, address, now, known=account is not None)
    if account is not None:
        return backend.Verdict(account)
    verdict = _verify(request, name, password, API)
    if verdict.account is not None:
        _remembered.remember(digest, verdict.account, now)
    return verdict


def enter_site(request: HttpRequest, name: str, password: str) -> backend.Verdict:
    """Who enters these credentials on the login page; only who may use the site. Raises HeldBack."""
    _check(name, _address(request), time.monotonic())
    return _verify(request, name, password, WEB)


def _verify(request: HttpRequest, name: str, password: str, interface: str) -> backend.Verdict:
    verdict = backend.verify(name, password)
    address, now = _address(request), time.monotonic()
    if verdict.account is None:
        if not verdict.unavailable:
            watch.failed(name, address, now)
        note(request, name, interface, success=False)
        return verdict
    watch.succeeded(name, address, now)
    verdict.account.backend = BACKEND  # type: ignore[attr-defined] - where Django looks for it
    if interface == WEB:
        note(request, name, interface, success=verdict.account.is_staff)
    return verdict


def _check(name: str, address: str, now: float, *, known: bool = False) -> None:
    seconds = watch.wait(name, address, now, known=known)
    if seconds > 0:
        watch.turned_away(name, address, now)
        logger.warning("Login held back", username=name[:250], address=address, seconds=math.ceil(seconds))
        raise HeldBack(seconds)


def note(request: HttpRequest, name: str, interface: str, *, success: bool) -> None:
    """Keep an attempt in the login history and the log."""
    address, port = _address(request), _port(request)
    message, level = ("User logged in", "INFO") if success else ("User login failed", "WARNING")
    noting.note_person(message, name[:250], {"Interface": interface}, level=level)
    LoginAttempt.objects.create(
        username=name[:250].replace("\0", ""),
        success=success,
        interface=interface,
        remote_address=address[:45],
        remote_port=port,
    )
    newest = list(LoginAttempt.objects.order_by("-id").values_list("pk", flat=True)[KEPT : KEPT + 1])
    if newest:
        LoginAttempt.objects.filter(pk__lte=newest[0]).delete()


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR") or "")


def _port(request: HttpRequest) -> int:
    text = str(request.META.get("REMOTE_PORT") or "")
    return int(text) if text.isdecimal() else 0
