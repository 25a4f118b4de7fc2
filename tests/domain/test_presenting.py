"""Who may present, and what each participant is told."""

from __future__ import annotations

import itertools

import pytest

from rostra.domain import jpeg
from rostra.domain.presenting import (
    NOTHING,
    CallContent,
    Notice,
    Shown,
    call_of,
    may_keep,
    may_present,
    notice,
    presented_by,
    shown_to,
    slides_of,
)
from rostra.domain.vocabulary import Role

BASE = {
    "role": Role.HOST, "joined": True, "held": False, "allowed": True, "guests_allowed": True, "call_type": "video",
    "video": True,
}  # fmt: skip


@pytest.mark.spec("API-099", "SVC-035", "SYS-184")
@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, True),
        ({"role": Role.GUEST}, True),
        ({"role": Role.GUEST, "guests_allowed": False}, False),
        ({"guests_allowed": False}, True),
        ({"role": Role.UNKNOWN}, False),
        ({"joined": False}, False),
        ({"held": True}, False),
        ({"allowed": False}, False),
        ({"call_type": "video-only"}, False),
        ({"call_type": "audio"}, False),
        ({"call_type": "audio", "video": False}, True),
    ],
)
def test_who_may_take_the_floor(changed: dict[str, object], expected: bool) -> None:
    assert may_present(**(BASE | changed)) is expected  # type: ignore[arg-type]
    if changed.get("call_type") is None:
        kept = {key: value for key, value in (BASE | changed).items() if key not in ("call_type", "video")}
        assert may_keep(**kept) is expected  # type: ignore[arg-type]


OTHER, THIRD = Shown(presenter="b"), Shown(presenter="c")
SELF = Shown(presenter="a", itself=True)


@pytest.mark.spec("API-102", "API-104", "API-108")
@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (NOTHING, OTHER, Notice.START),
        (OTHER, THIRD, Notice.START),
        (OTHER, Shown(presenter="b", static=True), Notice.START),
        (OTHER, NOTHING, Notice.STOP),
        (OTHER, SELF, None),
        (NOTHING, SELF, None),
        (SELF, OTHER, Notice.START),
        (SELF, NOTHING, Notice.STOP),
        (OTHER, OTHER, None),
        (NOTHING, NOTHING, None),
    ],
)
def test_what_is_told_when_the_presenter_changes(before: Shown, now: Shown, told: Notice | None) -> None:
    assert notice(before, now) is told


@pytest.mark.spec("API-055", "API-108")
def test_who_may_know_of_a_presentation() -> None:
    for joined, allowed in itertools.product((True, False), repeat=2):
        other = shown_to("a", "b", joined=joined, allowed=allowed, static=False)
        assert other == (OTHER if joined and allowed else NOTHING)
        itself = shown_to("a", "a", joined=joined, allowed=allowed, static=False)
        assert itself == (SELF if joined else NOTHING)
    assert shown_to("a", "", joined=True, allowed=True, static=True) == NOTHING


def test_a_call_that_is_there_to_present_comes_before_the_main_one() -> None:
    main, send, stills = (("m", CallContent.MAIN), ("s", CallContent.SEND), ("j", CallContent.STILLS))
    assert presented_by([main]) == main
    assert presented_by([main, send]) == send
    assert presented_by([send, main, stills]) == stills
    assert presented_by([("r", CallContent.RECEIVE)]) is None
    assert call_of(slides_of("m")) == "m" == call_of("m")


HEADER = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")


def frame(width: int, height: int, marker: str = "ffc0") -> bytes:
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return HEADER + bytes.fromhex(marker + "001108") + size + bytes(10)


@pytest.mark.spec("API-113")
def test_the_size_of_a_jpeg_is_in_its_header() -> None:
    assert jpeg.size(frame(1920, 1080)) == (1920, 1080)
    assert jpeg.size(frame(640, 480, "ffc2")) == (640, 480)
    assert jpeg.size(HEADER + b"\xff\xfe\x00\x04hi" + frame(64, 48)[len(HEADER) :]) == (64, 48)
    for broken in (b"", b"GIF89a", HEADER, frame(0, 5), HEADER + b"\xff\xda\x00\x02", HEADER + b"\x00" * 40):
        assert jpeg.size(broken) is None
    assert jpeg.usable(frame(7680, 4320))
    assert not jpeg.usable(frame(65535, 65535))
