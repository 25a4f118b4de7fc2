"""Themes: the files that one may hold, where each comes from, and the settings among them (sheet 06). Pure.

What the contents of these files must be is in `domain.themecheck`.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Container, Mapping, Sequence
from typing import Final

import msgspec

SAMPLE_RATE: Final = 48000
"""Hz of every sound; mono, 16 bit."""
SCREEN: Final = (1920, 1080)
ICON: Final = (400, 400)
INDICATOR: Final = (100, 100)
WATERMARK: Final = (200, 100)
AVATAR: Final = (128, 128)
PIN_DIGITS: Final = 20
"""Most digits there is a picture for (REF-028)."""

CONFIG: Final = "themeconfig.json"

ASK_NUMBER: Final = "2sd-number-pound-key_48kHz_mono.wav"
NUMBER_NOT_VALID: Final = "2sd-number-not-valid-try-again_48kHz_mono.wav"
NUMBER_NEVER_VALID: Final = "2sd-invalid-number-three-times-disconnect_48kHz_mono.wav"
NO_NUMBER: Final = "2sd-not-entered-valid-number-disconnect-call_48kHz_mono.wav"
PLEASE_HOLD: Final = "2sd-please-hold-connect-you_48kHz_mono.wav"
WILL_DISCONNECT: Final = "conf-call-will-be-disconnected_48kHz_mono.wav"
CAPACITY_EXCEEDED: Final = "conf-capacity_exceeded_48kHz_mono.wav"
INSUFFICIENT_LICENSES: Final = "conf-insufficient_licenses_48kHz_mono.wav"
INVALID_LICENSE: Final = "conf-invalid_license_48kHz_mono.wav"
ASK_PIN: Final = "conf-getpin_48kHz_mono.wav"
ASK_PIN_POUND: Final = "conf-getpin_pound-key_48kHz_mono.wav"
INVALID_PIN: Final = "conf-invalidpin_48kHz_mono.wav"
WAIT_OR_PIN: Final = "conf-waithostpin_48kHz_mono.wav"
WAIT_OR_PIN_POUND: Final = "conf-waithostpin_pound-key_48kHz_mono.wav"
WAIT_FOR_HOST: Final = "conf-waitforleader_48kHz_mono.wav"
WELCOME: Final = "conf-placeintoconf_48kHz_mono.wav"
ALONE: Final = "conf-you_are_the_only_participant_48kHz_mono.wav"
HOST_HAS_LEFT: Final = "conf-leaderhasleft_48kHz_mono.wav"
ENTRY_TONE: Final = "conf-participant_entry_tone_48kHz_mono.wav"
EXIT_TONE: Final = "conf-participant_exit_tone_48kHz_mono.wav"
KNOCK: Final = "conf-participant_locked_out_48Khz_mono.wav"
"""With a capital K, unlike every other (REF-036)."""
TEST_CALL: Final = "conf-test_call_48kHz_mono.wav"
TEST_CALL_DISCONNECT: Final = "conf-test_call_disconnect_48kHz_mono.wav"

AUDIO_INDICATOR: Final = "audio_indicator.png"
CAPACITY_EXCEEDED_IMAGE: Final = "capacity_exceeded_image.jpg"
INSUFFICIENT_LICENSE_IMAGE: Final = "insufficient_license_image.jpg"
INVALID_LICENSE_IMAGE: Final = "invalid_license_image.jpg"
NO_INCOMING_VIDEO: Final = "no_incoming_video_icon.png"
NO_MAIN_VIDEO: Final = "no_main_video_icon.png"
NO_OTHERS: Final = "no_other_participants.jpg"
NO_OTHER_VIDEO: Final = "no_other_video_participants.jpg"
NO_PRESENTATION: Final = "no_presentation_video_icon.png"
NO_VIDEO_LICENSE: Final = "no_video_license.jpg"
PIN_CORRECT: Final = "pin_entry_correct_image.jpg"
PIN_INCORRECT: Final = "pin_entry_incorrect_image.jpg"
PLUS_N: Final = "plus_n_indicator.jpg"
AVATAR_IMAGE: Final = "presence_avatar_image.jpg"
STREAMING_INDICATOR: Final = "streaming_indicator.png"
TEST_CALL_IMAGE: Final = "test_call.jpg"
TEST_CALL_RECORDING: Final = "test_call_during_recording.jpg"
TEST_CALL_DISCONNECT_IMAGE: Final = "test_call_disconnect.jpg"
TIMED_OUT: Final = "timed_out.jpg"
TRANSFER: Final = "transfer.jpg"
RECEPTION: Final = "two_stage_dialing.jpg"
RECEPTION_INVALID: Final = "two_stage_dialing_conf_number_invalid_image.jpg"
WAITING_FOR_HOST: Final = "waiting_for_conference_leader_image.jpg"
WATERMARK_ICON: Final = "watermark_icon.png"


def pin_entry(digits: int) -> str:
    """The picture while `digits` digits of a PIN are entered (REF-028); more than 20 look like 20."""
    return f"pin_entry_{max(0, min(digits, PIN_DIGITS))}_digits_image.jpg"


class Kind(enum.StrEnum):
    """What a file of a theme is."""

    SOUND = "sound"
    JPEG = "jpeg"
    PNG = "png"
    SETTINGS = "settings"


class ThemeFile(msgspec.Struct, frozen=True):
    """A file that a theme may hold."""

    name: str
    kind: Kind
    size: tuple[int, int] = (0, 0)
    """Width and height of an image."""
    any_size: bool = False
    """It is scaled to fit whatever its size (REF-019)."""


SOUNDS: Final = (
    *(ASK_NUMBER, NUMBER_NOT_VALID, NUMBER_NEVER_VALID, NO_NUMBER, PLEASE_HOLD, WILL_DISCONNECT),
    *(CAPACITY_EXCEEDED, INSUFFICIENT_LICENSES, INVALID_LICENSE, ASK_PIN, ASK_PIN_POUND, INVALID_PIN),
    *(WAIT_OR_PIN, WAIT_OR_PIN_POUND, WAIT_FOR_HOST, WELCOME, ALONE, HOST_HAS_LEFT, ENTRY_TONE, EXIT_TONE, KNOCK),
    *(TEST_CALL, TEST_CALL_DISCONNECT),
)
"""The 23 sounds."""
PIN_IMAGES: Final = (*(pin_entry(digits) for digits in range(PIN_DIGITS + 1)), PIN_CORRECT, PIN_INCORRECT)
"""The 23 images of PIN entry, which can be generated (REF-024)."""
SCREENS: Final = (
    *(CAPACITY_EXCEEDED_IMAGE, INSUFFICIENT_LICENSE_IMAGE, INVALID_LICENSE_IMAGE, NO_OTHERS, NO_OTHER_VIDEO),
    *(NO_VIDEO_LICENSE, *PIN_IMAGES, PLUS_N, TEST_CALL_IMAGE, TEST_CALL_RECORDING, TEST_CALL_DISCONNECT_IMAGE),
    *(TIMED_OUT, TRANSFER, RECEPTION, RECEPTION_INVALID, WAITING_FOR_HOST),
)
"""The images of 1920 by 1080."""
FILES: Final[Mapping[str, ThemeFile]] = {
    file.name: file
    for file in (
        *(ThemeFile(name, Kind.SOUND) for name in SOUNDS),
        *(ThemeFile(name, Kind.JPEG, SCREEN) for name in SCREENS),
        ThemeFile(AVATAR_IMAGE, Kind.JPEG, AVATAR),
        *(ThemeFile(name, Kind.PNG, ICON) for name in (NO_INCOMING_VIDEO, NO_MAIN_VIDEO, NO_PRESENTATION)),
        *(ThemeFile(name, Kind.PNG, INDICATOR) for name in (AUDIO_INDICATOR, STREAMING_INDICATOR)),
        ThemeFile(WATERMARK_ICON, Kind.PNG, WATERMARK, any_size=True),
        ThemeFile(CONFIG, Kind.SETTINGS),
    )
}
"""All 69 files, by their exact names."""


def source(name: str, themes: Sequence[Container[str]]) -> int | None:
    """Which of `themes` the file comes from: the first that holds it (REF-002); None: none does.

    Themes are given in the order service or rule, default, base.
    """
    return next((at for at, theme in enumerate(themes) if name in theme), None)


class Command(enum.StrEnum):
    """What a Host can do by keypad (REF-068); the last is newer than the others and need not be named."""

    TOGGLE_LOCK = "toggle_lock"
    TOGGLE_GUEST_MUTE = "toggle_guest_mute"
    END_CONFERENCE = "end_conference"
    CYCLE_LAYOUT = "cycle_layout"


_REQUIRED: Final = frozenset(Command) - {Command.CYCLE_LAYOUT}
_CYCLE: Final = "*8"
BASE_COMMANDS: Final[Mapping[str, str]] = {
    "*7": Command.TOGGLE_LOCK,
    "*5": Command.TOGGLE_GUEST_MUTE,
    "##": Command.END_CONFERENCE,
}
_DIGITS: Final = re.compile(r"[0-9*#]{2}", re.ASCII)


class ThemeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a theme sets by its `themeconfig.json`; the defaults are those of the base theme."""

    commands: dict[str, str] = msgspec.field(default_factory=lambda: {**BASE_COMMANDS, _CYCLE: Command.CYCLE_LAYOUT})
    """What Hosts can do by two digits on the keypad; empty: nothing (REF-067, REF-069)."""
    no_main_video_bg: int = 0x000000
    """RGB, as the following colours of text."""
    no_presentation_video_bg: int = 0x000000
    disable_streaming_indicator: bool = False
    disable_watermark_icon: bool = False
    streaming_indicator_text: str = "Streaming enabled"
    virtual_reception_text_color: int = 0xFFFFFF
    plus_n_indicator_text_color: int = 0xF38B3C
    indicator_num_color: int = 0xF38B3C
    indicator_num_bg_color: int = 0xBE222222
    """Opacity (255 is opaque) and RGB (REF-064)."""
    test_call_service_media_delay: float = 2.0
    """Seconds."""
    test_call_service_disconnect_timeout: float = 10.0
    """Seconds."""


