from __future__ import annotations

import datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rostra.domain.grants import SETTLED, Grants
from rostra.domain.licensing import (
    FREE,
    GRACE,
    Licence,
    LicenceKind,
    LicenceState,
    LicenceTerms,
    Media,
    Pool,
    Shortage,
    begins,
    choose,
    choose_all,
    ends,
    expiring,
    need,
    permitted,
    pool,
    state,
)

DAY = 24 * 3600.0
PORT, AUDIO = LicenceKind.PORT, LicenceKind.AUDIO
SPRING = datetime.date(2026, 4, 1)


@pytest.mark.spec("PLAT-019", "SYS-194")
@pytest.mark.parametrize(
    ("licence", "days", "expected"),
    [
        (Licence(limit=10), 0, True),
        (Licence(limit=10), 13.99, True),
        (Licence(limit=10), 14.0, False),
        (Licence(limit=10), 400, False),
        (FREE, 400, True),
    ],
)
def test_calls_are_permitted_for_a_fortnight_without_the_management_node(
    licence: Licence, days: float, expected: bool
) -> None:
    assert permitted(licence, days * DAY) is expected
    assert GRACE == 14 * DAY


def utc(text: str) -> float:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp()


@pytest.mark.spec("SYS-198")
@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-04-01T07:59:59", LicenceState.NOT_STARTED),  # midnight PST is 8:00 UTC, in summer too
        ("2026-04-01T08:00:00", LicenceState.ACTIVE),
        ("2026-07-01T23:59:59", LicenceState.ACTIVE),
        ("2026-07-02T00:00:00", LicenceState.EXPIRED),
    ],
)
def test_a_licence_begins_by_pacific_time_and_ends_by_utc(moment: str, expected: LicenceState) -> None:
    terms = LicenceTerms(id="a", start=SPRING, end=datetime.date(2026, 7, 1))
    assert state(terms, utc(moment)) is expected
    assert begins(SPRING) == utc("2026-04-01T08:00:00")
    assert ends(SPRING) == utc("2026-04-02T00:00:00")


@pytest.mark.spec("SYS-183", "SYS-197", "PLAT-015")
def test_active_licences_add_up_and_others_only_show_that_calls_are_counted() -> None:
    given = [
        LicenceTerms(id="a", concurrent=10, overdraft=2),
        LicenceTerms(id="b", concurrent=5, start=SPRING),
        LicenceTerms(id="c", kind=AUDIO, concurrent=20, overdraft=1),
        LicenceTerms(id="later", concurrent=100, start=datetime.date(2027, 1, 1)),
        LicenceTerms(id="over", concurrent=100, end=datetime.date(2026, 1, 1)),
        LicenceTerms(id="another's", concurrent=100, intact=False),
    ]
    found = pool(given, utc("2026-06-01T00:00:00"))
    assert (found.port, found.port_overdraft, found.audio, found.audio_overdraft) == (15, 2, 20, 1)
    assert (found.limit(PORT), found.limit(AUDIO), found.licence.limit) == (17, 21, 38)
    assert pool(given[3:], utc("2026-06-01T00:00:00")) == Pool(counted=True)
    assert pool([], 0) == Pool()
    assert pool([], 0).licence == FREE


@pytest.mark.spec("DIAG-106")
def test_licences_that_end_within_60_days_are_told_of() -> None:
    now = utc("2026-06-01T00:00:00")
    given = [
        LicenceTerms(id="soon", end=datetime.date(2026, 7, 30)),
        LicenceTerms(id="far", end=datetime.date(2026, 7, 31)),
        LicenceTerms(id="over", end=datetime.date(2026, 5, 1)),
        LicenceTerms(id="never"),
        LicenceTerms(id="another's", end=datetime.date(2026, 6, 2), intact=False),
    ]
    assert [one.id for one in expiring(given, now)] == ["soon", "over"]


