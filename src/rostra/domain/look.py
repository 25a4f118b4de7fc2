"""How the pictures of a conference look: as its service says, and as Hosts have changed it since (POL-162). Pure.

Changes are conference-wide registers, each of one member of `transforms` (API-122); they end with the conference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from rostra.domain import layouts
from rostra.domain.layouts import Layout
from rostra.domain.scene import SCENE_WIDTH
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import Role

Value = bool | str | float | tuple[str, ...] | None

PREFIX: Final = "look:"
"""What the names of these registers begin with."""
_OVERRIDE: Final = PREFIX + "override"
LONGEST_TEXT: Final = 1000
"""Characters of all free texts together."""
MOST_TEXTS: Final = 64
MOST_ACTORS: Final = 64


class IllegalValue(ValueError):
    """A member of a change has a value it cannot have (API-123); nothing is changed."""


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """Who is shown to an audience, named one by one (`override_layout`)."""

    audience: str = ""
    """`hosts`; empty: everybody that no other override is for."""
    layout: str = ""
    actors: tuple[str, ...] = ()
    """Participants that come first, in this order."""
    vad_backfill: bool = True
    """Others fill the places that are left."""
    plus_n: str = "auto"
    """`auto` or `off`."""
    actors_overlay_text: str = "off"
    """`auto`: names are shown."""


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """How the picture of one audience is made."""

    layout: Layout
    names: bool = False
    """Names on all pictures that are large enough for them (SVC-032; POL sheet, 14.4)."""
    mark_speaker: bool = False
    """Name and frame of who speaks."""
    plus_n: bool = True
    """The number of those not shown."""
    texts: tuple[str, ...] = ()
    """In place of names, in display order."""
    actors: tuple[str, ...] = ()
    backfill: bool = True
    indicators: bool = True
    width: int = SCENE_WIDTH
    """Of the picture, whose height is always the same."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """How everybody's pictures look."""

    hosts: Style
    guests: Style
    streams: Style
    """For what streams and records the conference."""
    streaming: bool | None = None
    """The indicator is shown, or not; None: as it is."""
    recording: bool | None = None
    notes: tuple[str, ...] = ()
    """What else goes on in the conference, and is to be seen by all."""
    waiting_screen: bool = False
    """Streams show the conference's waiting picture."""
    slides_in_streams: bool = True

    @property
    def requested(self) -> tuple[str, str]:
        """Names of the layouts for Hosts and for Guests (POL-163)."""
        return self.hosts.layout.name, self.guests.layout.name

    def of(self, role: Role, *, streams: bool = False) -> Style:
        return self.streams if streams else self.hosts if role is Role.HOST else self.guests


_NOTES: Final = {
    "transcribing_indicator": "Transcribing",
    "live_captions_indicator": "Live captions",
    "ai_enabled_indicator": "AI assistant",
    "external_media_processing_indicator": "Processed elsewhere",
}
_LAYOUTS: Final = ("layout", "host_layout", "guest_layout")
_FLAGS: Final = (
    *("enable_overlay_text", "enable_active_speaker_indication", "enable_extended_ac", "plus_n_pip_enabled"),
    *("streaming_indicator", "recording_indicator", *_NOTES),
)
_STREAMING: Final = ("waiting_screen_enabled", "plus_n_pip_enabled", "indicators_enabled", "presentation_in_mix")
_TEXT: Final = "free_form_overlay_text"
MEMBERS: Final = (*_LAYOUTS, *_FLAGS, _TEXT, "streaming")
"""Members of `transforms`."""
REGISTERS: Final = tuple(
    PREFIX + name
    for name in (*_LAYOUTS, *_FLAGS, _TEXT, "streaming.layout", *(f"streaming.{name}" for name in _STREAMING))
)


# ---- changing ---------------------------------------------------------------------------------------------


def transform(transforms: Mapping[str, object], *, lecture: bool) -> dict[str, Value]:
    """Registers to set for these `transforms`; an empty object goes back to what is configured (API-123).

    Members there is nothing for are left aside; None goes back to what is configured. Raises IllegalValue.
    """
    if not transforms:
        return dict.fromkeys((*REGISTERS, _OVERRIDE))
    changed: dict[str, Value] = {}
    for name in _LAYOUTS:
        if name in transforms:
            changed[PREFIX + name] = _layout(transforms[name], lecture=lecture)
    for name in _FLAGS:
        if name in transforms:
            changed[PREFIX + name] = _flag(transforms[name])
    if _TEXT in transforms:
        changed[PREFIX + _TEXT] = _texts(transforms[_TEXT])
    if "streaming" in transforms:
        changed |= _streaming(transforms["streaming"], lecture=lecture)
    if not lecture and PREFIX + "host_layout" in changed:  # one layout for all (CONF-082)
        changed.setdefault(PREFIX + "layout", changed.pop(PREFIX + "host_layout"))
    if any(PREFIX + name in changed for name in _LAYOUTS):
        changed[_OVERRIDE] = None
    return changed


