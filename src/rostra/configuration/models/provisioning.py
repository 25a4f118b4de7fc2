"""Objects made from a directory: where it is, what is read, what becomes of it (SVC-123…SVC-209)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from rostra.configuration import validators, vocabulary
from rostra.configuration.fields import choice, flag, paragraph, reference, secret, text, whole
from rostra.configuration.translating import gettext

EVERYBODY = "(&(objectclass=person)(!(objectclass=computer)))"
"""Filter for the records of people."""


class LdapSyncSource(models.Model):
    """A directory. Where `contact` is set, one that cannot be asked is not valid (SVC-124)."""

    contact: ClassVar[Callable[[Any], str] | None] = None
    """Says why a source cannot be asked, empty when it can; set by those who reach directories."""

    name = text("Name", 250, "A name no other source has.", default=None, unique=True)
    description = text("Description", 250, "A note for administrators.")
    ldap_server = text(
        "LDAP server address",
        255,
        "A domain whose servers DNS names, a server's DNS name, or an IP address.",
        default=None,
        validators=[validators.host_or_host_and_port],
    )
    ldap_base_dn = text(
        "LDAP base DN",
        255,
        "Where searches begin, such as dc=example,dc=com.",
        default=None,
        validators=[validators.dn],
    )
    ldap_bind_username = text("LDAP bind username", 255, "An account that may search.", default=None)
    ldap_bind_password = secret("LDAP bind password", 100, "Its password.", default=None, sent_to=("ldap_server",))
    ldap_use_global_catalog = flag("Search global catalog", "That of Active Directory.", default=False)
    ldap_permit_no_tls = flag(
        "Allow insecure transport", "If there is no TLS; not with an IP address as server.", default=False
    )

    class Meta:
        verbose_name = "LDAP sync source"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.ldap_permit_no_tls and validators.is_address(validators.host_and_port(self.ldap_server)[0]):
            raise ValidationError({"ldap_server": gettext("With insecure transport allowed, a DNS name is needed.")})

    def full_clean(
        self, exclude: Iterable[str] | None = None, validate_unique: bool = True, validate_constraints: bool = True
    ) -> None:
        """Last of all, and only if the rest is right, whether the directory answers."""
        left_out = set(exclude or ())
        super().full_clean(left_out, validate_unique, validate_constraints)
        contact = type(self).contact
        if contact is None or any(name.startswith("ldap_") for name in left_out):
            return
        problem = contact(self)
        if problem:
            raise ValidationError(
                {"ldap_server": gettext("The LDAP server cannot be used: %(problem)s") % {"problem": problem}}
            )


class LdapSyncField(models.Model):
    """An attribute that is read, and the variable that carries it."""

    name = text("LDAP field name", 250, "The attribute; case matters.", default=None)
    template_variable_name = text(
        "Template variable name",
        250,
        "What patterns call it; no hyphens.",
        default=None,
        unique=True,
        validators=[validators.variable],
    )
    is_binary = flag("Binary", "Encoded so that it can be used in text; for GUIDs and the like.", default=False)
    description = text("Description", 250, "A note for administrators.")

    class Meta:
        verbose_name = "LDAP sync field"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


def _pattern(label: str, limit: int, *, default: str = "") -> models.CharField:
    return text(label, limit, "A pattern: text with {{fields}}.", default=default, validators=[validators.pattern])


def _overridable(what: str) -> models.BooleanField:
    return flag(f"Allow {what} to be overridden", "Written once, then left alone.", default=False)


def _yes_no(label: str, *, default: bool = False) -> models.BooleanField:
    return flag(label, "As on the objects that are made.", default=default)


class VMRSettings(models.Model):
    """What becomes a service."""

    conference_name = _pattern("VMR name", 250)
    conference_description = _pattern("VMR description", 250)
    conference_description_overridable = _overridable("VMR descriptions")
    service_type = choice("Service type", vocabulary.SYNCED_SERVICES, "What is made.", default="conference")
    pin = _pattern("Host PIN", 512)
    allow_guests = _yes_no("Allow Guests")
    guest_pin = _pattern("Guest PIN", 512)
    pin_settings_overridable = _overridable("PIN settings")
    host_view = choice("Layout", vocabulary.LAYOUTS, "What participants see.", default="one_main_seven_pips")
    enable_overlay_text = _yes_no("Show names")
    enable_active_speaker_indication = _yes_no("Name the speaker")
    host_view_overridable = _overridable("layout settings")
    ivr_theme = reference(
        "Theme", "configuration.IvrTheme", "Empty: the default theme.", related_name="conference_sync_templates"
    )
    ivr_theme_overridable = _overridable("themes")
    alias_1 = _pattern("Alias 1", 512)
    alias_1_description = _pattern("Description of alias 1", 512)
    alias_2 = _pattern("Alias 2", 512)
    alias_2_description = _pattern("Description of alias 2", 512)
    alias_3 = _pattern("Alias 3", 512)
    alias_3_description = _pattern("Description of alias 3", 512)
    alias_4 = _pattern("Alias 4", 512)
    alias_4_description = _pattern("Description of alias 4", 512)
    alias_5 = _pattern("Alias 5", 512)
    alias_5_description = _pattern("Description of alias 5", 512)
    alias_6 = _pattern("Alias 6", 512)
    alias_6_description = _pattern("Description of alias 6", 512)
    alias_7 = _pattern("Alias 7", 512)
    alias_7_description = _pattern("Description of alias 7", 512)
    alias_8 = _pattern("Alias 8", 512)
    alias_8_description = _pattern("Description of alias 8", 512)
    aliases_overridable = _overridable("aliases")

    class Meta:
        abstract = True


class DeviceSettings(models.Model):
    """What becomes a device alias."""

    device_alias = _pattern("Device alias", 512, default="{{mail}}")
    device_description = _pattern("Device description", 512)
    device_description_overridable = _overridable("device descriptions")
    device_tag = _pattern("Device tag", 250)
    device_tag_overridable = _overridable("device tags")
    device_username = _pattern("Device username", 100, default="{{mail}}")
    device_username_overridable = _overridable("device usernames")
    device_password = _pattern("Device password", 250)
    device_password_overridable = _overridable("device passwords")
    device_enable_sip = _yes_no("Enable SIP", default=True)
    device_enable_h323 = _yes_no("Enable H.323", default=True)
    device_enable_infinity_connect_non_sso = _yes_no("Enable clients", default=True)
    device_enable_infinity_connect_sso = _yes_no("Enable clients by AD FS")
    device_enable_standard_sso = _yes_no("Enable clients by identity provider")
    device_sso_identity_provider_group = reference(
        "Identity providers of clients",
        "configuration.IdentityProviderGroup",
        "Where registering clients sign on.",
        related_name="+",
    )
    device_registration_types_overridable = _overridable("kinds of registration")
    device_sync_if_account_disabled = flag(
        "Disabled accounts too", "Make objects for accounts that the directory calls disabled.", default=False
    )

    class Meta:
        abstract = True


class UserSettings(models.Model):
    """What becomes a user."""

    end_user_uuid = _pattern("User UUID", 512)
    end_user_first_name = _pattern("First name", 512)
    end_user_last_name = _pattern("Last name", 512)
    end_user_display_name = _pattern("Display name", 512)
    end_user_names_overridable = _overridable("names")
    end_user_description = _pattern("User description", 512)
    end_user_description_overridable = _overridable("user descriptions")
    end_user_telephone_number = _pattern("Telephone number", 512)
    end_user_mobile_number = _pattern("Mobile number", 512)
    end_user_contacts_overridable = _overridable("telephone numbers")
    end_user_title = _pattern("Job title", 512)
    end_user_department = _pattern("Department", 512)
    end_user_avatar_url = _pattern("Avatar URL", 512)
    end_user_other_personal_overridable = _overridable("job title, department and avatar")
    end_user_ms_exchange_guid = _pattern("Exchange mailbox ID", 512)
    end_user_advanced_overridable = _overridable("IDs")

    class Meta:
        abstract = True


class EmailSettings(models.Model):
    """Whom to tell, and how."""

    enable_service_emails = flag("Send e-mails", "To owners, when their object is made or changed.", default=False)
    smtp_server = reference("SMTP server", "configuration.SmtpServer", "Takes the mail.", related_name="+")
    primary_owner_email_address = _pattern("Owner's e-mail address", 100)
    primary_owner_email_address_overridable = _overridable("owners' addresses")
    service_email_subject_template = _pattern("VMR e-mail subject", 255)
    service_email_template = paragraph(
        "VMR e-mail", 24576, "A template over the properties of the VMR.", validators=[validators.pattern]
    )
    device_email_subject_template = _pattern("Device e-mail subject", 255)
    device_email_template = paragraph(
        "Device e-mail", 24576, "A template over the properties of the device.", validators=[validators.pattern]
    )

    class Meta:
        abstract = True


class AdvancedSettings(models.Model):
    """Limits and capabilities of the services."""

    tag = _pattern("Service tag", 250)
    tag_overridable = _overridable("service tags")
    call_type = choice("Conference capabilities", vocabulary.CALL_TYPES, "Most that is carried.", default="video")
    call_type_overridable = _overridable("capabilities")
    crypto_mode = choice(
        "Media encryption",
        [("", "Use the global setting"), *vocabulary.CRYPTO_MODES],
        "Replaces the global setting.",
        default="",
        blank=True,
    )
    crypto_mode_overridable = _overridable("encryption")
    enable_chat = choice("Enable chat", vocabulary.INHERITED_YES_NO, "Pass on chat messages.", default="default")
    enable_chat_overridable = _overridable("chat")
    guests_can_present = _yes_no("Guests can present", default=True)
    guests_can_present_overridable = _overridable("presenting by Guests")
    direct_media = choice("Direct media", vocabulary.DIRECT_MEDIA, "Two web clients send directly.", default="never")
    direct_media_overridable = _overridable("direct media")
    direct_media_notification_duration = whole(
        "Direct media notification", 0, 30, "Seconds of notice before media changes its way.", default=0
    )
    direct_media_notification_duration_overridable = _overridable("direct media notification")
    max_callrate_in = whole("Maximum inbound call bandwidth", 128, 8192, "From each, in kbit/s.", optional=True)
    max_callrate_out = whole(
        "Maximum outbound call bandwidth", 128, 8192, "To each, in kbit/s.", default=4128, optional=True
    )
    callrates_overridable = _overridable("bandwidths")
    max_pixels_per_second = choice(
        "Maximum call quality", vocabulary.CALL_QUALITIES, "Empty: global setting.", default=None, optional=True
    )
    max_pixels_per_second_overridable = _overridable("call quality")
    participant_limit = whole("Participant limit", 0, 1000000, "Most at the same time.", optional=True)
    participant_limit_overridable = _overridable("participant limits")
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
    non_idp_participants_overridable = _overridable("participants without single sign-on")
    idp_settings_overridable = _overridable("identity providers")

    class Meta:
        abstract = True


class ConferenceSyncTemplate(VMRSettings, DeviceSettings, UserSettings, EmailSettings, AdvancedSettings):
    """What is made of the records of a source (SVC-132…SVC-138, SVC-170…SVC-194)."""

    name = text("Name", 250, "Becomes the origin of what is made.", default=None, unique=True)
    description = text("Description", 250, "A note for administrators.")
    ldap_sync_source = reference(
        "LDAP sync source",
        "configuration.LdapSyncSource",
        "The directory that is read.",
        optional=False,
        on_delete=models.PROTECT,
        related_name="+",
    )
    ldap_user_search_dn = text(
        "LDAP user search DN",
        255,
        "Relative to the base DN of the source; empty: all of it.",
        validators=[validators.dn],
    )
    ldap_user_filter = text(
        "LDAP user filter", 1024, "Which records are read.", default=EVERYBODY, validators=[validators.ldap_filter]
    )
    enable_automatic_sync = flag("Enable automatic sync", "Once a day; try it by hand first.", default=False)
    sync_conferences = flag("Sync VMRs", "Make a VMR for each record.", default=True)
    sync_devices = flag("Sync devices", "Make a device alias for each record.", default=False)
    sync_end_users = flag("Sync users", "Make a user for each record.", default=False)

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride] - those of abstract models are no bases
        verbose_name = "LDAP sync template"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        needed: list[tuple[bool, str, str]] = [
            (self.sync_conferences, "conference_name", "VMRs need a name."),
            (self.sync_devices, "device_alias", "Devices need an alias."),
            (self.sync_devices and bool(self.device_username), "device_password", "A username needs a password."),
            (self.sync_end_users, "primary_owner_email_address", "Users need an e-mail address."),
            (self.sync_end_users, "end_user_uuid", "Users need a UUID."),
            (self.enable_service_emails, "smtp_server_id", "To send mail, an SMTP server is needed."),
        ]
        found: dict[str, Any] = {
            name.removesuffix("_id"): problem for wanted, name, problem in needed if wanted and not getattr(self, name)
        }
        if found:
            raise ValidationError({name: gettext(problem) for name, problem in found.items()})