@pytest.mark.spec("SYS-184", "SYS-186", "SYS-189", "SYS-190", "SYS-191", "API-114", "DIAG-040")
@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (Media(), None),
        (Media(slides=True), None),
        (Media(audio=True), AUDIO),
        (Media(audio=True, slides=True), AUDIO),
        (Media(audio=True, video=True), PORT),
        (Media(video=True), PORT),
        (Media(slides=True, office=True), AUDIO),
        (Media(office=True), None),
    ],
)
def test_what_a_leg_needs(media: Media, expected: LicenceKind | None) -> None:
    assert need(media) is expected


def limited(port: int, audio: int, **more: int) -> Pool:
    return Pool(counted=True, valid=True, port=port, audio=audio, **more)


@pytest.mark.spec("SYS-186", "SYS-187", "SYS-188", "SYS-196", "PLAT-089", "DIAG-041")
@pytest.mark.parametrize(
    ("given", "used", "wanted", "expected"),
    [
        (Pool(), {PORT: 10**6}, PORT, PORT),
        (Pool(), {}, AUDIO, PORT),
        (Pool(counted=True), {}, PORT, Shortage.INVALID),
        (Pool(counted=True), {}, AUDIO, Shortage.INVALID),
        (limited(1, 0), {}, PORT, PORT),
        (limited(1, 0), {PORT: 1}, PORT, Shortage.INSUFFICIENT),
        (limited(1, 1), {PORT: 1}, PORT, AUDIO),
        (limited(1, 1), {PORT: 1, AUDIO: 1}, PORT, Shortage.INSUFFICIENT),
        (limited(1, 1), {}, AUDIO, AUDIO),
        (limited(1, 1), {AUDIO: 1}, AUDIO, PORT),
        (limited(1, 0), {}, AUDIO, PORT),
        (limited(1, 1), {PORT: 1, AUDIO: 1}, AUDIO, Shortage.INSUFFICIENT),
        (limited(1, 0, port_overdraft=1), {PORT: 1}, PORT, PORT),
        (limited(1, 0, port_overdraft=1), {PORT: 2}, PORT, Shortage.INSUFFICIENT),
        (limited(1, 0), {PORT: 5}, PORT, Shortage.INSUFFICIENT),
        (limited(0, 0), {}, AUDIO, Shortage.INSUFFICIENT),
    ],
)
def test_which_licence_a_leg_gets(
    given: Pool, used: dict[LicenceKind, int], wanted: LicenceKind, expected: LicenceKind | Shortage
) -> None:
    assert choose(given, used, wanted) is expected


@pytest.mark.spec("SYS-192", "POL-120")
@pytest.mark.parametrize(
    ("given", "wanted", "expected"),
    [
        (limited(2, 0), (PORT, PORT), (PORT, PORT)),
        (limited(1, 0), (PORT, PORT), Shortage.INSUFFICIENT),
        (limited(1, 1), (PORT, PORT), (PORT, AUDIO)),
        (limited(1, 1), (AUDIO, PORT), (AUDIO, PORT)),
        (Pool(), (PORT, PORT), (PORT, PORT)),
    ],
)
def test_a_gateway_call_takes_one_for_each_leg_or_none(
    given: Pool, wanted: tuple[LicenceKind, ...], expected: tuple[LicenceKind, ...] | Shortage
) -> None:
    assert choose_all(given, {}, wanted) == expected


RUN = ("n1", "boot")


@pytest.mark.spec("SYS-185")
def test_nobody_holds_more_than_one_and_video_that_is_added_changes_it() -> None:
    grants, given = Grants(), limited(1, 1)
    assert grants.take(RUN, "ann", [AUDIO], given, 0) == (AUDIO,)
    assert grants.take(RUN, "ann", [PORT], given, 1) == (PORT,)
    assert grants.used == {PORT: 1, AUDIO: 0}
    assert grants.take(RUN, "ann", [AUDIO], given, 2) == (PORT,)
    assert grants.take(RUN, "bob", [AUDIO], given, 3) == (AUDIO,)
    assert grants.take(RUN, "bob", [PORT], given, 4) == (AUDIO,)
    assert grants.take(RUN, "eve", [AUDIO], given, 5) is Shortage.INSUFFICIENT
    grants.give_back(RUN, "ann", 6)
    grants.give_back(RUN, "ann", 6)
    assert grants.take(RUN, "eve", [PORT], given, 6) == (PORT,)


