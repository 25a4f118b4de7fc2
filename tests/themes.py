"""Files as themes may or may not hold them."""

from __future__ import annotations

import io
import wave
from typing import Any

from PIL import Image

from rostra.domain import theme


def wav(channels: int = 1, rate: int = 48000, bits: int = 16, samples: int = 480) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(bits // 8)
        file.setframerate(rate)
        file.writeframes(bytes(samples * channels * bits // 8))
    return out.getvalue()


def picture(size: tuple[int, int] = theme.SCREEN, mode: str = "RGB", form: str = "JPEG", **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, form, **more)
    return out.getvalue()
