"""Services: Virtual Meeting Rooms and their kin, with their aliases and dial-outs."""

from __future__ import annotations

import re
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import models

from rostra.configuration import validators, vocabulary
from rostra.configuration.fields import choice, created, flag, reference, several, text, whole
from rostra.configuration.translating import gettext
from rostra.configuration.validation import any_case, changed, pattern_problem, replacement_problem, taken
from rostra.domain import layouts, pins


class Conference(models.Model):
    """A service that can be dialled; `service_type` says of which kind."""

    name = text("Name", 250, "A name no other service has.", default=None, unique=True)
    description = text("Description", 250, "A note, shown in directories.")
    service_type = choice(
        "Service type",
        vocabulary.SERVICE_TYPES,
        "What kind of service it is. It cannot be changed later.",
        default="conference",
    )
    creation_time = created()
    tag = text("Service tag", 250, "A mark of your own. Status, history and call records show it.")
    sync_tag = text("Origin", 250, "Synchronisation template that owns this service.", editable=False)
    primary_owner_email_address = text(
        "Owner's e-mail address",
        100,
        "Who is sent the mail that tells of this service. Empty: nobody.",
        validators=[EmailValidator()],
    )
    pin = text("Host PIN", 20, "What Hosts enter: 4 to 20 digits, which may end in #. Empty: nobody is asked.")
    allow_guests = flag(
        "Allow Guests",
        "Tell Hosts, who enter the Host PIN, from Guests, who wait until a Host is there.",
        default=False,
    )
    guest_pin = text(
        "Guest PIN", 20, "What Guests enter: another PIN, which ends in # if the Host PIN does. Empty: they enter none."
    )
    host_view = choice(
        "Host layout",
        vocabulary.LAYOUTS,
        "How pictures are arranged for Hosts; in a Virtual Meeting Room for everybody.",
        default="one_main_seven_pips",
    )
    guest_view = choice(
        "Guest layout",
        vocabulary.LAYOUTS,
        "How pictures are arranged for Guests of a Virtual Auditorium. Empty: as for Hosts.",
        default=None,
        optional=True,
    )
    force_presenter_into_main = flag(
        "Lock presenter as main speaker",
        "Who shares content stays in the large picture, whoever speaks.",
        default=False,
    )
    enable_overlay_text = flag("Show names", "Write participants' names over their pictures.", default=False)
    mute_all_guests = flag(
        "Mute all Guests", "Guests join with their microphones muted; Hosts can unmute them.", default=False
    )
    call_type = choice(
        "Conference capabilities",
        vocabulary.CALL_TYPES,
        "The most that calls may carry: sound, pictures, and content that is shared.",
        default="video",
    )
    participant_limit = whole(
        "Participant limit",
        0,
        1000000,
        "How many participants there may be at the same time; others are refused. Empty: no limit.",
        optional=True,
    )
    max_callrate_in = whole(
        "Maximum inbound call bandwidth",
        128,
        8192,
        "Most that each participant may send, in kbit/s (128 to 8192). Empty: the limit in Global settings.",
        optional=True,
    )
    max_callrate_out = whole(
        "Maximum outbound call bandwidth",
        128,
        8192,
        "Most that is sent to each participant, in kbit/s (128 to 8192). Empty: the limit in Global settings.",
        optional=True,
    )
    match_string = text(
        "Regex match",
        250,
        "Regular expression that the whole of what callers enter has to match. Empty: everything passes.",
    )
    replace_string = text(
        "Regex replace string",
        250,
        "What is called instead; \\1 is what the first group in brackets matched. Empty: what was entered.",
    )
    ivr_theme = reference(
        "Theme",
        "configuration.IvrTheme",
        "What participants see and hear. Empty: the default theme.",
        related_name="conference",
    )
    mssip_proxy = reference(
        "Skype for Business server",
        "configuration.MssipProxy",
        "Server that looks up meetings of Skype for Business by the Conference ID that callers enter.",
        related_name="+",
    )
    system_location = reference(
        "Lookup location",
        "configuration.SystemLocation",
        "Nodes of this location look up meetings of other systems.",
        related_name="+",
    )
    crypto_mode = choice(
        "Media encryption",
        [("", "Use the global setting"), *vocabulary.CRYPTO_MODES],
        "Required refuses devices without encryption, Best effort encrypts where a device can. "
        "Empty: as in Global settings.",
        default="",
        optional=True,
    )
    enable_chat = choice(
        "Enable chat", vocabulary.INHERITED_YES_NO, "Participants may write to each other.", default="default"
    )
    guests_can_present = flag("Guests can present", "Off: only Hosts may share content.", default=True)
    max_pixels_per_second = choice(
        "Maximum call quality",
        vocabulary.CALL_QUALITIES,
        "Highest resolution of pictures; more of it takes more capacity. Empty: that of Global settings.",
        default=None,
        optional=True,
    )
    two_stage_dial_type = choice(
        "Reception type",
        vocabulary.DIAL_TYPES,
        "Whose meetings callers enter the number of; Regular: those of this platform.",
        default="regular",
    )
    post_match_string = text(
        "Post-lookup regex match",
        250,
        "Regular expression that the whole meeting code found has to match. Empty: every code passes.",
    )
    post_replace_string = text(
        "Post-lookup regex replace string",
        250,
        "What is called instead of the code found; \\1 is what the first group in brackets matched. Empty: the code.",
    )
    direct_media = choice(
        "Direct media",
        vocabulary.DIRECT_MEDIA,
        "Two web clients that are alone send to each other, not through the platform: never, if possible, or always.",
        default="never",
    )
    direct_media_notification_duration = whole(
        "Direct media notification",
        0,
        30,
        "How long participants are told before media goes through the platform again, in seconds (0 to 30).",
        default=0,
    )
    host_identity_provider_group = reference(
        "Host identity providers",
        "configuration.IdentityProviderGroup",
        "Hosts sign on with one of these. Empty: they need not.",
        related_name="+",
    )
    guest_identity_provider_group = reference(
        "Guest identity providers",
        "configuration.IdentityProviderGroup",
        "Guests sign on with one of these. Empty: they need not.",
        related_name="+",
    )
    non_idp_participants = choice(
        "Participants without single sign-on",
        vocabulary.NON_IDP,
        "What becomes of devices that cannot sign on, where participants have to.",
        default="disallow_all",
    )
    guests_can_see_guests = choice(
        "Guests can see other Guests",
        vocabulary.GUESTS_SEE_GUESTS,
        "When Guests of a Virtual Auditorium see each other, and not Hosts alone.",
        default="no_hosts",
    )
    enable_active_speaker_indication = flag(
        "Name the speaker", "Write below the picture who is speaking.", default=False
    )
    denoise_enabled = flag(
        "Remove noise",
        "Remove background noise from what participants say. It takes processor time for each who is not silent.",
        default=False,
    )
    softmute_enabled = flag(
        "Softmute", "Make those quieter who do not speak. Kept for later: no node does it yet.", default=False
    )
    breakout_rooms = flag(
        "Breakout rooms",
        "Hosts may split the conference into groups; Global settings have to allow it as well.",
        default=False,
    )
    live_captions_enabled = choice(
        "Live captions",
        vocabulary.INHERITED_YES_NO,
        "Show in writing what is said. Kept for later: no node does it yet.",
        default="default",
    )
    pinning_config = text(
        "Pinning configuration",
        250,
        "Arrangement of pinned participants, by its name in the theme. Kept for later: no node does it yet.",
        default=None,
        null=True,
        blank=True,
    )
    on_completion = models.TextField(
        "On completion", null=True, blank=True, default="", help_text="What follows a playlist, in JSON."
    )

    class Meta:
        verbose_name = "Virtual Meeting Room"
        verbose_name_plural = "Virtual Meeting Rooms"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        found = pins.problems(self.pin, self.guest_pin, allow_guests=self.allow_guests)
        found |= _bad_patterns(self, "match_string", "replace_string")
        found |= _bad_patterns(self, "post_match_string", "post_replace_string")
        if changed(self, "service_type"):
            found["service_type"] = "The type of a service cannot be changed."
        for name in ("host_view", "guest_view"):
            layout = layouts.find(getattr(self, name) or "")
            if layout is not None and not layouts.allowed(layout, lecture=self.service_type == "lecture"):
                found[name] = "Adaptive composition is not available for Virtual Auditoriums."
        if found:
            raise ValidationError({name: gettext(problem) for name, problem in found.items()})


