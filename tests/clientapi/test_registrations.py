"""Registered clients: tokens, being called, taking and rejecting calls, the directory (section 14)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from rostra.calls.orders import CallOrder
from rostra.calls.registrations import Admitted, Registry
from rostra.clientapi.app import create_app
from rostra.clientapi.devices import Devices
from rostra.clientapi.handlers.registrations import credentials_of
from rostra.clientapi.serving import serve
from rostra.clientapi.tokens import TokenMint
from rostra.domain import dialling
from rostra.domain.dialling import Wanted
from rostra.domain.history import Event, RegistrationAdded, RegistrationDeleted
from rostra.domain.registration import Device, Entry, Held, Refused, RegistrarSettings, directory
from rostra.domain.vocabulary import CallProtocol, ServiceType
from rostra.environment import Environment
from rostra.tls import context_of
from tests.calls.network import MapAtlas, Network, Node
from tests.calls.people import SERVICES, until
from tests.calls.test_outgoing import Plan as NoDevices

from .driver import ROOT, Events

ANN = "ann@example.com"


@dataclasses.dataclass
class Rules:
    """Who may register."""

    known: dict[str, Device] = dataclasses.field(
        default_factory=lambda: {
            ANN: Device(alias=ANN),
            "Bob@example.com": Device(alias="Bob@example.com", username="Bob", password="pä:ss"),
            "phone": Device(alias="phone", protocols=frozenset({CallProtocol.SIP})),
        }
    )
    enabled: bool = True
    has_directory: bool = True
    failures: list[tuple[str, str, Refused]] = dataclasses.field(default_factory=list)

    def settings(self) -> RegistrarSettings:
        return RegistrarSettings(enable=self.enabled)

    async def device(
        self, aliases: Sequence[str], protocol: CallProtocol, *, address: str, vendor: str = ""
    ) -> Admitted:
        known = {alias.casefold(): device for alias, device in self.known.items()}
        return Admitted(next((known[alias.casefold()] for alias in aliases if alias.casefold() in known), None))

    async def directory(self, text: str, alias: str) -> list[Entry]:
        services = [Entry("meet.open", "")]
        devices = [Entry(device.alias, "A device") for device in self.known.values() if text in device.alias]
        return directory(services, devices) if self.has_directory else []

    async def picture(self, alias: str, width: int, height: int) -> bytes | None:
        return f"{alias} {width} {height}".encode() if alias == "carol" else None

    def failed(self, address: str, alias: str, why: Refused) -> None:
        self.failures.append((address, alias, why))


class Plan(NoDevices):
    """Devices that are registered are called."""

    registry: Registry

    async def registered(self, aliases: Sequence[str]) -> Sequence[Held]:
        return await self.registry.find(aliases)


@dataclasses.dataclass
class Desk:
    """A node with its client API."""

    http: httpx.AsyncClient
    node: Node
    registry: Registry
    rules: Rules
    told: list[Event]
    now: list[float]
    app: Starlette

    async def post(self, path: str, token: str = "", body: Any = None, **headers: str) -> httpx.Response:
        if token:
            headers["token"] = token
        content = {} if body is None else {"json": body}
        return await self.http.post(f"{ROOT}/{path}", headers=headers, **content)  # type: ignore[arg-type]

    async def register(self, alias: str = ANN, **headers: str) -> dict[str, Any]:
        response = await self.post(f"registrations/{alias}/request_token", **headers)
        assert response.status_code == 200, response.text
        return response.json()["result"]

    @contextlib.asynccontextmanager
    async def events(self, registered: dict[str, Any], alias: str = ANN) -> AsyncIterator[Events]:
        path = f"{ROOT}/registrations/{alias}/events?token={registered['token']}"
        async with self.http.stream("GET", path) as response:
            assert response.status_code == 200, await response.aread()
            yield Events(response)

    async def dial(self, alias: str = ANN) -> tuple[str, ...]:
        return await self.node.exchange.dial("open", Wanted(destination=alias))

    @property
    def roster(self) -> list[tuple[str, ServiceType]]:
        return [
            (one.display_name, one.service_type)
            for conference in self.node.exchange.conferences
            for one in conference.participants
        ]


@pytest.fixture
async def desk(environment: Environment, web_root: Path, certificate: tuple[Path, Path]) -> AsyncIterator[Desk]:
    plan, rules, told, now = Plan(), Rules(), [], [1000.0]
    node = Node(Network(), "n1", lambda alias: SERVICES.get(alias), atlas=MapAtlas(), plan=plan)
    plan.registry = registry = Registry("n1", record=told.append, clock=lambda: now[0])
    await node.start()
    devices = Devices(registry, rules, "n1")
    node.exchange.outgoing.diallers[CallProtocol.API] = devices
    app = create_app(node.exchange, environment, web_root, devices=devices)
    server = serve(app, environment, context_of(*certificate))
    await server.start()
    base = f"https://localhost:{environment.node_https_port}"
    async with httpx.AsyncClient(verify=False, base_url=base, timeout=10) as http:
        yield Desk(http, node, registry, rules, told, now, app)
    await server.stop()
    await node.exchange.close()


def basic(text: str, *, urlsafe: bool = False, padded: bool = True) -> str:
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    encoded = encode(text.encode()).decode()
    return encoded if padded else encoded.rstrip("=")


@pytest.mark.spec("API-134", "CONF-022", "CONF-011")
async def test_what_a_registration_is_told(desk: Desk) -> None:
    told = await desk.register()
    assert told.keys() == {
        "token", "expires", "registration_uuid", "directory_enabled", "route_via_registrar", "version",
    }  # fmt: skip
    assert (told["expires"], told["directory_enabled"], told["route_via_registrar"]) == ("120", True, True)
    assert desk.registry.get(told["registration_uuid"]) is not None


@pytest.mark.spec("API-134", "CONF-014")
@pytest.mark.parametrize(
    ("scheme", "given"),
    [
        ("x-pexip-basic", basic("Bob:pä:ss")),
        ("X-Pexip-BASIC", basic("Bob:pä:ss", urlsafe=True, padded=False)),
    ],
)
@pytest.mark.parametrize("header", ["Authorization", "X-Pexip-Authorization"])
def test_credentials_are_read_in_every_form(scheme: str, given: str, header: str) -> None:
    headers = httpx.Headers({header: f"{scheme} {given}"})
    assert credentials_of(headers) == ("Bob", "pä:ss")  # type: ignore[arg-type]


async def test_a_node_holds_so_many_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rostra.domain.registration.MAX_HELD", 1)
    await desk.register()
    response = await desk.post(f"registrations/{ANN}/request_token")
    assert (response.status_code, response.json()["result"]) == (403, "Too many devices")
    assert len(desk.registry) == 1


@pytest.mark.spec("API-135", "CONF-012", "CONF-013", "CONF-014")
@pytest.mark.parametrize(
    ("alias", "given", "status", "reason"),
    [
        ("ANN@EXAMPLE.COM", "", 200, None),
        (ANN, "any:thing", 200, None),
        ("bob@example.com", "Bob:pä:ss", 200, None),
        ("bob@example.com", "", 401, Refused.CREDENTIALS),
        ("bob@example.com", "bob:pä:ss", 401, Refused.CREDENTIALS),
        ("bob@example.com", "Bob:PÄ:SS", 401, Refused.CREDENTIALS),
        ("phone", "", 401, Refused.PROTOCOL),
        ("nobody", "", 401, Refused.UNKNOWN),
    ],
)
async def test_who_may_register(desk: Desk, alias: str, given: str, status: int, reason: Refused | None) -> None:
    headers = {"Authorization": f"x-pexip-basic {basic(given)}"} if given else {}
    response = await desk.post(f"registrations/{alias}/request_token", **headers)
    assert response.status_code == status
    assert [why for _, _, why in desk.rules.failures] == ([reason] if reason else [])
    if status == 401:
        assert response.json() == {"status": "failed", "result": "Unauthorized"}
        assert "www-authenticate" not in response.headers
        assert len(desk.registry) == 0


@pytest.mark.spec("API-135", "CONF-012")
async def test_a_registrar_that_is_off(desk: Desk) -> None:
    desk.rules.enabled = False
    response = await desk.post(f"registrations/{ANN}/request_token")
    assert (response.status_code, response.json()["result"]) == (403, "Disabled")


async def test_guessing_is_held_up(desk: Desk) -> None:
    wrong = {"Authorization": f"x-pexip-basic {basic('Bob:guess')}"}
    for _ in range(12):
        await desk.post("registrations/bob@example.com/request_token", **wrong)
    right = {"Authorization": f"x-pexip-basic {basic('Bob:pä:ss')}"}
    assert (await desk.post("registrations/bob@example.com/request_token", **right)).status_code == 401
    assert len(desk.rules.failures) == 10


async def test_who_is_registered_goes_on_where_others_tried_too_much(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = await desk.register()
    monkeypatch.setattr(desk.app.state.client_api.platform.visitors, "heard", lambda _address: False)
    assert (await desk.post(f"registrations/{ANN}/request_token")).status_code == 403
    assert (await desk.post(f"registrations/{ANN}/refresh_token", mine["token"])).status_code == 200
    assert (await desk.post(f"registrations/{ANN}/refresh_token", body={"token": mine["token"]})).status_code == 200
    async with desk.events(mine) as events:
        await desk.dial()
        call = (await events.until("incoming")).data
        for token, status in (("", 403), ("guess", 403), (call["token"], 200)):
            answer = await desk.post("conferences/meet.open/request_token", body={"display_name": "A", "token": token})
            assert answer.status_code == status


async def test_a_call_rings_only_from_when_it_is_one() -> None:
    """Not one that is refused after its leg was there, nor at a device that has gone meanwhile."""
    registry = Registry("n1")
    devices = Devices(registry, Rules(), "n1")
    made = await devices.register(ANN, ("", ""), "192.0.2.1", "")
    order = CallOrder(destination=ANN, registration=made.id, conference="open")
    devices.leg(order)
    assert (made.binding.ringing, devices._ringing) == ({}, {})
    left: list[str] = []

    class Called:
        """As far as it is told."""

        async def ringing(self) -> None: ...

        async def leave(self, reason: str) -> None:
            left.append(reason)

    here, late = devices.leg(order), devices.leg(order)
    here.begin(Called())  # type: ignore[arg-type]
    assert list(made.binding.ringing) == [here.token]
    devices.release(made)
    late.begin(Called())  # type: ignore[arg-type]
    await until(lambda: left == ["Destination cannot be reached"] * 2)
    assert (made.binding.ringing, devices._ringing) == ({}, {})


@pytest.mark.spec("API-136", "CONF-034")
async def test_it_lives_as_its_token_does(desk: Desk) -> None:
    first = await desk.register()
    desk.now[0] += 100
    refreshed = await desk.post(f"registrations/{ANN}/refresh_token", body={"token": first["token"]})
    assert refreshed.json()["result"].keys() == {"token", "expires"}
    again = await desk.post(f"registrations/{ANN}/refresh_token", first["token"])
    assert again.status_code == 200, "the old one is good to its own end"
    desk.now[0] += 100
    desk.registry.expire()
    assert len(desk.registry) == 1
    desk.now[0] += 21
    desk.registry.expire()
    assert len(desk.registry) == 0
    assert [type(one) for one in desk.told] == [RegistrationAdded, RegistrationDeleted]
    late = await desk.post(f"registrations/{ANN}/refresh_token", first["token"])
    assert (late.status_code, late.json()["result"]) == (403, "Invalid token")


@pytest.mark.spec("API-136", "API-137")
async def test_registrations_of_one_alias_are_apart(desk: Desk) -> None:
    one, two = await desk.register(), await desk.register()
    assert one["registration_uuid"] != two["registration_uuid"]
    for _ in range(2):
        released = await desk.post(f"registrations/{ANN}/release_token?token={one['token']}")
        assert (released.status_code, released.json()["result"]) == (200, True)
    assert [held.id for held in desk.registry.of(ANN)] == [two["registration_uuid"]]
    elsewhere = await desk.post("registrations/bob@example.com/refresh_token", two["token"])
    assert elsewhere.status_code == 403
    forged = TokenMint().issue(two["registration_uuid"], time.time() + 60)
    assert (await desk.post(f"registrations/{ANN}/refresh_token", forged)).status_code == 403


@pytest.mark.spec("API-138", "API-139", "CONF-023", "CONF-024")
async def test_a_call_is_taken(desk: Desk) -> None:
    registered = await desk.register()
    async with desk.events(registered) as events:
        assert (await events.next()).event == "hello"
        (uuid,) = await desk.dial()
        call = (await events.until("incoming")).data
        assert call.keys() == {
            "conference_alias", "remote_display_name", "remote_alias", "local_alias", "service_type", "token",
        }  # fmt: skip
        assert (call["conference_alias"], call["local_alias"], call["service_type"]) == ("meet.open", ANN, "conference")
        assert (call["remote_alias"], call["remote_display_name"]) == ("meet.open", "Open")
        assert desk.roster == [(ANN, ServiceType.CONNECTING)]
        body = {"display_name": "Ann", "token": call["token"], "registration_token": registered["token"]}
        joined = await desk.post("conferences/meet.open/request_token", body=body)
        assert joined.status_code == 200, joined.text
        granted = joined.json()["result"]
        assert granted["participant_uuid"] == uuid
        assert desk.roster == [("Ann", ServiceType.CONFERENCE)]
        refreshed = await desk.post("conferences/meet.open/refresh_token", granted["token"])
        assert refreshed.status_code == 200
        twice = await desk.post("conferences/meet.open/request_token", body=body)
        assert twice.status_code in (403, 404)
        await desk.node.exchange.conferences[0].lock(True)
        back = {"display_name": "Ann", "replaces": granted["token"]}
        anew = (await desk.post("conferences/open/request_token", body=back)).json()["result"]
        await until(lambda: desk.roster == [("Ann", ServiceType.CONFERENCE)])  # it was in before the lock
        await desk.post("conferences/open/release_token", anew["token"])
        assert desk.roster == []


@pytest.mark.spec("API-139", "API-140")
async def test_a_call_is_rejected_by_one_and_taken_by_another(desk: Desk) -> None:
    one, two = await desk.register(), await desk.register()
    async with desk.events(one) as first, desk.events(two) as second:
        assert len(await desk.dial()) == 2
        here, there = (await first.until("incoming")).data, (await second.until("incoming")).data
        assert here["token"] != there["token"]
        rejected = await desk.post(f"conferences/meet.open/release_token?token={here['token']}")
        assert (rejected.status_code, rejected.json()["result"]) == (200, True)
        await until(lambda: len(desk.roster) == 1)
        await desk.dial()
        again, other = (await first.until("incoming")).data, (await second.until("incoming")).data
        await desk.post("conferences/meet.open/request_token", body={"display_name": "A", "token": other["token"]})
        assert (await first.until("incoming_cancelled")).data == {"token": again["token"]}


@pytest.mark.spec("API-140", "API-136")
async def test_who_opens_its_stream_late_is_told_and_who_never_does_is_given_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialling, "RINGING", 0.4)
    registered = await desk.register()
    await desk.dial()
    async with desk.events(registered) as events:
        call = (await events.until("incoming")).data
        assert (await events.until("incoming_cancelled")).data == {"token": call["token"]}
        await until(lambda: desk.roster == [])
        late = await desk.post("conferences/open/release_token", call["token"])
        assert late.status_code == 403


@pytest.mark.spec("API-140", "CONF-107")
async def test_a_call_that_is_taken_back(desk: Desk) -> None:
    registered = await desk.register()
    async with desk.events(registered) as events:
        (uuid,) = await desk.dial()
        call = (await events.until("incoming")).data
        await desk.node.exchange.conferences[0].remove(uuid, "Disconnected by another participant")
        assert (await events.until("incoming_cancelled")).data == {"token": call["token"]}
        assert desk.roster == []


async def test_a_device_that_goes_ends_its_ringing_and_its_stream(desk: Desk) -> None:
    registered = await desk.register()
    async with desk.events(registered) as events:
        await desk.dial()
        await events.until("incoming")
        await desk.post(f"registrations/{ANN}/release_token", registered["token"])
        await events.end()
        await until(lambda: desk.roster == [])


@pytest.mark.spec("CONF-029")
async def test_a_registered_caller_is_known_as_such(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    join = desk.node.exchange.join

    async def watch(request: Any, listener: Any) -> Any:
        asked.append(request)
        return await join(request, listener)

    monkeypatch.setattr(desk.node.exchange, "join", watch)
    desk.app.state.client_api.clients.join = watch
    registered = await desk.register()
    for token in (registered["token"], "nonsense", None):
        body = {"display_name": "Ann", **({"registration_token": token} if token else {})}
        await desk.post("conferences/open/request_token", body=body)
    assert [(one.registered, one.remote_alias) for one in asked] == [(ANN, ANN), ("", "Ann"), ("", "Ann")]


@pytest.mark.spec("API-141", "CONF-035", "CONF-037")
async def test_the_directory(desk: Desk) -> None:
    token = (await desk.register())["token"]
    found = await desk.http.get(f"{ROOT}/registrations", params={"q": "ann", "token": token})
    assert found.json()["result"] == [
        {"alias": "meet.open", "description": "", "username": ""},
        {"alias": ANN, "description": "A device", "username": ""},
    ]
    assert len((await desk.http.get(f"{ROOT}/registrations", params={"token": token})).json()["result"]) == 4
    assert (await desk.http.get(f"{ROOT}/registrations", params={"q": "a"})).status_code == 403
    desk.rules.has_directory = False
    assert (await desk.http.get(f"{ROOT}/registrations", params={"token": token})).json()["result"] == []
    assert (await desk.register())["directory_enabled"] is False


@pytest.mark.spec("API-142")
async def test_there_is_no_picture(desk: Desk) -> None:
    token = (await desk.register())["token"]
    response = await desk.http.get(f"{ROOT}/registrations/{ANN}/avatar.jpg", params={"token": token})
    assert response.status_code == 404
    assert (await desk.http.get(f"{ROOT}/registrations/{ANN}/avatar.jpg")).status_code == 403
    for size, body in (({"width": "50", "height": "60"}, b"carol 50 60"), ({}, b"carol 100 100")):
        wanted = {"token": token, **size}
        response = await desk.http.get(f"{ROOT}/registrations/carol/avatar.jpg", params=wanted)
        assert (response.status_code, response.content) == (200, body)
        assert response.headers["content-type"] == "image/jpeg"


async def test_when_the_node_stops_everybody_is_told(desk: Desk) -> None:
    registered = await desk.register()
    async with desk.events(registered) as events:
        assert (await events.next()).event == "hello"
        await desk.app.state.client_api.close()
        await asyncio.wait_for(events.end(), 5)
    assert len(desk.registry) == 0
