"""The registrar without I/O: admission, intervals, order, flows, and the way back to a device."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rostra.calls.registrations import Admitted, Registry
from rostra.domain.abuse import PASSWORDS_OF_ONE, WINDOW, Shield
from rostra.domain.history import Event, RegistrationAdded, RegistrationDeleted
from rostra.domain.registration import Device, Refused, RegistrarSettings
from rostra.domain.vocabulary import CallProtocol
from rostra.sip import digest
from rostra.sip.authenticating import Authenticator
from rostra.sip.bindings import same_address, wishes
from rostra.sip.digest import Proof
from rostra.sip.errors import RemoteError
from rostra.sip.events import RegisterReceived
from rostra.sip.flow import Flow, Transport
from rostra.sip.message import Request, Response, parse_message
from rostra.sip.registering import Registering
from rostra.sip.registrar import MAX_CONTACTS, Registrar
from tests.fuzzing import fuzzed

OPEN = Device(alias="alice@example.com")
LOCKED = Device(alias="alice@example.com", username="Alice", password="secret")
BASIC = RegistrarSettings(refresh_strategy="maximum")
UDP = Flow(Transport.UDP, ("192.0.2.50", 5060), ("192.0.2.1", 5060))
TCP = Flow(Transport.TCP, ("192.0.2.50", 40001), ("192.0.2.1", 5060), connection=7)
HERE = "<sip:alice@192.0.2.50:5060>"


@dataclasses.dataclass
class Desk:
    """A registrar with a clock of its own."""

    settings: RegistrarSettings = BASIC
    device: Device | None = OPEN
    now: float = 1000.0
    told: list[Event] = dataclasses.field(default_factory=list)
    failed: list[tuple[str, str, Refused]] = dataclasses.field(default_factory=list)
    sequence: int = 0

    def __post_init__(self) -> None:
        self.shield = Shield()
        self.registry = Registry("n1", record=self.told.append, clock=lambda: self.now)
        self.registrar = Registrar(
            self.registry,
            Authenticator(b"key"),
            lambda: self.settings,
            lambda address, alias, why: self.failed.append((address, alias, why)),
            self.shield,
        )

    def ask(
        self,
        *contacts: str,
        expires: int | None = 120,
        flow: Flow = UDP,
        call_id: str = "one",
        cseq: int | None = None,
        more: Sequence[str] = (),
        by_policy: bool = False,
    ) -> Response:
        self.sequence = self.sequence + 1 if cseq is None else cseq
        asked = request(*contacts, expires=expires, call_id=call_id, cseq=self.sequence, more=more)
        return self.registrar.answer(asked, flow, "alice@example.com", self.device, self.now, by_policy=by_policy)

    @property
    def uris(self) -> list[str]:
        return [one.binding.uri for one in self.registry.of("alice@example.com")]


def request(
    *contacts: str, expires: int | None = 120, call_id: str = "one", cseq: int = 1, more: Sequence[str] = ()
) -> Request:
    lines = [
        "REGISTER sip:example.com SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.50:5060;branch=z9hG4bKx;rport",
        *(line for line in more if line.startswith("Via")),
        "From: <sip:alice@example.com>;tag=f",
        "To: <sip:alice@example.com>",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} REGISTER",
        *([] if any(line.startswith("User-Agent") for line in more) else ["User-Agent: phone/1"]),
        *(f"Contact: {contact}" for contact in contacts),
        *([f"Expires: {expires}"] if expires is not None else []),
        *(line for line in more if not line.startswith("Via")),
    ]
    made = parse_message(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert isinstance(made, Request)
    return made


def authorization(
    challenge: Response, username: str, password: str, method: str = "REGISTER", uri: str = "sip:example.com"
) -> str:
    """The header that answers the first of some challenges."""
    asked = digest.parameters(challenge.headers.all("WWW-Authenticate")[0])
    assert asked is not None
    proof = Proof(
        asked["algorithm"], username, asked["realm"], password, method, uri, asked["nonce"], "auth", "c", "00000001"
    ).compute()
    return (
        f'Authorization: Digest username="{username}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", '
        f'uri="{uri}", response="{proof}", algorithm={asked["algorithm"]}, qop=auth, cnonce="c", nc=00000001'
    )


def answered(desk: Desk, challenge: Response, username: str, password: str) -> Response:
    """The same request with an answer to a challenge."""
    return desk.ask(HERE, more=[authorization(challenge, username, password)])


@pytest.mark.spec("CONF-012", "CONF-013", "CONF-014")
@pytest.mark.parametrize(
    ("settings_", "device", "status", "why"),
    [
        (BASIC, OPEN, 200, None),
        (BASIC, LOCKED, 401, None),
        (BASIC, None, 401, Refused.UNKNOWN),
        (BASIC, Device(alias="alice@example.com", protocols=frozenset({CallProtocol.WEBRTC})), 401, Refused.PROTOCOL),
        (RegistrarSettings(enable=False), OPEN, 403, Refused.DISABLED),
        (RegistrarSettings(enable=False), None, 403, Refused.DISABLED),
    ],
)
def test_who_may_register(
    settings_: RegistrarSettings, device: Device | None, status: int, why: Refused | None
) -> None:
    desk = Desk(settings=settings_, device=device)
    assert desk.ask(HERE).status == status
    assert [one[2] for one in desk.failed] == ([why] if why else [])
    assert len(desk.registry) == (status == 200)


@pytest.mark.spec("CONF-014")
@pytest.mark.parametrize(
    ("device", "username", "password", "status"),
    [
        (LOCKED, "Alice", "secret", 200),
        (LOCKED, "alice", "secret", 403),
        (LOCKED, "Alice", "Secret", 403),
        (LOCKED, "mallory", "secret", 403),
        (None, "Alice", "secret", 403),
    ],
)
def test_a_password_fits_exactly_and_strangers_learn_nothing(
    device: Device | None, username: str, password: str, status: int
) -> None:
    desk = Desk(device=device)
    challenge = desk.ask(HERE)
    assert challenge.status == 401
    assert answered(desk, challenge, username, password).status == status
    assert bool(desk.failed) == (status != 200)


def test_a_registered_device_is_not_shut_out_by_who_guesses_its_password_at_the_same_address() -> None:
    desk = Desk(device=LOCKED)
    assert answered(desk, desk.ask(HERE), "Alice", "secret").status == 200
    elsewhere = dataclasses.replace(UDP, remote=(UDP.remote[0], UDP.remote[1] + 1))

    def guess(password: str, flow: Flow) -> int:
        challenge = desk.ask(HERE, flow=flow)
        return desk.ask(HERE, flow=flow, more=[authorization(challenge, "Alice", password)]).status

    assert {guess("wrong", elsewhere) for _ in range(PASSWORDS_OF_ONE)} == {403}
    assert guess("secret", UDP) == 200
    assert guess("secret", elsewhere) == 403, "that it was right there opens nothing for who guesses"
    assert {guess("wrong", UDP) for _ in range(PASSWORDS_OF_ONE)} == {403}
    assert guess("secret", UDP) == 403, "a source that is forged may not guess for ever either"
    desk.now += WINDOW
    desk.shield.changes(desk.now)
    assert guess("secret", elsewhere) == 200


@pytest.mark.spec("CONF-018", "CONF-019", "CONF-020", "CONF-021")
@pytest.mark.parametrize(
    ("settings_", "contact", "asked", "held", "given"),
    [
        (BASIC, HERE, 120, 0, 120),
        (BASIC, HERE, 3600, 0, 300),
        (BASIC, HERE, None, 0, 300),
        (BASIC, HERE, 59, 0, 423),
        (RegistrarSettings(), HERE, 3600, 0, 60),
        (RegistrarSettings(), HERE, 3600, 2000, 100),
        (RegistrarSettings(), HERE, 59, 2000, 423),
        (BASIC, "<sip:alice@10.0.0.7>", 3600, 0, 90),
        (BASIC, "<sip:alice@10.0.0.7>", 30, 0, 423),
    ],
)
def test_how_long_it_lasts(
    settings_: RegistrarSettings,
    contact: str,
    asked: int | None,
    held: int,
    given: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk(settings=settings_)
    monkeypatch.setattr(Registry, "__len__", lambda _: held)
    response = desk.ask(contact, expires=asked)
    if given == 423:
        assert (response.status, response.headers.get("Min-Expires")) == (423, "60")
    else:
        assert (response.headers.get("Contact") or "").endswith(f";expires={given}")


@pytest.mark.spec("CONF-018", "CONF-034", "DIAG-160")
def test_refreshed_it_stays_and_unrefreshed_it_goes() -> None:
    desk = Desk()
    desk.ask(HERE)
    desk.now += 100
    desk.ask(HERE)
    desk.now += 100
    desk.registry.expire()
    assert desk.uris == ["sip:alice@192.0.2.50:5060"]
    assert [type(one) for one in desk.told] == [RegistrationAdded]
    desk.now += 21
    desk.registry.expire()
    assert desk.uris == []
    assert isinstance(desk.told[-1], RegistrationDeleted)
    assert desk.told[-1].reason == "Registration expired"


@pytest.mark.spec("CONF-016", "CONF-025")
def test_several_devices_under_one_alias() -> None:
    desk = Desk()
    desk.ask(HERE + ";q=0.5")
    response = desk.ask("<sip:alice@192.0.2.50:5070>", call_id="two")
    assert [value.partition(">")[2] for value in response.headers.all("Contact")] == [
        ";q=0.5;expires=120",
        ";expires=120",
    ]
    desk.ask(HERE, expires=0)
    assert desk.uris == ["sip:alice@192.0.2.50:5070"]
    assert desk.ask(expires=None).headers.all("Contact") == ["<sip:alice@192.0.2.50:5070>;expires=120"]


def test_a_request_is_carried_out_whole_or_not_at_all() -> None:
    desk = Desk()
    desk.ask(HERE)
    response = desk.ask("<sip:alice@192.0.2.50:5071>;expires=120", HERE + ";expires=10")
    assert response.status == 423
    assert len(desk.uris) == 1


def test_removing_everything() -> None:
    desk = Desk()
    desk.ask(HERE, "<sip:alice@192.0.2.50:5070>")
    assert desk.ask("*", expires=120).status == 400
    assert desk.ask("*", HERE, expires=0).status == 400
    assert desk.ask("*", expires=0, cseq=1).status == 500
    assert len(desk.uris) == 2
    response = desk.ask("*", expires=0, cseq=9)
    assert (response.status, response.headers.all("Contact"), desk.uris) == (200, [], [])


def test_what_overtakes_is_not_undone() -> None:
    desk = Desk()
    desk.ask(HERE, cseq=5)
    assert desk.ask(HERE, expires=0, cseq=4).status == 500
    assert desk.uris
    assert desk.ask(HERE, expires=0, call_id="restarted", cseq=1).status == 200
    assert not desk.uris


def test_there_is_an_end_to_devices_of_one_alias() -> None:
    desk = Desk()
    for port in range(MAX_CONTACTS):
        assert desk.ask(f"<sip:alice@192.0.2.50:{1000 + port}>").status == 200
    assert desk.ask("<sip:alice@192.0.2.50:9>").status == 403
    assert desk.ask("<sip:alice@192.0.2.50:1000>").status == 200


@pytest.mark.parametrize("contact", ["<tel:+1555>", "<sip:>", f"<sip:{'x' * 2000}@192.0.2.50>"])
def test_unusable_contacts(contact: str) -> None:
    desk = Desk()
    with contextlib.suppress(RemoteError):  # refused before it comes here
        assert desk.ask(contact).status == 400
    assert not desk.uris


@pytest.mark.spec("DIAG-054", "CONF-024")
@pytest.mark.parametrize(
    ("contact", "flow", "more", "natted", "by_flow"),
    [
        (HERE, UDP, (), False, False),
        ("<sip:alice@10.0.0.7>", UDP, (), True, True),
        ("<sip:alice@phone.invalid;transport=tcp>", TCP, (), True, True),
        ("<sip:alice@192.0.2.50;transport=tcp>", TCP, (), False, True),
        ("<sip:alice@10.0.0.7>", UDP, ("Via: SIP/2.0/UDP 10.0.0.7;branch=z9hG4bKy",), False, True),
    ],
)
def test_the_way_back(contact: str, flow: Flow, more: Sequence[str], natted: bool, by_flow: bool) -> None:
    desk = Desk()
    desk.ask(contact, flow=flow, more=more, expires=60)
    (one,) = desk.registry.of("ALICE@example.com")
    way = desk.registrar.way(one.id)
    assert way is not None
    assert (one.natted, way.flow == flow) == (natted, by_flow)
    assert way.uri == contact.strip("<>")
    assert desk.registrar.way("another") is None


def test_through_proxies_by_the_path_they_left() -> None:
    desk = Desk()
    path = ["Path: <sip:edge.example.com;lr>", "Supported: path", "Via: SIP/2.0/UDP 10.0.0.7;branch=z9hG4bKy"]
    response = desk.ask("<sip:alice@10.0.0.7>", more=path)
    assert response.headers.get("Path") == "<sip:edge.example.com;lr>"
    way = desk.registrar.way(desk.registry.of("alice@example.com")[0].id)
    assert way is not None
    assert (way.hop, way.routes, way.flow) == ("sip:edge.example.com;lr", ("<sip:edge.example.com;lr>",), UDP)


@pytest.mark.parametrize(("host", "believed"), [("192.0.2.50", True), ("192.0.2.99", False), ("victim.example", False)])
def test_nobody_has_us_call_somewhere_else(host: str, believed: bool) -> None:
    """Neither by a path nor by a Contact behind an invented proxy."""
    desk = Desk()
    desk.ask("<sip:+1900@trunk.example>", more=[f"Path: <sip:{host}:5070;lr>", "Via: SIP/2.0/UDP x;branch=z9hG4bKy"])
    way = desk.registrar.way(desk.registry.of("alice@example.com")[0].id)
    assert way is not None
    assert way.flow == (None if believed else UDP)


def test_a_contact_that_names_another_machine_is_not_followed() -> None:
    desk = Desk()
    desk.ask(f"<sip:alice@{UDP.remote[0]}:5060;maddr=192.0.2.99>")
    way = desk.registrar.way(desk.registry.of("alice@example.com")[0].id)
    assert way is not None
    assert way.flow == UDP


def test_outbound_devices_are_one_by_their_instance_and_go_with_their_flow() -> None:
    desk = Desk()
    own = ';+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>";reg-id=1'
    response = desk.ask(f"<sip:alice@10.0.0.7:1111>{own}", flow=TCP, more=["Supported: outbound, path"], expires=60)
    assert response.headers.get("Require") == "outbound"
    assert desk.registrar.uses(TCP)
    moved = dataclasses.replace(TCP, connection=8)
    desk.ask(f"<sip:alice@10.0.0.7:2222>{own}", flow=moved, more=["Supported: outbound, path"], expires=60, call_id="n")
    assert desk.uris == ["sip:alice@10.0.0.7:2222"]
    assert not desk.registrar.uses(TCP)
    desk.registrar.disconnected(TCP)
    assert desk.uris
    desk.registrar.disconnected(moved)
    assert not desk.uris


INSTANCE = ';+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>";reg-id='
BY_PROXY = "Via: SIP/2.0/TCP 10.0.0.7;branch=z9hG4bKy"


@pytest.mark.parametrize(
    ("flow", "contact", "more", "status", "outbound"),
    [
        (TCP, INSTANCE + "1", ["Supported: outbound, gruu"], 200, True),
        (UDP, INSTANCE + "1", ["Supported: outbound"], 200, True),
        (TCP, INSTANCE + "1", ["Supported: path"], 200, False),
        (TCP, ";reg-id=1", ["Supported: outbound"], 200, False),
        (TCP, INSTANCE + "1", ["Supported: outbound, path", BY_PROXY], 439, False),
        (TCP, INSTANCE + "1", ["Supported: outbound, path", BY_PROXY, "Path: <sip:192.0.2.50;lr>"], 439, False),
        (TCP, INSTANCE + "1", ["Supported: outbound, path", BY_PROXY, "Path: <sip:192.0.2.50;lr;ob>"], 200, True),
        (TCP, "", ["Supported: outbound, path", BY_PROXY], 200, False),
    ],
)
def test_who_is_called_by_its_flow(flow: Flow, contact: str, more: Sequence[str], status: int, outbound: bool) -> None:
    """RFC 5626 6: where a proxy stands between, it has to keep the way; else the device is told, and does without."""
    desk = Desk()
    response = desk.ask(f"<sip:alice@10.0.0.7:1111>{contact}", flow=flow, more=more, expires=60)
    assert response.status == status
    assert (response.headers.get("Require") == "outbound") is outbound
    assert response.headers.get("Flow-Timer") == ("120" if outbound and flow is TCP else None)
    assert "pub-gruu" not in (response.headers.get("Contact") or "")


async def test_a_device_with_two_ways_to_it_rings_once() -> None:
    desk = Desk()
    for number, connection in ((1, 7), (2, 8)):
        flow = dataclasses.replace(TCP, connection=connection)
        contact = f"<sip:alice@10.0.0.7:1111>{INSTANCE}{number}"
        desk.ask(contact, flow=flow, more=["Supported: outbound"], expires=60, call_id=f"c{number}")
    first, second = desk.registry.of("alice@example.com")
    assert [one.id for one in await desk.registry.find(["alice@example.com"])] == [second.id]
    desk.registrar.disconnected(second.binding.flow)
    assert [one.id for one in await desk.registry.find(["alice@example.com"])] == [first.id]


def called(more: Sequence[str] = ()) -> Request:
    lines = [
        "INVITE sip:meet@example.com SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.50:5060;branch=z9hG4bKi;rport",
        "From: <sip:alice@example.com>;tag=f", "To: <sip:meet@example.com>", "Call-ID: call", "CSeq: 1 INVITE",
        "Contact: <sip:alice@192.0.2.50>", *more,
    ]  # fmt: skip
    made = parse_message(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert isinstance(made, Request)
    return made


@pytest.mark.spec("CONF-029")
@pytest.mark.parametrize("flow", [UDP, TCP], ids=["UDP", "TCP"])
@pytest.mark.parametrize("device", [OPEN, LOCKED], ids=["open", "locked"])
def test_a_device_with_a_password_proves_calls_by_datagrams(flow: Flow, device: Device) -> None:
    """Else a forged datagram would be called as the device is; a connection proves itself."""
    desk = Desk(device=device)
    challenge = desk.ask(HERE, flow=flow)
    if device is LOCKED:
        value = authorization(challenge, "Alice", "secret")
        assert desk.ask(HERE, flow=flow, more=[value]).status == 200
    names = ["alice@example.com"]
    assert desk.registrar.registered(names, flow) is not None
    asked = desk.registrar.unproven(called(), flow, names, desk.now)
    if flow is TCP or device is OPEN:
        assert asked is None
        by_proxy = desk.registrar.unproven(called([BY_PROXY]), flow, names, desk.now)
        assert (by_proxy is None) is (device is OPEN), "others are behind the proxy as well"
        return
    assert asked is not None
    assert asked.status == 401
    for password, status in (("secret", None), ("wrong", 403)):
        value = authorization(asked, "Alice", password, method="INVITE", uri="sip:meet@example.com")
        found = desk.registrar.unproven(called([value]), flow, names, desk.now)
        assert (found and found.status) == status
    elsewhere = dataclasses.replace(UDP, remote=("192.0.2.99", 5060))
    assert desk.registrar.unproven(called(), elsewhere, names, desk.now) is None, "it is not taken for the device"


@pytest.mark.parametrize("product", ["", "baresip v1.0.0 (x86_64/linux)", "baresip v3.12.0 (x86_64/Linux)"])
def test_who_does_not_cope_with_two_challenges_is_asked_by_the_old_one(product: str) -> None:
    """RFC 8760 wants the strongest first, and MD5 beside it; what gives up at that asks again without a password."""
    desk = Desk(device=LOCKED)
    more = [f"User-Agent: {product}"] if product else []

    def algorithms(response: Response) -> list[str]:
        return [(digest.parameters(v) or {})["algorithm"] for v in response.headers.all("WWW-Authenticate")]

    first = desk.ask(HERE, more=more)
    assert algorithms(first) == (["MD5"] if product.startswith("baresip v1") else ["SHA-256", "MD5"])
    second = desk.ask(HERE, more=more)
    assert algorithms(second) == ["MD5"]
    assert desk.ask(HERE, more=[authorization(second, "Alice", "secret"), *more]).status == 200
    desk.now += 5000
    assert algorithms(desk.ask(HERE, more=more)) == ["MD5"], "it is remembered"


def test_who_copes_is_asked_by_both_every_time() -> None:
    desk = Desk(device=LOCKED)
    for _ in range(3):
        challenge = desk.ask(HERE)
        assert len(challenge.headers.all("WWW-Authenticate")) == 2
        assert answered(desk, challenge, "Alice", "secret").status == 200
    desk.ask(HERE)
    desk.now += 601
    assert len(desk.ask(HERE).headers.all("WWW-Authenticate")) == 2, "that was long ago"


def test_a_stale_answer_by_md5_is_asked_for_by_md5() -> None:
    desk = Desk(device=LOCKED)
    desk.ask(HERE)
    value = authorization(desk.ask(HERE), "Alice", "secret")
    desk.now += 400
    again = desk.ask(HERE, more=[value]).headers.all("WWW-Authenticate")
    assert len(again) == 1
    assert "stale=true" in again[0]


def test_another_device_keeps_its_registration_when_its_connection_goes() -> None:
    desk = Desk()
    desk.ask("<sip:alice@192.0.2.50;transport=tcp>", flow=TCP)
    desk.registrar.disconnected(TCP)
    (one,) = desk.registry.of("alice@example.com")
    way = desk.registrar.way(one.id)
    assert way is not None
    assert way.flow is None


@pytest.mark.spec("CONF-029")
def test_a_caller_is_known_where_it_registered() -> None:
    desk = Desk()
    desk.ask(HERE)
    found = desk.registrar.registered(["bob", "alice@example.com"], UDP)
    assert found is not None
    assert found.alias == "alice@example.com"
    assert (
        desk.registrar.registered(["alice@example.com"], dataclasses.replace(UDP, remote=("192.0.2.9", 5060))) is None
    )
    assert desk.registrar.registered(["bob"], UDP) is None


@pytest.mark.spec("POL-076")
def test_whom_policy_let_in_is_known_at_refreshes() -> None:
    desk = Desk(device=LOCKED)
    again = request(HERE)
    assert desk.registrar.known(again, ["alice@example.com"]) is None
    challenge = desk.ask(HERE)
    assert challenge.status == 401
    desk.device = OPEN
    desk.ask(HERE, by_policy=True)
    assert desk.registrar.known(again, ["alice@example.com"]) == OPEN
    desk.ask(HERE, expires=0)
    assert desk.registrar.known(again, ["alice@example.com"]) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("[2001:db8::1]", "2001:DB8:0::1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("phone.example.com", "192.0.2.1", False),
    ],
)
def test_addresses(one: str, other: str, same: bool) -> None:
    assert same_address(one, other) is same


_PORTS = st.integers(5060, 5063)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "remove", "clear", "wait"]), _PORTS, st.sampled_from([60, 120, 300]), st.booleans()
        ),
        max_size=25,
    )
)
def test_what_is_held_is_what_a_simple_table_says(steps: list[tuple[str, int, int, bool]]) -> None:
    """Against a dictionary of ports and deadlines."""
    desk = Desk()
    table: dict[int, float] = {}
    for deed, port, seconds, late in steps:
        contact = f"<sip:alice@192.0.2.50:{port}>"
        if deed == "wait":
            desk.now += seconds
        elif deed == "clear":
            desk.ask("*", expires=0)
            table.clear()
        elif deed == "remove":
            desk.ask(contact, expires=0)
            table.pop(port, None)
        else:
            desk.ask(contact, expires=seconds)
            table[port] = desk.now + seconds
        if late:
            desk.registry.expire()
            table = {port: end for port, end in table.items() if end > desk.now}
            assert sorted(desk.uris) == [f"sip:alice@192.0.2.50:{port}" for port in sorted(table)]
    added = sum(isinstance(one, RegistrationAdded) for one in desk.told)
    deleted = sum(isinstance(one, RegistrationDeleted) for one in desk.told)
    assert added - deleted == len(desk.registry)


@fuzzed(5_000)
@given(st.text(max_size=40))
def test_any_contact_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(RemoteError):
        wishes(request(text.replace("\r", "").replace("\n", "")))


class Policy:
    """Implements `Admissions`: a policy server is asked about everybody."""

    has_directory = False

    def __init__(self, own: Device | None) -> None:
        self.known = own
        self.asked = 0
        self.answers = asyncio.Event()

    def settings(self) -> RegistrarSettings:
        return BASIC

    def own(self, aliases: Sequence[str]) -> Device | None:
        return self.known

    async def device(self, aliases: Sequence[str], protocol: CallProtocol, **_: str) -> Admitted:
        self.asked += 1
        await self.answers.wait()
        return Admitted(self.known)

    def failed(self, address: str, alias: str, why: Refused) -> None: ...


async def test_policy_is_not_asked_before_a_password_that_is_wanted_anyway() -> None:
    policy = Policy(LOCKED)
    registering = Registering(Registry("n1", clock=lambda: 1000.0), policy, b"key")  # type: ignore[arg-type]
    answers: list[Response] = []

    async def ask(*more: str) -> Response:
        asked = RegisterReceived("name", request(HERE, more=more), UDP)
        registering.take(asked, lambda _: False, lambda _, response: answers.append(response))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return answers[-1]

    challenge = await ask()
    assert (challenge.status, policy.asked) == (401, 0)
    forged = authorization(challenge, "Alice", "secret").replace('nonce="', 'nonce="x')
    assert ((await ask(forged)).status, policy.asked) == (401, 0), "a nonce that is not ours costs nothing either"
    policy.answers.set()
    assert ((await ask(authorization(challenge, "Alice", "secret"))).status, policy.asked) == (200, 1)


@pytest.mark.spec("CONF-013")
@pytest.mark.parametrize("device", [LOCKED, None, Device(alias="alice@example.com", protocols=frozenset())])
async def test_an_answer_to_nobodys_challenge_tells_nothing(device: Device | None) -> None:
    policy = Policy(device)
    registering = Registering(Registry("n1", clock=lambda: 1000.0), policy, b"key")  # type: ignore[arg-type]
    answers: list[Response] = []
    forged = (
        'Authorization: Digest username="a", realm="example.com", nonce="AAAA", uri="sip:example.com", response="b"'
    )
    asked = RegisterReceived("name", request(HERE, more=[forged]), UDP)
    registering.take(asked, lambda _: False, lambda _, response: answers.append(response))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (answers[0].status, policy.asked) == (401, 0)
    assert answers[0].headers.all("WWW-Authenticate")[0].endswith("stale=true")


async def test_only_so_many_wait_for_a_policy_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rostra.sip.registering.MAX_ASKING", 2)
    policy = Policy(None)
    registering = Registering(Registry("n1", clock=lambda: 1000.0), policy, b"key")  # type: ignore[arg-type]
    answers: list[Response] = []
    for _ in range(3):
        asked = RegisterReceived("name", request(HERE), UDP)
        registering.take(asked, lambda _: False, lambda _, response: answers.append(response))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [(one.status, one.headers.get("Retry-After")) for one in answers] == [(503, "60")]
    policy.known = OPEN
    registering.take(
        RegisterReceived("name", request(HERE), UDP), lambda _: False, lambda _, response: answers.append(response)
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert policy.asked == 3, "strangers take no place of devices that are configured"
    policy.answers.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert (len(answers), policy.asked) == (4, 3)
