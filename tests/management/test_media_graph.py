"""How the media of a conference is made, as the site draws it: every tie, the alike together, what is missing."""

from __future__ import annotations

import itertools
import re
from typing import Any

import msgspec
import pytest
from django.test import Client
from playwright.async_api import async_playwright

from rostra.configuration.models import WorkerVM
from rostra.fabric.status import (
    ConferenceStatus,
    MediaGraph,
    MediaNode,
    MediaStatus,
    NodeStatus,
    NotHere,
    ParticipantStatus,
    Refused,
    TellMedia,
)
from rostra.management.media_graph import BOX, MOST, Box, Drawing, drawing
from rostra.management.media_words import COLUMNS, Who
from rostra.management.status import SILENT
from tests.e2e.browser import ARGUMENTS, CHROMIUM
from tests.management import people as people_with

from .test_live_view import settings_without_tls, site
from .test_status_pages import Made, fill, made, nodes

__all__ = ["made", "nodes", "settings_without_tls", "site"]

PAGE = "/admin/status/media/c-1/"


def told(hosts: int, guests: int) -> MediaGraph:
    """Hosts each see the others; guests all see the first Host, and nobody sees them."""
    chairs, rest = [f"h{n}" for n in range(hosts)], [f"g{n}" for n in range(guests)]
    found: list[MediaNode] = []
    edges: list[tuple[str, str]] = []

    def add(kind: str, key: str, name: str = "", running: bool = True, **detail: Any) -> str:
        found.append(MediaNode(id=f"{kind}:{key}", kind=kind, name=name or key, running=running, detail=detail))
        return found[-1].id

    hd = {"width": 1280, "height": 720, "frame_rate": 30}
    for leg in (*chairs, *rest):
        come = add("in", leg)
        add("out", leg)
        edges.append((come, add("decoder", leg, f"H264 {leg}", running=leg in chairs, source=leg)))
    mix = add("mix", "groups-7", "groups 111")
    edges += [(f"in:{leg}", mix) for leg in chairs] + [(mix, f"out:{leg}") for leg in (*chairs, *rest)]
    for viewer in (*chairs, *(["guests"] if guests else [])):
        seen = [one for one in chairs if one != viewer] if viewer != "guests" else chairs[:1]
        painted = add("composition", f"{viewer}/1280x720", f"{viewer} 1280x720", view=viewer, **hd)
        for source in seen:
            made = f"scaling:{source}/640x360"
            if made not in {node.id for node in found}:
                add("scaling", f"{source}/640x360", f"{source} 640x360", source=source, width=640, height=360)
                edges.append((f"decoder:{source}", made))
            edges.append((made, painted))
        coded = add("encoder", f"h264-{viewer}", "H264 1280x720@30", codec="H264", view=viewer, bitrate=1_700_000, **hd)
        edges.append((painted, coded))
        edges += [(coded, f"out:{leg}") for leg in (rest if viewer == "guests" else [viewer])]
    users = {node.id: sum(origin == node.id for origin, _ in edges) for node in found}
    return MediaGraph(
        nodes=tuple(msgspec.structs.replace(node, users=users[node.id]) for node in found), edges=tuple(edges)
    )


def people(hosts: int, guests: int) -> dict[str, Who]:
    return {f"h{n}": Who(f"Host {n}", "chair") for n in range(hosts)} | {
        f"g{n}": Who(f"Guest {n}", "guest") for n in range(guests)
    }


def of(found: Drawing, kind: str) -> list[Box]:
    return [box for box in found.boxes if box.kind == kind]


def test_few_are_drawn_one_by_one_with_every_tie() -> None:
    graph = told(3, 0)
    found = drawing(graph, people(3, 0))
    assert {box.key for box in found.boxes} == {node.id for node in graph.nodes}
    assert {(line.origin, line.target) for line in found.lines} == set(graph.edges)
    assert {box.title for box in of(found, "in")} == {"Host 0", "Host 1", "Host 2"}
    (decoder,) = (box for box in of(found, "decoder") if box.key == "decoder:h1")
    assert (decoder.title, decoder.sources, decoder.takers) == ("H264 · Host 1", ("Host 1",), ("640×360 · Host 1",))
    assert {(box.title, box.facts) for box in of(found, "encoder")} == {("H264 1280×720", "30/s · 1.7 Mbit/s · 1 leg")}
    assert found.summary == "3 legs, 3 decoders, 3 pictures composed, 3 encoders for 3 legs, 1 mix"


def test_many_that_are_alike_are_one_box() -> None:
    found = drawing(told(3, 47), people(3, 47))
    assert found.summary == "50 legs, 50 decoders (47 idle), 4 pictures composed, 4 encoders for 50 legs, 1 mix"
    assert {(box.title, box.count) for box in of(found, "out")} >= {("47 Guests", 47)}
    (idle,) = (box for box in of(found, "decoder") if not box.running)
    assert (idle.title, idle.count, idle.state, idle.takers) == ("47 Decoders", 47, "idle: nobody sees it", ())
    (shared,) = (box for box in of(found, "encoder") if "47 legs" in box.facts)
    assert (shared.count, shared.takers) == (1, ("47 Guests",))
    ties = {(line.origin, line.target): line for line in found.lines}
    assert ties["encoder:h264-guests", "out:g0"].count == 47
    assert ties["in:g0", "decoder:g0"].idle
    assert sum(box.count for box in found.boxes) == len(told(3, 47).nodes)