BASE_SETTINGS: Final = ThemeSettings()
LONGEST_TEXT: Final = 100
"""Characters of `streaming_indicator_text`."""
LONGEST_DELAY: Final = 10.0
"""Seconds; what a worker keeps of a caller's picture."""
LONGEST_TEST: Final = 600.0
"""Seconds."""

COLOURS: Final = (
    *("no_main_video_bg", "no_presentation_video_bg", "virtual_reception_text_color"),
    *("plus_n_indicator_text_color", "indicator_num_color", "indicator_num_bg_color"),
)
WITH_OPACITY: Final = "indicator_num_bg_color"
FLAGS: Final = ("disable_streaming_indicator", "disable_watermark_icon")
SECONDS: Final[Mapping[str, float]] = {
    "test_call_service_media_delay": LONGEST_DELAY,
    "test_call_service_disconnect_timeout": LONGEST_TEST,
}
TEXT: Final = "streaming_indicator_text"
CONTROL: Final = "enable_dtmf_conference_control"
COMMANDS: Final = "dtmf_conference_control_commands"
KEYS: Final = (CONTROL, COMMANDS, *COLOURS, *FLAGS, TEXT, *SECONDS)
"""The keys of `themeconfig.json`."""


def colour(value: object, *, opacity: bool = False) -> int | None:
    """The number that `0xRRGGBB` stands for, with `opacity` of `0xAARRGGBB`; None when it is neither.

    Where opacity may be given and is not, the colour is opaque (REF-064).
    """
    if not isinstance(value, str) or not re.fullmatch(r"0[xX]([0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})", value):
        return None
    if len(value) == len("0xAARRGGBB"):
        return int(value, 16) if opacity else None
    return int(value, 16) | (0xFF000000 if opacity else 0)


