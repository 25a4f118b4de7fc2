"""A member with a genuine certificate says everything it must not; nobody heeds it, and it shows."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import dataclasses
import gc
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rostra.environment import Environment
from rostra.fabric import credentials, envelope, membership, server, subjects
from rostra.fabric.bus import Bus, Unreachable, guard_of
from rostra.fabric.guard import Guard, Refused
from rostra.fabric.membership import Member, Membership
from rostra.fabric.refusals import Refusals
from rostra.fabric.speaking import speaker, speaks_for
from rostra.fabric.subjects import Subject, Who
from rostra.media import messages as m
from rostra.media.engine.owners import Owners
from tests.fabric.sites import new_authority, running, site, until

SOURCE = Path(__file__).parents[2] / "src" / "rostra"
ROWS = pytest.mark.parametrize("row", subjects.ALL, ids=lambda row: row.pattern)


class Platform:
    """The Management Node, n2, and n3, whose machine somebody has broken into."""

    def __init__(self) -> None:
        self.environments: dict[str, Environment] = {}
        self.members: list[Member] = []
        self.guards: dict[str, Guard] = {}

    def wire(self, name: str, subject: str, payload: bytes = b"x", reply: str = "") -> bytes:
        return self.guards[name].seal(subject, reply, payload)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    home = tmp_path_factory.mktemp("platform")
    authority, found = new_authority(home), Platform()
    for number, name in ((1, "management"), (2, "n2"), (3, "n3")):
        environment, member = site(home, number, authority)
        found.environments[name] = environment
        found.members.append(Member(name, member.fingerprint, member.address, member.port))
    for name, environment in found.environments.items():
        place = Membership(authority.platform, name, environment.address).with_members(found.members)
        membership.store(environment.home, place)
        guard = guard_of(environment)
        assert guard is not None
        found.guards[name] = guard
    return found


def may(who: Who, member: str) -> bool:
    """May `member` speak, to the machine of n2, where the subject names n2?"""
    return {
        Who.MANAGEMENT: member == "management",
        Who.NODE: member == "n2",
        Who.MEMBER: True,
        Who.MACHINE: member == "n2",
    }[who]


@ROWS
@pytest.mark.parametrize("member", ["management", "n2", "n3"])
def test_a_member_is_heard_where_the_table_says_so(platform: Platform, row: Subject, member: str) -> None:
    subject = row.of("n2")
    sealed = platform.wire(member, subject)
    if may(row.says, member):
        heard = platform.guards["n2"].open(subject, "", sealed)
        assert (heard.speaker, heard.payload) == (member, b"x")
    else:
        with pytest.raises(Refused) as refused:
            platform.guards["n2"].open(subject, "", sealed)
        assert refused.value.alarming


@pytest.mark.parametrize("row", [row for row in subjects.ALL if row.answered], ids=lambda row: row.pattern)
@pytest.mark.parametrize("member", ["management", "n2", "n3"])
def test_only_who_is_asked_may_answer(platform: Platform, row: Subject, member: str) -> None:
    sealed = platform.guards[member].seal_answer(row, "_INBOX.a.b", b"x")
    open_answer = platform.guards["n2"].open_answer
    if may(row.hears, member):
        assert open_answer(row.of("n2"), "_INBOX.a.b", sealed).payload == b"x"
        with pytest.raises(Refused):
            open_answer(row.of("n2"), "_INBOX.a.c", sealed)  # of another question
    else:
        with pytest.raises(Refused):
            open_answer(row.of("n2"), "_INBOX.a.b", sealed)


def test_nothing_of_a_message_can_be_changed(platform: Platform) -> None:
    changes, reply = subjects.CHANGES.pattern, "_INBOX.a.b"
    sealed = platform.wire("management", changes, b"content", reply)
    listener = platform.guards["n2"]
    assert listener.open(changes, reply, sealed).payload == b"content"
    for position in range(len(sealed)):
        broken = bytearray(sealed)
        broken[position] ^= 1
        with pytest.raises(Refused):
            listener.open(changes, reply, bytes(broken))
    for subject, address in ((changes, ""), (subjects.POLICY.pattern, reply)):
        with pytest.raises(Refused):
            listener.open(subject, address, sealed)
    for data in (b"", b"{}", b"\xf5", sealed[:21], sealed[:60], b"\xf6" * 40):
        with pytest.raises(Refused):
            listener.open(changes, reply, data)


def test_a_key_counts_as_long_as_it_is_a_members(platform: Platform, tmp_path: Path) -> None:
    """One whose node is deleted is not heard from then on; a new one is heard at once."""
    home = tmp_path / "n2"
    shutil.copytree(platform.environments["n2"].home, home)
    listener = guard_of(dataclasses.replace(platform.environments["n2"], home=home))
    place = membership.load(home)
    assert listener is not None
    assert place is not None
    subject = subjects.REPORT.of("n4")
    stranger = envelope.sign(credentials.new_key(), subject, "", b"s" * 12, 1, b"x")
    with pytest.raises(Refused, match="no member"):
        listener.open(subject, "", stranger)
    key = credentials.new_key()
    entry = Member("n4", credentials.fingerprint(key.public_key()), "127.0.0.4", 1)
    membership.store(home, place.with_members([*place.members, entry]))
    assert listener.open(subject, "", envelope.sign(key, subject, "", b"s" * 12, 1, b"x")).speaker == "n4"
    listener._members._looked = float("-inf")  # a second later
    membership.store(home, place)
    with pytest.raises(Refused, match="no member"):
        listener.open(subject, "", envelope.sign(key, subject, "", b"s" * 12, 2, b"x"))


def test_the_management_node_speaks_for_the_node_on_its_machine_only(platform: Platform) -> None:
    assert platform.guards["n2"].carries("management", "n77"), "no machine of its own"
    assert not platform.guards["n2"].carries("n3", "n77")
    assert not platform.guards["n2"].carries("management", "n3")


def test_every_subject_is_made_by_the_table() -> None:
    """Whoever writes one by hand would go past it."""
    starts = ("rostra.v", "rostra.config.", "rostra.identity.", "rostra.nodes.")
    found: list[str] = []
    gc.collect()  # in the middle of `ast.parse` it makes Python 3.11 lose count
    for file in SOURCE.rglob("*.py"):
        if file.name == "subjects.py" and file.parent.name == "fabric":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(starts):
                found.append(f"{file.relative_to(SOURCE)}:{node.lineno}")
            if isinstance(node, ast.Attribute) and node.attr == "connect" and ast.unparse(node.value) == "Bus":
                found.append(f"{file.relative_to(SOURCE)}:{node.lineno}: not guarded")
    assert found == []


def test_a_subject_that_is_not_in_the_table_cannot_be_used(platform: Platform) -> None:
    with pytest.raises(ValueError, match="not in the table"):
        platform.wire("n2", "rostra.v1.new.thing")
    assert len({row.pattern for row in subjects.ALL}) == len(subjects.ALL)
    for row in subjects.ALL:
        assert subjects.row_of(row.pattern) is subjects.row_of(row.of("a")) is row


def test_the_manual_shows_the_table() -> None:
    assert subjects.as_markdown() in (Path(__file__).parents[2] / "docs/admin/fabric.md").read_text()


async def test_a_member_does_it_until_it_has_been_quiet_for_a_while() -> None:
    told: list[tuple[str, bool]] = []
    refusals = Refusals(lambda member, _details, up: told.append((member, up)), held=0.05)
    refusals.heard("n3", "a", "no")
    refusals.heard("n3", "b", "no")
    refusals.heard("", "a", "no")
    assert told == [("n3", True), ("unknown", True)]
    async with asyncio.timeout(5):
        while len(told) < 4:  # noqa: ASYNC110 - timers call
            await asyncio.sleep(0.01)
    assert set(told[2:]) == {("n3", False), ("unknown", False)}


# ---- on real servers


class Machines:
    """The platform, running; `hostile` is a connection of n3's that nothing guards."""

    def __init__(self) -> None:
        self.buses: dict[str, Bus] = {}
        self.hostile: Bus
        self.refused: list[tuple[str, str, str]] = []


