"""What policy servers are asked: the sets and vectors of the sheet (3.2, 3.4)."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.vocabulary import CallProtocol, Role
from rostra.policy import questions
from rostra.policy.questions import CallFacts, Direction, PersonFacts, Question, ServiceFacts, Trigger
from tests.policy.fakes import CALL, NODE

OF = ServiceFacts(name="Alice", tag="t1")
INBOUND = {
    "bandwidth", "call_direction", "local_alias", "location", "node_ip", "protocol", "pseudo_version_id", "registered",
    "remote_address", "remote_alias", "remote_display_name", "remote_port", "trigger", "vendor", "version_id",
}  # fmt: skip
NAMED = {"service_name", "service_tag", "unique_service_name"}
AVATAR = INBOUND | NAMED | {"height", "width", "role"}
CONTACT = {"height", "width", "location", "node_ip", "registered", "version_id", "pseudo_version_id"}
DIRECTORY = {"q", "registration_alias", "limit", "location", "node_ip", "pseudo_version_id", "version_id"}
REGISTRATION = {"protocol", "location", "node_ip", "remote_address", "pseudo_version_id", "version_id"}
PERSON = {
    "bypass_lock", "call_uuid", "participant_type", "participant_uuid", "preauthenticated_role",
    "receive_from_audio_mix", "send_to_audio_mixes_mix_name", "send_to_audio_mixes_prominent",
}  # fmt: skip

ASKED: list[tuple[str, Question, set[str], str]] = [
    ("SC in", questions.service(NODE, CALL), INBOUND, "/policy/v1/service/configuration"),
    ("SC out", questions.service(NODE, CALL, OF), INBOUND | NAMED, "/policy/v1/service/configuration"),
    ("PP", questions.participant(NODE, CALL, OF, PersonFacts()), INBOUND | NAMED | PERSON,
     "/policy/v1/participant/properties"),
    ("ML", questions.location(NODE, CALL, OF), INBOUND | NAMED, "/policy/v1/participant/location"),
    ("AV", questions.avatar(NODE, "bob", 100, 80, CALL, OF, Role.GUEST), AVATAR, "/policy/v1/participant/avatar/bob"),
    ("AV contact", questions.contact_avatar(NODE, "bob", 100, 80), CONTACT, "/policy/v1/participant/avatar/bob"),
    ("DI", questions.directory(NODE, "ali", "bob@example.com"), DIRECTORY, "/policy/v1/registrations"),
    ("RA", questions.registration(NODE, "alice@example.com", CallProtocol.H323, "10.0.0.1"), REGISTRATION,
     "/policy/v1/registrations/alice@example.com"),
]  # fmt: skip


@pytest.mark.spec("POL-008", "POL-065")
@pytest.mark.parametrize(("question", "names", "path"), [row[1:] for row in ASKED], ids=[row[0] for row in ASKED])
def test_each_type_has_its_path_and_exactly_its_parameters(question: Question, names: set[str], path: str) -> None:
    assert set(question.parameters) == names
    assert question.path == path


@pytest.mark.spec("POL-033", "POL-034", "POL-035", "POL-036", "POL-037", "POL-040")
def test_a_skype_call_with_an_asserted_identity() -> None:
    call = CallFacts(
        local_alias="sip:meet.alice@example.com", protocol=CallProtocol.MSSIP, trigger=Trigger.INVITE,
        remote_alias="sip:alice@example.com", asserted_identity='"Alice" <sip:alice@example.com>', subnet="10.47.5.0",
    )  # fmt: skip
    address = questions.service(NODE, call).address("https://policy.example.com")
    sent = dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
    wanted = {
        "protocol": "mssip", "call_direction": "dial_in", "trigger": "invite", "registered": "False", "bandwidth": "0",
        "local_alias": "sip:meet.alice@example.com", "remote_alias": "sip:alice@example.com", "location": "London",
        "node_ip": "10.47.2.43", "P-Asserted-Identity": '"Alice" <sip:alice@example.com>', "ms-subnet": "10.47.5.0",
        "remote_display_name": "",
    }  # fmt: skip
    assert wanted.items() <= sent.items()
    assert "service_name" not in sent


@pytest.mark.spec("POL-038")
def test_a_dial_out_names_the_service() -> None:
    call = msgspec.structs.replace(CALL, direction=Direction.DIAL_OUT, remote_alias="sip:carol@example.com")
    sent = questions.service(NODE, call, ServiceFacts(name="Bob's room", tag="b")).parameters
    wanted = {
        "call_direction": "dial_out", "service_name": "Bob's room", "unique_service_name": "Bob's room",
        "service_tag": "b", "remote_alias": "sip:carol@example.com",
    }  # fmt: skip
    assert wanted.items() <= dict(sent).items()


def test_a_directory_search() -> None:
    sent = questions.directory(NODE, "ali", "bob@example.com").parameters
    assert (sent["q"], sent["limit"], sent["registration_alias"]) == ("ali", "10", "bob@example.com")


@pytest.mark.spec("POL-008")
@pytest.mark.parametrize(
    ("url", "begins"),
    [
        ("https://p.example.com", "https://p.example.com/policy/v1/service/configuration?"),
        ("https://p.example.com/", "https://p.example.com/policy/v1/service/configuration?"),
        ("https://p.example.com/a/b/", "https://p.example.com/a/b/policy/v1/service/configuration?"),
    ],
)
def test_the_path_of_the_profile_stays(url: str, begins: str) -> None:
    assert questions.service(NODE, CALL).address(url).startswith(begins)


@pytest.mark.spec("POL-039")
@pytest.mark.parametrize(
    ("alias", "escaped"),
    [
        ("sip:alice@example.com", "sip:alice@example.com"),
        ("a/b", "a%2Fb"),
        ("a b?c#d", "a%20b%3Fc%23d"),
        ("zoë", "zo%C3%AB"),
        ("100%", "100%25"),
        ("a;b=c,d+e", "a;b=c,d+e"),
        ("..", "%2E%2E"),
        (".", "%2E"),
    ],
)
def test_aliases_in_paths(alias: str, escaped: str) -> None:
    assert questions.escaped(alias) == escaped


@given(st.text(), st.text())
def test_whatever_is_sent_is_read_back(name: str, alias: str) -> None:
    name, alias = (text.encode("utf-8", "ignore").decode() for text in (name, alias))
    call = msgspec.structs.replace(CALL, remote_display_name=name, local_alias=alias)
    address = questions.service(NODE, call).address("http://p")
    assert address.isascii()
    sent = dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
    assert (sent["remote_display_name"], sent["local_alias"]) == (name, alias)
