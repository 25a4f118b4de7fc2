"""Pages say when there are too few clocks to go by (SYS-010, SYS-012)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext

from rostra.configuration.models import ManagementVM, NtpServer

ENOUGH = 3
"""Servers of which a wrong one is told from the others."""


def warn_deploying(request: HttpRequest) -> None:
    """Before a node is added: what the Management Node's own clock goes by."""
    count = NtpServer.objects.filter(pk__in=ManagementVM.objects.values("ntp_servers")).count()
    if count == 0:
        messages.error(
            request,
            gettext(
                "The Management Node has no NTP server. Choose some on its page before you deploy nodes: nodes whose"
                " clocks differ from its own are not trusted."
            ),
        )
    elif count < ENOUGH:
        said = ngettext(
            "The Management Node has %(count)d NTP server only. Three or more let a wrong one be noticed.",
            "The Management Node has %(count)d NTP servers only. Three or more let a wrong one be noticed.",
            count,
        )
        messages.warning(request, said % {"count": count})


class ClockPages:
    """Mixed into the pages of NTP servers."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if request.method == "GET" and NtpServer.objects.count() < ENOUGH:
            messages.info(
                request,
                gettext("Have three different NTP servers or pools at least, so that a wrong one is noticed."),
            )
        pages: Any = super()
        return pages.changelist_view(request, extra_context)
