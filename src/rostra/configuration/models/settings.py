"""Global settings: one row for the whole platform."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, RegexValidator
from django.db import models

from rostra.configuration import vocabulary
from rostra.configuration.fields import choice, flag, reference, secret, text, whole
from rostra.configuration.translating import gettext
from rostra.configuration.validators import domain, url

_DAY = 86400
_colour = RegexValidator(r"\A#[0-9A-Fa-f]{6}\Z", "Enter a colour as in #c0c0c0.")
_page = RegexValidator(r"\A/(?![/\\])[^\s\\]*\Z", "Enter the path of a page of this site, for example /admin/.")


def disabled_by_default() -> list[dict[str, str]]:
    """Codecs that are not offered unless an administrator says otherwise."""
    return [{"value": codec} for codec in ("MP4A-LATM_128", "H264_H_0", "H264_H_1")]


def check_codecs(value: Any) -> None:
    """Raises ValidationError for anything but a list of known codecs."""
    if not isinstance(value, list) or any(
        not isinstance(item, dict) or item.get("value") not in vocabulary.CODECS for item in value
    ):
        raise ValidationError(gettext('Give a list of {"value": codec}.'))


def new_uuid() -> str:
    """Identity of a new deployment."""
    return str(uuid.uuid4())


class ConferencingSettings(models.Model):
    """How conferences behave unless a service says otherwise."""

    guests_only_timeout = whole("Guests-only timeout", 0, _DAY, "Seconds Guests may stay alone.", default=60)
    eject_last_participant_backstop_timeout = whole(
        "Last participant backstop timeout", 0, _DAY, "Seconds with one participant; 0: no limit.", default=0
    )
    waiting_for_chair_timeout = whole("Host wait timeout", 0, _DAY, "Seconds a Guest waits for a Host.", default=900)
    pin_entry_timeout = whole("PIN entry timeout", 30, _DAY, "Seconds at the PIN screen.", default=120)
    default_theme = reference(
        "Default theme", "configuration.IvrTheme", "For services that choose none.", related_name="+"
    )
    max_callrate_in = whole("Maximum inbound call bandwidth", 128, 8192, "From each, in kbit/s.", optional=True)
    max_callrate_out = whole(
        "Maximum outbound call bandwidth", 128, 8192, "To each, in kbit/s.", default=4128, optional=True
    )
    enable_chat = flag("Enable chat", "Pass on chat messages.", default=True)
    crypto_mode = choice("Media encryption", vocabulary.CRYPTO_MODES, "For all calls.", default="besteffort")
    max_pixels_per_second = choice("Maximum call quality", vocabulary.CALL_QUALITIES, "For all calls.", default="hd")
    max_presentation_bandwidth_ratio = whole(
        "Maximum presentation bandwidth ratio", 25, 75, "Share of content in percent.", default=75
    )
    min_pin_length = whole("Minimum PIN length", 4, 20, "Shortest PIN accepted.", default=4)
    enable_breakout_rooms = flag("Enable breakout rooms", "Hosts may split conferences.", default=False)
    enable_clock = flag("Enable clock", "Show how long the conference has lasted.", default=False)
    enable_denoise = flag("Enable noise removal", "Services may remove noise.", default=True)
    enable_softmute = flag("Enable softmute", "Services may use softmute.", default=True)
    enable_mlvad = flag("Enable voice focus", "Detect speech with more care.", default=False)
    enable_fecc = flag("Enable far-end camera control", "Participants may turn each other's cameras.", default=True)
    disabled_codecs = models.JSONField(
        "Disabled codecs",
        default=disabled_by_default,
        blank=True,
        validators=[check_codecs],
        help_text="Codecs that are not offered.",
    )
    live_captions_vmr_default = flag("Live captions by default", "On unless a service says no.", default=False)
    teams_enable_powerpoint_render = flag("Render PowerPoint Live", "In Teams meetings.", default=False)
    external_participant_avatar_lookup = flag("Look up avatars", "Of participants from elsewhere.", default=True)

    class Meta:
        abstract = True


class ConnectivitySettings(models.Model):
    """Protocols, ports and defences."""

    enable_sip = flag("Enable SIP", "SIP over TCP and TLS.", default=True)
    enable_sip_udp = flag("Enable SIP UDP", "Incoming SIP over UDP.", default=False)
    enable_h323 = flag("Enable H.323", "H.323 calls.", default=True)
    enable_webrtc = flag("Enable WebRTC", "Calls from browsers and apps.", default=True)
    enable_rtmp = flag("Enable RTMP", "RTMP calls.", default=True)
    enable_dialout = flag("Enable outbound calls", "Gateway calls and dialling out.", default=True)
    enable_application_api = flag("Enable client API", "Apps may join and control conferences.", default=True)
    enable_directory = flag("Enable directory", "Registered clients may search.", default=True)
    enable_ssh = flag("Enable SSH", "Log in to nodes over SSH.", default=True)
    enable_lync_auto_escalate = flag("Give Skype audio calls video", "Without being asked.", default=False)
    enable_lync_vbss = flag("Skype screen sharing by video", "Instead of RDP.", default=False)
    enable_edge_non_mesh = flag("Restricted mesh for edge nodes", "Fewer tunnels between nodes.", default=True)
    enable_legacy_dialout_api = flag("Dial out without routing rules", "For older clients.", default=False)
    enable_turn_443 = flag("Media relay on TCP 443", "For clients behind strict firewalls.", default=False)
    local_mssip_domain = text("Skype for Business domain", 255, "SIP domain routed here.", validators=[domain])
    management_qos = whole("DSCP value for management", 0, 63, "Marks management packets.", default=0, optional=True)
    signalling_ports_start = whole("Signalling ports from", 10000, 49999, "First port.", default=33000)
    signalling_ports_end = whole("Signalling ports to", 10000, 49999, "Last port.", default=39999)
    media_ports_start = whole("Media ports from", 10000, 49999, "First port.", default=40000)
    media_ports_end = whole("Media ports to", 10000, 49999, "Last port.", default=49999)
    ocsp_state = choice("OCSP", vocabulary.OCSP_STATES, "Ask whether certificates were revoked.", default="OFF")
    ocsp_responder_url = text("OCSP responder URL", 255, "Whom to ask.", validators=[url])
    sip_tls_cert_verify_mode = choice(
        "Verify SIP TLS certificates", vocabulary.ON_OFF, "Refuse peers nobody vouches for.", default="OFF"
    )
    bdpm_pin_checks_enabled = flag("PIN brute force resistance", "Slow down guessing.", default=True)
    bdpm_max_pin_failures_per_window = whole("PIN failures allowed", 5, 200, "In 10 minutes.", default=20)
    bdpm_scan_quarantine_enabled = flag("VOIP scanner resistance", "Keep scanners out.", default=True)
    bdpm_max_scan_attempts_per_window = whole("Scan attempts allowed", 5, 200, "In 10 minutes.", default=20)
    content_security_policy_header = text(
        "Content Security Policy", 4096, "Sent by the nodes' web server.", default="default-src 'self'"
    )
    default_webapp_alias = reference(
        "Default web app path", "configuration.WebappAlias", "Web app of those who name no path.", related_name="+"
    )
    content_security_policy_state = flag("Send Content Security Policy", "To browsers.", default=True)
    es_connection_timeout = whole("Event sink timeout", 1, 600, "Seconds a request may take.", default=7)
    es_initial_retry_backoff = whole("Event sink first delay", 1, 3600, "Seconds.", default=1)
    es_maximum_retry_backoff = whole("Event sink last delay", 1, _DAY, "Seconds, then it stops.", default=1800)
    es_media_streams_wait = whole("Event sink media wait", 0, 60, "Seconds after a call.", default=1)
    es_metrics_update_interval = whole("Event sink metrics period", 0, 3600, "Seconds; 0: off.", default=60)
    es_short_term_memory_expiration = whole("Event sink memory", 0, 3600, "Seconds.", default=2)

    class Meta:
        abstract = True


class PlatformSettings(models.Model):
    """The management site, external systems and cloud bursting."""

    logon_banner = text("Login banner text", 4096, "Shown on the login page.")
    site_banner = text("Management site banner", 255, "Shown on top of every page.")
    site_banner_bg = text("Banner background", 7, "Colour.", default="#c0c0c0", validators=[_colour])
    site_banner_fg = text("Banner text colour", 7, "Colour.", default="#000000", validators=[_colour])
    management_start_page = text("Start page", 255, "First page after login.", default="/admin/", validators=[_page])
    management_session_timeout = whole("Session timeout", 5, 1440, "Minutes without use.", default=30)
    session_timeout_enabled = flag("Log out idle sessions", "After the session timeout.", default=True)
    logs_max_age = whole("Days logs are kept", 0, 3650, "0: no limit.", default=0)
    liveview_show_conferences = flag("Conferences in Live View", "Show them.", default=True)
    error_reporting_enabled = flag("Incident reporting", "Send reports of problems.", default=False)
    error_reporting_url = text("Incident reporting URL", 255, "Where reports go.", validators=[url])
    contact_email_address = text(
        "Contact e-mail address", 100, "Added to incident reports.",
        validators=[EmailValidator("Enter an e-mail address.")],
    )  # fmt: skip
    enable_analytics = flag("Usage statistics", "Send how the platform is used.", default=False)
    legacy_api_username = text("External system username", 100, "User for external systems.")
    legacy_api_password = secret("External system password", 100, "Its password.")
    legacy_api_http = flag("External systems over HTTP", "Without TLS.", default=False, editable=False)
    bursting_enabled = flag("Enable bursting", "Start nodes in the cloud when needed.", default=False)
    bursting_threshold = whole("Bursting threshold", 1, 1000000, "Free HD calls.", default=5, optional=True)
    bursting_min_lifetime = whole("Bursting minimum lifetime", 5, 1000000, "Minutes.", default=50, optional=True)
    cloud_provider = choice("Cloud provider", vocabulary.CLOUDS, "Where nodes are started.", default="AWS")
    aws_access_key = text("AWS access key ID", 40, "Key.", default=None, null=True, blank=True)
    aws_secret_key = secret("AWS secret access key", 255, "Secret.", default=None, null=True, blank=True)
    azure_client_id = text("Azure client ID", 255, "Application.", default=None, null=True, blank=True)
    azure_secret = secret("Azure secret key", 255, "Secret.", default=None, null=True, blank=True)
    azure_subscription_id = text("Azure subscription ID", 255, "Subscription.", default=None, null=True, blank=True)
    azure_tenant = text("Azure tenant ID", 255, "Tenant.", default=None, null=True, blank=True)
    gcp_client_email = text("GCP service account", 255, "Account.", default=None, null=True, blank=True)
    gcp_private_key = secret("GCP private key", 12288, "Key.", default="", null=True)
    gcp_project_id = text("GCP project ID", 255, "Project.", default=None, null=True, blank=True)
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


class GlobalSettings(ConferencingSettings, ConnectivitySettings, PlatformSettings, RetiredSettings):
    """What holds for the whole platform; always the row with id 1."""

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride] - those of abstract models are no bases
        verbose_name = "Global settings"
        verbose_name_plural = "Global settings"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return "Global settings"

    def clean(self) -> None:
        found: dict[str, str] = {}
        if 0 < self.eject_last_participant_backstop_timeout < 60:
            found["eject_last_participant_backstop_timeout"] = "Use 0, or 60 seconds and more."
        if self.media_ports_end < self.media_ports_start + 99:
            found["media_ports_end"] = "The range of media ports must hold at least 100 ports."
        if self.signalling_ports_end < self.signalling_ports_start:
            found["signalling_ports_end"] = "The range of signalling ports must not end before it starts."
        if self.signalling_ports_start <= self.media_ports_end and self.media_ports_start <= self.signalling_ports_end:
            found.setdefault("media_ports_start", "The ranges of signalling and of media ports must not overlap.")
        if self.ocsp_state == "OVERRIDE" and not self.ocsp_responder_url:
            found["ocsp_responder_url"] = "Say which responder is asked instead."
        if self.bursting_enabled and self.bursting_threshold is None:
            found["bursting_threshold"] = "Say when nodes are started."
        if found:
            raise ValidationError(found)
