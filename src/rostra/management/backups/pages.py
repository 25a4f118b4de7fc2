"""Utilities > Backup/Restore (NODE-137 to NODE-154)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminPasswordWidget

from rostra.management import menu
from rostra.management.backups import commands, jobs, keeping, pending, restoring, views
from rostra.management.backups.archive import Archive, DecryptionFailed, NotABackup
from rostra.management.backups.models import SystemBackup
from rostra.management.commands import Failed

FAILED = gettext_lazy("Failed to restore the system from the backup file")
_TITLE = gettext_lazy("Backup/Restore")
menu.entry("Utilities", _("Backup/Restore"), "settings_backup_restore", "backups", place=60)


def _passphrase(label: Any) -> forms.CharField:
    widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
    return forms.CharField(label=label, max_length=commands.LONGEST, strip=False, widget=widget)


class CreateForm(forms.Form):
    """What a backup by hand takes."""

    passphrase = _passphrase(gettext_lazy("Passphrase"))
    again = _passphrase(gettext_lazy("Re-enter passphrase"))

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        if "passphrase" in found and "again" in found:
            if found["passphrase"] != found["again"]:
                raise ValidationError({"again": gettext("The two passphrases are not the same.")})
            commands.check_passphrase(found["passphrase"])
        return found


class RestoreForm(forms.Form):
    """What a restore begins with."""

    passphrase = _passphrase(gettext_lazy("Passphrase"))
    package = forms.FileField(label=gettext_lazy("Backup file"), widget=UnfoldAdminFileFieldWidget)


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": _TITLE,
        "create": CreateForm(),
        "restore": RestoreForm(),
        "backups": SystemBackup.objects.all(),
        "kept": keeping.KEPT,
        "may": _may(request),
        **more,
    }
    return render(request, "admin/utilities/backup.html", context, status=status)


@require_http_methods(["GET", "POST"])
def overview(request: HttpRequest) -> HttpResponse:
    """The page itself; POST makes a backup."""
    if request.method != "POST":
        return _page(request)
    if not _may(request):
        raise PermissionDenied
    form = CreateForm(request.POST)
    if not form.is_valid():
        return _page(request, 400, create=form)
    try:
        with jobs.alone():
            filename = commands.make(form.cleaned_data["passphrase"])
    except (jobs.Busy, keeping.NoRoom, OSError) as problem:
        messages.error(request, gettext("The backup could not be made. %(problem)s") % {"problem": problem})
    else:
        messages.success(
            request, gettext("Successfully created the backup file: %(filename)s") % {"filename": filename}
        )
    return redirect(reverse("admin:backups"))


@require_GET
def download(request: HttpRequest, filename: str) -> HttpResponseBase:
    """One of the files."""
    file = keeping.path(filename)
    if file is None:
        raise Http404("There is no such backup.")
    return views.download(request, file)


@require_POST
def delete(request: HttpRequest, filename: str) -> HttpResponse:
    """Delete one of the files."""
    row = SystemBackup.objects.filter(filename=filename).first()
    if row is None:
        raise Http404("There is no such backup.")
    row.delete()
    messages.success(request, gettext("Deleted the backup file: %(filename)s") % {"filename": filename})
    return redirect(reverse("admin:backups"))


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Open an uploaded backup; what it is, is shown before anything happens."""
    form = RestoreForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, 400, restore=form)
    file = commands.take_in(form.cleaned_data["package"])
    try:
        archive = Archive(file, form.cleaned_data["passphrase"])
        restoring.check(archive.manifest)
    except (DecryptionFailed, NotABackup) as problem:
        file.unlink(missing_ok=True)
        reason = commands.DECRYPTION_FAILED if isinstance(problem, DecryptionFailed) else str(problem)
        return _page(request, 400, failure=FAILED, reason=reason)
    token = pending.keep(file, form.cleaned_data["passphrase"], archive.manifest, _account(request))
    return redirect(reverse("admin:backup_confirm", args=(token,)))


@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """What would be restored; POST does it."""
    waiting = pending.find(token, _account(request))
    if waiting is None:
        messages.error(request, gettext("That backup is not here any more; upload it again."))
        return redirect(reverse("admin:backups"))
    context = {**admin.site.each_context(request), "title": gettext("Restore backup"), "manifest": waiting.manifest}
    if request.method != "POST":
        return render(request, "admin/utilities/restore_confirm.html", context)
    if "cancel" in request.POST:
        pending.forget(token)
        return redirect(reverse("admin:backups"))
    try:
        commands.bring_back(waiting.file, waiting.passphrase)
    except Failed as problem:
        return _page(request, 400, failure=FAILED, reason=str(problem))
    finally:
        pending.forget(token)
    request.session.flush()  # it ended with the restore
    return render(request, "admin/utilities/restored.html", {**context, "title": "Restored"})


def _may(request: HttpRequest) -> bool:
    return request.user.has_perm(commands.PERMISSION)  # type: ignore[union-attr] - the site lets nobody else in


def _account(request: HttpRequest) -> str:
    return request.user.get_username()  # type: ignore[union-attr] - the site lets nobody else in
