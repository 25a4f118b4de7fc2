"""What people read while they are asked for a PIN on a keypad (CONF-050…CONF-054)."""

from __future__ import annotations

from rostra.domain.admission import AccessRules

PIN_PROMPT = "Please enter the conference PIN"
PIN_PROMPT_POUND = "Please enter the conference PIN, followed by #"
PIN_WRONG = "That PIN is not valid. Please try again"


def pin_prompt(access: AccessRules, digits: str = "") -> str:
    """The text at a PIN prompt; a variant tells of the pound key (CONF-053). Digits are shown as dots."""
    text = PIN_PROMPT_POUND if access.host_pin.endswith("#") else PIN_PROMPT
    return f"{text}\n{'● ' * len(digits)}".rstrip()