def settings(config: Mapping[str, object] | None) -> ThemeSettings:
    """What the `themeconfig.json` found for a service sets; what it lacks or has wrong is the base theme's (REF-004).

    None: no theme but the base has one.
    """
    config = config or {}
    wrong = problems(config)
    values: dict[str, object] = {
        name: config[name] for name in (*FLAGS, TEXT, *SECONDS) if name in config and name not in wrong
    }
    for name in COLOURS:
        if (found := colour(config.get(name), opacity=name == WITH_OPACITY)) is not None:
            values[name] = found
    return msgspec.structs.replace(BASE_SETTINGS, commands=_commands(config, wrong), **values)


def _commands(config: Mapping[str, object], wrong: Mapping[str, str]) -> dict[str, str]:
    if CONTROL not in wrong and config.get(CONTROL) is False:
        return {}
    chosen = config.get(COMMANDS, BASE_COMMANDS)
    if COMMANDS in wrong or not isinstance(chosen, Mapping):
        return {}
    commands = {str(digits): str(command) for digits, command in chosen.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if Command.CYCLE_LAYOUT not in commands.values():
        commands.setdefault(_CYCLE, Command.CYCLE_LAYOUT)
    return commands


def read_config(text: str) -> dict[str, object]:
    """The content of a `themeconfig.json`. Raises ValueError, with line and column, when it is no JSON object.

    Where digits are given twice among the commands, they are wrong (`problems`).
    """
    try:
        found = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_object)
    except json.JSONDecodeError as problem:
        raise ValueError(f"is not JSON: line {problem.lineno}, column {problem.colno}: {problem.msg}") from None
    except RecursionError:
        raise ValueError("is not JSON that can be read: nested too deeply") from None
    if isinstance(found, _Doubled):
        return dict(found.pairs)
    if not isinstance(found, dict):
        raise ValueError("has to hold a JSON object")
    return found  # pyright: ignore[reportUnknownVariableType]


