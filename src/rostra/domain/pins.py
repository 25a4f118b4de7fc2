"""What a pair of PINs must look like to be saved (CONF-046, CONF-047). Pure."""

from __future__ import annotations

import re

_PIN = re.compile(r"(?=.{4,20}\Z)[0-9]{3,20}#?", re.ASCII)


def malformed(pin: str) -> bool:
    """Is a PIN that is not empty anything but 4-20 characters, digits and at most one final `#` (CONF-046)?"""
    return bool(pin) and _PIN.fullmatch(pin) is None


def problems(host_pin: str, guest_pin: str, *, allow_guests: bool) -> dict[str, str]:
    """Why these PINs cannot be saved together, by field name of the management API; empty when they can.

    Fields are `pin`, `guest_pin` and `allow_guests` (CONF-046, CONF-047).
    """
    found = {
        field: "Use 4 to 20 characters: digits, and optionally one # at the end."
        for field, pin in (("pin", host_pin), ("guest_pin", guest_pin))
        if malformed(pin)
    }
    if found:
        return found
    if not host_pin:
        if guest_pin:
            found["guest_pin"] = "A Guest PIN needs a Host PIN."
        if allow_guests:
            found["allow_guests"] = "Guests can only be told from Hosts when there is a Host PIN."
        return found
    if guest_pin:
        if guest_pin == host_pin:
            found["guest_pin"] = "The Guest PIN must differ from the Host PIN."
        elif guest_pin.endswith("#") != host_pin.endswith("#"):
            found["guest_pin"] = "Either both PINs end in # or neither does."
        elif not guest_pin.endswith("#") and len(guest_pin) != len(host_pin):
            found["guest_pin"] = "PINs without a final # must have the same length."
    return found