@pytest.fixture
async def machines(platform: Platform) -> AsyncIterator[Machines]:
    found = Machines()
    async with contextlib.AsyncExitStack() as stack:
        for name, environment in platform.environments.items():
            await stack.enter_async_context(running(environment))
            bus = found.buses[name] = await Bus.join(environment, name=name)
            stack.push_async_callback(bus.close)
        found.hostile = await Bus.connect(server.url(platform.environments["n3"]), name="hostile")
        stack.push_async_callback(found.hostile.close)
        found.buses["n2"].on_refused(lambda *refused: found.refused.append(refused))

        async def here(_subject: str, _payload: bytes) -> bytes:
            return b"n2"

        await found.buses["n2"].subscribe(subjects.PROBE.of("n2"), here, concurrent=True)

        async def reached(name: str) -> bool:
            try:
                return await found.buses[name].request(subjects.PROBE.of("n2"), b"", timeout=1) == b"n2"
            except Unreachable:
                return False

        for name in found.buses:
            await until(lambda name=name: reached(name), 15)
        yield found


async def answered(bus: Bus, subject: str, payload: bytes) -> bytes:
    """What is answered as soon as the server of `bus` knows of the subscription at another one."""
    async with asyncio.timeout(5):
        while True:
            try:
                return await bus.request(subject, payload)
            except Unreachable:
                await asyncio.sleep(0.01)


