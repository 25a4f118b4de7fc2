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
    service_type = choice("Service type", vocabulary.SERVICE_TYPES, "Fixed at creation.", default="conference")
    creation_time = created()
    tag = text("Service tag", 250, "Copied to status, history and call records.")
    sync_tag = text("Origin", 250, "Synchronisation template that owns this service.", editable=False)
    primary_owner_email_address = text(
        "Owner's e-mail address", 100, "Receives provisioning mail.", validators=[EmailValidator()]
    )
    pin = text("Host PIN", 20, "4 to 20 digits, or digits with a final #.")
    allow_guests = flag("Allow Guests", "Tell Hosts from Guests; needs a Host PIN.", default=False)
    guest_pin = text("Guest PIN", 20, "Differs from the Host PIN; both or none end in #.")
    host_view = choice("Host layout", vocabulary.LAYOUTS, "What Hosts see.", default="one_main_seven_pips")
    guest_view = choice("Guest layout", vocabulary.LAYOUTS, "What Guests see.", default=None, optional=True)
    force_presenter_into_main = flag("Lock presenter as main speaker", "Stays large while presenting.", default=False)
    enable_overlay_text = flag("Show names", "Write participants' names over their pictures.", default=False)
    mute_all_guests = flag("Mute all Guests", "Guests join with their microphones muted.", default=False)
    call_type = choice("Conference capabilities", vocabulary.CALL_TYPES, "Most that is carried.", default="video")
    participant_limit = whole("Participant limit", 0, 1000000, "Most at the same time.", optional=True)
    max_callrate_in = whole("Maximum inbound call bandwidth", 128, 8192, "From each, in kbit/s.", optional=True)
    max_callrate_out = whole("Maximum outbound call bandwidth", 128, 8192, "To each, in kbit/s.", optional=True)
    match_string = text("Regex match", 250, "Reception: what an entered alias must look like.")
    replace_string = text("Regex replace string", 250, "Reception: what the entered alias becomes.")
    ivr_theme = reference(
        "Theme",
        "configuration.IvrTheme",
        "What participants see and hear. Empty: the default theme.",
        related_name="conference",
    )
    mssip_proxy = reference(
        "Skype for Business server",
        "configuration.MssipProxy",
        "Reception: where meetings are looked up by their Conference ID.",
        related_name="+",
    )
    system_location = reference(
        "Lookup location", "configuration.SystemLocation", "Reception: where meetings are looked up.", related_name="+"
    )
    crypto_mode = choice(
        "Media encryption",
        [("", "Use the global setting"), *vocabulary.CRYPTO_MODES],
        "Replaces the global setting.",
        default="",
        optional=True,
    )
    enable_chat = choice("Enable chat", vocabulary.INHERITED_YES_NO, "Pass on chat messages.", default="default")
    guests_can_present = flag("Guests can present", "Guests may share content.", default=True)
    max_pixels_per_second = choice(
        "Maximum call quality", vocabulary.CALL_QUALITIES, "Empty: global setting.", default=None, optional=True
    )
    two_stage_dial_type = choice("Reception type", vocabulary.DIAL_TYPES, "What is dialled next.", default="regular")
    post_match_string = text("Post-lookup regex match", 250, "What the found meeting code must look like.")
    post_replace_string = text("Post-lookup regex replace string", 250, "What the found meeting code becomes.")
    direct_media = choice("Direct media", vocabulary.DIRECT_MEDIA, "Two web clients send directly.", default="never")
    direct_media_notification_duration = whole(
        "Direct media notification", 0, 30, "Seconds of notice before media changes its way.", default=0
    )
    host_identity_provider_group = reference(
        "Host identity providers",
        "configuration.IdentityProviderGroup",
        "Where Hosts sign on. Empty: they need not.",
        related_name="+",
    )
    guest_identity_provider_group = reference(
        "Guest identity providers",
        "configuration.IdentityProviderGroup",
        "Where Guests sign on. Empty: they need not.",
        related_name="+",
    )
    non_idp_participants = choice(
        "Participants without single sign-on",
        vocabulary.NON_IDP,
        "Devices that cannot sign on.",
        default="disallow_all",
    )
    guests_can_see_guests = choice(
        "Guests can see other Guests", vocabulary.GUESTS_SEE_GUESTS, "When Guests see each other.", default="no_hosts"
    )
    enable_active_speaker_indication = flag("Name the speaker", "Write the speaker's name.", default=False)
    denoise_enabled = flag("Remove noise", "Remove background noise.", default=False)
    softmute_enabled = flag("Softmute", "Make the noise of those who do not talk quieter.", default=False)
    breakout_rooms = flag("Breakout rooms", "Hosts may split the conference.", default=False)
    live_captions_enabled = choice("Live captions", vocabulary.INHERITED_YES_NO, "Write speech.", default="default")
    pinning_config = text("Pinning configuration", 250, "Named in the theme.", default=None, null=True, blank=True)
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

    alias = text("Alias", 250, "The address to call.", default=None, validators=[validators.dialled])
    description = text("Description", 250, "A note for administrators.")
    conference = several(
        "Services",
        "configuration.Conference",
        "Meeting rooms and auditoriums that call this participant.",
        related_name="automatic_participants",
        limit_choices_to={"service_type__in": ("conference", "lecture")},
    )
    protocol = choice("Protocol", vocabulary.PROTOCOLS, "How the call is made.", default="sip")
    call_type = choice("Call capabilities", vocabulary.CALL_TYPES, "Most that is carried.", default="video")
    role = choice("Role", vocabulary.ROLES, "What the participant is in the conference.", default="guest")
    dtmf_sequence = text("DTMF sequence", 250, "Tones after the answer; a comma waits 2 seconds.")
    keep_conference_alive = choice(
        "Keep conference alive",
        vocabulary.KEEP_ALIVE,
        "Whether the conference goes on with such participants only.",
        default="keep_conference_alive_if_multiple",
    )
    routing = choice("Route this call", vocabulary.ROUTINGS, "How the way out is found.", default="manual")
    system_location = reference(
        "Outgoing location", "configuration.SystemLocation", "Where the call is made from.", related_name="+"
    )
    streaming = flag("Streaming", "A streaming or recording device.", default=False)
    remote_display_name = text("Display name", 250, "Name shown to other participants.")
    presentation_url = text(
        "Presentation URL", 250, "RTMP address of the content stream.", validators=[validators.rtmp_url]
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
