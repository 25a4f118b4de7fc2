"""Call Routing Rules: where calls go that no service answers (SVC-084…SVC-113)."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from rostra.configuration import vocabulary
from rostra.configuration.fields import KnownListField, choice, created, flag, reference, text, whole
from rostra.configuration.models.settings import check_codecs
from rostra.configuration.translating import gettext
from rostra.configuration.validation import pattern_problem, replacement_problem


def _source(label: str, *, default: bool = True) -> models.BooleanField:
    return flag(f"From {label}", f"Incoming calls from {label} match.", default=default)


class GatewayRoutingRule(models.Model):
    """A rule of the Distributed Gateway; the first that matches places the call."""

    name = text("Name", 250, "A name no other rule has.", default=None, unique=True)
    description = text("Description", 250, "A note for administrators.")
    priority = whole(
        "Priority",
        1,
        200,
        "Rules are tried in this order, 1 first, until one matches. No two have the same number.",
        unique=True,
    )
    enable = flag("Enable this rule", "A rule that is off stays in the list and is passed over.", default=True)
    match_incoming_calls = flag(
        "Incoming gateway calls",
        "The rule is tried for calls from outside that no service and no registered device takes.",
        default=True,
    )
    match_outgoing_calls = flag(
        "Outgoing calls from a conference",
        "The rule is tried for calls that a conference places, where they are routed by Call Routing Rules.",
        default=False,
    )
    match_source_location = reference(
        "Calls being handled in location",
        "configuration.SystemLocation",
        "Only calls that nodes of this location handle. Empty: calls of every location.",
        related_name="+",
    )
    match_incoming_only_if_registered = flag(
        "Registered devices only", "Only calls of devices and clients that are registered here.", default=False
    )
    match_incoming_webrtc = _source("web and desktop clients")
    match_incoming_sip = _source("SIP")
    match_incoming_mssip = _source("Skype for Business")
    match_incoming_h323 = _source("H.323")
    match_incoming_teams = _source("Microsoft Teams Rooms", default=False)
    match_string_full = flag(
        "Match against full alias URI",
        "Compare with the alias as it was dialled, scheme and parameters included, not with user@host alone.",
        default=False,
    )
    match_string = text(
        "Destination alias regex match",
        250,
        "Regular expression that the whole dialled alias has to match; case is ignored.",
        default=None,
    )
    replace_string = text(
        "Destination alias regex replace string",
        250,
        "What is called instead; \\1 is what the first group in brackets matched. Empty: the alias as it is.",
    )
    called_device_type = choice(
        "Call target",
        vocabulary.CALL_TARGETS,
        "Whom the call is for. By the first choice it goes to another system where no registered device has the alias.",
        default="external",
    )
    outgoing_location = reference(
        "Outgoing location",
        "configuration.SystemLocation",
        "Nodes of this location place the call. Empty: chosen automatically.",
        related_name="+",
    )
    outgoing_protocol = choice("Protocol", vocabulary.PROTOCOLS, "How other systems are called.", default="sip")
    sip_proxy = reference(
        "SIP proxy",
        "configuration.SipProxy",
        "The call is sent to this proxy. Empty: to the host that DNS names for the alias.",
        related_name="+",
    )
    h323_gatekeeper = reference(
        "H.323 gatekeeper",
        "configuration.H323Gatekeeper",
        "The call is sent to this gatekeeper. Empty: to the host that DNS names for the alias.",
        related_name="+",
    )
    mssip_proxy = reference(
        "Skype for Business server",
        "configuration.MssipProxy",
        "The call is sent to this server. Empty: DNS names it. Meetings by Conference ID need one.",
        related_name="+",
    )
    turn_server = reference(
        "TURN server",
        "configuration.TurnServer",
        "Relays media of callers that use ICE, where nothing else gets through. Empty: that of the location.",
        related_name="+",
    )
    stun_server = reference(
        "STUN server",
        "configuration.StunServer",
        "Tells nodes their public address, for callers that use ICE. Empty: that of the location.",
        related_name="+",
    )
    ivr_theme = reference(
        "Theme",
        "configuration.IvrTheme",
        "What the caller sees and hears. Empty: the default theme.",
        related_name="gateway_routing_rule",
    )
    call_type = choice(
        "Call capability",
        vocabulary.CALL_TYPES_OF_RULES,
        "The most that the call may carry; or the other side is offered what the caller has.",
        default="video",
    )
    max_callrate_in = whole(
        "Maximum inbound call bandwidth",
        128,
        8192,
        "Most that each side may send, in kbit/s (128 to 8192). Empty: the limit in Global settings.",
        optional=True,
    )
    max_callrate_out = whole(
        "Maximum outbound call bandwidth",
        128,
        8192,
        "Most that is sent to each side, in kbit/s (128 to 8192). Empty: the limit in Global settings.",
        optional=True,
    )
    max_pixels_per_second = choice(
        "Maximum call quality",
        vocabulary.CALL_QUALITIES,
        "Highest resolution of pictures; more of it takes more capacity. Empty: that of Global settings.",
        default=None,
        optional=True,
    )
    crypto_mode = choice(
        "Media encryption",
        [("", "Use the global setting"), *vocabulary.CRYPTO_MODES],
        "Required refuses devices without encryption, Best effort encrypts where a device can. "
        "Empty: as in Global settings.",
        default="",
        optional=True,
    )
    disabled_codecs = KnownListField(
        "Disabled codecs",
        known=vocabulary.CODECS,
        offered=("Codecs", "Calls by this rule use the chosen codecs. All chosen: those of Global settings."),
        default=list,
        blank=True,
        validators=[check_codecs],
        help_text="Codecs that calls by this rule do not use. None: those of Global settings.",
    )
    denoise_audio = flag(
        "Remove noise", "Remove background noise on the way through. Kept for later: no node does it yet.", default=True
    )
    live_captions_enabled = choice(
        "Live captions",
        vocabulary.INHERITED_YES_NO,
        "Show in writing what is said. Kept for later: no node does it yet.",
        default="default",
    )
    external_participant_avatar_lookup = choice(
        "Look up avatars",
        vocabulary.INHERITED_YES_NO,
        "Show pictures that other systems have of their participants. Kept for later: no node does it yet.",
        default="default",
        optional=True,
    )
    treat_as_trusted = flag(
        "Treat as trusted",
        "Tell the other system that callers belong to its own organization. Kept for later: no node does it yet.",
        default=False,
    )
    tag = text("Service tag", 250, "A mark of your own. Status, history and call records show it.")
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
