"""What is special about adding a Conferencing Node in the admin site: after Save comes its configuration file."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from rostra.management import clocks
from rostra.management.enrolment_views import begin_deployment


class Deployment:
    """Mixed into the admin class of Conferencing Nodes (NODE-057, CLOUD-043)."""

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The form of a new node, which tells of clocks that are missing."""
        if request.method == "GET":
            clocks.warn_deploying(request)
        pages: Any = super()
        return pages.add_view(request, form_url, extra_context)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """To the page with the download, whichever button was pressed."""
        return begin_deployment(request, obj)
