"""Texts become bitmaps of the right size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rostra.media.engine import text


def pixels(image: text.Image) -> np.ndarray:
    return np.frombuffer(image.rgba, np.uint8).reshape(image.height, image.width, 4)


@pytest.mark.parametrize("make", [text.label, text.title])
@pytest.mark.parametrize("content", ["Ada", "", "x" * 500, "שלום 你好 สวัสดี 👍", "a\nb\n\nc\x01\x00\ud800"])
@pytest.mark.parametrize("size", [(640, 360), (32, 18), (1, 1)])
def test_any_text_fits_any_tile(make: Callable[..., text.Image], content: str, size: tuple[int, int]) -> None:
    image = make(content, *size)
    assert image.width == size[0]
    assert 0 < image.height <= size[1]
    picture = pixels(image)
    assert (picture[:, :, :3] <= picture[:, :, 3:]).all(), "premultiplied"


def test_a_long_name_is_shortened_inside_the_margin() -> None:
    picture = pixels(text.label("Maximilian " * 20, 400, 225))
    lit = np.argwhere(picture[:, :, 0] > 150)
    assert len(lit) > 50
    assert lit[:, 1].max() < 400 - 4
    assert lit[:, 1].max() > 300
