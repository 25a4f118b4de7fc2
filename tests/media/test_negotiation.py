"""Offer and answer (RFC 3264), by real offers and by laws."""

from __future__ import annotations

import base64

import msgspec
import pytest

from rostra.domain.media import CryptoAttribute, Direction, MediaDescription, MediaKind
from rostra.media.encryption import KEY_OCTETS, SUITES, Encryption
from rostra.media.floors import floor_agreed, floor_answer, floor_offer, floor_section
from rostra.media.negotiation import (
    Agreement,
    Limits,
    NegotiationError,
    NoCommonCodec,
    Ports,
    answer,
    kinds_of,
    on_hold,
    usable_streams,
)
from rostra.media.offering import agree, make_offer
from rostra.sdp.reading import read
from rostra.sdp.session import parse
from rostra.sdp.writing import write
from tests.sdp.offers import BARESIP, ROOM_SYSTEM, SOFT_PHONE

HEAD = "v=0\no=- 1 1 IN IP4 192.0.2.1\nc=IN IP4 192.0.2.1\n"
PORTS = Ports("198.51.100.7", (40000, 40002, 40004))


def key(suite: str) -> str:
    return f"{suite:k<40}"[:40]


def salt(suite: str) -> str:
    return base64.b64encode(b"k" * KEY_OCTETS[suite]).decode()


def names(agreement: Agreement) -> list[list[str]]:
    return [[codec.name for codec in stream.codecs] for stream in agreement.local.streams if not stream.refused]


@pytest.mark.parametrize(
    ("offer", "agreed", "ports"),
    [
        (BARESIP, [["OPUS", "TELEPHONE-EVENT"], ["H264"]], [40000, 40002]),
        (ROOM_SYSTEM, [["G722", "TELEPHONE-EVENT"], ["H264"], ["H264"]], [40000, 40002, 0, 40004, 0]),
        (SOFT_PHONE, [["OPUS", "TELEPHONE-EVENT"], ["VP8"]], [40000, 40002]),
    ],
)
def test_offers_of_real_endpoints(offer: str, agreed: list[list[str]], ports: list[int]) -> None:
    agreement = answer(read(offer), PORTS, key)
    assert names(agreement) == agreed
    assert [stream.port for stream in agreement.local.streams] == ports
    assert [stream.refused for stream in agreement.remote.streams] == [port == 0 for port in ports]
    again = read(write(agreement.local, answering=parse(offer)))
    assert [s.port for s in again.streams] == ports
    assert [s.codecs for s in again.streams if not s.refused] == [
        s.codecs for s in agreement.local.streams if not s.refused
    ]


def test_both_sides_use_the_offered_payload_types() -> None:
    agreement = answer(read(BARESIP), PORTS, key)
    for ours, theirs in zip(agreement.local.streams, agreement.remote.streams, strict=True):
        assert [c.payload_type for c in ours.codecs] == [c.payload_type for c in theirs.codecs]
        assert ours.kind is theirs.kind


def test_refused_sections_keep_their_lines() -> None:
    text = write(answer(read(ROOM_SYSTEM), PORTS, key).local, answering=parse(ROOM_SYSTEM))
    assert "m=application 0 UDP/BFCP *\r\n" in text
    assert "m=application 0 RTP/SAVP 125\r\n" in text


@pytest.mark.spec("REF-117", "REF-118", "REF-129", "PLAT-111")
def test_a_second_video_stream_with_its_floor() -> None:
    offer = read(ROOM_SYSTEM)
    index = floor_section(offer)
    assert index == 2
    ours = floor_answer(offer.streams[index], "198.51.100.7", 40010, conference=9)
    text = write(answer(offer, PORTS, key, floor=(index, ours)).local, answering=parse(ROOM_SYSTEM))
    floor, slides = text.split("m=")[3:5]
    assert floor.startswith("application 40010 UDP/BFCP *\r\n")
    for line in ("floorctrl:s-only", "confid:1", "userid:2", "floorid:2 mstrm:3", "bfcpver:2"):
        assert f"a={line}\r\n" in floor
    assert slides.startswith("video 40004 RTP/SAVP 97\r\n")
    for line in ("content:slides", "label:3", "sendrecv"):
        assert f"a={line}\r\n" in slides
    again = make_offer(
        (MediaKind.AUDIO, MediaKind.VIDEO, MediaKind.VIDEO), PORTS, key, previous=read(text)
    )  # our own offers keep what was agreed
    assert [(s.content, s.control is not None) for s in again.streams][2:4] == [("main", True), ("slides", False)]