def override(wanted: object, *, lecture: bool) -> dict[str, Value]:
    """Registers to set for an `override_layout`; no entries end it. Raises IllegalValue."""
    try:
        entries = msgspec.convert(wanted, list[Override])
    except msgspec.ValidationError as problem:
        raise IllegalValue(str(problem)) from None
    for entry in entries:
        if entry.audience not in ("", "hosts") or entry.plus_n not in ("auto", "off"):
            raise IllegalValue(f"audience {entry.audience!r}, plus_n {entry.plus_n!r}")
        if len(entry.actors) > MOST_ACTORS:
            raise IllegalValue("too many actors")
        if entry.layout:
            _layout(entry.layout, lecture=lecture)
    if len({entry.audience for entry in entries}) != len(entries):
        raise IllegalValue("an audience is named twice")
    return {_OVERRIDE: msgspec.json.encode(entries).decode() if entries else None}


def _layout(value: object, *, lecture: bool) -> str | None:
    if value is None:
        return None
    found = layouts.find(value) if isinstance(value, str) else None
    if found is None or not layouts.allowed(found, lecture=lecture):
        raise IllegalValue(f"layout {value!r}")
    return found.name


def _flag(value: object) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise IllegalValue(f"{value!r} is neither true nor false")
    return value


def _texts(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    try:
        texts = msgspec.convert(value, tuple[str, ...])
    except msgspec.ValidationError as problem:
        raise IllegalValue(str(problem)) from None
    if len(texts) > MOST_TEXTS or sum(map(len, texts)) > LONGEST_TEXT:
        raise IllegalValue("too much text")
    return texts


def _streaming(value: object, *, lecture: bool) -> dict[str, Value]:
    names = ("layout", *_STREAMING)
    if value is None:
        return {f"{PREFIX}streaming.{name}": None for name in names}
    if not isinstance(value, Mapping):
        raise IllegalValue("streaming is no object")
    given: dict[object, object] = dict(value)  # pyright: ignore[reportUnknownArgumentType]
    changed: dict[str, Value] = {}
    for name in names:
        if name in given:
            member = given[name]
            changed[f"{PREFIX}streaming.{name}"] = (
                _layout(member, lecture=lecture) if name == "layout" else _flag(member)
            )
    return changed


# ---- reading ----------------------------------------------------------------------------------------------


def look(service: ServiceDescription, register: Callable[[str], Any]) -> Look:
    """How the pictures look now. `register` gives the value of a register, or None."""
    lecture = service.service_type == "lecture"

    def value(name: str) -> Any:
        return register(PREFIX + name)

    def flag(name: str, otherwise: bool) -> bool:
        found = value(name)
        return found if isinstance(found, bool) else otherwise

    def chosen(name: str, token: str) -> Layout:
        found = layouts.find(value(name) or value("layout") or "")
        return found or layouts.configured(token, lecture=lecture)

    style = Style(
        layout=chosen("host_layout" if lecture else "layout", service.host_view),
        names=flag("enable_overlay_text", service.enable_overlay_text),
        mark_speaker=flag("enable_active_speaker_indication", service.enable_active_speaker_indication),
        plus_n=flag("plus_n_pip_enabled", True),
        texts=value(_TEXT) or (),
    )
    guests = style
    if lecture:
        guests = msgspec.structs.replace(style, layout=chosen("guest_layout", service.guest_view))
    overrides = _overrides(register(_OVERRIDE))
    everybody = overrides.get("")
    streams = msgspec.structs.replace(
        guests,
        layout=layouts.find(value("streaming.layout") or "") or guests.layout,
        plus_n=flag("streaming.plus_n_pip_enabled", style.plus_n),
        indicators=flag("streaming.indicators_enabled", True),
    )
    return Look(
        hosts=_overridden(style, overrides.get("hosts", everybody)),
        guests=_overridden(guests, everybody),
        streams=_overridden(streams, everybody),
        streaming=value("streaming_indicator"),
        recording=value("recording_indicator"),
        notes=tuple(text for name, text in _NOTES.items() if flag(name, False)),
        waiting_screen=flag("streaming.waiting_screen_enabled", False),
        slides_in_streams=flag("streaming.presentation_in_mix", True),
    )


def _overrides(value: object) -> Mapping[str, Override]:
    entries = msgspec.json.decode(value, type=list[Override]) if isinstance(value, str) and value else []
    return {entry.audience: entry for entry in entries}


def _overridden(style: Style, entry: Override | None) -> Style:
    if entry is None:
        return style
    return msgspec.structs.replace(
        style,
        layout=layouts.find(entry.layout) or style.layout,
        actors=entry.actors,
        backfill=entry.vad_backfill,
        plus_n=style.plus_n and entry.plus_n != "off",
        names=style.names or entry.actors_overlay_text == "auto",
    )
