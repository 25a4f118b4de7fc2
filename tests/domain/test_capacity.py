from __future__ import annotations

import pytest

from rostra.domain.capacity import (
    HD_BANDWIDTH,
    CallClass,
    Figures,
    Load,
    call_class,
    edge,
    gateway,
    location_calls,
    location_load,
    max_calls,
    presentation,
    reservation,
)
from rostra.domain.vocabulary import CallProtocol
from rostra.media.engine.rungs import pick

AUDIO, SD, HD, FULL_HD = CallClass.AUDIO, CallClass.SD, CallClass.HD, CallClass.FULL_HD
SIP, H323, WEBRTC, MSSIP, RTMP, API = (
    CallProtocol.SIP,
    CallProtocol.H323,
    CallProtocol.WEBRTC,
    CallProtocol.MSSIP,
    CallProtocol.RTMP,
    CallProtocol.API,
)


@pytest.mark.spec("PLAT-078", "POL-112")
def test_prices_stand_in_the_ratio_of_the_list() -> None:
    assert (HD / AUDIO, HD / SD, HD / HD, HD / FULL_HD) == (12, 2, 1, 0.5)


@pytest.mark.spec("POL-113", "POL-114")
@pytest.mark.parametrize(
    ("audio_only", "call_type", "bandwidth", "full_hd", "expected"),
    [
        (False, "video", None, False, HD),
        (False, "video-only", None, False, HD),
        (False, "video", None, True, FULL_HD),
        (True, "video", None, True, AUDIO),
        (False, "audio", None, True, AUDIO),
        (False, "video", HD_BANDWIDTH - 1, False, SD),
        (False, "video", HD_BANDWIDTH - 1, True, SD),
        (False, "video", HD_BANDWIDTH, False, HD),
        (False, "video", HD_BANDWIDTH, True, FULL_HD),
        (False, "video", 64_000, False, SD),
        (True, "video", 64_000, False, AUDIO),
    ],
)
def test_the_class_is_the_most_a_call_may_use(
    audio_only: bool, call_type: str, bandwidth: int | None, full_hd: bool, expected: CallClass
) -> None:
    found = call_class(audio_only=audio_only, call_type=call_type, bandwidth=bandwidth, full_hd=full_hd)
    assert found is expected


@pytest.mark.spec("POL-113")
def test_an_sd_call_is_one_that_is_never_sent_720p() -> None:
    assert pick({}, HD_BANDWIDTH).height == 720
    assert pick({}, HD_BANDWIDTH - 1).height < 720


@pytest.mark.spec("POL-112", "PLAT-080")
@pytest.mark.parametrize(
    ("protocol", "sends", "receives", "expected"),
    [
        (SIP, True, True, 0),
        (H323, True, True, 0),
        (RTMP, False, True, 0),
        (WEBRTC, True, False, HD),
        (API, True, False, HD),
        (WEBRTC, False, True, 0),
        (MSSIP, True, False, HD),
        (MSSIP, False, True, HD),
        (MSSIP, False, False, 0),
        (WEBRTC, False, False, 0),
    ],
)
def test_what_a_presentation_adds(protocol: CallProtocol, sends: bool, receives: bool, expected: int) -> None:
    assert presentation(protocol, sends=sends, receives=receives) == expected


@pytest.mark.spec("PLAT-081", "PLAT-082", "POL-118")
@pytest.mark.parametrize(
    ("transcoding_nodes", "audio_only", "full_hd", "expected"),
    [
        (2, False, False, HD),
        (60, False, False, HD),
        (1, False, False, 0),
        (1, True, True, 0),
        (0, False, False, 0),
        (2, True, False, AUDIO),
        (2, True, True, AUDIO),
        (2, False, True, FULL_HD),
    ],
)
def test_what_is_reserved_for_the_backplane(
    transcoding_nodes: int, audio_only: bool, full_hd: bool, expected: int
) -> None:
    found = reservation(transcoding_nodes=transcoding_nodes, audio_only=audio_only, full_hd=full_hd)
    assert found == expected


SEVERAL = 5
"""Nodes in the deployment."""


@pytest.mark.spec("POL-112", "POL-116", "POL-117", "POL-118", "PLAT-081", "PLAT-082")
@pytest.mark.parametrize(
    ("calls", "presenters", "nodes", "spans", "audio_only", "full_hd", "audio_units"),
    [
        pytest.param([HD] * 3, [], SEVERAL, 1, False, False, 48, id="1: several nodes, three SIP in HD"),
        pytest.param([HD] * 3, [SIP], SEVERAL, 1, False, False, 48, id="2: a SIP endpoint presents"),
        pytest.param([HD] * 3, [], 1, 1, False, False, 36, id="3: one node in the whole deployment"),
        pytest.param([FULL_HD] * 3, [], SEVERAL, 1, False, True, 96, id="4: 1080p"),
        pytest.param([AUDIO] * 10, [], SEVERAL, 1, True, False, 11, id="5: audio-only, ten callers"),
        pytest.param([HD] * 3, [WEBRTC], SEVERAL, 1, False, False, 60, id="6: a browser presents"),
        pytest.param([HD] * 4, [], SEVERAL, 2, False, False, 72, id="7: two and two over two nodes"),
        pytest.param([SD] * 4 + [AUDIO] * 12, [], SEVERAL, 1, False, False, 48, id="9: four SD, twelve audio"),
    ],
)
def test_worked_cases_of_conferences(
    calls: list[CallClass],
    presenters: list[CallProtocol],
    nodes: int,
    spans: int,
    audio_only: bool,
    full_hd: bool,
    audio_units: int,
) -> None:
    reserved = reservation(transcoding_nodes=nodes, audio_only=audio_only, full_hd=full_hd)
    shown = sum(presentation(protocol, sends=True) for protocol in presenters)
    assert sum(calls) + shown + spans * reserved == audio_units


