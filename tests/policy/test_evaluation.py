"""In which order it is asked and run, and what scripts are told (sections 2.4, 10.2 and 10.4 of the sheet)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import structlog

from rostra.domain.vocabulary import CallProtocol, Role
from rostra.policy import questions
from rostra.policy.decisions import Disposition, Way
from rostra.policy.evaluation import Evaluation
from rostra.policy.noticing import MOST, Noticed
from rostra.policy.phonebook import Permission
from rostra.policy.profile import Profile
from rostra.policy.questions import CallFacts, Direction, PersonFacts, ServiceFacts
from tests.policy.fakes import CALL, MEETING, NAMES, NODE, Scripts, Server

OF = ServiceFacts(name="Alice")
FOUND = {**MEETING, "pin": "1234", "guest_pin": "5678", "allow_guests": True}
USABLE = {"status": "success", "result": MEETING}


def service_script(text: str, **more: Any) -> Profile:
    return Profile(enable_internal_service_policy=True, internal_service_policy_template=text, **more)


def location_script(text: str, **more: Any) -> Profile:
    return Profile(enable_internal_media_location_policy=True, internal_media_location_policy_template=text, **more)


def evaluation(profile: Profile, server: Server | None = None) -> tuple[Evaluation, Scripts]:
    scripts = Scripts()
    return Evaluation(profile, NODE, server or Server(), scripts, NAMES), scripts


@pytest.mark.spec("POL-003", "POL-067")
async def test_nothing_is_asked_that_is_switched_off() -> None:
    server = Server(service=USABLE)
    asked, scripts = evaluation(Profile(url="http://p", internal_service_policy_template="{}"), server)
    assert (await asked.ask_service(CALL)).way is Way.DEFAULT
    assert (await asked.adjust_service(CALL, None, None)).way is Way.DEFAULT
    assert not (await asked.participant(CALL, OF, None, PersonFacts())).refused
    assert await asked.location(CALL, OF, None, ("London",)) == ("London",)
    assert not (await asked.directory("ali", "bob")).entries
    question = questions.registration(NODE, "a", CallProtocol.SIP, "::1")
    assert (await asked.registration(question)).permission is Permission.OWN
    assert (server.asked, scripts.runs) == ([], [])


@pytest.mark.spec("POL-003", "POL-004")
@pytest.mark.parametrize("only", ["service", "participant", "location", "directory", "registration", ""])
async def test_each_type_has_its_switch_and_three_have_a_script(only: str) -> None:
    switches = {
        f"enable_{'media_location' if kind == 'location' else kind}_lookup": only in (kind, "")
        for kind in ("service", "participant", "location", "directory", "registration")
    }
    run = {f"enable_internal_{kind}_policy": not only for kind in ("service", "participant", "media_location")}
    texts = {name: "{}" for name in Profile.__struct_fields__ if name.endswith("_policy_template")}
    assert len(texts) == len(run) == 3
    server = Server()
    asked, scripts = evaluation(Profile(**switches, **run, **texts), server)
    await asked.ask_service(CALL)
    await asked.adjust_service(CALL, None, None)
    await asked.participant(CALL, OF, None, PersonFacts())
    await asked.location(CALL, OF, None, ("London",))
    await asked.directory("ali", "bob")
    await asked.registration(questions.registration(NODE, "a", CallProtocol.SIP, "::1"))
    kinds = [one.kind.name.lower() for one in server.asked]
    assert kinds == ([only] if only else ["service", "participant", "location", "directory", "registration"])
    assert len(scripts.runs) == (0 if only else 3)


@pytest.mark.spec("POL-020")
async def test_names_that_nobody_knows_are_told_once_of_each_profile() -> None:
    noticed = Noticed()

    async def told(profile: str, **more: object) -> object:
        asked = Evaluation(
            Profile(name=profile, enable_service_lookup=True), NODE, Server(service={"status": "fail", **more}),
            Scripts(), NAMES, noticed,
        )  # fmt: skip
        with structlog.testing.capture_logs() as logs:
            await asked.ask_service(CALL)
        return logs[0].get("unknown_members", ())

    assert await told("P", why=1) == ("why",)
    assert await told("P", why=2, who=1) == ("who",)
    assert await told("Q", why=1) == ("why",)
    for block in range(70):
        await told("P", **{f"{block}-{number}": 1 for number in range(20)})
    assert await told("P", fresh=1) == (), "as many as are remembered"
    assert len(noticed._known) == MOST


PASS = (
    '{"action": {% if service_config %}"continue", "result": {{ service_config|pex_to_json }}{% else %}"reject"'
    "{% endif %}}"
)
NO_PINS = (
    '{% if call_info.location == "London" and service_config %}{"action": "continue", "result": '
    '{{ service_config|pex_update({"pin": "", "guest_pin": "", "allow_guests": False})|pex_to_json }}}'
    "{% else %}{}{% endif %}"
)
SCANNERS = '{"action": "{{ "reject" if call_info.vendor in ["friendly-scanner", "sipcli"] else "continue" }}"}'
TEAM = (
    '{% if call_info.local_alias|replace("sip:", "") == "teama@example.com" %}{"action": "continue", "result": '
    '{"service_type": "conference", "name": "Team A", "service_tag": "", "view": "one_main_zero_pips"}}'
    "{% else %}{}{% endif %}"
)


@pytest.mark.spec("POL-080", "POL-084", "POL-092", "SYS-174", "SYS-176")
@pytest.mark.parametrize(
    ("script", "call", "found", "way", "expected"),
    [
        (PASS, CALL, FOUND, Way.USE, {"pin": "1234", "name": "Alice"}),
        (PASS, CALL, None, Way.REFUSE, {}),
        (NO_PINS, CALL, FOUND, Way.USE, {"pin": "", "guest_pin": "", "allow_guests": False}),
        (NO_PINS, CALL, None, Way.DEFAULT, {}),
        (SCANNERS, msgspec.structs.replace(CALL, vendor="friendly-scanner"), FOUND, Way.REFUSE, {}),
        (SCANNERS, CALL, FOUND, Way.DEFAULT, {}),
        (TEAM, msgspec.structs.replace(CALL, local_alias="sip:teama@example.com"), None, Way.USE, {"name": "Team A"}),
        (TEAM, CALL, FOUND, Way.DEFAULT, {}),
        (PASS.replace('"continue",', '"continue"'), CALL, FOUND, Way.DEFAULT, {}),
        (NO_PINS.replace('"continue",', '"continue"'), CALL, FOUND, Way.DEFAULT, {}),
        (TEAM.replace('"Team A",', '"Team A"'), msgspec.structs.replace(CALL, local_alias="teama@example.com"), None,
         Way.DEFAULT, {}),
        ("{{ nothing.at.all }}", CALL, FOUND, Way.DEFAULT, {}),
        ("[]", CALL, FOUND, Way.DEFAULT, {}),
        ('{"result": {{ service_config|pex_update({"view": "?"})|pex_to_json }}}', CALL, FOUND, Way.DEFAULT, {}),
        ("{{ pex_require_min_length('', 1) }}{}", CALL, FOUND, Way.DEFAULT, {}),
    ],
)  # fmt: skip
async def test_service_scripts(script: str, call: CallFacts, found: Any, way: Way, expected: dict[str, Any]) -> None:
    asked, _ = evaluation(service_script(script))
    with structlog.testing.capture_logs() as logs:
        decision = await asked.adjust_service(call, found, None)
    assert decision.way is way
    assert expected.items() <= dict(decision.configuration or {}).items()
    failed = "nothing." in script or "require" in script or script == "[]" or '"continue" "result"' in script
    if failed:
        assert any(line["log_level"] == "warning" and line["problem"] for line in logs)


async def test_what_a_service_script_is_told() -> None:
    call = msgspec.structs.replace(CALL, asserted_identity="<sip:b@c>", subnet="10.0.0.0", registered=True)
    asked, scripts = evaluation(service_script("{}"))
    await asked.adjust_service(call, None, Disposition.CONTINUE)
    (run,) = scripts.runs
    assert run["service_config"] is None
    info = run["call_info"]
    told = {
        "registered": True, "bandwidth": 0, "remote_port": 5061, "location": "London", "node_ip": "10.47.2.43",
        "p_asserted_identity": ["<sip:b@c>"], "ms_subnet": ["10.0.0.0"], "external_policy_disposition": "CONTINUE",
        "local_alias": "sip:meet.alice@example.com", "call_direction": "dial_in",
    }  # fmt: skip
    assert told.items() <= info.items()
    await asked.adjust_service(CALL, FOUND, None)
    assert "external_policy_disposition" not in scripts.runs[1]["call_info"]
    assert scripts.runs[1]["service_config"] == FOUND


@pytest.mark.spec("POL-090")
async def test_what_scripts_say_is_in_the_support_log() -> None:
    asked, _ = evaluation(service_script('{{ pex_debug_log("loc ", call_info.location) }}{}'))
    with structlog.testing.capture_logs() as logs:
        await asked.adjust_service(CALL, None, None)
    assert [line["arguments"] for line in logs if line["event"] == "pex_debug_log"] == ["loc ,London"]


# ---- media locations

SUBNETS = (
    '{% set table = {"10.44.0.0/16": ["Oslo", "DMZ", "London"]} %}{"result": { '
    "{% for net in table %}{% if pex_in_subnet(call_info.remote_address, [net]) %}"
    '"location": "{{ table[net][0] }}", "primary_overflow_location": "{{ table[net][1] }}", '
    '"secondary_overflow_location": "{{ table[net][2] }}"{% else %}{{ suggested_media_overflow_locations|pex_to_json'
    "|replace('{', '')|replace('}', '') }}{% endif %}{% endfor %}}}"
)
ECHO = '{"result": {{ suggested_media_overflow_locations|pex_to_json }}}'
DMZ = (
    '{% if call_info.protocol == "rtmp" and call_info.call_direction == "dial_out" %}{"result": {"location": "DMZ"}}'
    "{% else %}" + ECHO + "{% endif %}"
)
STREAM = msgspec.structs.replace(CALL, protocol=CallProtocol.RTMP, direction=Direction.DIAL_OUT)
USUAL = ("London", "Oslo")
ELSEWHERE = msgspec.structs.replace(CALL, remote_address="192.0.2.1")
LISTED = {"status": "success", "result": {"location": "Oslo", "overflow_locations": ["DMZ"]}}


@pytest.mark.spec("POL-056", "POL-059", "POL-063", "POL-095")
@pytest.mark.parametrize(
    ("script", "call", "answer", "placed"),
    [
        ("", CALL, None, USUAL),
        ("", CALL, {"status": "success", "result": {"location": "DMZ"}}, ("DMZ",)),
        ("", CALL, {"status": "success", "result": {"location": "dmz"}}, USUAL),
        ("", CALL, {"status": "success", "action": "reject"}, USUAL),
        (SUBNETS, CALL, None, ("Oslo", "DMZ", "London")),
        (SUBNETS, ELSEWHERE, None, USUAL),
        (ECHO, CALL, None, USUAL),
        (ECHO, CALL, {"status": "success", "result": {"location": "DMZ"}}, ("DMZ",)),
        (DMZ, STREAM, None, ("DMZ",)),
        (DMZ, CALL, None, USUAL),
        (DMZ.replace('"DMZ"}}', '"DMZ"'), STREAM, None, USUAL),
        ('{"action": "reject"}', CALL, None, USUAL),
        ('{"result": {"location": "DMZ", "overflow_locations": ["London"]}}', CALL, None, ("DMZ", "London")),
        ('{"result": {"location": "London", "overflow_locations": []}}', CALL, LISTED, ("London", "DMZ")),
    ],
)
async def test_media_locations(script: str, call: CallFacts, answer: object, placed: tuple[str, ...]) -> None:
    profile = location_script(script, enable_media_location_lookup=answer is not None)
    asked, _ = evaluation(profile, Server(location=answer))
    assert await asked.location(call, OF, MEETING, USUAL) == placed


# ---- participants


@pytest.mark.spec("POL-052", "POL-053", "POL-054")
async def test_participants_are_asked_about_and_then_scripted() -> None:
    server = Server(participant={"status": "success", "result": {"call_tag": "server", "remote_display_name": "B"}})
    profile = Profile(
        enable_participant_lookup=True, enable_internal_participant_policy=True,
        internal_participant_policy_template='{"result": {"call_tag": "{{ participant.remote_display_name }}'
        '{{ call_info.remote_display_name }}{{ participant.preauthenticated_role }}"}}',
    )  # fmt: skip
    asked, scripts = evaluation(profile, server)
    verdict = await asked.participant(CALL, OF, MEETING, PersonFacts(uuid="u", type="api_host", role=Role.HOST))
    assert verdict.properties.call_tag == "BBob & Zoëchair"
    assert verdict.properties.remote_display_name == "B"
    assert scripts.runs[0]["participant"]["participant_type"] == "api_host"
    server.answers = {"participant": {"action": "reject", "result": {"reject_reason": "No"}}}
    verdict = await asked.participant(CALL, OF, MEETING, PersonFacts())
    assert (verdict.refused, verdict.reason, len(scripts.runs)) == (True, "No", 1)
    server.answers = {}
    assert (await asked.participant(CALL, OF, MEETING, PersonFacts())).properties.call_tag == "Bob & Zoë" * 2 + "None"


async def test_a_broken_script_leaves_what_the_server_said() -> None:
    server = Server(participant={"status": "success", "result": {"call_tag": "server"}})
    for script in ("{", '{"result": {"spotlight": "first"}}', "{{ x.y.z }}"):
        profile = Profile(
            enable_participant_lookup=True, enable_internal_participant_policy=True,
            internal_participant_policy_template=script,
        )  # fmt: skip
        asked, _ = evaluation(profile, server)
        verdict = await asked.participant(CALL, OF, MEETING, PersonFacts())
        assert (verdict.refused, verdict.properties.call_tag) == (False, "server")


# ---- phone book and registrations


@pytest.mark.spec("POL-077", "SYS-179", "SYS-180")
async def test_the_phone_book_and_registrations_are_asked_for() -> None:
    server = Server(
        directory={"status": "success", "result": [{"alias": "a"}]},
        registration={"status": "success", "action": "reject", "result": {}},
    )
    asked, _ = evaluation(Profile(enable_directory_lookup=True, enable_registration_lookup=True), server)
    assert [entry.alias for entry in (await asked.directory("a", "bob@example.com")).entries] == ["a"]
    with structlog.testing.capture_logs() as logs:
        verdict = await asked.registration(questions.registration(NODE, "eve", CallProtocol.SIP, "10.0.0.9"))
    assert verdict.permission is Permission.REFUSED
    assert any(line.get("alias") == "eve" for line in logs)
