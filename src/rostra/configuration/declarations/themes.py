"""Themes: what participants see and hear, and how the web app looks."""

from __future__ import annotations

from rostra.configuration.models import (
    ExternalWebappHost,
    IvrTheme,
    SoftwareBundle,
    SoftwareBundleRevision,
    WebappAlias,
    WebappBranding,
)
from rostra.configuration.resources import Resource, register

register.add(
    Resource(
        model=IvrTheme,
        name="ivr_theme",
        section="Themes",
        icon="palette",
        summary="What participants see and hear from the platform itself.",
        reverse=("conference", "gateway_routing_rule"),
        columns=("name", "last_updated"),
        search=("name",),
        csv=("name",),
    )
)
register.add(
    Resource(
        model=WebappBranding,
        name="webapp_branding",
        section="Themes",
        icon="brush",
        summary="Texts, colours and images for the web app.",
        key="uuid",
        fixed=("uuid",),
        columns=("name", "webapp_type", "description", "last_updated"),
        search=("name", "description"),
        csv=("name", "description", "webapp_type"),
    )
)
register.add(
    Resource(
        model=SoftwareBundleRevision,
        name="software_bundle_revision",
        section="Themes",
        icon="deployed_code",
        summary="Builds of the web app that this system has.",
        list_methods=("get",),
        detail_methods=("get",),
        columns=("bundle_type", "version", "revision", "core"),
        search=("bundle_type", "version"),
        csv_key="revision",
    )
)
register.add(
    Resource(
        model=SoftwareBundle,
        name="software_bundle",
        section="Themes",
        icon="inventory_2",
        summary="Which build of the web app is used where none is named.",
        list_methods=("get",),
        detail_methods=("get", "patch"),
        columns=("bundle_type", "selected_revision"),
        csv_key="bundle_type",
    )
)
register.add(
    Resource(
        model=WebappAlias,
        name="webapp_alias",
        section="Themes",
        icon="link",
        summary="Paths that lead to the web app.",
        embedded=("bundle", "branding"),
        columns=("slug", "webapp_type", "is_enabled", "is_default", "branding", "description"),
        search=("slug", "description"),
        csv_key="slug",
    )
)
register.add(
    Resource(
        model=ExternalWebappHost,
        name="external_webapp_host",
        section="Themes",
        icon="public",
        summary="Web servers elsewhere whose web app may use this platform.",
        columns=("address",),
        search=("address",),
        csv_key="address",
    )
)
