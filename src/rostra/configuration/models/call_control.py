"""Call control: systems that calls go out through, media relays, policy, registration."""

from __future__ import annotations

import ipaddress
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from rostra.configuration import validators, vocabulary
from rostra.configuration.fields import choice, flag, paragraph, secret, text, whole
from rostra.configuration.translating import gettext

_SCRIPT = 49152


def _name(help_text: str) -> models.CharField:
    return text("Name", 250, help_text, default=None, unique=True)


def _note() -> models.CharField:
    return text("Description", 250, "A note for administrators.")


def _port(default: int, *, optional: bool = True) -> models.IntegerField:
    return whole("Port", 1, 65535, "Where it listens.", default=default, optional=optional)


def _host(help_text: str, check: Any = validators.host_or_address) -> models.CharField:
    return text("Address", 255, help_text, default=None, validators=[check])


class H323Gatekeeper(models.Model):
    """Sends outgoing H.323 calls on (SYS-146…SYS-150)."""

    name = _name("A name no other gatekeeper has.")
    description = _note()
    address = _host("IPv4 address or DNS name.", validators.host_or_ipv4)
    port = _port(1719)

    class Meta:
        verbose_name = "H.323 gatekeeper"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


class SipProxy(models.Model):
    """Sends outgoing SIP calls on (SYS-146…SYS-150)."""

    name = _name("A name no other SIP proxy has.")
    description = _note()
    address = _host("IP address or DNS name.")
    port = _port(5061)
    transport = choice("Transport", vocabulary.TRANSPORTS, "How it is reached.", default="tls")

    class Meta:
        verbose_name = "SIP proxy"
        verbose_name_plural = "SIP proxies"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


class SipCredential(models.Model):
    """How we answer when a SIP peer challenges us (SYS-249)."""

    realm = text("Realm", 255, "The realm of the challenge; case matters.", default=None, unique=True)
    username = text("Username", 100, "Case matters.", default=None)
    password = secret("Password", 100, "Case matters.")

    class Meta:
        verbose_name = "SIP credential"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.realm


class MssipProxy(models.Model):
    """A Lync or Skype for Business server (SYS-151…SYS-154)."""

    name = _name("A name no other such server has.")
    description = _note()
    address = _host("IP address or DNS name of a Front End Server or Director, never of an Edge Server.")
    port = _port(5061)
    transport = choice("Transport", vocabulary.MSSIP_TRANSPORTS, "How it is reached.", default="tls")

    class Meta:
        verbose_name = "Skype for Business server"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


class TurnServer(models.Model):
    """Relays media of ICE clients (SYS-155…SYS-164)."""

    name = _name("A name no other TURN server has.")
    description = _note()
    address = _host("Public IP address, or DNS name. Nodes have to reach it over UDP.")
    port = _port(3478)
    server_type = choice("Credentials", vocabulary.TURN_CREDENTIALS, "What it asks for.", default="namepsw")
    transport_type = choice("Transport", vocabulary.TRANSPORTS, "How clients reach it.", default="udp")
    username = text("Username", 100, "An account that may allocate relays.")
    password = secret("Password", 100, "Its password.", sent_to=("address",))
    secret_key = secret(
        "Shared secret", 100, "From which credentials for a limited time are made.", sent_to=("address",)
    )

    class Meta:
        verbose_name = "TURN server"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


class StunServer(models.Model):
    """Tells nodes and clients their public address (SYS-165…SYS-171)."""

    name = _name("A name no other STUN server has.")
    description = _note()
    address = _host("IP address or DNS name, outside the firewall; should not be the address of a TURN server.")
    port = _port(3478, optional=False)

    class Meta:
        verbose_name = "STUN server"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


def _lookup(label: str, help_text: str) -> models.BooleanField:
    return flag(label, help_text, default=False)


def _script(label: str, help_text: str) -> models.TextField:
    return paragraph(label, _SCRIPT, help_text, validators=[validators.template])


SCRIPTS = (
    "internal_service_policy_template",
    "internal_participant_policy_template",
    "internal_media_location_policy_template",
)


