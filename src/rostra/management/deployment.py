"""What is special about adding a Conferencing Node in the admin site: after Save comes its configuration file."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from rostra.management.enrolment_views import begin_deployment


class Deployment:
    """Mixed into the admin class of Conferencing Nodes (NODE-057, CLOUD-043)."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """To the page with the download, whichever button was pressed."""
        return begin_deployment(request, obj)