def test_what_a_node_says_it_holds_counts_except_for_what_is_on_its_way() -> None:
    grants, given = Grants(), limited(3, 0)
    grants.take(RUN, "lost", [PORT], given, 0)
    grants.take(RUN, "fresh", [PORT], given, 10)
    grants.settle(RUN, {"assumed": (PORT,)}, asked=10 + SETTLED - 1)
    assert set(grants.held(RUN)) == {"fresh", "assumed"}
    grants.settle(RUN, {"fresh": (PORT,)}, asked=30)
    assert grants.held(RUN) == {"fresh": (PORT,)}
    grants.keep_only([("n1", "next boot")])
    assert not any(grants.used.values())
    assert not grants.runs


class Counting(RuleBasedStateMachine):
    """Nodes that are connected, their calls, and the account of the Management Node."""

    @initialize(port=st.integers(0, 3), audio=st.integers(0, 3), overdraft=st.integers(0, 2))
    def begin(self, port: int, audio: int, overdraft: int) -> None:
        self.pool = limited(port, audio, port_overdraft=overdraft)
        self.grants = Grants()
        self.held: dict[tuple[str, str], dict[str, tuple[LicenceKind, ...]]] = {}
        self.now = 0.0

    runs = st.tuples(st.sampled_from(["n1", "n2"]), st.sampled_from(["a", "b"]))
    holders = st.sampled_from(["ann", "bob", "eve", "joe"])
    wishes = st.lists(st.sampled_from(list(LicenceKind)), min_size=1, max_size=2)

    @rule(run=runs, holder=holders, wanted=wishes)
    def take(self, run: tuple[str, str], holder: str, wanted: list[LicenceKind]) -> None:
        held = self.held.get(run, {})
        if holder in held:
            wanted = wanted[: len(held[holder])] or wanted
            if len(wanted) != len(held[holder]):
                return
        found = self.grants.take(run, holder, wanted, self.pool, self.now)
        if isinstance(found, Shortage):
            assert holder not in held
        else:
            assert len(found) == len(wanted)
            self.held.setdefault(run, {})[holder] = found

    @rule(run=runs, holder=holders)
    def end(self, run: tuple[str, str], holder: str) -> None:
        self.held.get(run, {}).pop(holder, None)
        self.grants.give_back(run, holder, self.now)

    @rule(run=runs, holder=holders)
    def end_while_asked(self, run: tuple[str, str], holder: str) -> None:
        """The answer of the node is overtaken by the end of a call."""
        answer = dict(self.held.get(run, {}))
        self.end(run, holder)
        self.grants.settle(run, answer, self.now)
        self.now += 1

    @rule(run=runs, holder=holders)
    def end_unheard(self, run: tuple[str, str], holder: str) -> None:
        """The message is lost; the next question finds out."""
        self.held.get(run, {}).pop(holder, None)
        self.now += 2 * SETTLED
        self.grants.settle(run, self.held.get(run, {}), self.now)

    @rule(run=runs)
    def die(self, run: tuple[str, str]) -> None:
        self.held.pop(run, None)
        self.grants.keep_only([one for one in self.grants.runs if one != run])

    @rule()
    def begin_anew(self) -> None:
        """The Management Node restarts and asks everybody."""
        self.grants = Grants()
        for run, held in self.held.items():
            self.grants.settle(run, held, self.now)

    @invariant()
    def all_is_accounted_for(self) -> None:
        if not hasattr(self, "grants"):
            return
        kinds = [kind for held in self.held.values() for found in held.values() for kind in found]
        assert self.grants.used == {kind: kinds.count(kind) for kind in LicenceKind}
        for kind in LicenceKind:
            assert self.grants.used[kind] <= self.pool.limit(kind)

    def teardown(self) -> None:
        for run, held in getattr(self, "held", {}).items():
            for holder in list(held):
                self.grants.give_back(run, holder, self.now)
        assert not any(self.grants.used.values())
        assert not self.grants.runs


Counting.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestCounting = pytest.mark.spec("SYS-183", "SYS-185", "SYS-197", "PLAT-015")(Counting.TestCase)