async def test_a_hostile_member_is_not_heeded_and_others_are(platform: Platform, machines: Machines) -> None:
    heard: list[tuple[str, str | None, bytes]] = []
    arrived = asyncio.Event()

    async def hear(subject: str, payload: bytes) -> bytes:
        heard.append((subject, speaker(), payload))
        arrived.set()
        return b"done"

    n2, management = machines.buses["n2"], machines.buses["management"]
    told = [row for row in subjects.ALL if row.says is not Who.MEMBER]
    for row in told:
        await n2.subscribe(row.of("n2"), hear, concurrent=True)
    recorded: list[bytes] = []

    async def record(_subject: str, payload: bytes) -> None:
        recorded.append(payload)

    command = subjects.COMMAND.of("n2")
    await machines.hostile.subscribe(command, record)
    for row in told:
        for data in (b"plain", platform.wire("n3", row.of("n2"), b"forged")):
            await machines.hostile.publish(row.of("n2"), data)
    assert await answered(management, command, b"genuine") == b"done"
    assert [payload for _, _, payload in heard] == [b"genuine"]
    assert heard[0][1] == "management"
    async with asyncio.timeout(5):
        while not recorded:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await machines.hostile.publish(command, recorded[0])  # what was recorded, again
    await management.publish(subjects.CHANGES.pattern, b"later")
    async with asyncio.timeout(5):
        while heard[-1][2] != b"later":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert [payload for _, _, payload in heard] == [b"genuine", b"later"]
    crossing = {row.of("n2") for row in told if row.says is not Who.MACHINE}
    assert {subject for member, subject, _ in machines.refused if member == "n3"} == crossing
    assert n2.debug_state()["refused"] >= 2 * len(crossing)


async def test_what_was_recorded_is_not_heeded_by_a_process_that_begins_anew(
    platform: Platform, machines: Machines
) -> None:
    """It never heard the session that said it, but that one does not run any more."""
    old = platform.wire("management", subjects.COMMAND.of("n2"), b"recorded")
    heard: list[bytes] = []

    async def hear(_subject: str, payload: bytes) -> bytes:
        heard.append(payload)
        return b"done"

    bus = await Bus.join(platform.environments["n2"], name="anew")
    try:
        await bus.subscribe(subjects.COMMAND.of("n2"), hear)
        await machines.hostile.publish(subjects.COMMAND.of("n2"), old)

        async def silent(_subject: str, _payload: bytes) -> None:
            """The hostile one draws the question on itself and does not answer."""

        await machines.hostile.subscribe("rostra.v1.session.*", silent)
        await machines.hostile.publish(subjects.COMMAND.of("n2"), old)
        assert await answered(machines.buses["management"], subjects.COMMAND.of("n2"), b"new") == b"done"
        assert heard == [b"new"], "and nobody waits for what is being asked about"
    finally:
        await bus.close()


