"""What the site tells everybody: on top of every page, and before the login (SYS-125)."""

from __future__ import annotations

import re
from typing import Any

from rostra.configuration.models import GlobalSettings

_COLOUR = re.compile(r"#[0-9A-Fa-f]{3,8}|[A-Za-z]{1,30}")
"""Anything else is no colour, and has no business in a style."""


def context() -> dict[str, Any]:
    """Variables of templates."""
    fields = ("site_banner", "site_banner_bg", "site_banner_fg", "logon_banner")
    row = GlobalSettings.objects.filter(pk=1).values(*fields).first() or dict.fromkeys(fields, "")
    return {
        "rostra_banner": {
            "text": row["site_banner"],
            "background": _colour(row["site_banner_bg"], "#c0c0c0"),
            "colour": _colour(row["site_banner_fg"], "#000000"),
        },
        "rostra_logon_banner": row["logon_banner"],
    }


def _colour(text: str, otherwise: str) -> str:
    return text if _COLOUR.fullmatch(text or "") else otherwise