class ConferenceAlias(models.Model):
    """What is dialled to reach a service."""

    alias = text("Alias", 250, "The full dial string as it is received, with its domain.", default=None)
    conference = reference(
        "Service",
        "configuration.Conference",
        "What the alias leads to.",
        optional=False,
        on_delete=models.CASCADE,
        related_name="aliases",
    )
    description = text("Description", 250, "Tells the aliases of a service apart.")
    creation_time = created()
    view_order = models.IntegerField(
        "View order", default=0, help_text="Place among the aliases of the service; of equal ones the older is first."
    )

    class Meta:
        verbose_name = "Alias"
        verbose_name_plural = "Aliases"
        ordering: ClassVar = ["view_order", "id"]
        indexes: ClassVar = [models.Index("alias", name="conference_alias_alias")]  # exact look-ups of the API
        constraints: ClassVar = [
            any_case("alias", "conference_alias_any_case", "Alias with this Alias already exists."),
        ]

    def __str__(self) -> str:
        return self.alias

    def clean(self) -> None:
        if self.alias != self.alias.strip() or any(character.isspace() for character in self.alias):
            raise ValidationError({"alias": gettext("An alias has no spaces.")})
        if taken(self, "alias"):
            raise ValidationError({"alias": gettext("Alias with this Alias already exists.")})


