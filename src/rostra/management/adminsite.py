"""The admin site with the pages that no model of Django's stands behind: status, history, Live View."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from unfold.dataclasses import SearchResult
from unfold.sites import UnfoldAdminSite

from rostra.management import menu


class Site(UnfoldAdminSite):
    """Its own pages come first: the site ends with a pattern that takes everything."""

    def get_urls(self) -> list[Any]:
        from rostra.management import apidocs, csvpages
        from rostra.management import status_actions as actions
        from rostra.management import status_pages as pages  # reads models, which are loaded after the site
        from rostra.management.accounts import views as accounts
        from rostra.management.accounts.permissions import CONTROL
        from rostra.management.manual import views as manual
        from rostra.management.setup import pages as setup

        def page(route: str, view: Any, name: str, permission: str) -> Any:
            return path(route, self.admin_view(accounts.demanding(permission, view)), name=name)

        own = [
            page("status/live/", pages.live, "live", "view_status"),
            page("status/live/data.json", pages.live_data, "live_data", "view_status"),
            page(
                "accounts/authenticationsettings/test/",
                accounts.try_login,
                "try_login",
                "accounts.change_authenticationsettings",
            ),
        ]
        own += [
            *_more(page),
            path("first-steps/", self.admin_view(setup.step), name="first_steps"),
            path("first-steps/<slug:name>/", self.admin_view(setup.step), name="first_step"),
        ]
        own += [*_media(page), *_noticed(page)]
        own += _dialling(page)
        own.append(page("status/<slug:name>/<str:key>/<slug:action>/", actions.act, "status_action", CONTROL))
        own += [
            *manual.urls(self.admin_view),
            *apidocs.urls(self.admin_view),
            path("csv/import/<slug:app>/<slug:model>/", self.admin_view(csvpages.upload), name="csv_upload"),
            path("csv/job/<str:token>/", self.admin_view(csvpages.job), name="csv_job"),
            path("csv/job/<str:token>/progress.json", self.admin_view(csvpages.progress), name="csv_progress"),
        ]
        for api in ("status", "history"):
            own += [
                path(f"{api}/<slug:name>/", self.admin_view(pages.table_page), {"api": api}, name=f"{api}_table"),
                path(f"{api}/<slug:name>/<str:key>/", self.admin_view(pages.row_page), {"api": api}, name=f"{api}_row"),
            ]
        return [*own, *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The dashboard; on a new platform the first steps."""
        from rostra.management.setup import pages as setup

        if setup.offered(request):
            return redirect("admin:first_steps")
        return super().index(request, extra_context)

    def _search_apps(self, app_list: list[dict[str, Any]], search_term: str) -> list[SearchResult]:
        """What the sidebar's search finds: entries of the menu."""
        return [
            SearchResult(
                title=str(one.title), description=str(menu.SECTIONS[one.section]), link=one.link, icon=one.icon
            )
            for one in menu.search(search_term)
        ]

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The login page; 429 for who has to wait. No page where a certificate says who it is."""
        from rostra.management.accounts import vouching

        where = vouching.how()
        if where != vouching.NO:
            return vouching.page(request, where)
        response: Any = super().login(request, extra_context)
        held = getattr((getattr(response, "context_data", None) or {}).get("form"), "held", None)
        if held is not None:
            response.status_code = 429
            response["Retry-After"] = str(held.seconds)
        return response

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        from rostra.management.accounts import banners
        from rostra.management.alarms.pages import bell
        from rostra.management.manual.views import link

        more = {"alarm_bell": bell(request), "manual_link": link(request.path)}
        return {**super().each_context(request), **banners.context(), **more}


def _provisioning(page: Callable[[str, Any, str, str], Any]) -> list[Any]:
    """Synchronisation with directories."""
    from rostra.management.provisioning import pages as sync

    base = "utilities/sync/<int:key>"
    return [
        page(f"{base}/test/", sync.try_out, "ldap_sync_test", sync.PERMISSION),
        page(f"{base}/now/", sync.sync, "ldap_sync_now", sync.PERMISSION),
        page(f"{base}/delete-objects/", sync.delete_objects, "ldap_sync_delete", sync.PERMISSION),
        page("status/conference_sync/", sync.status, "ldap_sync_status", "view_status"),
        page("status/conference_sync/rows.html", sync.status_rows, "ldap_sync_rows", "view_status"),
    ]


def _more(page: Callable[[str, Any, str, str], Any]) -> list[Any]:
    return [*_utilities(page), *_provisioning(page), *_themes(page), *_policy(page), *_routing(page)]


def _routing(page: Callable[[str, Any, str, str], Any]) -> list[Any]:
    from rostra.management.routing import pages as routing

    return [page("call-control/test/", routing.test, "dial_plan_test", routing.VIEW)]


def _policy(page: Callable[[str, Any, str, str], Any]) -> list[Any]:
    from rostra.management.policy import pages as policy

    return [page("policy/<int:key>/test/<slug:kind>/", policy.test, "policy_script_test", policy.CHANGE)]


def _media(page: Callable[[str, Any, str, str], Any]) -> list[Any]:
    from rostra.management import media_pages as media

    return [
        page("status/media/", media.conferences, "media_graphs", "view_status"),
        page("status/media/<str:key>/", media.conference, "media_graph", "view_status"),
        page("status/media/<str:key>/parts/", media.parts, "media_parts", "view_status"),
    ]


def _dialling(page: Callable[[str, Any, str, str], Any]) -> list[Any]:
    from rostra.management import dialpages
    from rostra.management.accounts.permissions import CONTROL

    return [
        page("services/<int:key>/dial/", dialpages.dial_from_service, "dial_from_service", CONTROL),
        page("status/conference/<str:key>/dial/", dialpages.dial_from_conference, "dial_from_conference", CONTROL),
        page("status/participant/<str:key>/transfer/", dialpages.transfer, "transfer_participant", CONTROL),
    ]


def _themes(page: Callable[[str, Any, str, str], Any]) -> list[Any]:
    from rostra.management.themes import pages as themes

    return [
        page("themes/generate/", themes.generate, "generate_theme", themes.VIEW),
        page("themes/<int:key>/preview/", themes.preview, "preview_theme", themes.VIEW),
        page("themes/<int:key>/<str:name>", themes.file, "theme_file", themes.VIEW),
    ]


def _noticed(page: Callable[[str, Any, str, str], Any]) -> list[Any]:
    """Alarms and the administrator log."""
    from rostra.management.alarms import pages as alarms
    from rostra.management.audit import pages as audit

    return [
        page("status/alarm/", alarms.alarms, "alarms", alarms.VIEW),
        page("status/alarm/data.json", alarms.data, "alarms_data", alarms.VIEW),
        page("status/alarm/<int:key>/acknowledge/", alarms.acknowledge, "alarm_acknowledge", alarms.VIEW),
        page("log/administrator/", audit.entries, "administrator_log", audit.VIEW),
        page("log/administrator/<int:key>/", audit.entry, "administrator_log_entry", audit.VIEW),
        page("log/administrator.<slug:form>", audit.download, "administrator_log_download", audit.VIEW),
    ]


def _utilities(page: Callable[[str, Any, str, str], Any]) -> list[Any]:
    """Backups, snapshots and upgrades."""
    from rostra.management.backups import pages as backups
    from rostra.management.backups.commands import PERMISSION as BACKUPS
    from rostra.management.snapshots import views as snapshots
    from rostra.management.upgrades import pages as upgrades
    from rostra.management.upgrades.commands import PERMISSION as UPGRADES

    return [
        page("utilities/snapshot/", snapshots.page, "snapshot", "view_utilities"),
        page("utilities/upgrade/", upgrades.begin, "upgrade", "view_utilities"),
        page("utilities/upgrade/status/", upgrades.status, "upgrade_status", "view_utilities"),
        page("utilities/upgrade/<uuid:key>/", upgrades.confirm, "upgrade_confirm", UPGRADES),
        page("utilities/backup/", backups.overview, "backups", "backups.view_systembackup"),
        page("utilities/backup/restore/", backups.upload, "backup_upload", BACKUPS),
        page("utilities/backup/restore/<str:token>/", backups.confirm, "backup_confirm", BACKUPS),
        page("utilities/backup/<str:filename>/download/", backups.download, "backup_download", BACKUPS),
        page("utilities/backup/<str:filename>/delete/", backups.delete, "backup_delete", BACKUPS),
    ]
