"""What a stream shows of a conference, whatever the order of events."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.clientapi.rendering import StreamView
from rostra.clientapi.stream import OUTBOX, EventStream, frame
from rostra.clientapi.tokens import TokenMint
from rostra.clientapi.wire import participant_object
from rostra.conference.events import (
    CallEnded,
    ConferenceEvent,
    ConferenceUpdated,
    MessageReceived,
    ParticipantCreated,
    ParticipantDeleted,
    ParticipantUpdated,
    PresentationStopped,
    Removed,
    RoleChanged,
    StageChanged,
    StageEntry,
    SyncBegan,
    SyncEnded,
)
from rostra.conference.roster import ConferenceFlags, Participant
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

NAMES = ("me", "a", "b", "c")
PLACES = (ServiceType.CONFERENCE, ServiceType.WAITING_ROOM)


def participant(uuid: str, role: Role = Role.HOST, place: ServiceType = ServiceType.CONFERENCE) -> Participant:
    return Participant(
        uuid=uuid, node="n", display_name=uuid, local_alias="x", protocol=CallProtocol.SIP, role=role,
        service_type=place, start_time=1.0, uri=f"{uuid}@example.com",
    )  # fmt: skip


def client(me: Participant, *others: Participant) -> Any:
    """As much of a client as a view looks at."""
    conference = SimpleNamespace(participants=(me, *others))
    service = SimpleNamespace(breakout=None, breakout_rooms=False, has_host_pin=True)
    session = SimpleNamespace(participant=me, conference=conference, service=service)
    return SimpleNamespace(session=session, uuid=me.uuid, withdraw=lambda: None, end_call=lambda call: call == "known")


def shown(view: StreamView, *events: ConferenceEvent) -> list[tuple[str, Any]]:
    return [rendered for event in events for rendered in view.render(event)]


people = st.builds(
    participant, st.sampled_from(NAMES), st.sampled_from((Role.HOST, Role.GUEST)), st.sampled_from(PLACES)
)
happenings = st.one_of(
    people.map(lambda p: ParticipantCreated(participant=p)),
    people.map(lambda p: ParticipantUpdated(participant=p)),
    st.sampled_from(NAMES[1:]).map(lambda name: ParticipantDeleted(uuid=name)),
    st.just(SyncBegan()),
)


@pytest.mark.spec("API-046", "API-147")
@given(people, st.lists(happenings, max_size=40))
def test_create_comes_before_update_and_delete(me: Participant, events: list[ConferenceEvent]) -> None:
    me = msgspec.structs.replace(me, uuid="me")
    view, known = StreamView(client(me), repeated=False), dict[str, Any]()
    for event in events:
        for name, data in view.render(event):
            if name == "participant_sync_begin":
                known.clear()
            elif name == "participant_create":
                assert data.uuid not in known
                known[data.uuid] = data
            elif name == "participant_update":
                assert data.uuid in known
                known[data.uuid] = data
            elif name == "participant_delete":
                del known[data["uuid"]]
        if isinstance(event, ParticipantCreated | ParticipantUpdated) and event.participant.uuid == "me":
            me = event.participant
        elif isinstance(event, ParticipantCreated | ParticipantUpdated) and not me.joined:
            assert event.participant.uuid not in known


@pytest.mark.spec("API-055")
def test_who_waits_gets_only_what_is_addressed_to_it() -> None:
    me = participant("me", Role.GUEST, ServiceType.WAITING_ROOM)
    chat = MessageReceived(origin="a", uuid="a", type="text/plain", payload="x")
    events = (
        StageChanged(entries=(StageEntry(participant="a", stage_index=0, vad=100),)),
        chat,
        msgspec.structs.replace(chat, direct=True),
        ParticipantCreated(participant=participant("a")),
        ConferenceUpdated(flags=ConferenceFlags(locked=True)),
        ParticipantCreated(participant=me),
    )
    names = [name for name, _ in shown(StreamView(client(me), repeated=False), *events)]
    assert names == ["message_received", "conference_update", "participant_create"]


@pytest.mark.spec("API-056")
def test_a_guest_is_shown_no_addresses() -> None:
    view = StreamView(client(participant("me", Role.GUEST)), repeated=False)
    [(_, data)] = shown(view, ParticipantCreated(participant=participant("a")))
    assert (data.uri, data.vendor, data.protocol) == ("", "", "")


def test_the_rest_of_the_catalogue() -> None:
    view = StreamView(client(participant("me")), repeated=True)
    events = (
        SyncBegan(),
        SyncEnded(),
        StageChanged(entries=(StageEntry(participant="a", stage_index=0, vad=100),)),
        PresentationStopped(initial=True),
        RoleChanged(),
        CallEnded(call="unknown", reason="x"),
        CallEnded(call="known", reason="Ice failure"),
        Removed(reason="Test call finished"),
    )
    assert shown(view, *events) == [
        ("participant_sync_begin", None),
        ("participant_sync_end", None),
        ("stage", [{"participant_uuid": "a", "stage_index": 0, "vad": 100}]),
        ("presentation_stop", {}),
        ("refresh_token", None),
        ("call_disconnected", {"call_uuid": "known", "reason": "Ice failure"}),
        ("disconnect", {"reason": "Test call finished"}),
    ]


@pytest.mark.spec("API-058")
def test_who_is_asked_for_a_pin_has_no_role_in_events_and_is_a_guest_in_lists() -> None:
    asked = participant("x", Role.UNKNOWN, ServiceType.IVR)
    assert participant_object(asked, None).role == "unknown"
    assert participant_object(asked, None, in_list=True).role == "guest"
    assert participant_object(asked, None).service_type == "ivr"


@pytest.mark.spec("API-040", "API-041", "API-042")
@given(
    st.recursive(
        st.none() | st.text() | st.integers(-9, 9), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_frames_are_one_line_of_json(data: Any) -> None:
    lines = frame("10.0.0.1", 7, "some_event", data).decode().split("\n")
    assert lines[:2] == ["id: MTAuMC4wLjFfNw==", "event: some_event"]
    assert lines[3:] == ["", ""]
    assert json.loads(lines[2].removeprefix("data: ")) == data


async def test_a_reader_that_takes_nothing_is_ended() -> None:
    stream = EventStream(client(participant("me")), "n", repeated=False)
    for number in range(OUTBOX + 10):
        stream.tell("media_lost", {"call_uuid": str(number)})
    frames = b"".join([chunk async for chunk in stream.frames()]).split(b"\n\n")
    assert len(frames) <= OUTBOX


@given(st.text(max_size=40), st.floats(0, 1e12), st.binary(max_size=80))
def test_tokens_say_what_was_issued_and_nothing_else_is_one(name: str, expires: float, noise: bytes) -> None:
    mint = TokenMint()
    text = mint.issue(name or "x", expires)
    read = mint.read(text)
    assert read is not None
    assert (read.participant, read.expires) == (name or "x", expires)
    assert TokenMint().read(text) is None
    assert mint.read(noise.decode("latin-1")) is None
