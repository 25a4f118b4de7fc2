import msgspec
import pytest

from rostra.conference.picture import Program, Seat, Situation
from rostra.conference.picture import program as made_of
from rostra.conference.roster import Participant
from rostra.domain import theme
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

SERVICE = ServiceDescription(id=1, name="s", service_type="conference")


def program(seats: list[Seat], order: list[str], service: ServiceDescription = SERVICE, **more: object) -> Program:
    return made_of(seats, service, Situation(order=order, **more))  # type: ignore[arg-type]


def seat(index: int, *, picture: bool = True, **members: object) -> Seat:
    participant = Participant(
        uuid=f"p{index}", node="n", display_name=f"Person {index}", local_alias="a", protocol=CallProtocol.API,
        role=Role.HOST, service_type=ServiceType.CONFERENCE, start_time=float(index), has_media=True,
    )  # fmt: skip
    return Seat(participant=msgspec.structs.replace(participant, **members), call=f"c{index}", has_picture=picture)


def test_those_off_stage_share_one_view() -> None:
    seats = [seat(i) for i in range(20)] + [seat(i, picture=False) for i in range(20, 23)]
    made = program(seats, ["p3"]).compose
    views = [made.watching[f"c{i}"] for i in range(23)]
    assert len(set(views[:9])) == 9
    assert len(set(views[9:20])) == 1
    assert len(set(views[20:])) == 1
    assert views[9] != views[20], "the audience outside counts one more"
    assert "+13" in [tile.text for tile in made.views[views[20]].tiles]
    assert "+12" in [tile.text for tile in made.views[views[9]].tiles]


@pytest.mark.parametrize("waiting", [ServiceType.WAITING_ROOM, ServiceType.IVR])
def test_who_waits_neither_sees_nor_hears_nor_speaks(waiting: ServiceType) -> None:
    made = program([seat(0), seat(1, service_type=waiting)], []).compose
    assert [tile.source for tile in made.views[made.watching["c1"]].tiles] == [""]
    assert (made.audio["c1"].speaks, made.audio["c1"].hears) == (False, False)
    assert "c1" not in [tile.source for tile in made.views[made.watching["c0"]].tiles]


def pictures(made: Program, call: str) -> list[str]:
    return [tile.source for tile in made.compose.views[made.compose.watching[call]].tiles if tile.source]


def images(made: Program, call: str) -> list[str]:
    return [tile.image for tile in made.compose.views[made.compose.watching[call]].tiles if tile.image]


@pytest.mark.spec("CONF-061", "CONF-074", "REF-037")
def test_alone_and_without_pictures_are_told_apart() -> None:
    assert images(program([seat(0)], []), "c0") == [theme.NO_OTHERS]
    assert images(program([seat(0), seat(1, picture=False)], []), "c0") == [theme.NO_OTHER_VIDEO, theme.AUDIO_INDICATOR]


def test_who_is_only_recorded_is_alone() -> None:
    streamed = seat(1, picture=False, is_streaming=True, is_video_call=True)
    assert theme.NO_OTHERS in images(program([seat(0), streamed], []), "c0")
    assert theme.NO_OTHER_VIDEO in images(program([seat(0), streamed, seat(2, picture=False)], []), "c0")


@pytest.mark.spec("CONF-071", "REF-054")
def test_a_hidden_camera_has_a_place_and_is_not_seen() -> None:
    made = program([seat(0), seat(1), seat(2, is_video_muted=True)], [])
    assert pictures(made, "c0") == ["c1"]
    assert images(made, "c0") == [theme.NO_INCOMING_VIDEO, theme.NO_INCOMING_VIDEO, theme.WATERMARK_ICON]


@pytest.mark.spec("CONF-072")
def test_who_is_on_hold_is_frozen() -> None:
    made = program([seat(0), seat(1), seat(2, is_on_hold=True)], ["p2"])
    tiles = made.compose.views[made.compose.watching["c0"]].tiles
    assert [(tile.source, tile.frozen) for tile in tiles if tile.source] == [("c1", False), ("c2", True)]


@pytest.mark.spec("CONF-069", "CONF-070", "REF-050", "REF-051")
def test_audio_participants_are_drawn_one_by_one_and_many_as_a_number() -> None:
    few = program([seat(0), seat(1), *(seat(i, picture=False) for i in range(2, 6))], [], speaking=frozenset({"p3"}))
    assert images(few, "c0").count(theme.AUDIO_INDICATOR) == 4
    texts = [tile.text for tile in few.compose.views[few.compose.watching["c0"]].tiles if tile.backdrop]
    assert texts == ["Person 3"], "who speaks has the name out"
    many = program([seat(0), seat(1), *(seat(i, picture=False) for i in range(2, 9))], [])
    assert images(many, "c0").count(theme.AUDIO_INDICATOR) == 1
    number = [tile for tile in many.compose.views[many.compose.watching["c0"]].tiles if tile.backdrop]
    assert [(tile.text, tile.text_colour, tile.backdrop) for tile in number] == [("7", 0xF38B3C, 0xBE222222)]