class PolicyServer(models.Model):
    """Who decides about calls of a location: a server, scripts, or both (SYS-172…SYS-181, POL-001…POL-007)."""

    name = _name("A name no other policy profile has.")
    description = _note()
    url = text("URL", 255, "Every request of this profile begins with it.", validators=[validators.url])
    username = text("Username", 100, "For the policy server; empty: none.")
    password = secret("Password", 100, "For the policy server.", sent_to=("url",))
    enable_service_lookup = _lookup("Ask about services", "The server says what an alias leads to.")
    enable_participant_lookup = _lookup("Ask about participants", "The server may change who somebody is.")
    enable_media_location_lookup = _lookup("Ask about media locations", "The server says where media goes.")
    enable_avatar_lookup = _lookup("Ask for avatars", "The server has the pictures of participants and contacts.")
    enable_directory_lookup = _lookup("Ask for the directory", "The server has the phone book.")
    enable_registration_lookup = _lookup("Ask about registrations", "The server says which aliases may register.")
    enable_internal_service_policy = _lookup("Apply the service script", "After the server was asked, if it is.")
    internal_service_policy_template = _script("Service script", "Jinja; gives the service in JSON.")
    enable_internal_participant_policy = _lookup("Apply the participant script", "After the server was asked.")
    internal_participant_policy_template = _script("Participant script", "Jinja; gives the participant in JSON.")
    enable_internal_media_location_policy = _lookup("Apply the media location script", "After the server was asked.")
    internal_media_location_policy_template = _script("Media location script", "Jinja; gives the location in JSON.")
    prefer_local_avatar_configuration = _lookup("Users' own avatars first", "Then those of the server.")

    class Meta:
        verbose_name = "Policy profile"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Scripts that cannot run are not saved (POL-082)."""
        from rostra.policy import scripts  # takes long, and a node that only carries calls never checks one

        found = {name: scripts.problem(getattr(self, name)) for name in SCRIPTS}
        if wrong := {name: problem for name, problem in found.items() if problem}:
            raise ValidationError(wrong)


def _seconds(label: str, high: int, default: int) -> models.IntegerField:
    return whole(label, 60, high, "In seconds.", default=default)


class Registration(models.Model):
    """Whether and for how long devices register (CONF-011…CONF-022); always the row with id 1."""

    enable = flag("Enable registrar", "Devices may register.", default=True)
    refresh_strategy = choice(
        "Registration refresh strategy",
        vocabulary.REFRESH_STRATEGIES,
        "Adaptive: the more registrations a node has, the longer each lasts.",
        default="adaptive",
    )
    adaptive_min_refresh = _seconds("Adaptive: minimum refresh interval", 3600, 60)
    adaptive_max_refresh = _seconds("Adaptive: maximum refresh interval", 7200, 3600)
    maximum_min_refresh = _seconds("Basic: minimum refresh interval", 3600, 60)
    maximum_max_refresh = _seconds("Basic: maximum refresh interval", 7200, 300)
    natted_min_refresh = _seconds("SIP behind NAT: minimum refresh interval", 3600, 60)
    natted_max_refresh = _seconds("SIP behind NAT: maximum refresh interval", 3600, 90)
    route_via_registrar = flag("Call by the registrar", "Registered clients always call through it.", default=True)
    enable_push_notifications = flag("Push notifications", "Wake mobile clients.", default=False)
    enable_google_cloud_messaging = flag("Push by Google", "Use its cloud messaging.", default=True)
    push_token = text("Push token", 255, "Of the service that sends notifications.")

    class Meta:
        verbose_name = "Registration"
        verbose_name_plural = "Registration"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return "Registration"

    def clean(self) -> None:
        found: dict[str, str] = {}
        for kind in ("adaptive", "maximum", "natted"):
            if getattr(self, f"{kind}_max_refresh") < getattr(self, f"{kind}_min_refresh"):
                found[f"{kind}_max_refresh"] = "The longest interval must not be shorter than the shortest one."
        if found:
            raise ValidationError(found)


class BreakInAllowListAddress(models.Model):
    """Addresses that may guess wrong without being shut out."""

    name = text("Name", 250, "What the entry is for.", default=None)
    description = _note()
    address = text("Network address", 50, "IPv4 or IPv6.", default=None, validators=[validators.ip_address])
    prefix = whole("Network prefix", 1, 128, "Length of the network part, in bits.")
    allowlist_entry_type = choice("Kind of entry", vocabulary.ALLOWED_ENTRIES, "Who is there.", default="user")
    ignore_incorrect_aliases = flag("Ignore incorrect aliases", "No limit to wrong aliases.", default=False)
    ignore_incorrect_pins = flag("Ignore incorrect PINs", "No limit to wrong PINs.", default=False)

    class Meta:
        verbose_name = "Allow list address"
        verbose_name_plural = "Allow list addresses"
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        try:
            longest = ipaddress.ip_address(self.address).max_prefixlen
        except ValueError:
            return  # refused already
        if self.prefix is not None and self.prefix > longest:
            raise ValidationError(
                {"prefix": gettext("An IPv4 prefix has at most %(longest)s bits.") % {"longest": longest}}
            )
