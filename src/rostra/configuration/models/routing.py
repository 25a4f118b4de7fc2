"""Call Routing Rules: where calls go that no service answers (SVC-084…SVC-113)."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from rostra.configuration import vocabulary
from rostra.configuration.fields import choice, created, flag, reference, text, whole
from rostra.configuration.models.settings import check_codecs
from rostra.configuration.translating import gettext
from rostra.configuration.validation import pattern_problem, replacement_problem


def _source(label: str, *, default: bool = True) -> models.BooleanField:
    return flag(f"From {label}", f"Incoming calls from {label} match.", default=default)


class GatewayRoutingRule(models.Model):
    """A rule of the Distributed Gateway; the first that matches places the call."""

    name = text("Name", 250, "A name no other rule has.", default=None, unique=True)
    description = text("Description", 250, "A note for administrators.")
    priority = whole("Priority", 1, 200, "Rules are tried from 1 to 200; no two have the same.", unique=True)
    enable = flag("Enable this rule", "Others stay in the list and are passed over.", default=True)
    match_incoming_calls = flag("Incoming gateway calls", "The rule is tried for them.", default=True)
    match_outgoing_calls = flag("Outgoing calls from a conference", "If they are routed by rules.", default=False)
    match_source_location = reference(
        "Calls being handled in location", "configuration.SystemLocation", "Empty: any.", related_name="+"
    )
    match_incoming_only_if_registered = flag("Registered devices only", "Callers must be registered.", default=False)
    match_incoming_webrtc = _source("web and desktop clients")
    match_incoming_sip = _source("SIP")
    match_incoming_mssip = _source("Skype for Business")
    match_incoming_h323 = _source("H.323")
    match_incoming_teams = _source("Microsoft Teams Rooms", default=False)
    match_string_full = flag("Match against full alias URI", "With its scheme and parameters.", default=False)
    match_string = text(
        "Destination alias regex match", 250, "Has to match the whole dialled alias; case is ignored.", default=None
    )
    replace_string = text(
        "Destination alias regex replace string", 250, r"What the alias becomes; \1 is the first group. Empty: as is."
    )
    called_device_type = choice("Call target", vocabulary.CALL_TARGETS, "What is called.", default="external")
    outgoing_location = reference(
        "Outgoing location",
        "configuration.SystemLocation",
        "Where the call is placed. Empty: automatic.",
        related_name="+",
    )
    outgoing_protocol = choice("Protocol", vocabulary.PROTOCOLS, "Towards external systems.", default="sip")
    sip_proxy = reference("SIP proxy", "configuration.SipProxy", "Empty: use DNS.", related_name="+")
    h323_gatekeeper = reference("H.323 gatekeeper", "configuration.H323Gatekeeper", "Empty: use DNS.", related_name="+")
    mssip_proxy = reference(
        "Skype for Business server",
        "configuration.MssipProxy",
        "Empty: use DNS. Meetings by Conference ID need one.",
        related_name="+",
    )
    turn_server = reference(
        "TURN server", "configuration.TurnServer", "For ICE clients. Empty: that of the location.", related_name="+"
    )
    stun_server = reference(
        "STUN server", "configuration.StunServer", "For ICE clients. Empty: that of the location.", related_name="+"
    )
    ivr_theme = reference(
        "Theme",
        "configuration.IvrTheme",
        "What the caller sees and hears. Empty: the default theme.",
        related_name="gateway_routing_rule",
    )
    call_type = choice("Call capability", vocabulary.CALL_TYPES_OF_RULES, "Most that is carried.", default="video")
    max_callrate_in = whole("Maximum inbound call bandwidth", 128, 8192, "From each, in kbit/s.", optional=True)
    max_callrate_out = whole("Maximum outbound call bandwidth", 128, 8192, "To each, in kbit/s.", optional=True)
    max_pixels_per_second = choice(
        "Maximum call quality", vocabulary.CALL_QUALITIES, "Empty: global setting.", default=None, optional=True
    )
    crypto_mode = choice(
        "Media encryption",
        [("", "Use the global setting"), *vocabulary.CRYPTO_MODES],
        "Replaces the global setting.",
        default="",
        optional=True,
    )
    disabled_codecs = models.JSONField(
        "Disabled codecs",
        default=list,
        blank=True,
        validators=[check_codecs],
        help_text="Codecs that are not offered.",
    )
    denoise_audio = flag("Remove noise", "On the way through.", default=True)
    live_captions_enabled = choice("Live captions", vocabulary.INHERITED_YES_NO, "Write speech.", default="default")
    external_participant_avatar_lookup = choice(
        "Look up avatars",
        vocabulary.INHERITED_YES_NO,
        "Of participants from elsewhere.",
        default="default",
        optional=True,
    )
    treat_as_trusted = flag("Treat as trusted", "The other side takes callers for its own.", default=False)
    tag = text("Service tag", 250, "Copied to status, history and call records.")
    creation_time = created()

    class Meta:
        verbose_name = "Call Routing Rule"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        found: dict[str, str] = {}
        if problem := pattern_problem(self.match_string):
            found["match_string"] = problem
        if problem := replacement_problem(self.match_string, self.replace_string):
            found["replace_string"] = problem
        if self.called_device_type == "mssip_conference_id" and self.mssip_proxy is None:
            found["mssip_proxy"] = "To find meetings by their Conference ID, a Skype for Business server is needed."
        if found:
            raise ValidationError({name: gettext(problem) for name, problem in found.items()})
