"""Who is called when, which tones are sent, and what a failed call is told as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain import dialling
from rostra.domain.dialling import Here, Wanted
from rostra.domain.vocabulary import CallProtocol, ServiceType


@pytest.mark.spec("CONF-106")
def test_tones() -> None:
    found = dialling.tones("666#,,,1234#")
    assert found[:4] == [(3.0, "6"), (3.5, "6"), (4.0, "6"), (4.5, "#")]
    assert found[4] == (11.0, "1")  # open point 13
    assert [key for _, key in found] == list("666#1234#")
    assert dialling.tones(",,") == []


@pytest.mark.spec("CONF-106")
@pytest.mark.parametrize(
    ("text", "good"), [("0123456789*#,", True), ("", True), ("A", False), ("1 2", False), ("1\n", False)]
)
def test_sequences(text: str, good: bool) -> None:
    assert dialling.is_sequence(text) is good


@pytest.mark.spec("CONF-081", "CONF-126", "CONF-130")
@pytest.mark.parametrize(
    ("destination", "given_name", "shown"),
    [
        ("sip:alice@example.com;transport=tls", "", "alice@example.com"),
        ("alice@example.com", "Alice", "Alice"),
        ("rtmp://a.rtmp.youtube.com/live2/abcd-1234", "", "a.rtmp.youtube.com"),
        ("rtmps://user:secret@host.example:1936/live/x", "", "host.example"),
        ("h323:room@example.com", "", "room@example.com"),
        ("555", "", "555"),
    ],
)
def test_names(destination: str, given_name: str, shown: str) -> None:
    assert dialling.shown_name(Wanted(destination=destination, display_name=given_name)) == shown


def test_logs_hold_no_stream_keys() -> None:
    assert dialling.loggable("rtmps://user:secret@host.example:1936/live/key?x=1") == "rtmps://host.example:1936/…"
    assert dialling.loggable("sip:alice@example.com") == "sip:alice@example.com"


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (Wanted(destination="alice@example.com"), ""),
        (Wanted(destination=" "), "Invalid destination"),
        (Wanted(destination="a\nb"), "Invalid destination"),
        (Wanted(destination="alice", dtmf_sequence="x"), "Invalid DTMF sequence"),
        (Wanted(destination="alice", protocol=CallProtocol.RTMP), "Invalid destination"),
        (Wanted(destination="rtmp://host", protocol=CallProtocol.RTMP), "Invalid destination"),
        (Wanted(destination="rtmp://host/live/x", protocol=CallProtocol.RTMP), ""),
        (
            Wanted(destination="rtmp://h/x", protocol=CallProtocol.RTMP, presentation_url="x"),
            "Invalid presentation URL",
        ),
    ],
)
def test_what_makes_no_sense(wanted: Wanted, problem: str) -> None:
    assert dialling.problem(wanted) == problem


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (486, "Called party busy"),
        (603, "Call rejected"),
        (404, "Called party not found"),
        (408, "No answer"),
        (488, "No common media"),
        (599, "Call rejected"),
        (0, "Call disconnected"),
    ],
)
def test_reasons(status: int, told: str) -> None:
    assert dialling.reason(status) == told


def here(uuid: str, where: ServiceType = ServiceType.CONFERENCE, since: float = 1.0, **more: object) -> Here:
    return Here(uuid=uuid, where=where, since=since, **{"node": "n1", **more})  # type: ignore[arg-type]


@pytest.mark.spec("CONF-097")
@pytest.mark.parametrize(
    ("where", "starts"),
    [
        (ServiceType.CONFERENCE, True),
        (ServiceType.LECTURE, True),
        (ServiceType.WAITING_ROOM, True),  # a Guest who needs no PIN counts, whatever it waits for
        (ServiceType.IVR, False),
        (ServiceType.CONNECTING, False),
        (ServiceType.INSUFFICIENT_LICENSES, False),
    ],
)
def test_whose_coming_starts_a_conference(where: ServiceType, starts: bool) -> None:
    found = dialling.starts([here("late", since=2.0, where=where), here("asked", where=ServiceType.IVR)])
    assert (found is not None) is starts


AUTOMATIC = [Wanted(destination="sip:a@x", automatic=1), Wanted(destination="b@x", automatic=2)]


@pytest.mark.spec("CONF-098")
def test_nobody_who_is_there_is_called() -> None:
    assert dialling.to_call(AUTOMATIC, []) == AUTOMATIC
    assert dialling.to_call(AUTOMATIC, [here("p", alias="A@x")]) == AUTOMATIC[1:]
    assert dialling.to_call(AUTOMATIC, [here("p", automatic=2)]) == AUTOMATIC[:1]
    assert dialling.to_call([*AUTOMATIC, Wanted(destination="sip:b@x", automatic=3)], []) == AUTOMATIC


ROSTER = st.lists(
    st.builds(
        here,
        uuid=st.uuids().map(str),
        where=st.sampled_from([ServiceType.CONNECTING, ServiceType.CONFERENCE, ServiceType.WAITING_ROOM]),
        since=st.integers(0, 3).map(float),
        node=st.sampled_from(["n1", "n2", "n3"]),
        automatic=st.integers(0, 3),
    ),
    max_size=8,
    unique_by=lambda one: one.uuid,
)


@pytest.mark.spec("CONF-098")
@given(ROSTER)
def test_of_those_called_twice_one_stays(roster: list[Here]) -> None:
    gone = {one for node in ("n1", "n2", "n3") for one in dialling.superfluous(roster, node)}
    for number in (1, 2, 3):
        called = [one for one in roster if one.automatic == number]
        kept = [one for one in called if one.uuid not in gone]
        assert len(kept) == min(1, len(called))
        if any(one.where is not ServiceType.CONNECTING for one in called):
            assert kept[0].where is not ServiceType.CONNECTING
    assert not any(one.uuid in gone for one in roster if not one.automatic)
    first = dialling.starts(roster)
    begun = [one for one in roster if one.where is not ServiceType.CONNECTING]
    assert (first is None) == (not begun)
