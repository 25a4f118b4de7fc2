"""Files of themes, where each comes from, and what their contents must be (sheet 06)."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.themes import picture, wav

from rostra import themefiles
from rostra.domain import theme, themecheck
from rostra.domain.theme import BASE_COMMANDS, BASE_SETTINGS, Kind, settings
from rostra.domain.themecheck import BadFile

ALL = dict.fromkeys(theme.FILES)
CONTROL, COMMANDS = theme.CONTROL, theme.COMMANDS
SOUND, SCREEN, ICON = theme.ASK_PIN, theme.TRANSFER, theme.NO_INCOMING_VIDEO


@pytest.mark.spec("REF-006")
def test_the_base_theme_has_every_file_as_it_must_be() -> None:
    assert {file.name for file in themefiles.BASE.iterdir()} == theme.FILES.keys()
    kinds = [file.kind for file in theme.FILES.values()]
    assert [kinds.count(kind) for kind in (Kind.SOUND, Kind.JPEG, Kind.PNG, Kind.SETTINGS)] == [23, 39, 6, 1]
    for name in theme.FILES:
        themecheck.check(name, (themefiles.BASE / name).read_bytes())
    config = json.loads((themefiles.BASE / theme.CONFIG).read_text())
    assert set(config) == set(theme.KEYS)
    assert settings(config) == BASE_SETTINGS


@pytest.mark.spec("REF-020")
def test_what_may_be_heard_first_begins_with_silence() -> None:
    for name in (SOUND, theme.ASK_NUMBER, theme.WELCOME, theme.WAIT_FOR_HOST, theme.TEST_CALL):
        samples = themecheck.sound((themefiles.BASE / name).read_bytes())
        assert not any(samples[: 2 * 2 * 48000])
        assert any(samples[2 * 2 * 48000 :])


@pytest.mark.spec("REF-007", "CONF-067")
def test_shipped_themes_differ_in_five_files_only() -> None:
    found = {shipped.uuid: _files(shipped.directories) for shipped in themefiles.SHIPPED}
    base = _files((themefiles.BASE,))
    assert found["default"] == base
    tones = {theme.ENTRY_TONE, theme.EXIT_TONE}
    said = {theme.ASK_NUMBER, theme.ASK_PIN_POUND, theme.WAIT_OR_PIN_POUND}
    for uuid, different in (("defaultuk", said), ("defaultplustones", tones), ("defaultukplustones", said | tones)):
        assert {name for name in base if found[uuid][name] != base[name]} == different
    for name in tones:
        assert themecheck.sound(base[name]) == b""
        assert len(themecheck.sound(found["defaultplustones"][name])) > 2 * 9600


def _files(directories: tuple[Path, ...]) -> dict[str, bytes]:
    return {name: next((d / name).read_bytes() for d in directories if (d / name).exists()) for name in theme.FILES}


@pytest.mark.spec("REF-002", "REF-003", "REF-005", "CONF-068")
@pytest.mark.parametrize(
    ("name", "expected"),
    [(theme.AVATAR_IMAGE, 0), (theme.pin_entry(3), 1), (theme.PIN_CORRECT, 1), (theme.WELCOME, 2), (SOUND, 2)],
)
def test_each_file_comes_from_the_first_theme_that_has_it(name: str, expected: int) -> None:
    assert theme.source(name, [{theme.AVATAR_IMAGE}, set(theme.PIN_IMAGES), ALL]) == expected


def test_a_file_that_nobody_has() -> None:
    assert theme.source(SOUND, []) is None


@pytest.mark.parametrize(("digits", "number"), [(-1, 0), (0, 0), (4, 4), (20, 20), (21, 20)])
@pytest.mark.spec("REF-028")
def test_pictures_of_pin_entry(digits: int, number: int) -> None:
    assert theme.pin_entry(digits) == f"pin_entry_{number}_digits_image.jpg"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        (SOUND, wav(channels=2), "expected 1 channel(s), found 2"),
        (SOUND, wav(rate=44100), "expected 48000 Hz, found 44100 Hz"),
        (SOUND, wav(bits=8), "expected 16 bit, found 8 bit"),
        (SOUND, wav().replace(b"fmt \x10\0\0\0\x01", b"fmt \x10\0\0\0\x07"), "expected PCM (format 1), found format 7"),
        (SOUND, b"RIFX" + wav()[4:], "little-endian"),
        (SOUND, b"OggS" + bytes(40), "expected a WAV file, found an Ogg file"),
        (SOUND, wav()[:-10], "cut short"),
        (SOUND, wav()[:36], "has no samples"),
        (SCREEN, picture((1280, 720)), "expected 1920x1080 pixels, found 1280x720"),
        (SCREEN, picture(mode="CMYK"), "expected the colour mode RGB, found CMYK"),
        (SCREEN, picture(mode="L"), "expected the colour mode RGB, found greyscale"),
        (SCREEN, picture(form="PNG"), "expected a JPEG, found a PNG"),
        (SCREEN, picture()[:2000], "cut short"),
        (SCREEN, b"", "expected a JPEG, found an empty file"),
        (ICON, picture((400, 300), "RGBA", "PNG"), "expected 400x400 pixels, found 400x300"),
        (ICON, picture((400, 400)), "expected a PNG, found a JPEG"),
        (ICON, picture((400, 400), "RGBA", "PNG")[:-8], "cut short"),
        (theme.WATERMARK_ICON, picture((5000, 10), "RGBA", "PNG"), "up to 4096 pixels, found 5000x10"),
        (theme.CONFIG, b"{", "is not JSON: line 1, column 2"),
        (theme.CONFIG, b'["a"]', "JSON object"),
        (theme.CONFIG, b"\xff", "UTF-8"),
        (theme.CONFIG, b" " * 70_000, "at most 64 kB"),
    ],
)
@pytest.mark.spec("REF-016", "REF-017", "REF-018")
def test_what_is_refused_and_why(name: str, data: bytes, said: str) -> None:
    with pytest.raises(BadFile) as refused:
        themecheck.check(name, data)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (SOUND, wav()),
        (SOUND, wav(samples=0)),
        (SOUND, b""),
        (SCREEN, picture()),
        (SCREEN, picture(progressive=True)),
        (ICON, picture((400, 400), "RGBA", "PNG")),
        (ICON, picture((400, 400), "P", "PNG")),
        (theme.WATERMARK_ICON, picture((640, 480), "RGBA", "PNG")),
        (theme.CONFIG, b"{}"),
        (theme.CONFIG, b'\xef\xbb\xbf{"disable_watermark_icon": "perhaps"}'),
    ],
)
@pytest.mark.spec("REF-005", "REF-019", "REF-066")
def test_what_is_taken(name: str, data: bytes) -> None:
    themecheck.check(name, data)


@given(st.binary(max_size=300), st.sampled_from([b"", b"RIFF\0\0\0\0WAVEfmt ", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]))
def test_garbage_is_refused_and_nothing_else(garbage: bytes, start: bytes) -> None:
    for name in (SOUND, SCREEN, ICON, theme.CONFIG):
        try:
            themecheck.check(name, start + garbage)
        except BadFile:
            continue


def test_samples_come_after_what_else_a_file_has() -> None:
    plain = wav()
    more = plain[:12] + b"LIST" + struct.pack("<I", 5) + b"hello\0" + plain[12:]
    assert themecheck.sound(more) == themecheck.sound(plain)


@pytest.mark.parametrize(
    ("members", "found", "wrong"),
    [
        ([f"theme/{SOUND}", f"theme/{SCREEN}"], {SOUND, SCREEN}, []),
        ([SOUND], {SOUND}, []),
        ([f"t/{SOUND}", "__MACOSX/t/._x", "t/.DS_Store", "t/Thumbs.db", "t/._y.wav"], {SOUND}, []),
        ([f"a/{SOUND}", f"b/{SCREEN}"], {SOUND, SCREEN}, ["expected all files in one folder, found a, b"]),
        ([f"a/b/{SOUND}"], set(), ["no folder within a folder"]),
        (["t/readme.txt"], set(), ["t/readme.txt: no file of a theme has this name"]),
        ([f"t/{SOUND.upper()}"], set(), [f"did you mean {SOUND}?"]),
        ([f"t/{theme.KNOCK.replace('Khz', 'kHz')}"], set(), [f"did you mean {theme.KNOCK}?"]),
    ],
)
@pytest.mark.spec("REF-013", "REF-036")
def test_where_files_are_in_a_package(members: list[str], found: set[str], wrong: list[str]) -> None:
    placed, told = themecheck.placed(members)
    assert placed.keys() == found
    assert len(told) == len(wrong)
    assert all(expected in one for expected, one in zip(wrong, told, strict=True))


MINE = {"11": "toggle_lock", "12": "toggle_guest_mute", "**": "end_conference"}


@pytest.mark.parametrize(
    ("config", "commands"),
    [
        ({}, {**BASE_COMMANDS, "*8": "cycle_layout"}),
        ({COMMANDS: MINE}, {**MINE, "*8": "cycle_layout"}),
        ({COMMANDS: {**MINE, "*8": "cycle_layout"}}, {**MINE, "*8": "cycle_layout"}),
        ({COMMANDS: {"*8": "toggle_lock", "12": "toggle_guest_mute", "13": "end_conference"}},
         {"*8": "toggle_lock", "12": "toggle_guest_mute", "13": "end_conference"}),
        ({CONTROL: False}, {}),
        ({CONTROL: False, COMMANDS: MINE}, {}),
        ({CONTROL: "no", COMMANDS: MINE}, {**MINE, "*8": "cycle_layout"}),
        ({COMMANDS: {"*7": "toggle_lock", "*5": "toggle_guest_mute"}}, {}),
        ({COMMANDS: {"*77": "toggle_lock", "*5": "toggle_guest_mute", "##": "end_conference"}}, {}),
        ({COMMANDS: {"*a": "toggle_lock", "*5": "toggle_guest_mute", "##": "end_conference"}}, {}),
        ({COMMANDS: {"*7": "lock", "*5": "toggle_guest_mute", "##": "end_conference"}}, {}),
        ({COMMANDS: {**MINE, "99": "toggle_lock"}}, {}),
        ({COMMANDS: {"*7": [], "*5": "toggle_guest_mute", "##": "end_conference"}}, {}),
        ({COMMANDS: "*7"}, {}),
    ],
)  # fmt: skip
@pytest.mark.spec("CONF-138", "REF-067", "REF-068", "REF-069")
def test_commands_by_keypad(config: dict[str, object], commands: dict[str, str]) -> None:
    assert settings(config).commands == commands


@pytest.mark.spec("REF-069")
def test_digits_given_twice_switch_commands_off() -> None:
    commands = '{"*7": "toggle_lock", "*7": "toggle_guest_mute", "##": "end_conference"}'
    config = theme.read_config(f'{{"{COMMANDS}": {commands}}}')
    assert theme.problems(config) == {COMMANDS: "*7 is given twice"}
    assert settings(config).commands == {}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("no_main_video_bg", "0xff8000", 0xFF8000),
        ("no_main_video_bg", "0xBEff8000", 0),
        ("no_main_video_bg", "#ff8000", 0),
        ("virtual_reception_text_color", "0x12345", 0xFFFFFF),
        ("indicator_num_bg_color", "0x80112233", 0x80112233),
        ("indicator_num_bg_color", "0x112233", 0xFF112233),
        ("indicator_num_bg_color", 5, 0xBE222222),
        ("disable_watermark_icon", True, True),
        ("disable_watermark_icon", 1, False),
        ("streaming_indicator_text", "Live", "Live"),
        ("streaming_indicator_text", "x" * 101, "Streaming enabled"),
        ("test_call_service_media_delay", 0.5, 0.5),
        ("test_call_service_media_delay", -1, 2.0),
        ("test_call_service_media_delay", True, 2.0),
        ("test_call_service_disconnect_timeout", 30, 30),
        ("test_call_service_disconnect_timeout", "30", 10.0),
    ],
)
@pytest.mark.spec("REF-004", "REF-064", "REF-066")
def test_values_and_what_stands_in_for_wrong_ones(name: str, value: object, expected: object) -> None:
    found = settings({name: value})
    assert getattr(found, name) == expected
    assert settings(None) == BASE_SETTINGS