def test_what_is_sent_on_as_it_came_is_told_from_what_is_encoded() -> None:
    passed = MediaNode(id="forwarded:c", kind="forwarded", name="h0/full/VP8", users=1, detail={"source": "h0"})
    graph = told(2, 0)
    edges = (*graph.edges, ("in:h0", "forwarded:c"), ("forwarded:c", "out:h1"))
    found = drawing(MediaGraph(nodes=(*graph.nodes, passed), edges=edges), people(2, 0))
    assert {(line.origin, line.target) for line in found.lines if line.passed} == set(edges[-2:])
    (box,) = of(found, "forwarded")
    assert (box.title, box.facts, box.sources, box.takers) == ("Host 0", "1 leg", ("Host 0",), ("Host 1",))
    assert "1 stream forwarded" in found.summary


@pytest.mark.parametrize(("hosts", "guests"), [(0, 0), (1, 0), (3, 2), (12, 0), (30, 200)])
def test_it_can_be_read(hosts: int, guests: int) -> None:
    found = drawing(told(hosts, guests), people(hosts, guests))
    places = {(box.x, box.y) for box in found.boxes}
    assert len(places) == len(found.boxes)
    for column in set(COLUMNS.values()):
        inside = sorted(box.y for box in found.boxes if box.column == column)
        assert len(inside) <= MOST
        assert all(later - earlier >= BOX[1] for earlier, later in itertools.pairwise(inside))
    assert all(box.x + BOX[0] <= found.width and box.y + BOX[1] <= found.height for box in found.boxes)


def show(made: Made, node: WorkerVM, hosts: int = 3, guests: int = 47) -> str:
    """A conference with media on a node, which tells of it; its fabric id."""
    fill(made, node)
    key = f"n{node.pk}"
    names = people(hosts, guests)
    part = ConferenceStatus(
        id="c-1",
        name="Board & co",
        participants=tuple(
            ParticipantStatus(uuid=call, call_uuid=call, display_name=who.name, role=who.role, has_media=True)
            for call, who in names.items()
        ),
        media=MediaStatus(worker="w", legs=hosts + guests),
    )
    made.shown = msgspec.structs.replace(made.shown, statuses={key: NodeStatus(node=key, conferences=(part,))})
    made.replies[key] = told(hosts, guests)
    return key


def test_the_page_draws_it_and_says_the_same_as_a_table(browser: Any, made: Made, nodes: list[WorkerVM]) -> None:
    key = show(made, nodes[0])
    page = browser.get(PAGE).content.decode()
    assert made.told == [(key, TellMedia(conference="c-1"))]
    drawn = set(re.findall(r'data-key="([^"]+)"', page))
    assert len(drawn) == page.count('<th scope="row">') == len(drawing(told(3, 47), people(3, 47)).boxes)
    assert "50 legs, 50 decoders (47 idle), 4 pictures composed" in page
    assert browser.get(f"{PAGE}parts/").content.decode().strip() in page
    assert PAGE in browser.get("/admin/status/conference/c-1/").content.decode()
    assert PAGE in browser.get("/admin/status/media/").content.decode()
    assert browser.get("/admin/status/live/data.json").json()["conferences"][0]["media"] == PAGE
    visitor = Client()
    assert visitor.get(PAGE).status_code == 302
    for permission, answer in (("view_status", 200), ("view_logs", 403)):
        visitor.force_login(people_with.account(permission, "is_admin", "use_web", permission))
        assert [visitor.get(path).status_code for path in (PAGE, f"{PAGE}parts/", "/admin/status/media/")] == [
            answer
        ] * 3


def test_what_cannot_be_told_is_said(browser: Any, made: Made, nodes: list[WorkerVM]) -> None:
    assert "No conference has media now." in browser.get("/admin/status/media/").content.decode()
    gone = browser.get(PAGE)
    assert gone.status_code == 404
    assert "no longer active" in gone.content.decode()
    key = show(made, nodes[0])
    for reply, text in (
        (Refused(reason=SILENT), SILENT),
        (NotHere(), "its worker does not tell"),
        (MediaGraph(worker="w"), "nobody is connected"),
        (MediaGraph(nodes=(MediaNode(id="x:1", kind="of-later"),), edges=(("x:1", "y:2"),)), "nobody is connected"),
    ):
        made.replies[key] = reply
        assert text in browser.get(f"{PAGE}parts/").content.decode()


async def test_it_follows_while_keys_and_eyes_stay_where_they_are(
    browser: Any, made: Made, nodes: list[WorkerVM], site: str
) -> None:
    key = show(made, nodes[0], 3, 0)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = await chromium.new_context()
        await context.add_cookies([{"name": "sessionid", "value": browser.cookies["sessionid"].value, "url": site}])
        page = await context.new_page()
        await page.clock.install()
        await page.goto(site + PAGE)
        await page.focus("[data-key='encoder:h264-h0']")
        assert await page.locator(".mg-line.is-lit").count() == 2
        await page.click("summary")
        await page.focus("[data-key='encoder:h264-h0']")
        made.replies[key] = told(3, 40)
        await page.clock.run_for(3000)
        await page.wait_for_selector("[aria-label*='40 Decoders']")
        assert await page.evaluate("document.activeElement.dataset.key") == "encoder:h264-h0"
        assert await page.locator("details[open]").count() == 1
        await page.route("**/parts/", lambda route: route.abort())
        await page.clock.run_for(3000)
        await page.wait_for_selector("#mg.is-stale")
        await chromium.close()
