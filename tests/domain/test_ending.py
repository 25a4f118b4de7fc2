"""When a conference ends by itself (sheet 05, "Ending a conference automatically")."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain import ending
from rostra.domain.ending import End, Fact, KeepAlive, Limits, Present
from rostra.domain.vocabulary import Role

YES, MULTIPLE, NO = KeepAlive.YES, KeepAlive.IF_MULTIPLE, KeepAlive.NEVER
HOST = Present(role=Role.HOST, joined=True)
CONTROL_ONLY = Present(role=Role.HOST, joined=True, leads=False)
GUEST = Present(role=Role.GUEST, joined=True)
WAITING = Present(role=Role.GUEST, joined=False)
HELD = Present(role=Role.HOST, joined=False)
ALL = frozenset(Fact)


def dialled(keep: KeepAlive, role: Role = Role.GUEST) -> Present:
    return Present(role=role, joined=True, dialled=keep)


def coming(*people: Present, known: frozenset[Fact] = ALL, **limits: float) -> dict[End, float]:
    return ending.conditions(people, known | ending.facts(people), Limits(**limits))


@pytest.mark.spec("CONF-062", "CONF-160")
@pytest.mark.parametrize(
    ("people", "ends"),
    [
        ((GUEST, GUEST), True),
        ((GUEST,), True),
        ((HOST, GUEST), False),
        ((HOST,), False),
        ((CONTROL_ONLY, GUEST), True),
        ((CONTROL_ONLY,), False),
        ((WAITING,), True),
        ((HOST, WAITING), False),
        ((HELD,), True),
        ((), False),
    ],
)
def test_guests_alone(people: tuple[Present, ...], ends: bool) -> None:
    assert (End.HOSTS_LEFT in coming(*people, guests_only=60)) is ends


@pytest.mark.spec("CONF-062")
def test_guests_who_wait_for_the_first_host_are_not_left_by_one() -> None:
    assert not coming(WAITING, WAITING, known=frozenset())


@pytest.mark.spec("CONF-161")
@pytest.mark.parametrize("who", [HOST, GUEST, dialled(YES, Role.HOST), dialled(NO)])
@pytest.mark.parametrize(("limit", "ends"), [(0, False), (60, True)])
def test_whoever_remains_alone(who: Present, limit: float, ends: bool) -> None:
    assert (End.LAST_PARTICIPANT in coming(who, last_participant=limit)) is ends


@pytest.mark.spec("CONF-161")
def test_the_first_of_a_conference_does_not_remain() -> None:
    assert not coming(HOST, known=frozenset(), last_participant=60)
    assert End.LAST_PARTICIPANT not in coming(HOST, GUEST, last_participant=60)


H = Role.HOST
ADPS = [
    # who remains, and whether the conference goes on
    ((dialled(YES, H),), True),
    ((dialled(YES),), False),
    ((dialled(NO, H),), False),
    ((dialled(NO), dialled(NO, H)), False),
    ((dialled(MULTIPLE, H),), False),
    ((dialled(MULTIPLE, H), dialled(MULTIPLE)), True),
    ((dialled(MULTIPLE), dialled(MULTIPLE)), False),
    ((dialled(MULTIPLE, H), dialled(NO)), False),
    ((dialled(MULTIPLE, H), dialled(YES)), False),
    ((dialled(NO), dialled(YES, H)), True),
    ((dialled(MULTIPLE), dialled(MULTIPLE, H), dialled(NO)), True),
    ((GUEST, dialled(NO)), True),
    ((WAITING, dialled(MULTIPLE, H)), True),
    ((HOST, dialled(NO)), True),
]


@pytest.mark.spec("CONF-162", "CONF-163", "CONF-164", "CONF-165")
@pytest.mark.parametrize(("people", "goes_on"), ADPS)
def test_dialled_participants_alone(people: tuple[Present, ...], goes_on: bool) -> None:
    assert (End.NOT_KEPT_ALIVE not in coming(*people)) is goes_on
    if not goes_on:
        assert coming(*people)[End.NOT_KEPT_ALIVE] == 0


def test_a_conference_begun_by_dialling_out_waits_for_company() -> None:
    assert not coming(dialled(MULTIPLE), known=frozenset())


class Clock:
    """A conference looked at whenever somebody comes or goes, and when the rules ask to."""

    def __init__(self, **limits: float) -> None:
        self.limits = Limits(**limits)
        self.known: frozenset[Fact] = frozenset()
        self.since: dict[End, float] = {}
        self.due: float | None = None
        self.ended: tuple[End, float] | None = None

    def look(self, now: float, *people: Present, unreachable: bool = False) -> None:
        self.known |= ending.facts(people)
        coming = ending.conditions(people, self.known, self.limits)
        self.since = ending.follow(self.since, coming, now)
        end, left = ending.due(self.since, coming, now, unreachable=unreachable)
        self.due = None if left is None else now + left
        if end is not None and self.ended is None:
            self.ended = end, now


@pytest.mark.spec("CONF-159")
def test_the_worked_case_of_the_sheet() -> None:
    one_left = Clock(guests_only=120, last_participant=60)
    one_left.look(0, HOST, GUEST, GUEST)
    one_left.look(1000, GUEST, GUEST)
    assert one_left.due == 1120
    one_left.look(1030, GUEST)
    assert one_left.due == 1090
    one_left.look(1090, GUEST)
    assert one_left.ended == (End.LAST_PARTICIPANT, 1090)
    two_left = Clock(guests_only=120, last_participant=60)
    two_left.look(0, HOST, GUEST, GUEST, GUEST)
    two_left.look(1000, GUEST, GUEST, GUEST)
    two_left.look(1030, GUEST, GUEST)
    assert two_left.due == 1120
    two_left.look(1120, GUEST, GUEST)
    assert two_left.ended == (End.HOSTS_LEFT, 1120)


@pytest.mark.spec("CONF-160")
@pytest.mark.parametrize(("limit", "at"), [(0, 1000), (60, 1060), (86400, 87400)])
def test_the_time_without_hosts_is_configured(limit: float, at: float) -> None:
    conference = Clock(guests_only=limit)
    conference.look(0, HOST, GUEST)
    conference.look(1000, GUEST)
    assert (conference.ended is not None) is (limit == 0)
    if conference.due:
        conference.look(conference.due, GUEST)
    assert conference.ended == (End.HOSTS_LEFT, at)


@pytest.mark.spec("CONF-160", "CONF-062")
def test_a_host_who_is_back_in_time_stops_the_clock() -> None:
    conference = Clock(guests_only=60)
    conference.look(0, HOST, GUEST)
    conference.look(10, GUEST)
    conference.look(65, HOST, GUEST)
    assert conference.due is None
    conference.look(100, GUEST)
    assert conference.due == 160


def test_nothing_ends_at_once_while_nodes_are_out_of_reach() -> None:
    conference = Clock(guests_only=0)
    conference.look(0, HOST, GUEST)
    conference.look(10, GUEST, unreachable=True)
    assert conference.ended is None
    assert conference.due == 10 + ending.UNREACHABLE
    conference.look(20, HOST, GUEST)
    assert conference.due is None


PEOPLE = st.lists(
    st.builds(
        Present, role=st.sampled_from([Role.HOST, Role.GUEST]), joined=st.booleans(), leads=st.booleans(),
        dialled=st.sampled_from([None, *KeepAlive]),
    ),
    max_size=4,
)  # fmt: skip


@given(st.lists(st.tuples(st.floats(0.1, 50), PEOPLE), max_size=12), st.sampled_from([0, 60]), st.sampled_from([0, 60]))
def test_it_never_ends_with_a_leading_visitor_among_others_nor_before_its_time(
    story: list[tuple[float, list[Present]]], guests_only: float, last: float
) -> None:
    conference, now = Clock(guests_only=guests_only, last_participant=last), 0.0
    began: dict[End, float] = {}
    for step, people in story:
        now += step
        before = conference.since
        conference.look(now, *people)
        for end, since in conference.since.items():
            assert since == before.get(end, now)
            began.setdefault(end, since)
        if conference.ended:
            end, at = conference.ended
            leading = any(one.joined and one.leads and one.role is Role.HOST and one.dialled is None for one in people)
            assert not leading or (end is End.LAST_PARTICIPANT and len(people) == 1)
            if end is End.HOSTS_LEFT:
                assert at - before.get(end, at) >= guests_only
            return


@pytest.mark.spec("CONF-132", "CONF-135")
@pytest.mark.parametrize(
    ("people", "known", "ends"),
    [
        ((HELD,), ALL, True),
        ((HELD, WAITING), ALL, True),
        ((HELD,), frozenset(), False),  # locked from the beginning: nobody has been in
        ((HELD, HOST), ALL, False),
        ((HELD, CONTROL_ONLY), ALL, False),
        ((HELD, GUEST), ALL, False),
        ((), ALL, False),
    ],
)
def test_without_a_host_pin_nobody_waits_for_an_empty_conference(
    people: tuple[Present, ...], known: frozenset[Fact], ends: bool
) -> None:
    found = ending.conditions(people, known, Limits(guests_only=60, hosted=False))
    assert (found.get(End.HOSTS_LEFT) == 0.0) is ends


EVERYBODY = [
    HOST, CONTROL_ONLY, GUEST, WAITING, HELD, *(dialled(keep, role) for keep in KeepAlive for role in (H, Role.GUEST))
]  # fmt: skip


@given(
    st.lists(st.sampled_from(EVERYBODY), max_size=5),
    st.sets(st.sampled_from(Fact)),
    st.builds(Limits, guests_only=st.sampled_from([0.0, 60.0]), last_participant=st.sampled_from([0.0, 60.0]),
              hosted=st.booleans()),
)  # fmt: skip
def test_no_end_comes_that_somebody_stands_against(people: list[Present], known: set[Fact], limits: Limits) -> None:
    assert not ending.prevented(people) & ending.conditions(people, frozenset(known), limits).keys()


@pytest.mark.spec("CONF-160")
def test_who_saw_the_host_leave_later_is_right() -> None:
    said = {End.HOSTS_LEFT: 1000.0, End.LAST_PARTICIPANT: 900.0}
    assert ending.own_view(said, {}) == said
    assert ending.own_view(said, {End.HOSTS_LEFT: 990.0}) == said
    assert ending.own_view(said, {End.HOSTS_LEFT: 1000.5}) == said, "nodes never agree to the millisecond"
    assert ending.own_view(said, {End.HOSTS_LEFT: 1050.0}) == {**said, End.HOSTS_LEFT: 1050.0}


def test_what_a_node_has_to_tell_that_has_just_come_is_waited_for() -> None:
    coming, since = {End.HOSTS_LEFT: 60.0}, {End.HOSTS_LEFT: 1000.0}
    assert ending.due(since, coming, 1060, unreachable=False, met=1059) == (None, 4.0)
    assert ending.due(since, coming, 1060, unreachable=False, met=1050) == (End.HOSTS_LEFT, None)