async def test_a_hostile_member_cannot_answer_for_another(platform: Platform, machines: Machines) -> None:
    """It hears the question as well, and is faster."""
    n2, management, asked = machines.buses["n2"], machines.buses["management"], asyncio.Event()
    row, there = subjects.CATCH_UP, set[str]()

    async def answer(_subject: str, payload: bytes) -> bytes:
        if payload == b"there?":
            there.add("management")
            return b""
        await asked.wait()
        async with asyncio.timeout(5):  # the forged answers come over another link
            while not any(member == "n3" for member, _, _ in machines.refused):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert speaks_for("n2")
        assert not speaks_for("n3")
        return b"genuine"

    await management.subscribe(row.pattern, answer)
    hostile = machines.hostile._client

    async def first(message: object) -> None:
        reply = message.reply  # type: ignore[attr-defined]
        if not reply:
            there.add("hostile")
            return
        await hostile.publish(reply, b"plain")
        await hostile.publish(reply, platform.guards["n3"].seal_answer(row, reply, b"forged"))
        await hostile.publish(reply, b"", headers={"Status": "503"})
        await hostile.flush()
        asked.set()

    await hostile.subscribe(row.pattern, cb=first)
    await hostile.flush()
    async with asyncio.timeout(5):
        while len(there) < 2:  # subscriptions on their way to the server of n2
            await n2.publish(row.pattern, b"there?")
            await asyncio.sleep(0.01)
    assert await n2.request(row.pattern, b"?") == b"genuine"
    assert speaker() == "management"
    assert any(member == "n3" for member, _, _ in machines.refused)


async def test_what_belongs_to_one_machine_does_not_cross_to_another(machines: Machines) -> None:
    """A hostile member neither hears what media workers of others tell, nor speaks for them."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    overheard: list[bytes] = []

    async def hear(_subject: str, payload: bytes) -> None:
        heard.put_nowait(payload)

    async def overhear(_subject: str, payload: bytes) -> None:
        overheard.append(payload)

    events = subjects.MEDIA_EVENTS.of("n2-worker")
    n2, n3 = machines.buses["n2"], machines.buses["n3"]
    await machines.hostile.subscribe(events, overhear)
    await n2.subscribe(events, hear)
    await n3.publish(events, b"from afar")
    assert await n3.request(subjects.PROBE.of("n2"), b"") == b"n2", "and so that has arrived, if it does"
    await n2.publish(events, b"near")
    assert await asyncio.wait_for(heard.get(), 5) == b"near"
    assert await n2.request(subjects.PROBE.of("n2"), b"") == b"n2"
    assert [one.endswith(b"from afar") for one in overheard] == [True], "its own machine's, which shows that it listens"
    assert n2.debug_state()["refused"] == 0


def test_a_leg_is_steered_by_who_opened_it() -> None:
    owners = Owners()
    opened = m.OpenWebRtc(leg="a", offer="")
    assert owners.permit(opened, "n3", own=False)
    assert owners.permit(m.Start(leg="a"), "n3", own=False)
    for one in (
        opened,
        m.Start(leg="a"),
        m.Close(leg="a"),
        m.Statistics(),
        m.Quit(),
        m.Assign(conference="c", name=""),
    ):
        assert not owners.permit(one, "n2", own=False), one
        assert owners.permit(one, None, own=True), "nothing is guarded"
    assert owners.permit(m.Quit(), "n1", own=True)
    assert owners.permit(m.Close(leg="a"), "n3", own=False)
    assert owners.permit(opened, "n2", own=False), "it is a new one"
