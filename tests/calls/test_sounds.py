"""Sounds of the theme for one or all, wherever they are signalled and carried; entry and exit tones."""

from __future__ import annotations

import pytest
from tests.calls.network import MapAtlas, Network, Node
from tests.calls.people import SERVICES, Guest, until

from rostra.domain import theme
from rostra.domain.theme import ENTRY_TONE, EXIT_TONE, WELCOME

Heard = list[tuple[str, tuple[str, ...]]]


async def platform(*names: str) -> Network:
    network = Network()
    for name in names:
        await Node(network, name, lambda alias: SERVICES.get(alias), atlas=MapAtlas()).start()
    return network


def heard(network: Network, *wanted: str) -> Heard:
    """Legs that heard one of these, and what."""
    played = [one for node in network.nodes.values() for worker in node.pool.workers for one in worker.played]
    return sorted((leg, sounds) for leg, sounds in played if set(sounds) & set(wanted))


@pytest.mark.spec("CONF-066")
async def test_others_hear_who_comes_and_goes() -> None:
    network = await platform("n1", "n2")
    one = await (await Guest(network.nodes["n1"].exchange).join()).call("c1")
    assert heard(network, ENTRY_TONE) == []
    two = await Guest(network.nodes["n2"].exchange).join()
    await until(lambda: len(one.session.conference.participants) == 2)
    assert heard(network, ENTRY_TONE) == []  # only controlling it
    await two.call("c2")
    await until(lambda: heard(network, ENTRY_TONE) == [("c1", (ENTRY_TONE,))])
    await two.session.leave()
    await until(lambda: heard(network, EXIT_TONE) == [("c1", (EXIT_TONE,))])


async def test_one_or_all_hear_a_sound_wherever_they_are() -> None:
    network = await platform("n1", "n2")
    one = await (await Guest(network.nodes["n1"].exchange).join()).call("c1")
    two = await (await Guest(network.nodes["n2"].exchange).join()).call("c2")
    await until(lambda: len(one.session.conference.participants) == 2)
    await one.session.conference.play(two.session.participant.uuid, WELCOME, theme.ALONE)
    await until(lambda: heard(network, WELCOME) == [("c2", (WELCOME, theme.ALONE))])
    two.session.conference.play_all(theme.KNOCK)
    await until(lambda: heard(network, theme.KNOCK) == [("c1", (theme.KNOCK,)), ("c2", (theme.KNOCK,))])