@pytest.mark.spec("PLAT-076", "PLAT-084", "PLAT-085", "PLAT-086", "PLAT-087")
@pytest.mark.parametrize(
    ("caller", "called", "options", "hd_units"),
    [
        (SIP, SIP, {}, 2),
        (H323, SIP, {}, 2),
        (RTMP, SIP, {}, 2),
        (SIP, H323, {"two_nodes": True}, 4),
        (SIP, MSSIP, {"two_nodes": True}, 4),
        (WEBRTC, WEBRTC, {"two_nodes": True}, 4),
        (SIP, MSSIP, {}, 3),  # worked case 8
        (MSSIP, H323, {}, 3),
        (SIP, MSSIP, {"presentation_elsewhere": True}, 5),
        (SIP, WEBRTC, {}, 3),
        (WEBRTC, H323, {}, 3),
        (SIP, WEBRTC, {"full_motion": True}, 3),
        (WEBRTC, WEBRTC, {}, 3),
        (WEBRTC, WEBRTC, {"full_motion": True}, 4),
        (API, WEBRTC, {"full_motion": True}, 4),
    ],
)
def test_gateway_calls(caller: CallProtocol, called: CallProtocol, options: dict[str, bool], hd_units: int) -> None:
    assert gateway(caller, called, **options).total == hd_units * HD
    assert gateway(caller, called, call=AUDIO, **options).total == hd_units * AUDIO


@pytest.mark.spec("PLAT-085", "PLAT-086")
def test_a_gateway_call_says_what_its_tokens_are_for() -> None:
    apart = gateway(SIP, SIP, two_nodes=True)
    assert (apart.legs, apart.presentation, apart.backplanes) == (2 * HD, 0, 2 * HD)
    elsewhere = gateway(SIP, MSSIP, presentation_elsewhere=True)
    assert (elsewhere.legs, elsewhere.presentation, elsewhere.backplanes) == (2 * HD, HD, 2 * HD)


@pytest.mark.spec("POL-136")
def test_an_edge_node_pays_for_relaying() -> None:
    assert [edge(call) for call in (AUDIO, SD, HD, FULL_HD)] == [1, 3, 3, 3]


def test_figures_by_price() -> None:
    found = max_calls(17 * HD + 7)
    assert found == Figures(hd=17, sd=35, audio=211, full_hd=8)
    assert found.tokens == 17 * HD


@pytest.mark.spec("POL-122")
def test_load_counts_tokens_whatever_the_other_figures_are() -> None:
    assert Figures(hd=17, sd=39, audio=324, full_hd=6).tokens == 17 * HD


def test_figures_of_a_location_are_sums() -> None:
    total = location_calls([Figures(hd=17, sd=39, audio=324, full_hd=6), Figures(hd=15, sd=37, audio=230, full_hd=7)])
    assert total == Figures(hd=32, sd=76, audio=554, full_hd=13)
    assert location_calls([]) == Figures(hd=0, sd=0, audio=0, full_hd=0)


@pytest.mark.spec("PLAT-079")
@pytest.mark.parametrize(
    ("capacity", "used", "maintenance", "percent"),
    [
        (120, 0, False, 0),
        (120, 60, False, 50),
        (120, 119, False, 99),
        (120, 120, False, 100),
        (120, 132, False, 100),
        (120, 12, True, 100),
        (0, 0, False, 100),
    ],
)
def test_media_load_of_a_node(capacity: int, used: int, maintenance: bool, percent: int) -> None:
    assert Load(capacity=capacity, used=used, maintenance=maintenance).percent == percent


def test_media_load_of_a_location_is_the_average_by_capacity() -> None:
    small, large = Load(capacity=100, used=100), Load(capacity=300, used=0)
    assert location_load([small, large]) == 25
    assert location_load([small, Load(capacity=300, used=0, maintenance=True)]) == 100
    assert location_load([]) == 100


@pytest.mark.spec("POL-115")
def test_a_service_of_low_quality_is_never_priced_higher() -> None:
    assert call_class(audio_only=False, quality="sd", full_hd=True) is CallClass.SD
    assert call_class(audio_only=True, quality="sd") is CallClass.AUDIO
    assert call_class(audio_only=False, quality="fullhd") is CallClass.HD, "of an endpoint that does not offer it"
