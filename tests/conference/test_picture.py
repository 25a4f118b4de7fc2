import msgspec
import pytest

from rostra.conference.picture import Seat, program
from rostra.conference.roster import Participant
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

SERVICE = ServiceDescription(id=1, name="s", service_type="conference")


def seat(index: int, *, picture: bool = True, **members: object) -> Seat:
    participant = Participant(
        uuid=f"p{index}", node="n", display_name=f"Person {index}", local_alias="a", protocol=CallProtocol.API,
        role=Role.HOST, service_type=ServiceType.CONFERENCE, start_time=float(index), has_media=True,
    )  # fmt: skip
    return Seat(participant=msgspec.structs.replace(participant, **members), call=f"c{index}", has_picture=picture)


def test_those_off_stage_share_one_view() -> None:
    seats = [seat(i) for i in range(20)] + [seat(i, picture=False) for i in range(20, 23)]
    made = program(seats, ["p3"], SERVICE, locked=False).compose
    views = [made.watching[f"c{i}"] for i in range(23)]
    assert len(set(views[:9])) == 9
    assert len(set(views[9:20])) == 1
    assert len(set(views[20:])) == 1
    assert views[9] != views[20], "the audience outside counts one more"
    assert made.views[views[20]].tiles[-1].text == "+13"
    assert made.views[views[9]].tiles[-1].text == "+12"


@pytest.mark.parametrize("waiting", [ServiceType.WAITING_ROOM, ServiceType.IVR])
def test_who_waits_neither_sees_nor_hears_nor_speaks(waiting: ServiceType) -> None:
    made = program([seat(0), seat(1, service_type=waiting)], [], SERVICE, locked=False).compose
    assert [tile.source for tile in made.views[made.watching["c1"]].tiles] == [""]
    assert (made.audio["c1"].speaks, made.audio["c1"].hears) == (False, False)
    assert "c1" not in [tile.source for tile in made.views[made.watching["c0"]].tiles]


def test_alone_and_without_pictures_are_told_apart() -> None:
    alone = program([seat(0)], [], SERVICE, locked=False).compose
    audio_only = program([seat(0), seat(1, picture=False)], [], SERVICE, locked=False).compose
    texts = [made.views[made.watching["c0"]].tiles[0].text for made in (alone, audio_only)]
    assert texts[0] != texts[1]
    assert all(texts)


def test_a_hidden_camera_is_left_out() -> None:
    made = program([seat(0), seat(1), seat(2, is_video_muted=True)], [], SERVICE, locked=False).compose
    assert [tile.source for tile in made.views[made.watching["c0"]].tiles] == ["c1"]


def test_layouts_name_participants_main_first() -> None:
    made = program([seat(i) for i in range(4)], ["p2", "p0"], SERVICE, locked=False)
    assert made.layouts["p1"] == ("1:7", ("p2", "p0", "p3"))
    assert made.layouts["p2"] == ("1:7", ("p0", "p1", "p3"))