class AutomaticParticipant(models.Model):
    """Somebody the conference calls when it starts."""

    alias = text(
        "Alias",
        250,
        "What is called, for example name@example.com, or rtmp://… of a streaming service.",
        default=None,
        validators=[validators.dialled],
    )
    description = text("Description", 250, "A note for administrators.")
    conference = several(
        "Services",
        "configuration.Conference",
        "Rooms and auditoriums that call it when they begin.",
        related_name="automatic_participants",
        limit_choices_to={"service_type__in": ("conference", "lecture")},
    )
    protocol = choice(
        "Protocol", vocabulary.PROTOCOLS, "How it is called, unless Call Routing Rules decide.", default="sip"
    )
    call_type = choice(
        "Call capabilities",
        vocabulary.CALL_TYPES,
        "The most that calls may carry: sound, pictures, and content that is shared.",
        default="video",
    )
    role = choice("Role", vocabulary.ROLES, "Whether it joins as Host or as Guest.", default="guest")
    dtmf_sequence = text(
        "DTMF sequence",
        250,
        "Tones that are sent once it has answered: digits, * and #; a comma waits 2 seconds. Empty: none.",
    )
    keep_conference_alive = choice(
        "Keep conference alive",
        vocabulary.KEEP_ALIVE,
        "Whether the conference goes on with nobody but such participants. Never suits streaming.",
        default="keep_conference_alive_if_multiple",
    )
    routing = choice(
        "Route this call",
        vocabulary.ROUTINGS,
        "What says how the call is placed: proxies of the outgoing location, or rules for outgoing calls.",
        default="manual",
    )
    system_location = reference(
        "Outgoing location",
        "configuration.SystemLocation",
        "Nodes of this location place the call. Empty: chosen automatically.",
        related_name="+",
    )
    streaming = flag(
        "Streaming", "It streams or records, which the conference shows; it is not seen itself.", default=False
    )
    remote_display_name = text("Display name", 250, "Name that other participants see. Empty: its alias.")
    presentation_url = text(
        "Presentation URL",
        250,
        "Where shared content is streamed to on its own, rtmp://… or rtmps://…. Empty: nowhere.",
        validators=[validators.rtmp_url],
    )
    creation_time = created()

    class Meta:
        verbose_name = "Automatically Dialed Participant"
        verbose_name_plural = "Automatically Dialed Participants"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.alias

    def clean(self) -> None:
        found: dict[str, str] = {}
        if re.fullmatch(r"[0-9*#,]*", self.dtmf_sequence) is None:
            found["dtmf_sequence"] = "Use digits, *, # and commas."
        if self.routing == "manual" and self.protocol == "rtmp" and not self.alias.startswith(("rtmp://", "rtmps://")):
            found["alias"] = "An RTMP address starts with rtmp:// or rtmps://."
        if self.routing == "manual" and self.protocol == "sip" and "://" in self.alias:
            found["alias"] = "This is not a SIP address."
        if found:
            raise ValidationError({name: gettext(problem) for name, problem in found.items()})


def _bad_patterns(row: models.Model, match: str, replace: str) -> dict[str, str]:
    found = {
        match: pattern_problem(getattr(row, match)),
        replace: replacement_problem(getattr(row, match), getattr(row, replace)),
    }
    return {name: problem for name, problem in found.items() if problem}