@pytest.mark.parametrize(
    ("profile", "roles", "setup", "taken"),
    [
        ("UDP/BFCP", "c-only", "", ("s-only", "")),
        ("UDP/BFCP", "c-s", "", ("s-only", "")),
        ("UDP/BFCP", "s-only", "", ("c-only", "")),
        ("TCP/BFCP", "c-only", "actpass", ("s-only", "passive")),
        ("TCP/BFCP", "c-only", "active", ("s-only", "passive")),
        ("TCP/BFCP", "s-only", "passive", ("c-only", "active")),
        ("TCP/TLS/BFCP", "c-only", "actpass", None),
        ("UDP/TLS/BFCP", "c-s", "actpass", None),
    ],
)
def test_who_gives_the_floor_and_who_connects(
    profile: str, roles: str, setup: str, taken: tuple[str, str] | None
) -> None:
    lines = f"m=application 5070 {profile} *\na=floorctrl:{roles}\na=floorid:1 m-stream:3\n"
    offer = read(HEAD + lines + (f"a=setup:{setup}\n" if setup else ""))
    index = floor_section(offer)
    assert (index is None) is (taken is None)
    if index is not None and taken is not None:
        control = floor_answer(offer.streams[index], "198.51.100.7", 1, conference=5).control
        assert control is not None
        assert (control.conference, control.user, control.floor) == (5, 2, 1)
        assert control.roles == (taken[0],)
        assert not taken[1] or control.setup == taken[1]


@pytest.mark.parametrize(
    ("mode", "answered"), [("", "0"), (";packetization-mode=0", "0"), (";packetization-mode=1", "1")]
)
def test_h264_packetization_mode_is_the_offered_one(mode: str, answered: str) -> None:
    offer = read(f"{HEAD}m=video 6 RTP/AVP 99\na=rtpmap:99 H264/90000\na=fmtp:99 profile-level-id=42001f{mode}\n")
    [stream] = answer(offer, PORTS, key).local.streams
    assert stream.codecs[0].parameters["packetization-mode"] == answered
    assert stream.codecs[0].payload_type == 99


def test_feedback_is_what_both_know() -> None:
    lines = "a=rtcp-fb:99 nack pli\na=rtcp-fb:99 ccm fir\na=rtcp-fb:99 transport-cc\na=rtcp-fb:99 strange\n"
    offer = read(f"{HEAD}m=video 6 RTP/AVPF 99\na=rtpmap:99 VP8/90000\n{lines}")
    [stream] = answer(offer, PORTS, key).local.streams
    assert (stream.profile, stream.codecs[0].feedback) == ("RTP/AVPF", ("nack pli", "ccm fir"))


@pytest.mark.parametrize(
    "sections",
    [
        "m=audio 4 RTP/AVP 15\n",
        "m=audio 0 RTP/AVP 0\n",
        "m=audio 4 RTP/AVP 101\na=rtpmap:101 telephone-event/8000\n",
        "m=audio 4 RTP/SAVP 0\n",
        "m=audio 4 UDP/TLS/RTP/SAVPF 0\n",
        "m=video 4 RTP/AVP 97\na=rtpmap:97 H264/90000\na=fmtp:97 profile-level-id=640028\n",
        "m=application 4 UDP/BFCP *\n",
        "",
    ],
)
def test_nothing_in_common(sections: str) -> None:
    with pytest.raises(NoCommonCodec):
        answer(read(HEAD + sections), PORTS, key)


def test_one_stream_without_common_codec_does_not_spoil_the_other() -> None:
    offer = read(f"{HEAD}m=audio 4 RTP/AVP 15\nm=video 6 RTP/AVP 99\na=rtpmap:99 VP8/90000\n")
    assert usable_streams(offer) == (1,)
    assert [s.refused for s in answer(offer, PORTS, key).local.streams] == [True, False]


def test_an_audio_service_refuses_video() -> None:
    limits = Limits(kinds=frozenset({MediaKind.AUDIO}))
    assert kinds_of(read(BARESIP), usable_streams(read(BARESIP), limits=limits)) == (MediaKind.AUDIO,)


