"""Messages about values, in the language of who reads them."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation


def gettext(text: str) -> str:
    """`text` in the language that is spoken now; as it is where Django has not been configured, as in tools."""
    return translation.gettext(text) if settings.configured else text


def gettext_noop(text: str) -> str:
    """`text` as it is; it can be translated where it is shown."""
    return text
