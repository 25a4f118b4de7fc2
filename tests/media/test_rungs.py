"""Which picture a receiver is sent, from what it says it can take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.media import codecs
from rostra.media.engine.rungs import FULL_HD, LADDER, Rung, narrow, pick, share


def level(number: str, **more: str) -> dict[str, str]:
    return {"profile-level-id": f"42e0{number}"} | {name.replace("_", "-"): value for name, value in more.items()}


@pytest.mark.parametrize(
    ("parameters", "size", "frame_rate"),
    [
        ({}, (1280, 720), 30),
        (level("1f"), (1280, 720), 30),
        (level("28"), (1280, 720), 30),
        (level("1e"), (640, 360), 30),
        (level("15"), (480, 272), 30),
        (level("0c"), (320, 180), 15),
        (level("0a"), (176, 96), 15),
        (level("0c", max_fs="3600", max_mbps="108000", max_br="14000"), (1280, 720), 30),
        (level("xx"), (176, 96), 15),
        ({"profile-level-id": "42e0"}, (1280, 720), 30),
        ({"max-fr": "15"}, (1280, 720), 15),
        ({"max-fr": "60"}, (1280, 720), 30),
        ({"max-fs": "1200"}, (640, 360), 30),
        ({"max-fs": "many"}, (1280, 720), 30),
    ],
)
def test_size_by_capability(parameters: dict[str, str], size: tuple[int, int], frame_rate: int) -> None:
    rung = pick(parameters)
    assert ((rung.width, rung.height), rung.frame_rate) == (size, frame_rate)


@pytest.mark.parametrize(
    ("limit", "size", "bitrate"),
    [
        (None, (1280, 720), 1_700_000),
        (0, (1280, 720), 1_700_000),
        (4_000_000, (1280, 720), 1_700_000),
        (1_200_000, (1280, 720), 1_200_000),
        (1_100_000, (848, 480), 900_000),
        (768_000, (848, 480), 768_000),
        (384_000, (640, 360), 384_000),
        (128_000, (320, 180), 128_000),
        (64_000, (176, 96), 56_000),
        (20_000, (176, 96), 20_000),
    ],
)
def test_size_by_bandwidth(limit: int | None, size: tuple[int, int], bitrate: int) -> None:
    rung = pick(level("1f"), limit)
    assert ((rung.width, rung.height), rung.bitrate) == (size, bitrate)


def test_the_bandwidth_of_a_level_holds_too() -> None:
    assert pick(level("0b")).bitrate <= 192_000
    assert pick(level("0b"), 5_000_000).bitrate <= 192_000


@given(
    st.dictionaries(st.sampled_from(["profile-level-id", "max-fs", "max-mbps", "max-br", "max-fr"]), st.text()),
    st.none() | st.integers(0, 10**10),
)
def test_anything_gives_a_rung_within_the_limit(parameters: dict[str, str], limit: int | None) -> None:
    rung = pick(parameters, limit)
    assert (rung.width, rung.height) in {(one.width, one.height) for one in LADDER}
    assert not limit or rung.bitrate <= max(limit, 1)
    assert rung.frame_rate >= 1


@pytest.mark.spec("REF-133")
@pytest.mark.parametrize("rung", LADDER)
def test_every_rung_has_a_narrow_one_that_takes_no_more(rung: Rung) -> None:
    made = narrow(rung)
    assert made.height == rung.height
    assert made.width / made.height == pytest.approx(4 / 3, rel=0.01)
    assert made.macroblocks <= rung.macroblocks
    assert (made.bitrate, made.frame_rate) == (rung.bitrate, rung.frame_rate)


@pytest.mark.spec("API-091", "CONF-148", "SYS-120", "SYS-121")
@pytest.mark.parametrize(
    ("parameters", "limit", "quality", "height"),
    [
        (level("28"), None, "fullhd", 1080),
        (level("28"), share(2_564_000, both=False), "fullhd", 1080),
        (level("28"), share(2_563_000, both=False), "fullhd", 720),
        (level("28"), share(1_800_000, both=False), "fullhd", 720),
        (level("28"), share(960_000, both=False), "fullhd", 480),
        (level("28"), None, "hd", 720),
        (level("28"), None, "sd", 480),
        (level("1f"), None, "fullhd", 720),
        (level("1f", max_fs="8160"), None, "fullhd", 720),
        (level("1f", max_fs="8160", max_mbps="244800"), None, "fullhd", 1080),
        ({}, None, "fullhd", 720),
        ({"max-fs": "8160"}, None, "fullhd", 1080),
        ({"max-fs": "8192"}, None, "hd", 720),
        ({"max-fs": "3600"}, None, "fullhd", 720),
        (level("0c"), None, "sd", 180),
    ],
)
def test_how_good_the_best_picture_is(parameters: dict[str, str], limit: int | None, quality: str, height: int) -> None:
    assert pick(parameters, limit, quality).height == height


@pytest.mark.spec("PLAT-114")
def test_sizes_go_from_qcif_to_full_hd_in_both_shapes() -> None:
    """And never above 30 pictures per second, whatever the far end states."""
    old = [
        codecs.BY_NAME[name].sizes({size: "1"}) for name, size in (("H261", "qcif"), ("H261", "cif"), ("H263", "cif4"))
    ]
    assert [pick({}, None, "fullhd", sizes).width for sizes in old] == [176, 352, 704]
    assert all(abs(one.width * 12 / 11 / one.height - 4 / 3) < 0.001 for sizes in old for one in sizes[:1])
    for rung in (FULL_HD, *LADDER):
        assert rung.frame_rate <= 30
        assert abs(rung.width / rung.height - 16 / 9) < 0.07
        assert abs(narrow(rung).width / rung.height - 4 / 3) < 0.07
    fast = {"max-fs": "8160", "max-mbps": "999999", "max-fr": "60"}
    assert pick(fast, None, "fullhd") == FULL_HD


def test_full_hd_is_full_hd() -> None:
    assert (FULL_HD.width, FULL_HD.height, FULL_HD.macroblocks) == (1920, 1080, 8160)