@pytest.mark.parametrize("profile", ["RTP/SAVP", "RTP/AVP"])
def test_the_better_suite_is_taken_in_the_offered_profile(profile: str) -> None:
    offered = [CryptoAttribute(tag=n, suite=s, key_salt=salt(s)) for n, s in enumerate(reversed(SUITES), 1)]
    lines = "".join(f"a=crypto:{one.tag} {one.suite} inline:{one.key_salt}|2^31\n" for one in offered)
    short = f"a=crypto:9 {SUITES[0]} inline:{'k' * 20}\na=crypto:10 UNKNOWN inline:{'k' * 40}\n"
    agreement = answer(read(f"{HEAD}m=audio 4 {profile} 0\n{short}{lines}"), PORTS, key)
    assert agreement.local.streams[0].profile == profile
    best = offered[-1]
    assert agreement.local.streams[0].crypto == (msgspec.structs.replace(best, key_salt=key(best.suite)),)
    assert agreement.remote.streams[0].crypto == (best,)


@pytest.mark.parametrize(
    ("lines", "ours", "held"),
    [
        ("", Direction.SENDRECV, False),
        ("a=sendonly\n", Direction.RECVONLY, True),
        ("a=recvonly\n", Direction.SENDONLY, False),
        ("a=inactive\n", Direction.INACTIVE, True),
        ("c=IN IP4 0.0.0.0\n", Direction.RECVONLY, True),
    ],
)
def test_directions_and_hold(lines: str, ours: Direction, held: bool) -> None:
    agreement = answer(read(f"{HEAD}m=audio 4 RTP/AVP 0\n{lines}"), PORTS, key)
    assert agreement.local.streams[0].direction is ours
    assert on_hold(agreement.remote) is held


def test_a_second_answer_keeps_session_and_key_and_counts_the_version() -> None:
    offer = read(f"{HEAD}m=audio 4 RTP/SAVP 0\na=crypto:1 {SUITES[0]} inline:{salt(SUITES[0])}\n")
    first = msgspec.structs.replace(answer(offer, PORTS, key).local, session_id=7, version=1)
    second = answer(offer, PORTS, lambda suite: "n" * 40, previous=first).local
    assert (second.session_id, second.version) == (7, 2)
    assert second.streams[0].crypto == first.streams[0].crypto


def offer_both(**changes: object) -> MediaDescription:
    return make_offer((MediaKind.AUDIO, MediaKind.VIDEO), Ports("198.51.100.7", (40000, 40002)), None, **changes)  # type: ignore[arg-type]


def test_our_offer_has_everything_with_numbers_of_its_own() -> None:
    offer = offer_both()
    sounds = [c.name for c in offer.streams[0].codecs if c.name != "G729"]  # not every machine has that
    assert sounds == ["OPUS", "G722", "SIREN", "PCMA", "PCMU", "TELEPHONE-EVENT"]
    pictures = [(c.name, c.parameters.get("packetization-mode")) for c in offer.streams[1].codecs]
    assert pictures == [
        ("H264", "1"), ("H264", "0"), ("VP8", None), ("VP9", None), ("H263-1998", None), ("H263", None), ("H261", None)
    ]  # fmt: skip
    for stream in offer.streams:
        numbers = [codec.payload_type for codec in stream.codecs]
        assert len(set(numbers)) == len(numbers)
    assert read(write(offer)).streams == offer.streams


def test_our_offer_and_our_answer_agree() -> None:
    offer = make_offer((MediaKind.AUDIO, MediaKind.VIDEO), Ports("198.51.100.7", (40000, 40002)), key)
    theirs = answer(offer, Ports("192.0.2.1", (5000, 5002)), lambda suite: "a" * 40)
    ours = agree(offer, theirs.local)
    assert names(ours) == [["OPUS", "TELEPHONE-EVENT"], ["H264"]]
    assert ours.remote.streams[0].port == 5000
    assert [s.crypto for s in ours.local.streams] == [s.crypto for s in theirs.remote.streams]
    assert [s.crypto for s in ours.remote.streams] == [s.crypto for s in theirs.local.streams]


