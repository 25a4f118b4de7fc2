"""Global settings of the management site, of external systems and of cloud bursting."""

from __future__ import annotations

import uuid

from django.core.validators import EmailValidator, RegexValidator
from django.db import models

from rostra.configuration import vocabulary
from rostra.configuration.fields import choice, flag, secret, text, whole
from rostra.configuration.validators import url

_colour = RegexValidator(r"\A#[0-9A-Fa-f]{6}\Z", "Enter a colour as in #c0c0c0.")
_page = RegexValidator(r"\A/(?![/\\])[^\s\\]*\Z", "Enter the path of a page of this site, for example /admin/.")


def new_uuid() -> str:
    """Identity of a new deployment."""
    return str(uuid.uuid4())


class PlatformSettings(models.Model):
    """The management site, external systems and cloud bursting."""

    logon_banner = text(
        "Login banner text", 4096, "Plain text on the login page, for example who may use this system. Empty: none."
    )
    site_banner = text(
        "Management site banner", 255, "A line on top of every page, for example which system this is. Empty: none."
    )
    site_banner_bg = text(
        "Banner background", 7, "Colour behind the banner, as in #c0c0c0.", default="#c0c0c0", validators=[_colour]
    )
    site_banner_fg = text(
        "Banner text colour", 7, "Colour of the banner's text, as in #000000.", default="#000000", validators=[_colour]
    )
    management_start_page = text(
        "Start page",
        255,
        "Path of the page that comes after the login, for example /admin/status/live/.",
        default="/admin/",
        validators=[_page],
    )
    management_session_timeout = whole(
        "Session timeout",
        5,
        1440,
        "After how long without use administrators are logged out, in minutes (5 to 1440).",
        default=30,
    )
    session_timeout_enabled = flag(
        "Log out idle sessions", "Off: administrators stay logged in however long they do nothing.", default=True
    )
    logs_max_age = whole(
        "Days logs are kept", 0, 3650, "Days that logs and history are kept (up to 3650); 0: without limit.", default=0
    )
    liveview_show_conferences = flag(
        "Conferences in Live View",
        "Live View shows conferences beside nodes and locations. Kept for later: no node does it yet.",
        default=True,
    )
    error_reporting_enabled = flag(
        "Incident reporting",
        "Send reports of problems to the address below. Kept for later: no node does it yet.",
        default=False,
    )
    error_reporting_url = text(
        "Incident reporting URL",
        255,
        "Where reports of problems are sent, https://…. Empty: nowhere. Kept for later: no node does it yet.",
        validators=[url],
    )
    contact_email_address = text(
        "Contact e-mail address", 100, "Who can be asked about reports of problems. Empty: nobody.",
        validators=[EmailValidator("Enter an e-mail address.")],
    )  # fmt: skip
    enable_analytics = flag(
        "Usage statistics",
        "Send how the platform is used, without names. Kept for later: no node does it yet.",
        default=False,
    )
    legacy_api_username = text(
        "External system username",
        100,
        "With what systems that do not use the management API sign in. Empty: they cannot. "
        "Kept for later: no node does it yet.",
    )
    legacy_api_password = secret(
        "External system password", 100, "The password that goes with that name. Kept for later: no node does it yet."
    )
    legacy_api_http = flag("External systems over HTTP", "Without TLS.", default=False, editable=False)
    bursting_enabled = flag(
        "Enable bursting",
        "Start nodes at a cloud provider when capacity runs short. Kept for later: no node does it yet.",
        default=False,
    )
    bursting_threshold = whole(
        "Bursting threshold",
        1,
        1000000,
        "A node is started when a location has room for this many HD calls or fewer. Kept for "
        "later: no node does it yet.",
        default=5,
        optional=True,
    )
    bursting_min_lifetime = whole(
        "Bursting minimum lifetime",
        5,
        1000000,
        "How long a started node is kept at least, in minutes (from 5). Kept for later: no node does it yet.",
        default=50,
        optional=True,
    )
    cloud_provider = choice(
        "Cloud provider",
        vocabulary.CLOUDS,
        "Where nodes are started. Kept for later: no node does it yet.",
        default="AWS",
    )
    aws_access_key = text(
        "AWS access key ID",
        40,
        "Names the account at Amazon Web Services that may start nodes. Kept for later: no node does it yet.",
        default=None,
        null=True,
        blank=True,
    )
    aws_secret_key = secret(
        "AWS secret access key",
        255,
        "Secret that goes with the access key ID. Kept for later: no node does it yet.",
        default=None,
        null=True,
        blank=True,
    )
    azure_client_id = text(
        "Azure client ID",
        255,
        "Names the application at Microsoft Azure that may start nodes. Kept for later: no node does it yet.",
        default=None,
        null=True,
        blank=True,
    )
    azure_secret = secret(
        "Azure secret key",
        255,
        "Secret that goes with the client ID. Kept for later: no node does it yet.",
        default=None,
        null=True,
        blank=True,
    )
    azure_subscription_id = text(
        "Azure subscription ID",
        255,
        "Subscription that started nodes are charged to. Kept for later: no node does it yet.",
        default=None,
        null=True,
        blank=True,
    )
    azure_tenant = text(
        "Azure tenant ID",
        255,
        "Directory at Microsoft Azure that the application belongs to. Kept for later: no node does it yet.",
        default=None,
        null=True,
        blank=True,
    )
    gcp_client_email = text(
        "GCP service account",
        255,
        "Service account at Google Cloud that may start nodes, as an e-mail address. Kept for "
        "later: no node does it yet.",
        default=None,
        null=True,
        blank=True,
    )
    gcp_private_key = secret(
        "GCP private key",
        12288,
        "Private key of that account in PEM form. Kept for later: no node does it yet.",
        default="",
        null=True,
    )
    gcp_project_id = text(
        "GCP project ID",
        255,
        "Project that started nodes belong to. Kept for later: no node does it yet.",
        default=None,
        null=True,
        blank=True,
    )
    deployment_uuid = models.CharField(
        "Deployment", max_length=36, default=new_uuid, editable=False, help_text="Identity of this deployment."
    )

    class Meta:
        abstract = True


class RetiredSettings(models.Model):
    """Fields that clients still read although nothing uses them."""

    default_to_new_webapp = flag("New web app", "Not used.", default=True, editable=False)
    default_webapp = text("Web app", 100, "Not used.", editable=False)
    enable_multiscreen = flag("Multiscreen", "Not used.", default=False, editable=False)
    enable_push_notifications = flag("Push notifications", "Not used.", default=False, editable=False)
    es_maximum_deferred_posts = models.IntegerField(
        "Deferred posts", default=1000, help_text="Not used.", editable=False
    )
    live_captions_api_gateway = text("Live captions gateway", 255, "Not used.", editable=False)
    live_captions_app_id = text("Live captions application", 255, "Not used.", editable=False)
    live_captions_enabled = flag("Live captions", "Not used.", default=False, editable=False)
    live_captions_public_jwt_key = text("Live captions key", 4096, "Not used.", editable=False)
    pss_customer_id = text("Customer", 255, "Not used.", editable=False)
    pss_enabled = flag("Scheduling", "Not used.", default=False, editable=False)
    pss_gateway = text("Scheduling gateway", 255, "Not used.", editable=False)
    pss_token = secret("Scheduling token", 255, "Not used.", editable=False)

    class Meta:
        abstract = True
