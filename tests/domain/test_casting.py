"""Who is seen by whom: the tables of the sheets, and what must hold whoever speaks."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.casting import Audience, Performer, arrange, audience_of, line_up, seated
from rostra.domain.layouts import LAYOUTS, Family, find
from rostra.domain.look import Style
from rostra.domain.vocabulary import Role

HOST, GUEST = Role.HOST, Role.GUEST


def people(*names: str, **more: object) -> list[Performer]:
    """`h1` is a Host, `g1` a Guest."""
    return [
        Performer(participant=name, source=f"leg-{name}", name=name, role=HOST if name[0] == "h" else GUEST, **more)  # type: ignore[arg-type]
        for name in names
    ]


def style(name: str = "1:7", **more: object) -> Style:
    layout = find(name)
    assert layout
    return Style(layout=layout, **more)  # type: ignore[arg-type]


def seen(
    who: list[Performer], spoke: list[str], viewer: str, audience: Audience = Audience.ALL, name: str = "1:7", *,
    presenter: str = "",
) -> list[str]:  # fmt: skip
    line = line_up(who, spoke, audience, presenter=presenter)
    return list(arrange(line, viewer, style(name), audience=audience).names)


@pytest.mark.spec("CONF-083", "CONF-084", "POL-151", "POL-153", "SVC-028")
def test_main_is_the_speaker_and_the_previous_one_for_the_speaker() -> None:
    who = people("h0", "g1", "h2", "g3")
    assert seen(who, ["h2", "g1"], "h0") == ["h2", "g1", "g3"]
    assert seen(who, ["h2", "g1"], "h2") == ["g1", "h0", "g3"]
    assert seen(who, ["h2", "g1"], "h0", name="1:0") == ["h2"]
    assert seen(who, ["h2", "g1"], "h2", name="1:0") == ["g1"]


@pytest.mark.spec("CONF-086")
def test_two_mains_are_the_speaker_and_the_one_before() -> None:
    line = line_up(people("h0", "g1", "h2", "g3"), ["g3", "h2"], Audience.ALL)
    made = arrange(line, "h0", style("2:21"))
    assert made.names[:2] == ("g3", "h2")
    assert [(cell.x, cell.width) for cell in made.cells[:2]] == [(0, 639), (641, 639)]


@pytest.mark.spec("CONF-087", "CONF-088", "CONF-089", "CONF-090", "CONF-091", "SVC-041")
@pytest.mark.parametrize(
    ("there", "spoke", "viewer", "expected"),
    [
        (["h1", "g1", "g2"], ["g2", "h1"], "h1", ["g2", "g1"]),  # one Host sees the Guest who spoke last
        (["h1", "h2", "g1"], ["g1", "h2", "h1"], "h1", ["h2", "g1"]),
        (["h1", "h2", "g1"], ["g1", "h2", "h1"], "h2", ["h1", "g1"]),
        (["h1", "h2", "h3", "g1", "g2"], ["g2", "h3", "g1", "h1"], "h2", ["h3", "h1", "g2", "g1"]),
        (["h1", "h2", "h3", "g1", "g2"], ["g2", "h3", "g1", "h1"], "h3", ["h1", "h2", "g2", "g1"]),
    ],
)
def test_hosts_of_an_auditorium(there: list[str], spoke: list[str], viewer: str, expected: list[str]) -> None:
    assert seen(people(*there), spoke, viewer, Audience.HOSTS) == expected
    assert seen(people(*there), spoke, viewer, Audience.HOSTS, "1:0") == expected[:1]
    assert seen(people(*there), spoke, viewer, Audience.HOSTS, "2:21") == expected


@pytest.mark.spec("CONF-092", "CONF-093", "CONF-094", "CONF-095", "SVC-040")
@pytest.mark.parametrize(
    ("there", "spoke", "expected"),
    [
        (["h1", "g1", "g2"], ["g2", "h1"], ["h1"]),
        (["h1", "h2", "g1"], ["g1", "h2", "h1"], ["h2", "h1"]),
        (["h1", "h2", "h3", "g1"], ["h1", "g1", "h3"], ["h1", "h3", "h2"]),
        (["g1", "g2"], ["g2"], []),
    ],
)
def test_guests_of_an_auditorium(there: list[str], spoke: list[str], expected: list[str]) -> None:
    for viewer in [name for name in there if name[0] == "g"]:
        assert seen(people(*there), spoke, viewer, Audience.GUESTS) == expected


@pytest.mark.spec("CONF-094", "POL-148")
def test_a_lone_host_is_full_screen_for_guests_and_in_the_main_place_elsewhere() -> None:
    line = line_up(people("h1", "g1"), [], Audience.GUESTS)
    assert arrange(line, "g1", style("1:7"), audience=Audience.GUESTS).cells[0].width == 1280
    assert arrange(people("h1", "g1"), "g1", style("1:7")).cells[0].width == 1096
    assert arrange(people("h1", "g1"), "g1", style("2:21")).cells[0].width == 728


@pytest.mark.spec("CONF-062", "CONF-092", "SVC-040")
@pytest.mark.parametrize(
    ("role", "lecture", "hosts", "setting", "expected"),
    [
        (GUEST, False, True, "no_hosts", Audience.ALL),
        (HOST, True, True, "no_hosts", Audience.HOSTS),
        (GUEST, True, True, "no_hosts", Audience.GUESTS),
        (GUEST, True, False, "no_hosts", Audience.ALL),
        (GUEST, True, False, "never", Audience.GUESTS),
        (GUEST, True, True, "always", Audience.HOSTS),
        (Role.UNKNOWN, True, True, "no_hosts", Audience.GUESTS),
    ],
)
def test_audiences(role: Role, lecture: bool, hosts: bool, setting: str, expected: Audience) -> None:
    assert audience_of(role, lecture=lecture, hosts_present=hosts, guests_see_guests=setting) is expected


@pytest.mark.spec("CONF-096", "SVC-042", "SVC-043")
def test_a_presenter_can_be_locked_into_the_main_place() -> None:
    who = people("h1", "h2", "h3")
    assert seen(who, ["h2", "h1"], "g9", Audience.GUESTS, presenter="h3") == ["h3", "h2", "h1"]
    assert seen(who, ["h2", "h1"], "g9", Audience.GUESTS, "2:21", presenter="h3")[:2] == ["h3", "h2"]
    assert seen(who, ["h2", "h1"], "g9", Audience.GUESTS) == ["h2", "h1", "h3"]
    assert seen(who, ["h2", "h1"], "h3", Audience.HOSTS, presenter="h3") == ["h2", "h1"], "but not for itself"
    assert seen([*who, *people("g1")], ["h2"], "g9", Audience.GUESTS, presenter="g1") == ["h2", "h1", "h3"]


def test_the_spotlight_comes_before_the_voice_in_order_of_time() -> None:
    who = people("h1", "h2", "h3", "h4")
    who[3] = msgspec.structs.replace(who[3], spotlight=20.0)
    who[1] = msgspec.structs.replace(who[1], spotlight=30.0)
    assert seen(who, ["h3", "h1"], "h9") == ["h4", "h2", "h3", "h1"]


@pytest.mark.spec("CONF-071", "CONF-074")
def test_who_has_no_picture_comes_last_and_alone_shows_nothing() -> None:
    dark = people("h1", has_picture=False)
    assert seen([*dark, *people("h2")], ["h1"], "h9") == ["h2", "h1"]
    assert seen(dark, ["h1"], "h9") == []


@pytest.mark.spec("CONF-073", "CONF-085", "POL-150", "POL-154", "SVC-031")
@pytest.mark.parametrize(
    ("name", "others", "shown"),
    [
        ("1:0", 5, 1),
        ("1:7", 8, 8), ("1:7", 9, 7), ("1:7", 20, 7),
        ("1:21", 22, 22), ("1:21", 23, 21),
        ("2:21", 23, 23), ("2:21", 24, 22),
        ("9:0", 9, 9), ("9:0", 10, 8),
        ("ac", 12, 12), ("ac", 15, 12),
    ],
)  # fmt: skip
def test_who_finds_no_place_is_counted(name: str, others: int, shown: int) -> None:
    line = people(*(f"h{i}" for i in range(others)))
    made = arrange(line, None, style(name))
    assert (len(made.shown), made.hidden) == (shown, others - shown)
    assert len(arrange(line, None, style(name, plus_n=False)).shown) == min(others, len(style(name).layout.places))


@pytest.mark.spec("POL-152")
def test_equal_pictures_keep_their_places() -> None:
    line = people("h1", "h2", "h3", "h4", "h5")
    first = arrange(line_up(line, [], Audience.ALL), None, style("4:0", plus_n=False))
    assert first.names == ("h1", "h2", "h3", "h4")
    spoke = ["h3", "h1", "h4", "h2"]
    again = arrange(line_up(line, spoke, Audience.ALL), None, style("4:0", plus_n=False), first.names)
    assert again.names == first.names, "whoever speaks"
    newcomer = arrange(line_up(line, ["h5", *spoke], Audience.ALL), None, style("4:0", plus_n=False), again.names)
    assert newcomer.names == ("h1", "h5", "h3", "h4"), "the place of who spoke least recently"


def test_actors_come_first_or_alone() -> None:
    line = people("h1", "h2", "h3")
    assert arrange(line, None, style(actors=("h3", "gone", "h3"))).names == ("h3", "h1", "h2")
    assert arrange(line, None, style(actors=("h3",), backfill=False)).names == ("h3",)
    assert arrange(line, "h3", style(actors=("h3",), backfill=False)).names == ()


@st.composite
def conferences(draw: st.DrawFn) -> tuple[list[Performer], list[str]]:
    names = draw(st.lists(st.sampled_from([f"{kind}{i}" for kind in "hg" for i in range(20)]), unique=True))
    who = [
        msgspec.structs.replace(
            one, has_picture=draw(st.booleans()), spotlight=draw(st.sampled_from([0.0, 0.0, 1.0, 2.0]))
        )
        for one in people(*names)
    ]
    return who, draw(st.permutations(names))


@given(
    conferences(), st.sampled_from(LAYOUTS), st.sampled_from(Audience), st.booleans(), st.data(),
)  # fmt: skip
def test_laws(
    conference: tuple[list[Performer], list[str]], layout: object, audience: Audience, plus_n: bool, data: st.DataObject
) -> None:
    who, spoke = conference
    names = [one.participant for one in who]
    viewer = data.draw(st.sampled_from([*names, "watcher"]))
    presenter = data.draw(st.sampled_from([*names, ""]))
    before = data.draw(st.lists(st.sampled_from([*names, "gone"]), unique=True))
    line = line_up(who, spoke, audience, presenter=presenter)
    made = arrange(line, viewer, Style(layout=layout, plus_n=plus_n), before, audience=audience)  # type: ignore[arg-type]
    visible = {one.participant for one in who if audience is not Audience.GUESTS or one.role is HOST} - {viewer}
    assert len(set(made.names)) == len(made.names), "nobody twice"
    assert viewer not in made.names, "nobody sees himself"
    assert set(made.names) <= visible, "Guests never see Guests while a Host is there"
    assert len(made.names) + made.hidden == len(visible), "nobody is lost"
    if made.shown:
        assert len(made.cells) - len(made.shown) in (0, 1)
        assert any(one.has_picture for one in made.shown)
        if made.shown[0].spotlight == 0 and layout.family is not Family.EQUAL:  # type: ignore[attr-defined]
            assert made.shown[0].has_picture, "the main place is for pictures"


@given(
    st.lists(st.sampled_from([f"h{i}" for i in range(12)]), unique=True),
    st.lists(st.sampled_from([f"h{i}" for i in range(12)]), unique=True),
)
def test_places_are_kept_by_all_who_can(now: list[str], before: list[str]) -> None:
    made = [one.participant for one in seated(people(*now), before)]
    assert sorted(made) == sorted(now)
    for at, name in enumerate(before):
        if name in now and at < len(now):
            assert made[at] == name