def test_an_answer_with_numbers_and_sections_of_its_own() -> None:
    answered = read(
        f"{HEAD}m=audio 4 RTP/AVP 8 15 100\na=rtpmap:100 telephone-event/8000\na=recvonly\n"
        "m=video 6 RTP/AVP 120\na=rtpmap:120 H264/90000\na=fmtp:120 profile-level-id=42e01f\n"
    )
    agreement = agree(offer_both(), answered)
    assert names(agreement) == [["PCMA", "TELEPHONE-EVENT"], ["H264"]]
    assert agreement.local.streams[0].direction is Direction.SENDONLY
    local, remote = agreement.local.streams[1].codecs[0], agreement.remote.streams[1].codecs[0]
    assert local.parameters["packetization-mode"] == "0"
    assert (local.payload_type, remote.payload_type) == (96, 120)


def test_an_answer_that_refuses_one_or_all() -> None:
    one = agree(offer_both(), read(f"{HEAD}m=audio 4 RTP/AVP 0\nm=video 0 RTP/AVP 97\n"))
    assert [stream.refused for stream in one.local.streams] == [False, True]
    with pytest.raises(NoCommonCodec):
        agree(offer_both(), read(f"{HEAD}m=audio 0 RTP/AVP 0\nm=video 0 RTP/AVP 97\n"))
    with pytest.raises(NoCommonCodec):
        agree(offer_both(), read(HEAD))


def test_a_secure_offer_needs_a_secure_answer() -> None:
    secure = offer_both(
        previous=MediaDescription(
            streams=(msgspec.structs.replace(offer_both().streams[0], profile="RTP/SAVP", crypto=()),)
        )
    )
    assert secure.streams[0].profile == "RTP/AVP"
    offer = msgspec.structs.replace(
        offer_both(), streams=(msgspec.structs.replace(offer_both().streams[0], profile="RTP/SAVP"),)
    )
    with pytest.raises(NegotiationError, match="crypto"):
        agree(offer, read(f"{HEAD}m=audio 4 RTP/SAVP 0\n"))


def test_a_new_offer_keeps_the_places_of_the_old_one() -> None:
    before = answer(read(ROOM_SYSTEM), PORTS, key).local
    offer = make_offer((MediaKind.AUDIO, MediaKind.VIDEO), Ports("198.51.100.7", (41000, 41002)), key, previous=before)
    assert [stream.port for stream in offer.streams] == [41000, 41002, 0, 0, 0]
    assert [stream.profile for stream in offer.streams[:2]] == ["RTP/SAVP", "RTP/SAVP"]
    assert offer.version == before.version + 1


@pytest.mark.spec("REF-118", "REF-129")
def test_our_own_offer_has_slides_with_their_floor() -> None:
    kinds = (MediaKind.AUDIO, MediaKind.VIDEO, MediaKind.VIDEO)
    ours = make_offer(kinds, PORTS, None, floor=floor_offer("198.51.100.7", 40010, conference=8))
    text = write(ours)
    assert [section.split()[0] for section in text.split("m=")[1:]] == ["audio", "video", "application", "video"]
    assert "a=floorctrl:c-s\r\n" in text
    theirs = read(text.replace("c-s", "s-only").replace("userid:2", "userid:7"))
    agreement = agree(ours, theirs)
    assert not any(stream.refused for stream in agreement.local.streams)
    control = floor_agreed(agreement.local.streams[2], agreement.remote.streams[2])
    assert control is not None
    assert (control.roles, control.user, control.conference) == (("c-only",), 7, 8)
    plain = read("m=".join(text.split("m=")[:3]) + "m=application 0 UDP/BFCP *\r\nm=video 0 RTP/AVP 97\r\n")
    without = agree(ours, plain)
    assert [stream.refused for stream in without.local.streams] == [False, False, True, True]


DIGEST = ":".join(["AB"] * 32)