@pytest.mark.spec("CONF-075", "REF-053")
def test_streaming_is_shown_with_its_caption_first() -> None:
    seats = [seat(0), seat(1), seat(2, picture=False, is_streaming=True)]
    for announced in (True, False):
        made = program(seats, [], announced=announced)
        assert theme.STREAMING_INDICATOR in images(made, "c0")
        texts = [tile.text for tile in made.compose.views[made.compose.watching["c0"]].tiles if tile.text]
        assert texts == (["Streaming enabled"] if announced else [])
    hidden = msgspec.structs.replace(SERVICE, theme=theme.ThemeSettings(disable_streaming_indicator=True))
    assert theme.STREAMING_INDICATOR not in images(program(seats, [], hidden), "c0")


@pytest.mark.spec("REF-063")
@pytest.mark.parametrize("kind", ["conference", "lecture"])
def test_meeting_rooms_and_auditoriums_have_a_watermark_unless_told_otherwise(kind: str) -> None:
    service = ServiceDescription(id=1, name="s", service_type=kind)
    assert theme.WATERMARK_ICON in images(program([seat(0), seat(1)], [], service), "c0")


@pytest.mark.spec("REF-059", "REF-060")
def test_the_watermark_is_on_the_main_picture_unless_the_theme_has_none() -> None:
    full = msgspec.structs.replace(SERVICE, host_view="one_main_zero_pips")
    tiles = program([seat(0), seat(1)], [], full).compose.views["to:p0"].tiles
    assert [(t.x, t.y, t.width, t.height) for t in tiles if t.image == theme.WATERMARK_ICON] == [(37, 27, 133, 67)]
    plain = msgspec.structs.replace(SERVICE, theme=theme.ThemeSettings(disable_watermark_icon=True))
    assert theme.WATERMARK_ICON not in images(program([seat(0), seat(1)], [], plain), "c0")


@pytest.mark.spec("CONF-080", "SVC-032")
def test_names_are_off_by_default_and_then_on_every_picture_with_room_for_them() -> None:
    seats = [seat(i) for i in range(4)]
    named = msgspec.structs.replace(SERVICE, enable_overlay_text=True)
    assert {tile.text for tile in program(seats, []).compose.views["to:p0"].tiles} == {""}
    texts = [tile.text for tile in program(seats, ["p2"], named).compose.views["to:p0"].tiles if tile.source]
    assert texts == ["Person 2", "Person 1", "Person 3"]


@pytest.mark.spec("REF-046", "SYS-188")
def test_without_a_licence_for_video_one_is_heard_only_and_sees_why() -> None:
    seats = [seat(0), seat(1), seat(2, no_video=True)]
    made = program(seats, ["p2", "p0"])
    scenes, watching = made.compose.views, made.compose.watching
    assert [tile.image for tile in scenes[watching["c2"]].tiles] == [theme.NO_VIDEO_LICENSE]
    assert not [tile for tile in scenes[watching["c0"]].tiles if tile.source == "c2"]
    assert "p2" in made.listeners
    assert made.layouts["p2"][1] == ()
    assert made.compose.audio["c2"].speaks


def test_who_speaks_can_be_marked() -> None:
    marked = msgspec.structs.replace(SERVICE, enable_active_speaker_indication=True)
    tiles = (
        program([seat(i) for i in range(4)], ["p2"], marked, speaking=frozenset({"p2"})).compose.views["to:p0"].tiles
    )
    assert [tile.text for tile in tiles if tile.source] == ["Person 2", "", ""]
    assert sum(not tile.source and not tile.image for tile in tiles) == 4, "a frame of four sides"


@pytest.mark.spec("CONF-076")
def test_single_stream_viewers_have_the_speaker_inside_the_presentation() -> None:
    seats = [
        seat(0),
        seat(1),
        msgspec.structs.replace(seat(2), mixed=True),
        msgspec.structs.replace(seat(3), mixed=True),
    ]
    made = program(seats, ["p3", "p0"], presenter="p0", slides="c0:slides")
    assert pictures(made, "c2") == ["c0:slides", "c3"]
    assert pictures(made, "c3") == ["c0:slides", "c0"], "but not oneself"
    assert pictures(made, "c1") == ["c3", "c0", "c2"]
    slides, inset = (tile for tile in made.compose.views[made.compose.watching["c2"]].tiles if tile.source)
    assert (slides.width, slides.height, slides.fit, slides.colour) == (1280, 720, "contain", 0)
    assert (inset.x, inset.y, inset.width, inset.height) == (960, 0, 320, 180)


LECTURE = ServiceDescription(id=1, name="s", service_type="lecture", force_presenter_into_main=True)


