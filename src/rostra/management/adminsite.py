"""The admin site with the pages that no model of Django's stands behind: status, history, Live View."""

from __future__ import annotations

from typing import Any

from django.urls import path
from unfold.sites import UnfoldAdminSite


class Site(UnfoldAdminSite):
    """Its own pages come first: the site ends with a pattern that takes everything."""

    def get_urls(self) -> list[Any]:
        from rostra.management import status_pages as pages  # reads models, which are loaded after the site

        def page(route: str, view: Any, name: str) -> Any:
            return path(route, self.admin_view(view), name=name)

        own = [page("status/live/", pages.live, "live"), page("status/live/data.json", pages.live_data, "live_data")]
        for api in ("status", "history"):
            own += [
                path(f"{api}/<slug:name>/", self.admin_view(pages.table_page), {"api": api}, name=f"{api}_table"),
                path(f"{api}/<slug:name>/<str:key>/", self.admin_view(pages.row_page), {"api": api}, name=f"{api}_row"),
            ]
        return [*own, *super().get_urls()]
