"""Pictures of those who are only heard, in what the others see."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.calls.network import Network, Node
from tests.calls.people import SERVICES, Guest, until
from tests.calls.test_policy import Deciding

from rostra.conference.faces import SIDE
from rostra.domain import theme
from rostra.domain.scene import FACE
from rostra.domain.service import Service
from rostra.domain.vocabulary import CallProtocol, Role
from rostra.policy.questions import CallFacts


class Painter(Deciding):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__(picture=b"jpeg")
        self.answers = asyncio.Event()

    async def avatar(
        self, alias: str, width: int, height: int, call: CallFacts, service: Service, role: Role
    ) -> bytes | None:
        assert (width, height) == (SIDE, SIDE)
        found = await super().avatar(alias, width, height, call, service, role)
        await self.answers.wait()
        return found


def icons(worker: Any) -> set[str]:
    """What is drawn for those without a picture in the present state of things."""
    views = worker.composed[-1].views if worker.composed else {}
    shown = {tile.image for scene in views.values() for tile in scene.tiles}
    return {name for name in shown if name == theme.AUDIO_INDICATOR or name.startswith(FACE)}


async def start(policies: Painter, listeners: int) -> tuple[Node, Any]:
    """A conference with one who sees and so many who are only heard; the worker that carries it."""
    node = await Node(Network(), "n1", lambda alias: SERVICES.get(alias.lower()), policies=policies).start()
    await (await Guest(node.exchange).join()).call("watches")
    for at in range(listeners):
        caller = await Guest(node.exchange).join(protocol=CallProtocol.SIP)
        await caller.session.open_webrtc(f"c{at}", "offer", media_type="audio")
        await caller.session.confirm(f"c{at}")
    worker = node.pool.workers[0]
    await until(lambda: bool(icons(worker)))
    return node, worker


@pytest.mark.spec("CONF-069", "POL-066")
async def test_who_is_only_heard_has_a_face_once_policy_has_said_so() -> None:
    policies = Painter()
    node, worker = await start(policies, 2)
    await until(lambda: policies.pictures == 2)
    assert icons(worker) == {theme.AUDIO_INDICATOR}, "nobody waits for it"
    policies.answers.set()
    await until(lambda: theme.AUDIO_INDICATOR not in icons(worker))
    (face,) = icons(worker)
    assert worker.images == {face: b"jpeg"}, "one picture for both, before it is shown"
    node.pool.workers[0].kill()
    for call in ("c0", "watches"):
        session = next(one for one in node.exchange._sessions.values() if call in one._calls)
        await session.open_webrtc(call, "offer", media_type="audio" if call == "c0" else "video")
    await until(lambda: face in icons(node.pool.workers[1]))
    assert node.pool.workers[1].images == {face: b"jpeg"}, "a new worker gets it too"
    assert policies.pictures == 2, "it is not asked for again"
    await node.exchange.close()


@pytest.mark.spec("CONF-069")
async def test_of_more_than_four_only_the_number_is_shown_and_nobody_is_asked_for() -> None:
    policies = Painter()
    policies.answers.set()
    node, worker = await start(policies, 4)
    await until(lambda: theme.AUDIO_INDICATOR not in icons(worker))
    asked = policies.pictures
    caller = await Guest(node.exchange).join(protocol=CallProtocol.SIP)
    await caller.session.open_webrtc("c5", "offer", media_type="audio")
    await caller.session.confirm("c5")
    await until(lambda: icons(worker) == {theme.AUDIO_INDICATOR})
    assert policies.pictures == asked == 4
    await node.exchange.close()