@pytest.mark.spec("CONF-087", "CONF-092", "SVC-039", "SVC-040", "CONF-062")
def test_guests_of_an_auditorium_see_hosts_until_the_last_has_left() -> None:
    seats = [seat(0), seat(1), *(seat(i, role=Role.GUEST) for i in range(2, 5))]
    made = program(seats, ["p3", "p1"], LECTURE)
    assert pictures(made, "c0") == ["c1", "c3", "c2", "c4"]
    assert {made.compose.watching[f"c{i}"] for i in (2, 3, 4)} == {"guests:audience"}, "one picture for all of them"
    assert pictures(made, "c3") == ["c1", "c0"]
    assert made.layouts["p3"] == ("1:7", ("p1", "p0"))
    left = program(seats[2:], ["p3", "p1"], LECTURE)
    assert pictures(left, "c2") == ["c3", "c4"]
    listening = program([seat(0, picture=False), *seats[2:]], ["p3"], LECTURE)
    assert pictures(listening, "c2") == [], "a Host is there, if not to be seen"


@pytest.mark.spec("CONF-096", "SVC-029", "SVC-042")
def test_a_presenter_is_locked_into_the_main_place_of_an_auditorium_only() -> None:
    seats = [seat(0), seat(1), seat(2), seat(3, role=Role.GUEST)]
    assert pictures(program(seats, ["p1"], LECTURE, presenter="p2", slides="c2:slides"), "c3") == ["c2", "c1", "c0"]
    room = msgspec.structs.replace(LECTURE, service_type="conference")
    assert pictures(program(seats, ["p1"], room, presenter="p2", slides="c2:slides"), "c3") == ["c1", "c0", "c2"]


@pytest.mark.spec("POL-152")
def test_equal_pictures_stay_where_they_are_from_one_program_to_the_next() -> None:
    grid = msgspec.structs.replace(SERVICE, host_view="nine_mains_zero_pips")
    seats = [seat(i) for i in range(5)]
    first = program(seats, ["p3", "p4"], grid)
    again = program(seats, ["p1", "p2", "p3", "p4"], grid, seated=first.seated)
    assert again.layouts == first.layouts
    gone = program([*seats[:2], *seats[3:]], ["p1"], grid, seated=again.seated)
    assert len(gone.layouts["p0"][1]) == 3


def test_a_splash_is_an_image_with_text() -> None:
    made = program([seat(0), seat(1, service_type=ServiceType.IVR, splash=theme.RECEPTION, prompt="12")], [])
    image, text = made.compose.views["prompt:c1"].tiles
    assert (image.image, text.text, text.y) == (theme.RECEPTION, "12", 503)


def test_layouts_name_participants_main_first() -> None:
    made = program([seat(i) for i in range(4)], ["p2", "p0"])
    assert made.layouts["p1"] == ("1:7", ("p2", "p0", "p3"))
    assert made.layouts["p2"] == ("1:7", ("p0", "p1", "p3"))


@pytest.mark.spec("REF-055")
def test_a_stream_without_pictures_shows_an_icon() -> None:
    streamed = msgspec.structs.replace(SERVICE, theme=theme.ThemeSettings(no_main_video_bg=0x123456))
    made = program(
        [seat(0, picture=False), seat(1, picture=False, is_streaming=True, is_video_call=True)], [], streamed
    )
    tiles = made.compose.views[made.compose.watching["c1"]].tiles
    assert (tiles[0].colour, tiles[1].image) == (0x123456, theme.NO_MAIN_VIDEO)


def test_layouts_of_those_without_video_are_empty() -> None:
    made = program([seat(0), seat(1), seat(2, picture=False), seat(3, picture=False, is_video_call=True)], [])
    assert made.layouts["p2"] == ("1:7", ())
    assert made.layouts["p3"] == ("1:7", ("p0", "p1"))


@pytest.mark.spec("REF-052", "CONF-073")
def test_how_many_more_there_are_is_on_the_image_of_the_theme() -> None:
    coloured = msgspec.structs.replace(SERVICE, theme=theme.ThemeSettings(plus_n_indicator_text_color=0x00FF00))
    tiles = program([seat(i) for i in range(12)], [], coloured).compose.views["to:p0"].tiles
    (number,) = (tile for tile in tiles if tile.image == theme.PLUS_N)
    assert (number.text, number.text_colour, number.x, number.y) == ("+4", 0x00FF00, 1098, 618)


@pytest.mark.spec("CONF-082", "SVC-028")
def test_everybody_in_a_meeting_room_has_one_layout_whatever_the_role() -> None:
    room = msgspec.structs.replace(SERVICE, host_view="four_mains_zero_pips", guest_view="one_main_zero_pips")
    seats = [seat(0), seat(1), seat(2, role=Role.GUEST), seat(3, role=Role.GUEST)]
    made = program(seats, [], room)
    assert {view for view, _ in made.layouts.values()} == {"4:0"}
    assert made.layouts["p2"][1] == ("p0", "p1", "p3")