@pytest.mark.spec("REF-126")
@pytest.mark.parametrize(
    ("lines", "setup"),
    [
        ("a=setup:actpass\n", "passive"),
        ("a=setup:active\n", "passive"),
        ("a=setup:passive\n", "active"),
        ("", "passive"),
        ("a=setup:holdconn\n", None),
    ],
)
def test_keys_are_agreed_by_dtls(lines: str, setup: str | None) -> None:
    text = f"{HEAD}m=audio 4 UDP/TLS/RTP/SAVP 0\na=fingerprint:SHA-256 {DIGEST.lower()}\n{lines}"
    if setup is None:
        with pytest.raises(NoCommonCodec):
            answer(read(text), PORTS, key, identity=lambda: ("pem", f"sha-256 {DIGEST}"))
        return
    agreement = answer(read(text), PORTS, key, identity=lambda: ("pem", f"sha-256 {DIGEST}"))
    [ours], [theirs] = agreement.local.streams, agreement.remote.streams
    assert ours.dtls is not None
    assert theirs.dtls is not None
    assert (ours.dtls.setup, ours.dtls.certificate, ours.crypto) == (setup, "pem", ())
    assert theirs.dtls.fingerprint == f"sha-256 {DIGEST}"
    written = write(agreement.local)
    assert f"a=fingerprint:sha-256 {DIGEST}\r\na=setup:{setup}\r\n" in written
    assert "pem" not in written
    # offers of ours, and later ones of theirs, leave the association and its roles as they are
    again = make_offer((MediaKind.AUDIO,), Ports(PORTS.address, PORTS.ports[:1]), key, previous=agreement.local)
    assert again.streams[0].profile == "UDP/TLS/RTP/SAVP"
    assert again.streams[0].dtls == msgspec.structs.replace(ours.dtls, setup="actpass")
    other = {"active": "passive", "passive": "active"}[setup]
    answered = read(text.replace(lines, "") + f"a=setup:{other}\n")
    assert agree(again, answered).local.streams[0].dtls == ours.dtls
    later = read(text.replace(lines, "") + "a=setup:actpass\n")
    kept = answer(later, PORTS, key, identity=lambda: ("pem", f"sha-256 {DIGEST}"), previous=agreement.local)
    assert kept.local.streams[0].dtls == ours.dtls


@pytest.mark.parametrize(
    ("profile", "keyed", "taken"),
    [
        ("RTP/AVP", False, {"off", "besteffort"}),
        ("RTP/AVP", True, {"off", "besteffort", "on"}),
        ("RTP/SAVP", True, {"besteffort", "on"}),
        ("RTP/SAVP", False, set[str]()),
    ],
)
def test_what_a_service_asks_of_encryption(profile: str, keyed: bool, taken: set[str]) -> None:
    crypto = f"a=crypto:1 {SUITES[0]} inline:{salt(SUITES[0])}\n" if keyed else ""
    offer = read(f"{HEAD}m=audio 4 {profile} 0\n{crypto}")
    for mode in Encryption:
        limits = Limits(encryption=mode)
        if mode not in taken:
            with pytest.raises(NoCommonCodec):
                answer(offer, PORTS, key, limits=limits)
            continue
        [stream] = answer(offer, PORTS, key, limits=limits).local.streams
        assert bool(stream.crypto) == (keyed and mode is not Encryption.OFF)


def test_what_we_offer_of_encryption() -> None:
    on, off = (offer_with(mode) for mode in (Encryption.ON, Encryption.OFF))
    assert [(stream.profile, len(stream.crypto)) for stream in on.streams] == [("RTP/SAVP", 2)] * 2
    assert [(stream.profile, len(stream.crypto)) for stream in off.streams] == [("RTP/AVP", 0)] * 2
    with pytest.raises(NegotiationError, match="crypto"):
        agree(on, read(f"{HEAD}m=audio 4 RTP/AVP 0\n"))


def offer_with(mode: Encryption) -> MediaDescription:
    kinds = (MediaKind.AUDIO, MediaKind.VIDEO)
    return make_offer(kinds, Ports("198.51.100.7", (40000, 40002)), key, limits=Limits(encryption=mode))


def test_the_limit_of_a_service_is_stated_for_session_and_video() -> None:
    limits = Limits(bandwidth=1_000_500)
    text = write(answer(read(BARESIP), PORTS, key, limits=limits).local, answering=parse(BARESIP))
    head, _, video = text.split("m=")
    for section in (head, video):
        assert "b=AS:1001\r\nb=TIAS:1000500\r\n" in section
    assert "b=CT:1001\r\n" in head


def test_a_decoded_answer_never_raises_what_it_says_of_levels() -> None:
    """Whatever level is offered, ours is at most 4.0, and the profile is repeated as it was."""
    for level in range(256):
        fmtp = f"profile-level-id=4280{level:02x};packetization-mode=1"
        [stream] = answer(
            read(f"{HEAD}m=video 6 RTP/AVP 99\na=rtpmap:99 H264/90000\na=fmtp:99 {fmtp}\n"), PORTS, key
        ).local.streams
        stated = stream.codecs[0].parameters["profile-level-id"]
        assert stated[:4] == "4280"
        assert int(stated[4:], 16) == min(level, 0x28)
