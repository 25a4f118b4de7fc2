"""What answers mean: the tables of sections 2.3, 5, 8 and 9 of the sheet."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from rostra.domain.vocabulary import Role
from rostra.policy import participants, phonebook
from rostra.policy.decisions import FAILED, Disposition, Placement, Way, decide, decide_location, decide_script
from rostra.policy.participants import FIELDS, Properties
from rostra.policy.phonebook import Entry, Permission
from tests.policy.fakes import MEETING, NAMES
from tests.policy.test_configurations import JSON

BAD = {**MEETING, "view": "nonsense"}
SERVICES: list[tuple[object, Way, str | None]] = [
    (None, Way.DEFAULT, None),
    ([], Way.DEFAULT, None),
    ("success", Way.DEFAULT, None),
    ({"status": "success", "result": MEETING}, Way.USE, "CONTINUE"),
    ({"status": "success", "action": "reject", "result": MEETING}, Way.USE, "CONTINUE"),
    ({"status": "success", "action": "reject"}, Way.REFUSE, "REJECT"),
    ({"status": "success", "action": "reject", "result": {}}, Way.REFUSE, "REJECT"),
    ({"status": "success", "action": "reject", "result": BAD}, Way.REFUSE, "REJECT"),
    ({"status": "fail", "action": "reject"}, Way.REFUSE, "REJECT"),
    ({"action": "reject"}, Way.REFUSE, "REJECT"),
    ({"status": "success", "action": "continue"}, Way.DEFAULT, "CONTINUE"),
    ({"status": "success", "action": "continue", "result": {}}, Way.DEFAULT, "CONTINUE"),
    ({"status": "fail", "action": "continue", "result": []}, Way.DEFAULT, "CONTINUE"),
    ({"status": "success", "result": BAD}, Way.DEFAULT, None),
    ({"status": "success", "result": []}, Way.DEFAULT, None),
    ({"status": "success", "result": [MEETING]}, Way.DEFAULT, None),
    ({"status": "Success", "result": MEETING}, Way.DEFAULT, None),
    ({"status": ["success"], "result": MEETING}, Way.DEFAULT, None),
    ({"result": MEETING}, Way.DEFAULT, None),
    ({"status": "fail"}, Way.DEFAULT, None),
    ({"status": "success", "action": "dance"}, Way.DEFAULT, None),
    ({"status": "success", "action": {"reject": True}}, Way.DEFAULT, None),
    ({"status": "success", "action": "redirect", "result": {"new_alias": "sip:b@c"}}, Way.REDIRECT, "REDIRECT"),
    ({"status": "fail", "action": "redirect", "result": {"new_alias": "sip:b@c"}}, Way.DEFAULT, "REDIRECT"),
    ({"status": "success", "action": "redirect", "result": {"new_alias": ""}}, Way.DEFAULT, "REDIRECT"),
    ({"status": "success", "action": "redirect", "result": {"new_alias": 3}}, Way.DEFAULT, "REDIRECT"),
]


@pytest.mark.spec("POL-021", "POL-022", "POL-029")
@pytest.mark.parametrize(("answer", "way", "disposition"), SERVICES)
def test_services(answer: object, way: Way, disposition: str | None) -> None:
    decision = decide(answer, NAMES)
    assert decision.way is way
    assert (decision.configuration is not None) == (way is Way.USE)
    assert decision.disposition == (disposition and Disposition(disposition))


@pytest.mark.spec("POL-023")
def test_fields_left_out_have_their_defaults() -> None:
    found = decide({"status": "success", "result": MEETING}, NAMES).configuration
    assert found is not None
    assert (found["pin"], found["call_type"], found["participant_limit"]) == ("", "video", None)


@pytest.mark.spec("POL-020", "POL-042")
def test_what_the_log_is_told() -> None:
    decision = decide({"status": "success", "result": BAD, "decision_id": 3, "why": ""}, NAMES)
    assert decision.unknown == ("decision_id", "why")
    assert decision.problem.startswith("view: ")
    assert FAILED.problem == ""
    many = decide({f"{number:03}\n" + "x" * 100: 1 for number in range(500)} | {"action": "y" * 1000}, NAMES)
    assert many.unknown == tuple(f"{number:03}?" + "x" * 46 for number in range(20))
    assert many.action == "y" * 50


@given(JSON, JSON, JSON)
def test_every_answer_means_something(status: Any, action: Any, result: Any) -> None:
    for answer in (status, {"status": status, "action": action, "result": result}):
        decide(answer, NAMES)
        decide_script(answer, NAMES)
        decide_location(answer, NAMES)
        participants.decide(answer, NAMES)
        phonebook.listing(answer, 10)
        phonebook.registration(answer)


SCRIPTS: list[tuple[object, Way]] = [
    ({"action": "continue", "result": MEETING}, Way.USE),
    ({"result": MEETING, "more": 1}, Way.USE),
    ({"action": "continue"}, Way.DEFAULT),
    ({"action": "continue", "result": {}}, Way.DEFAULT),
    ({"action": "continue", "result": BAD}, Way.DEFAULT),
    ({"action": "reject", "result": MEETING}, Way.REFUSE),
    ({"action": "redirect", "result": {"new_alias": "sip:b@c"}}, Way.REDIRECT),
    ([], Way.DEFAULT),
]


@pytest.mark.spec("POL-092", "POL-093", "POL-094")
@pytest.mark.parametrize(("output", "way"), SCRIPTS)
def test_service_scripts(output: object, way: Way) -> None:
    assert decide_script(output, NAMES).way is way


@pytest.mark.spec("POL-025", "POL-057")
def test_media_locations_refuse_nobody() -> None:
    usable = {"status": "success", "action": "reject", "result": {"location": "Oslo"}}
    assert decide_location(usable, NAMES).locations == ("Oslo",)
    for answer in ({**usable, "status": "fail"}, {**usable, "result": {"location": "?"}}, {**usable, "result": []}, 3):
        placed = decide_location(answer, NAMES)
        assert placed.locations == ()
        assert placed.problem
    for answer in ({"status": "success"}, {**usable, "result": {}}):
        assert decide_location(answer, NAMES) == Placement(), "nothing is said, and nothing is wrong"
    assert decide_location({"result": {"location": "Oslo"}}, NAMES, script=True).locations == ("Oslo",)


# ---- participants

RIGHT: dict[str, Any] = {
    "bypass_lock": True, "call_tag": "x", "can_receive_personal_mix": True, "disable_overlay_text": True,
    "display_count": 2, "layout_group": "g", "preauthenticated_role": "chair", "prefers_multiscreen_mix": False,
    "receive_from_audio_mix": "main", "reject_reason": "", "remote_alias": "a@b", "remote_display_name": "Ada",
    "rx_presentation_policy": "DENY", "send_to_audio_mixes": [{"mix_name": "main.fr.x", "prominent": True}],
    "spotlight": 3, "wants_presentation_in_mix": True,
}  # fmt: skip
WRONG: dict[str, list[Any]] = {
    "preauthenticated_role": ["host", "Chair", 1],
    "rx_presentation_policy": ["deny", None, True],
    "send_to_audio_mixes": ["main", [3], [{}], [{"mix_name": "a.b.c.d"}], [{"mix_name": ""}], [{"mix_name": "a..b"}],
                            [{"mix_name": "a", "prominent": "yes"}]],
    "spotlight": [True, "3", -1, 1.5],
    "display_count": [None, "1", 17],
}  # fmt: skip


@pytest.mark.spec("POL-055")
@pytest.mark.parametrize("name", [field.name for field in FIELDS])
def test_each_property(name: str) -> None:
    assert participants.decide({"status": "success", "result": {name: RIGHT[name]}}, NAMES).problem == ""
    kind = type(RIGHT[name])
    others = [value for value in ([], {}, "x" * 251, 3, True, 1.5) if not isinstance(value, kind)]
    for wrong in [*others, *WRONG.get(name, [])]:
        if name == "reject_reason" and isinstance(wrong, str):
            continue
        verdict = participants.decide({"status": "success", "result": {"call_tag": "t", name: wrong}}, NAMES)
        assert verdict.problem.startswith(name), wrong
        assert verdict.properties == Properties(), "a part of a wrong answer was used"


@pytest.mark.spec("POL-053", "POL-054")
def test_who_is_refused_and_why() -> None:
    for answer, reason in (
        ({"action": "reject"}, ""),
        ({"status": "success", "action": "reject", "result": {"reject_reason": "Not today"}}, "Not today"),
        ({"action": "reject", "result": {"reject_reason": 3}}, ""),
        ({"action": "reject", "result": []}, ""),
    ):
        verdict = participants.decide(answer, NAMES)
        assert (verdict.refused, verdict.reason) == (True, reason)
    for answer in (None, [], {"status": "fail", "result": RIGHT}, {"status": "success", "result": {"spotlight": "1"}}):
        verdict = participants.decide(answer, NAMES)
        assert (verdict.refused, verdict.properties) == (False, Properties())


def test_later_properties_win_where_they_say_something() -> None:
    earlier = Properties(call_tag="a", spotlight=1)
    assert Properties(call_tag="b", bypass_lock=False).over(earlier) == Properties(
        call_tag="b", spotlight=1, bypass_lock=False
    )
    assert Properties(preauthenticated_role="guest").role is Role.GUEST
    assert Properties().role is None


# ---- phone book and registrations


@pytest.mark.spec("POL-070", "POL-071", "POL-072")
def test_phone_books() -> None:
    entries = [{"alias": f"a{n}", "description": f"A {n}", "username": ""} for n in range(12)]
    found = phonebook.listing({"status": "success", "result": entries}, 10)
    assert [one.alias for one in found.entries] == [f"a{n}" for n in range(10)]
    assert not found.ignore_local
    some = [{"description": "no alias"}, {"alias": ""}, {"alias": 3}, "a", {"alias": "b", "description": None}]
    found = phonebook.listing({"status": "success", "result": some, "ignore_local": True}, 10)
    assert (found.entries, found.ignore_local) == ((Entry("b"),), True)
    for answer in (None, {"status": "fail", "result": entries}, {"status": "success", "result": {}}, [entries]):
        assert phonebook.listing(answer, 10) == phonebook.NOTHING
    assert not phonebook.listing({"status": "success", "result": [], "ignore_local": "true"}, 10).ignore_local


REGISTRATIONS: list[tuple[object, Permission]] = [
    ({"status": "success", "result": {"username": "u", "password": "p"}}, Permission.CREDENTIALS),
    ({"status": "success", "result": {"username": "", "password": ""}}, Permission.OPEN),
    ({"status": "success", "action": "reject", "result": {}}, Permission.REFUSED),
    ({"status": "success", "action": "continue", "result": {}}, Permission.OWN),
    ({"status": "success", "result": {}}, Permission.OWN),
    ({"status": "success"}, Permission.OWN),
    ({"status": "fail", "action": "reject", "result": {}}, Permission.OWN),
    ({"status": "success", "result": {"username": "u"}}, Permission.OWN),
    ({"status": "success", "result": {"username": "u", "password": ""}}, Permission.OWN),
    ({"status": "success", "result": {"username": "", "password": "p"}}, Permission.OWN),
    ({"status": "success", "result": {"username": 1, "password": 2}}, Permission.OWN),
    ({"status": "success", "result": {"username": "u" * 251, "password": "p"}}, Permission.OWN),
    (None, Permission.OWN),
    ([], Permission.OWN),
]


@pytest.mark.spec("POL-074", "POL-075")
@pytest.mark.parametrize(("answer", "permission"), REGISTRATIONS)
def test_registrations(answer: object, permission: Permission) -> None:
    verdict = phonebook.registration(answer)
    assert verdict.permission is permission
    assert verdict.answered is isinstance(answer, dict)
    assert bool(verdict.password) == (permission is Permission.CREDENTIALS)
    assert "p" not in repr(verdict).removeprefix("RegistrationVerdict(")
