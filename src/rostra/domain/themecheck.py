"""What the contents of a theme's files must be, and what is wrong with those that are not (REF-016...REF-019). Pure.

Every complaint names what was expected and what was found. Only the structure of pictures is judged here.
"""

from __future__ import annotations

import difflib
import struct
import zlib
from collections.abc import Iterator, Sequence

import msgspec

from rostra.domain.theme import FILES, SAMPLE_RATE, Kind, ThemeFile, read_config

LARGEST_PICTURE = 4096
"""Pixels along a side of a picture that may have any size."""
LARGEST_CONFIG = 64 * 1024
"""Bytes of a `themeconfig.json`."""


class BadFile(ValueError):
    """A file is not what it must be; the text says what was expected and what was found."""


class Wave(msgspec.Struct, frozen=True):
    """A sound: its format, and its samples as they are in the file."""

    channels: int
    rate: int
    bits: int
    samples: bytes


def check(name: str, data: bytes) -> None:
    """Is `data` what the theme file `name` may be? Raises BadFile."""
    file = FILES[name]
    match file.kind:
        case Kind.SOUND:
            sound(data)
        case Kind.JPEG:
            _sized(file, *jpeg_size(data))
        case Kind.PNG:
            _sized(file, *png_size(data))
        case Kind.SETTINGS:
            _config(data)


# ---- sounds ------------------------------------------------------------------------------------------------


def sound(data: bytes) -> bytes:
    """The samples of a theme's sound, 48 kHz mono S16LE; an empty file is silence (REF-005). Raises BadFile."""
    if not data:
        return b""
    wave = read_wave(data)
    for what, expected, found in (
        ("channel(s)", 1, wave.channels),
        ("Hz", SAMPLE_RATE, wave.rate),
        ("bit", 16, wave.bits),
    ):
        if expected != found:
            raise BadFile(f"expected {expected} {what}, found {found} {what}")
    return wave.samples[: len(wave.samples) // 2 * 2]


def read_wave(data: bytes) -> Wave:
    """A RIFF WAVE file in PCM. Raises BadFile."""
    if data[:4] in (b"RIFX", b"FFIR") or (data[:4] == b"RIFF" and data[8:12] != b"WAVE"):
        raise BadFile("expected a little-endian RIFF WAVE file, found another kind of RIFF")
    if data[:4] != b"RIFF":
        raise BadFile(f"expected a WAV file, found {_named(data)}")
    form: tuple[int, int, int, int] | None = None
    for kind, start, size in _chunks(data):
        if kind == b"fmt ":
            if size < 16 or start + 16 > len(data):
                raise BadFile("is damaged: its description is cut short")
            tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, start)
            if tag == 0xFFFE and size >= 26 and start + 26 <= len(data):  # extensible: the format is in a GUID
                (tag,) = struct.unpack_from("<H", data, start + 24)
            form = tag, channels, rate, bits
        elif kind == b"data":
            if form is None:
                raise BadFile("is damaged: its samples come before their description")
            if form[0] != 1:
                raise BadFile(f"expected PCM (format 1), found format {form[0]}")
            if start + size > len(data) and size != 0xFFFFFFFF:
                raise BadFile(f"is cut short: expected {size} bytes of samples, found {len(data) - start}")
            return Wave(*form[1:], data[start : start + size])
    raise BadFile("is damaged: it has no samples")


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 12
    while at + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, at + 4)
        yield data[at : at + 4], at + 8, size
        at += 8 + size + size % 2


