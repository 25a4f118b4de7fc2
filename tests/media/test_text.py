"""Names and captions in the scripts people write them in."""

import numpy as np
import pytest

from rostra.media.engine import text


def ink(content: str, size: int = 40) -> np.ndarray:
    """What is written, without the empty columns at either side: R, G, B, A."""
    made = text.title(content, 800, 80, size)
    pixels = np.frombuffer(made.rgba, np.uint8).reshape(made.height, made.width, 4)
    used = np.flatnonzero(pixels[:, :, 3].any(axis=0))
    return pixels[:, used[0] : used[-1] + 1] if used.size else pixels[:, :0]


@pytest.mark.spec("CONF-079", "REF-056")
@pytest.mark.parametrize(
    "content",
    ["Ada", "Ядвига", "Ελένη", "مرحبا", "שלום", "会议室", "会議室", "회의실", "ประชุม", "हिन्दी", "தமிழ்", "አማርኛ"],
)
def test_scripts_have_letters_of_their_own(content: str) -> None:
    written = [ink(letter) for letter in dict.fromkeys(content)]
    shapes = {(one.shape, one.tobytes()) for one in written if one.size}
    assert len(shapes) > len(written) / 2, "boxes in place of letters all look alike"


def test_faces_are_coloured_and_digits_are_not() -> None:
    assert (ink("😀")[:, :, 0] != ink("😀")[:, :, 2]).any()
    digits = ink("+1234567890")
    assert (digits[:, :, 0] == digits[:, :, 2]).all()
    assert digits.shape[1] < 11 * 30, "and stand as close as letters"


def test_boxes_are_as_wide_as_their_text() -> None:
    short, long = (text.box(content, 300, 42, 22, 0xFFFFFF, 0xBE222222) for content in ("Al", "Alexandra"))
    assert short.width < long.width < 300
    assert text.box("x" * 200, 300, 42, 22, 0xFFFFFF, 0xBE222222).width == 300
    middle = np.frombuffer(short.rgba, np.uint8).reshape(short.height, short.width, 4)[3, short.width // 2]
    assert list(middle[3:]) == [0xBE]


@pytest.mark.parametrize("content", ["", "\x00\n\t", "\ud800", "\u202e\u202e", "a" * 100_000, "é" * 500])
def test_whatever_a_name_is(content: str) -> None:
    assert text.label(content, 182, 102).width == 182
    text.title(content, 182, 102)
    text.box(content, 182, 42, 20, 0xFFFFFF, 0xFF000000)


@pytest.mark.spec("REF-065")
@pytest.mark.parametrize(
    ("alpha", "opacity"), [(0x00, 0), (0x80, 0.5), (0x99, 0.6), (0xBE, 0.75), (0xE6, 0.9), (0xFF, 1)]
)
def test_alpha_of_a_theme_is_opacity(alpha: int, opacity: float) -> None:
    made = text.box("Al", 300, 42, 22, 0xFFFFFF, alpha << 24 | 0x222222)
    middle = np.frombuffer(made.rgba, np.uint8).reshape(made.height, made.width, 4)[3, made.width // 2]
    assert middle[3] / 255 == pytest.approx(opacity, abs=0.01)
