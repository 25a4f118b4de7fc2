"""Which forms of AAC are taken: what is said of the stream must be what we send."""

from __future__ import annotations

import pytest

from rostra.media.codecs import aac

LONG = {**aac.LATM, "config": "40002310adca00"}
"""What follows the configuration is for decoders of more than this."""


@pytest.mark.parametrize(
    ("changed", "taken"),
    [
        ({}, True), ({"config": "1188"}, True), ({"config": "118856E500"}, True), ({"mode": "aac-HBR"}, True),
        ({"config": "1190"}, False), ({"config": "1208"}, False), ({"config": "B98C00"}, False),
        ({"config": "118C"}, False), ({"config": ""}, False), ({"config": "118"}, False), ({"config": "xyz"}, False),
        ({"config": "f" * 5000}, False), ({"mode": "AAC-lbr"}, False), ({"sizelength": "6"}, False),
        ({"indexdeltalength": ""}, False),
    ],
)  # fmt: skip
def test_elementary_streams(changed: dict[str, str], taken: bool) -> None:
    """Refused: stereo, 44.1 kHz, low delay, frames of 960 samples, and what cannot be read."""
    assert aac.accept_generic({**aac.GENERIC, **changed}) == (aac.GENERIC if taken else None)


@pytest.mark.parametrize(
    ("changed", "taken"),
    [
        ({}, True), ({"config": LONG["config"]}, True), ({"cpresent": "1"}, False), ({"object": "23"}, False),
        ({"config": "40002410"}, False), ({"config": "40002318"}, False), ({"config": "C0002310"}, False),
        ({"config": "41002310"}, False), ({"config": "4000"}, False), ({"config": ""}, False),
    ],
)  # fmt: skip
def test_latm(changed: dict[str, str], taken: bool) -> None:
    """Refused: configuration in the stream, another object, 44.1 kHz, frames of 960, several programs or frames."""
    assert aac.accept_latm({**aac.LATM, **changed}) == (aac.LATM if taken else None)