class _Doubled(msgspec.Struct):
    """An object that has a key twice."""

    pairs: list[tuple[str, object]]


def _object(pairs: list[tuple[str, object]]) -> dict[str, object] | _Doubled:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Doubled(pairs)


def problems(config: Mapping[str, object]) -> dict[str, str]:
    """What is wrong with the values of a `themeconfig.json`, by key; such a key does not count.

    It takes the base theme's value, but wrong commands switch control by keypad off (REF-069).
    """
    found: dict[str, str] = {}
    for name, value in config.items():
        if problem := _problem(name, value):
            found[name] = problem
    return found


def _problem(name: str, value: object) -> str:
    if name in COLOURS:
        if colour(value, opacity=name == WITH_OPACITY) is None:
            forms = "0xRRGGBB or 0xAARRGGBB" if name == WITH_OPACITY else "0xRRGGBB"
            return f"expected a colour {forms}, found {_shown(value)}"
    elif name in FLAGS or name == CONTROL:
        if not isinstance(value, bool):
            return f"expected true or false, found {_shown(value)}"
    elif name in SECONDS:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= SECONDS[name]:
            return f"expected seconds from 0 to {SECONDS[name]:g}, found {_shown(value)}"
    elif name == TEXT:
        if not isinstance(value, str) or len(value) > LONGEST_TEXT:
            return f"expected a text of at most {LONGEST_TEXT} characters, found {_shown(value)}"
    elif name == COMMANDS:
        return _commands_problem(value)
    else:
        return "is no setting of a theme"
    return ""


def _commands_problem(value: object) -> str:
    if isinstance(value, _Doubled):
        keys = [digits for digits, _ in value.pairs]
        return f"{next(key for key in keys if keys.count(key) > 1)} is given twice"
    if not isinstance(value, Mapping):
        return f"expected an object of two digits and a command each, found {_shown(value)}"
    commands: dict[object, object] = dict(value)  # pyright: ignore[reportUnknownArgumentType]
    for digits, command in commands.items():
        if not isinstance(digits, str) or not _DIGITS.fullmatch(digits):
            return f"expected exactly two of the digits 0-9, * and #, found {_shown(digits)}"
        if not isinstance(command, str) or command not in frozenset(Command):
            return f"{_shown(command)} is no command"
    given = [str(command) for command in commands.values()]
    if twice := next((command for command in given if given.count(command) > 1), None):
        return f"more than one pair of digits for {twice}"
    if missing := sorted(_REQUIRED - set(given)):
        return f"no digits for {', '.join(missing)}"
    return ""


def _shown(value: object) -> str:
    text = "an object with a key twice" if isinstance(value, _Doubled) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
