"""Who is moved where: REFER and Replaces between signalling and conferences, callers' names, holding."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest

from rostra.calls.switchboard import CallRequest, NotDialled
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType
from rostra.sip import moving
from rostra.sip.callers import caller_of
from rostra.sip.events import ReferReceived, Referred
from rostra.sip.info import digits
from rostra.sip.message import Request, parse_message
from rostra.sip.moving import Moving, taking_place
from rostra.sip.replacing import Replaces
from rostra.sip.uri import parse_uri
from tests.sip.by_hand import request
from tests.sip.conftest import Running
from tests.sip.fakes import FakeSession, FakeSwitchboard, Somebody
from tests.sip.pair import answered, call, ended, serving
from tests.sip.test_wire import SDP, Peer

OTHER = Replaces("id", "to", "from")


@dataclasses.dataclass
class Line:
    """Writes down what it is told; knows one other call."""

    other: FakeSession | None = None
    said: list[int] = dataclasses.field(default_factory=list)
    ended: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    referred: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def report(self, call: str, name: str, status: int) -> None:
        self.said.append(status)

    def refer(self, call: str, uri: str, by: str) -> bool:
        self.referred.append((uri, by))
        return True

    def hang_up(self, call: str, reason: str) -> None:
        self.ended.append((call, reason))

    def is_ours(self, host: str) -> bool:
        return host == "127.0.0.1"

    def session_of(self, call: str) -> Any:
        return self.other

    def replaced(self, replaces: Replaces) -> str | None:
        return "other" if self.other is not None else None


class Scene:
    """A caller in a conference, and what becomes of its wish."""

    def __init__(self, **participant: Any) -> None:
        self.switchboard = FakeSwitchboard()
        self.line = Line()
        self.session = session(**participant)
        self.switchboard.sessions.append(self.session)
        self.moving = Moving(self.switchboard, self.line, lambda: cast("Any", self.session), lambda: "call")

    async def wish(self, target: str, replaces: Replaces | None = None, *, seconds: float = 5) -> list[int]:
        self.moving.wanted(ReferReceived("call", "wish", parse_uri(target), replaces, "<sip:me@phone>"))
        await until(lambda: bool(self.line.said) and self.line.said[-1] >= 200, seconds)
        return self.line.said


async def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the fakes have no events to wait for
            await asyncio.sleep(0.005)


def session(**participant: Any) -> FakeSession:
    made = FakeSession(cast("Any", None), CallRequest(alias="", protocol=CallProtocol.SIP), cast("Any", None))
    made.participant = Somebody(**participant)
    return made


async def test_a_caller_goes_to_another_conference_by_itself() -> None:
    scene = Scene(role=Role.GUEST)
    scene.switchboard.aliases.add("other")
    assert await scene.wish("sip:other@127.0.0.1") == [100, 200]
    assert scene.session.conference.sent == [("somebody", "other", None)]


async def test_a_host_has_somebody_called() -> None:
    scene = Scene()
    assert await scene.wish("sip:carl@example.com?Subject=x", OTHER) == [100, 200]
    [wanted] = scene.switchboard.dialled
    assert (wanted.destination, wanted.role) == ("sip:carl@example.com", Role.HOST)
    assert wanted.headers == (("Referred-By", "<sip:me@phone>"), ("Replaces", "id;to-tag=to;from-tag=from"))


async def test_nobody_is_there() -> None:
    scene = Scene()
    scene.switchboard.answering = False
    wish = asyncio.create_task(scene.wish("sip:carl@example.com"))
    await until(lambda: bool(scene.switchboard.dialled))
    scene.session.conference.called.clear()
    assert await wish == [100, 487]


async def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rostra.domain.dialling.RINGING", -4.9)
    scene = Scene()
    scene.switchboard.answering = False
    assert await scene.wish("sip:carl@example.com") == [100, 408]


@pytest.mark.parametrize(
    ("participant", "status"),
    [
        ({"role": Role.GUEST}, 403),
        ({"service_type": ServiceType.IVR}, 403),
        ({"service_type": ServiceType.CONNECTING}, 403),
        ({"local_alias": "gone"}, 404),
    ],
)
async def test_who_may_not_have_somebody_called(participant: dict[str, Any], status: int) -> None:
    scene = Scene(**participant)
    assert await scene.wish("sip:carl@example.com") == [status]
    assert scene.switchboard.dialled == []


async def test_a_fault_is_told_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()

    async def dial(*_: Any) -> tuple[str, ...]:
        raise RuntimeError

    monkeypatch.setattr(scene.switchboard, "dial", dial)
    assert await scene.wish("sip:carl@example.com") == [500]
    monkeypatch.setattr(scene.switchboard, "dial", lambda *_: (_ for _ in ()).throw(NotDialled(503, "")))
    scene.line.said.clear()
    assert await scene.wish("sip:carl@example.com") == [503]


async def test_a_caller_goes_where_its_other_call_is() -> None:
    scene = Scene(role=Role.GUEST)
    scene.line.other = session(uuid="second", local_alias="board", role=Role.HOST)
    assert await scene.wish("sip:board@127.0.0.1", OTHER) == [100, 200]
    assert scene.session.conference.sent == [("somebody", "board", Role.HOST)]
    assert scene.line.ended == [("other", moving.MOVED)]


async def test_a_call_that_ends_asks_for_nothing_more() -> None:
    scene = Scene()
    scene.switchboard.answering = False
    with pytest.raises(TimeoutError):
        await scene.wish("sip:carl@example.com", seconds=0.1)
    scene.moving.close()
    scene.session.conference.called.clear()
    await until(lambda: not scene.moving._going)
    assert scene.line.said == [100]


@pytest.mark.parametrize(
    ("alias", "sent"),
    [
        ("sip:dan@example.com", True),
        ("sips:dan@example.com;transport=tcp", True),
        ("sip:dan@127.0.0.1", True),
        ("sip:meet.demo@127.0.0.1", False),
        ("sip:meet@known.test", False),
        ("dan@example.com", False),
        ("tel:+491234", False),
        ("sip:", False),
    ],
)
def test_who_is_sent_elsewhere_by_the_far_end_itself(alias: str, sent: bool) -> None:
    scene = Scene()
    scene.switchboard.aliases.add("meet@known.test")
    assert scene.moving.send(alias) == sent
    assert [uri for uri, _ in scene.line.referred] == ([alias] if sent else [])


def test_what_became_of_being_sent_elsewhere() -> None:
    scene = Scene()
    assert scene.moving.told(Referred("call", 180)) == ""
    assert scene.moving.told(Referred("call", 200, over=True)) == moving.MOVED
    assert scene.moving.told(Referred("call", 603, over=True)) == moving.FAILED


@pytest.mark.spec("REF-112")
@pytest.mark.parametrize(
    ("where", "role", "inside"),
    [
        (ServiceType.CONFERENCE, Role.HOST, True),
        (ServiceType.WAITING_ROOM, Role.HOST, True),
        (ServiceType.IVR, None, False),
    ],
)
def test_who_takes_a_place_is_who_was_there(where: ServiceType, role: Role | None, inside: bool) -> None:
    asked = CallRequest(alias="x", protocol=CallProtocol.SIP, display_name="Carl")
    assert taking_place(asked, None) == asked
    there = cast("Any", session(service_type=where, local_alias="board"))
    taken = taking_place(asked, there)
    assert (taken.alias, taken.role, taken.readmitted, taken.display_name) == ("board", role, inside, "Carl")


# ---- callers -----------------------------------------------------------------------------------------------------

HIDDEN = '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1'
ASSERTED = '"Ada" <sip:ada@example.com>, <tel:+49301>'


@pytest.mark.parametrize(
    ("said", "asserted", "privacy", "trusted", "name", "address"),
    [
        ('"Bob" <sip:bob@b.test>;tag=1', ASSERTED, "", True, "Bob", "bob@b.test"),
        (HIDDEN, ASSERTED, "", True, "Ada", "ada@example.com"),
        (HIDDEN, ASSERTED, "id", True, "Anonymous", "anonymous@anonymous.invalid"),
        (HIDDEN, ASSERTED, "none", True, "Ada", "ada@example.com"),
        (HIDDEN, ASSERTED, "", False, "Anonymous", "anonymous@anonymous.invalid"),
        (HIDDEN, "nonsense <", "", True, "Anonymous", "anonymous@anonymous.invalid"),
        (HIDDEN, "<tel:+49301>", "", True, "Anonymous", "anonymous@anonymous.invalid"),
        ("<sip:anonymous@anonymous.invalid>;tag=1", "", "", True, "Anonymous", "anonymous@anonymous.invalid"),
        ("<sip:10.0.0.9>;tag=1", "", "", False, "10.0.0.9", "10.0.0.9"),
    ],
)
def test_who_calls(said: str, asserted: str, privacy: str, trusted: bool, name: str, address: str) -> None:
    extra = f"P-Asserted-Identity: {asserted}\r\n" if asserted else ""
    extra += f"Privacy: {privacy}\r\n" if privacy else ""
    raw = request("INVITE", extra=extra).replace(b"From: <sip:carol@192.0.2.1>;tag=carol", f"From: {said}".encode())
    made = parse_message(raw)
    assert isinstance(made, Request)
    caller = caller_of(made, trusted=trusted)
    assert (caller.name, caller.address, caller.uri) == (name, address, f"sip:{address}")
    assert caller.asserted == (asserted or None if trusted else None)


def test_what_is_no_text_is_told_as_text() -> None:
    """Else it could be sent to nobody: not to policy, and to no other node."""
    raw = request("INVITE", extra="P-Asserted-Identity: <sip:X@example.com>\r\n").replace(b":X@", b":\xff\x00\x1b[2J@")
    made = parse_message(raw.replace(b"<sip:carol@192.0.2.1>;tag", b'"\xfe" <sip:c%00\xf0@192.0.2.1>;tag'))
    assert isinstance(made, Request)
    caller = caller_of(made, trusted=True)
    for text in (caller.name, caller.address, caller.uri, caller.asserted or ""):
        assert msgspec.json.decode(msgspec.json.encode(text)) == text
        assert text.isprintable()


# ---- on real sockets ---------------------------------------------------------------------------------------------


async def test_a_host_holds_a_caller_and_lets_it_go_on(running: Running) -> None:
    async with serving(running.service.environment) as far:
        ours = call(running, f"sip:meet.demo@127.0.0.1:{far.port};transport=udp")
        await answered(running, ours)
        theirs = far.switchboard.sessions[0]
        await running.until(lambda: theirs.did("confirm"))
        assert ours.on_hold is not None
        for held, direction in ((True, "recvonly"), (False, "sendrecv")):
            ours.on_hold(held)
            ours.on_hold(held)
            await running.until(lambda wanted=direction: _direction(theirs) == wanted)  # type: ignore[misc]
        assert not ours.did("hold"), "it was not the far end that held"
        await ended(running, ours)


@pytest.mark.parametrize("events", [True, False])
async def test_digits_go_by_info_where_media_carries_none(running: Running, events: bool) -> None:
    peer = Peer(running.port)
    sdp = SDP if events else SDP.replace(b" 101\r\na=rtpmap:101 telephone-event/8000", b"")
    peer.send(request("INVITE", body=sdp).replace(b"bob@", b"meet.demo@"))
    assert await peer.reply("1 INVITE") == "SIP/2.0 200 OK"
    peer.send(request("ACK", to_tag=peer.tag, branch="ack"))
    [made] = running.switchboard.sessions
    await running.until(lambda: made.did("confirm"))
    assert made.on_tones is not None
    assert made.on_tones("5#") is not events
    for digit in "5#" if not events else "":
        asked = await peer.request("INFO")
        assert digits(asked.content_type, asked.body) == digit
    peer.socket.close()


def _direction(session: FakeSession) -> str:
    assert session.local is not None
    return session.local.streams[0].direction.value


@pytest.mark.spec("REF-112")
async def test_a_phone_takes_the_place_of_another(running: Running) -> None:
    first, second = Peer(running.port), Peer(running.port)
    invite = request("INVITE", body=SDP).replace(b"bob@", b"meet.demo@")
    first.send(invite)
    assert await first.reply("1 INVITE") == "SIP/2.0 200 OK"
    first.send(request("ACK", to_tag=first.tag, branch="ack"))
    await running.until(lambda: running.switchboard.sessions[0].did("confirm"))
    header = f"Replaces: by-hand;to-tag={first.tag};from-tag=carol\r\nMax-Forwards".encode()
    second.send(invite.replace(b"ID: by-hand", b"ID: 2").replace(b"INVITE1", b"2").replace(b"Max-Forwards", header))
    assert await second.reply("1 INVITE") == "SIP/2.0 200 OK"
    await running.until(lambda: running.switchboard.sessions[0].left)
    old, new = running.switchboard.sessions
    assert (new.request.alias, new.request.role, new.left) == ("meet.demo", Role.HOST, False)
    assert old.did("leave")
    for peer in (first, second):
        peer.socket.close()


async def test_a_call_control_connects_somebody_else(running: Running) -> None:
    """RFC 4916: by the From of an UPDATE; requests of ours are for the new party from then on."""
    peer = Peer(running.port)
    peer.send(request("INVITE", body=SDP).replace(b"bob@", b"meet.demo@"))
    assert await peer.reply("1 INVITE") == "SIP/2.0 200 OK"
    tag = peer.tag
    peer.send(request("ACK", to_tag=tag, branch="ack"))
    [made] = running.switchboard.sessions
    await running.until(lambda: made.did("confirm"))
    made.participant.display_name = "carol"
    for cseq, said in ((2, b"<sip:carol@192.0.2.1>"), (3, b'"Dan" <sip:dan@192.0.2.1>')):
        update = request("UPDATE", cseq=cseq, to_tag=tag)
        peer.send(update.replace(b"From: <sip:carol@192.0.2.1>", b"From: " + said))
        assert await peer.reply(f"{cseq} UPDATE") == "SIP/2.0 200 OK"
    await running.until(lambda: bool(made.conference.members))
    names = {"display_name": "Dan", "overlay_text": "Dan", "uri": "dan@192.0.2.1"}
    assert made.conference.members == [("somebody", names)]
    made.participant.display_name = "Named by policy"
    peer.send(request("UPDATE", cseq=4, to_tag=tag).replace(b"From: <sip:carol@", b"From: <sip:boss@"))
    assert await peer.reply("4 UPDATE") == "SIP/2.0 200 OK"
    made.listener.disconnected("over")
    bye = await peer.request("BYE")
    assert (bye.to.uri.user, bye.to.tag) == ("boss", "carol")
    assert len(made.conference.members) == 1, "who was named by others keeps that name"
    peer.socket.close()
