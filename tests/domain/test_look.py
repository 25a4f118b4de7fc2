"""How a conference looks, and how that is changed."""

import pytest

from rostra.domain.look import IllegalValue, Look, Value, look, override, transform
from rostra.domain.service import ServiceDescription


def service(**members: object) -> ServiceDescription:
    return ServiceDescription(**({"id": 1, "name": "s", "service_type": "conference"} | members))  # type: ignore[arg-type]


def after(*changes: dict[str, Value], **members: object) -> Look:
    registers: dict[str, Value] = {}
    for change in changes:
        registers |= change
    return look(service(**members), registers.get)


@pytest.mark.spec("POL-162", "API-122")
def test_only_what_is_given_changes() -> None:
    first = transform({"layout": "2x2", "enable_overlay_text": True}, lecture=False)
    second = transform({"plus_n_pip_enabled": False}, lecture=False)
    now = after(first, second)
    assert now.requested == ("4:0", "4:0")
    assert (now.hosts.names, now.hosts.plus_n) == (True, False)
    assert after(first, transform({"layout": None}, lecture=False)).requested == ("1:7", "1:7")


@pytest.mark.spec("POL-162")
def test_auditoriums_have_two_layouts() -> None:
    members = {"service_type": "lecture", "guest_view": "one_main_zero_pips"}
    assert after(**members).requested == ("1:7", "1:0")
    hosts = transform({"host_layout": "9:0"}, lecture=True)
    assert after(hosts, **members).requested == ("9:0", "1:0")
    assert after(transform({"guest_layout": "1:21"}, lecture=True), **members).requested == ("1:7", "1:21")
    assert after(transform({"host_layout": "9:0"}, lecture=False)).requested == ("9:0", "9:0")


@pytest.mark.spec("API-123", "POL-144")
@pytest.mark.parametrize(
    ("transforms", "lecture"),
    [
        ({"layout": "7:7"}, False),
        ({"layout": 5}, False),
        ({"layout": "ac"}, True),
        ({"guest_layout": "five_mains_seven_pips"}, True),
        ({"enable_overlay_text": "yes"}, False),
        ({"free_form_overlay_text": "one"}, False),
        ({"free_form_overlay_text": ["x" * 1001]}, False),
        ({"streaming": {"layout": "x"}}, False),
        ({"streaming": []}, False),
    ],
)
def test_values_that_cannot_be(transforms: dict[str, object], lecture: bool) -> None:
    with pytest.raises(IllegalValue):
        transform(transforms, lecture=lecture)


@pytest.mark.spec("API-123")
def test_no_members_go_back_to_what_is_configured() -> None:
    changed = (
        transform({"layout": "1:0", "streaming": {"layout": "4:0"}, "ai_enabled_indicator": True}, lecture=False),
        override([{"layout": "1:0", "actors": ["a"]}], lecture=False),
    )
    assert after(*changed) != after()
    assert after(*changed, transform({}, lecture=False)) == after()


def test_streams_have_a_look_of_their_own() -> None:
    wanted = {"streaming": {"layout": "1:0", "indicators_enabled": False, "waiting_screen_enabled": True}}
    now = after(transform(wanted, lecture=False))
    assert (now.streams.layout.name, now.streams.indicators, now.waiting_screen) == ("1:0", False, True)
    assert now.requested == ("1:7", "1:7")


def test_naming_who_is_shown() -> None:
    wanted = [
        {"audience": "hosts", "layout": "1:0", "actors": ["a"], "vad_backfill": False, "plus_n": "off"},
        {"audience": "", "layout": "4:0", "actors": ["b"], "actors_overlay_text": "auto"},
    ]
    now = after(override(wanted, lecture=True), service_type="lecture")
    assert (now.hosts.layout.name, now.hosts.actors, now.hosts.backfill, now.hosts.plus_n) == (
        "1:0",
        ("a",),
        False,
        False,
    )
    assert (now.guests.layout.name, now.guests.actors, now.guests.names) == ("4:0", ("b",), True)
    assert after(override(wanted, lecture=False), override([], lecture=False)) == after()
    with pytest.raises(IllegalValue):
        override([{"audience": "all"}], lecture=False)
