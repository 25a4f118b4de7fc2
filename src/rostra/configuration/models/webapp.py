"""The web app: where people find it, and how it looks there."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.signals import post_save

from rostra.configuration import validators, vocabulary
from rostra.configuration.fields import choice, flag, reference, text, upload
from rostra.configuration.models.settings import GlobalSettings
from rostra.configuration.models.themes import Packaged, identity, uploaded
from rostra.configuration.translating import gettext


class SoftwareBundleRevision(models.Model):
    """A build of the web app that this system has; written by the server."""

    bundle_type = text("Bundle type", 50, "What it is a build of.", editable=False)
    core = flag("Core", "Came with the platform.", default=True, editable=False)
    revision = text("Revision", 100, "Which build.", editable=False)
    version = text("Version", 100, "Version of the build.", editable=False)

    class Meta:
        verbose_name = "Installable software bundle"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.bundle_type} {self.version}"


class SoftwareBundle(models.Model):
    """Which build of the web app is used where none is named."""

    bundle_type = text("Bundle type", 50, "What it is.", editable=False, unique=True)
    selected_revision = reference(
        "Selected revision", "configuration.SoftwareBundleRevision", "The build in use.", related_name="+"
    )

    class Meta:
        verbose_name = "Software bundle revision"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.bundle_type


class WebappBranding(Packaged):
    """Texts, colours and images for the web app (CONF-038…CONF-044)."""

    _package = "branding_file"

    name = text("Name", 250, "A name no other branding has.", default=None, unique=True)
    description = text("Description", 250, "A note for administrators.")
    uuid = identity("Identity", "What the branding is known by. Cannot be changed later.", editable=True)
    webapp_type = choice("Web app", vocabulary.WEB_APPS, "The web app it is made for.", default=None)
    branding_file = upload(
        "Branding package",
        "A ZIP file. It replaces all files of the branding.",
        check="rostra.management.packages.check_branding",
        optional=False,
    )
    is_default = flag("Shipped", "Came with the platform.", default=False, editable=False)
    last_updated = uploaded()

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride] - that of an abstract model is no base
        verbose_name = "Web app branding package"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


class WebappAlias(models.Model):
    """A path that leads to the web app."""

    slug = text("Path", 50, "Part of the address.", default=None, unique=True, validators=[validators.slug])
    description = text("Description", 250, "A note for administrators.")
    webapp_type = choice("Web app", vocabulary.WEB_APPS, "The web app found there.", default=None)
    is_default = flag("Default", "Where /webapp leads; takes this from any other path.", default=False)
    is_enabled = flag("Enabled", "The path can be used.", default=False)
    bundle = reference(
        "Build", "configuration.SoftwareBundleRevision", "Empty: the one in use.", related_name="webapp_aliases"
    )
    branding = reference(
        "Branding", "configuration.WebappBranding", "Empty: as it was shipped.", related_name="webapp_aliases"
    )

    class Meta:
        verbose_name = "Web app path"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        if not self.is_default and type(self).objects.filter(pk=self.pk, is_default=True).exists():
            raise ValidationError({"is_default": gettext("Make another path the default one instead.")})

    def save(self, *arguments: Any, **more: Any) -> None:
        super().save(*arguments, **more)
        if self.is_default:
            WebappAlias.objects.filter(is_default=True).exclude(pk=self.pk).update(is_default=False)
            GlobalSettings.objects.exclude(default_webapp_alias=self.pk).update(default_webapp_alias=self.pk)


def _follow_settings(instance: GlobalSettings, **_: Any) -> None:
    """The global settings name the default path as well; both say the same."""
    chosen = instance.default_webapp_alias and instance.default_webapp_alias.pk
    WebappAlias.objects.filter(is_default=True).exclude(pk=chosen).update(is_default=False)
    WebappAlias.objects.filter(is_default=False, pk=chosen).update(is_default=True)


post_save.connect(_follow_settings, sender=GlobalSettings, dispatch_uid="default web app path")


class ExternalWebappHost(models.Model):
    """A web server elsewhere whose web app may use this platform."""

    address = text(
        "Address", 255, "IP address or DNS name.", default=None, unique=True, validators=[validators.host_or_address]
    )

    class Meta:
        verbose_name = "External web app host"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.address
