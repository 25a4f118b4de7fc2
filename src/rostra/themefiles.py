"""The themes that come with the program (REF-006, REF-007).

They are in `themes/` of the installation, made by `themes/make`.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

import rostra

HOME = Path(rostra.__file__).resolve().parents[2] / "themes"
BASE = HOME / "base"
"""All 69 files."""


class Shipped(msgspec.Struct, frozen=True):
    """A theme that every new installation has: complete, so that it never falls back to the default theme."""

    uuid: str
    name: str
    parts: tuple[str, ...]
    """Directories whose files stand in for those of the base theme."""

    @property
    def directories(self) -> tuple[Path, ...]:
        """Where its files are, the first that has one counts."""
        return (*(HOME / part for part in self.parts), BASE)


SHIPPED = (
    Shipped("default", "Rostra theme (English_US)", ()),
    Shipped("defaultuk", "Rostra theme (English_UK)", ("hash",)),
    Shipped("defaultplustones", "Rostra theme (English_US) with entry tones", ("tones",)),
    Shipped("defaultukplustones", "Rostra theme (English_UK) with entry tones", ("hash", "tones")),
)


def shipped(uuid: str) -> Shipped | None:
    """The shipped theme with this identity."""
    return next((theme for theme in SHIPPED if theme.uuid == uuid), None)