# ---- pictures ----------------------------------------------------------------------------------------------

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""
_END, _SCAN, _ADOBE = 0xD9, 0xDA, 0xEE
_DECODED = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive: what decoders know."""
_MODES = {1: "greyscale", 2: "two colours", 4: "CMYK"}


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height of an RGB JPEG that is whole. Raises BadFile."""
    if data[:2] != b"\xff\xd8":
        raise BadFile(f"expected a JPEG, found {_named(data)}")
    found: tuple[int, int] | None = None
    for marker, body in _segments(data):
        if marker in _FRAMES:
            if marker not in _DECODED or len(body) < 6 or body[0] != 8:
                raise BadFile("expected a baseline or progressive JPEG of 8 bits, found another kind")
            _, height, width, components = struct.unpack_from(">BHHB", body)
            if components != 3:
                raise BadFile(f"expected the colour mode RGB, found {_MODES.get(components, f'{components} colours')}")
            found = width, height
        elif marker == _SCAN:
            break
    if found is None:
        raise BadFile("is damaged: no picture is in it")
    if b"\xff\xd9" not in data[-1024:]:
        raise BadFile("is cut short: its end is missing")
    return found


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise BadFile("is damaged")
        marker = data[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        if marker in _ALONE:
            at += 2
            continue
        if marker == _END:
            return
        (size,) = struct.unpack_from(">H", data, at + 2)
        if size < 2 or at + 2 + size > len(data):
            raise BadFile("is cut short")
        yield marker, data[at + 4 : at + 2 + size]
        at += 2 + size


def png_size(data: bytes) -> tuple[int, int]:
    """Width and height of a PNG that is whole. Raises BadFile."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise BadFile(f"expected a PNG, found {_named(data)}")
    at, found = 8, (0, 0)
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + size
        if end + 4 > len(data):
            raise BadFile("is cut short")
        if zlib.crc32(data[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise BadFile("is damaged: a checksum is wrong")
        if kind == b"IHDR" and size >= 8:
            found = struct.unpack_from(">II", data, at + 8)
        if kind == b"IEND":
            if not all(found):
                raise BadFile("is damaged: no picture is in it")
            return found
        at = end + 4
    raise BadFile("is cut short: its end is missing")


def _sized(file: ThemeFile, width: int, height: int) -> None:
    expected = "{}x{}".format(*file.size)
    if file.any_size:
        if max(width, height) > LARGEST_PICTURE:
            raise BadFile(f"expected {expected} or another size up to {LARGEST_PICTURE} pixels, found {width}x{height}")
    elif (width, height) != file.size:
        raise BadFile(f"expected {expected} pixels, found {width}x{height}")


# ---- settings ----------------------------------------------------------------------------------------------


def config_text(data: bytes) -> str:
    """The text of a `themeconfig.json`. Raises BadFile."""
    if len(data) > LARGEST_CONFIG:
        raise BadFile(f"expected at most {LARGEST_CONFIG // 1024} kB, found {len(data) // 1024} kB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data[: problem.start].count(b"\n") + 1
        raise BadFile(f"expected UTF-8, found something else in line {line}") from None


def _config(data: bytes) -> None:
    try:
        read_config(config_text(data))
    except BadFile:
        raise
    except ValueError as problem:
        raise BadFile(str(problem)) from None


_STARTS = (
    (b"\xff\xd8", "a JPEG"),
    (b"\x89PNG", "a PNG"),
    (b"RIFF", "a WAV file"),
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"ID3", "an MP3"),
    (b"\xff\xfb", "an MP3"),
    (b"OggS", "an Ogg file"),
    (b"fLaC", "a FLAC file"),
    (b"II*\x00", "a TIFF"),
    (b"MM\x00*", "a TIFF"),
    (b"<", "markup"),
)


def _named(data: bytes) -> str:
    """What a file seems to be."""
    if not data:
        return "an empty file"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "a WebP"
    return next((name for start, name in _STARTS if data.startswith(start)), "something else")


# ---- packages ----------------------------------------------------------------------------------------------

_IGNORED = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


def placed(members: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Where each theme file is among a package's members, and what is wrong with the others.

    Files are in one folder or in none; what systems leave behind is passed over.
    """
    found: dict[str, str] = {}
    wrong: list[str] = []
    folders: set[str] = set()
    for member in members:
        *folder, name = member.split("/")
        if not name or "__MACOSX" in folder or name in _IGNORED or name.startswith("._"):
            continue
        if len(folder) > 1:
            wrong.append(f"{member}: expected no folder within a folder")
        elif name not in FILES:
            wrong.append(f"{member}: no file of a theme has this name{_hint(name)}")
        else:
            found[name] = member
            folders.add("/".join(folder))
    if len(folders) > 1:
        names = ", ".join(sorted(folder or "no folder" for folder in folders))
        wrong.append(f"expected all files in one folder, found {names}")
    return found, wrong


def _hint(name: str) -> str:
    """The name that was probably meant."""
    alike = difflib.get_close_matches(name.lower(), [known.lower() for known in FILES], 1, 0.85)
    meant = next((known for known in FILES if alike and known.lower() == alike[0]), "")
    return f"; did you mean {meant}?" if meant else ""
