"""How the platform says no to a call, or asks for more, as adapters see it (API-017, API-032)."""

from __future__ import annotations

import enum


class Refusal(enum.Enum):
    """Why a call is not accepted. `text` is the client API's exact string; `sip_status` what SIP answers."""

    NOT_FOUND = ("Neither conference nor gateway found", 404)
    INVALID_PIN = ("Invalid PIN", 403)
    PIN_RETRIES = ("Participant exceeded PIN entry retries", 403)
    LOCKED = ("Timeout waiting for conference host to join or permit access to locked conference", 403)
    PARTICIPANT_LIMIT = ("Participant limit reached", 403)
    OUT_OF_RESOURCE = ("Out of resource", 503)
    MAINTENANCE = ("System in maintenance mode", 503)
    INSUFFICIENT_LICENSES = ("Insufficient licenses", 503)
    INVALID_LICENSE = ("Invalid license", 503)
    DISABLED = ("Disabled", 403)
    SIGN_ON = ("SSO Authentication Failed", 403)
    INVALID_TOKEN = ("Invalid token", 403)
    INVALID_ROLE = ("Invalid role", 403)
    TRANSFORM = ("invalid gateway routing rule transform", 404)
    NOT_REGISTERED = ("Gateway dial out failed", 480)
    """The call may only go to registered devices, and none has the alias (CONF-028)."""
    LOOP = ("Gateway dial out failed", 482)
    """The call has come back to us (SIP: Loop Detected)."""

    def __init__(self, text: str, sip_status: int) -> None:
        self.text = text
        self.sip_status = sip_status


class CallRefused(Exception):
    """The platform does not accept the call or action."""

    def __init__(self, refusal: Refusal, *, text: str = "", new_alias: str = "") -> None:
        """`text`: what the caller is told instead; `new_alias`: where a SIP caller may go instead (302)."""
        super().__init__(text or refusal.text)
        self.refusal = refusal
        self.text = text or refusal.text
        self.new_alias = new_alias


class PinRequired(Exception):
    """A PIN must be given first; says which roles have one (API: `pin` and `guest_pin`)."""

    def __init__(self, *, host_pin: bool, guest_pin: bool) -> None:
        super().__init__("PIN required")
        self.host_pin = host_pin
        self.guest_pin = guest_pin


class ExtensionRequired(Exception):
    """A Virtual Reception was called: the number to go on to must be given (API-034)."""

    def __init__(self, type: str) -> None:
        super().__init__("conference extension required")
        self.type = type


class IdentityRequired(Exception):
    """The caller has to sign on first, at one of these providers (API-036)."""

    def __init__(self, providers: tuple[str, ...]) -> None:
        super().__init__("sign-on required")
        self.providers = providers


class MediaRefused(Exception):
    """The media of a call cannot be set up; `no_common_codec` is SIP's 488, otherwise the offer is malformed."""

    def __init__(self, reason: str, *, no_common_codec: bool = False) -> None:
        super().__init__(reason)
        self.no_common_codec = no_common_codec


class NotDialled(Exception):
    """A call cannot even be tried. `status` and `reason` are the client API's (API-127)."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
