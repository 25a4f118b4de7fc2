"""Telephones that are held, that transfer others, and that are sent elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.baresip import available
from tests.e2e.phone import Phone
from tests.e2e.platform import Platform
from tests.e2e.test_dialling import Host, until
from tests.ports import free_port

pytestmark = pytest.mark.skipif(not available(), reason="baresip is not installed")


def names(host: Host) -> list[str]:
    return sorted(one["uri"].partition("@")[0] for one in host.others() if one["service_type"] == "conference")


def sends(phone: Phone) -> bool:
    """Whether its call sends sound, as it says itself; it receives all the while."""
    rates = re.findall(r"audio=(\d+)/(\d+) ", phone.baresip.log)
    return bool(rates) and int(rates[-1][0]) > 0 and int(rates[-1][1]) > 0


@pytest.mark.spec("CONF-117", "CONF-120", "REF-105")
def test_telephones_are_held_and_transferred_and_sent_elsewhere(platform: Platform, tmp_path: Path) -> None:
    host = Host(platform)
    port = free_port()
    ada = Phone(tmp_path / "ada", name="ada", tone=500)
    eve = Phone(tmp_path / "eve", name="eve", tone=900)
    bob = Phone(tmp_path / "bob", name="bob", tone=700, port=port, answers=True)
    with ada, eve, bob:
        for phone in (ada, eve):
            phone.call(f"sip:meet.demo@127.0.0.1:{platform.environment.sip_port}")
        until(lambda: ada.hear(900)[0] > -40 and eve.hear(500)[0] > -40)
        uuids = {one["uri"].partition("@")[0]: one["uuid"] for one in host.others()}

        host.do(f"participants/{uuids['ada']}/hold")
        until(lambda: eve.hear(500)[0] < -60 and not sends(ada))
        host.do(f"participants/{uuids['ada']}/resume")
        until(lambda: eve.hear(500)[0] > -40 and sends(ada))

        ada.do("transfer", f"sip:bob@127.0.0.1:{port}")  # by REFER: the conference calls bob
        bob.wait_for("CALL_ESTABLISHED")
        ada.wait_for("CALL_CLOSED")
        until(lambda: names(host) == ["bob", "eve"])
        until(lambda: eve.hear(700)[0] > -40 and eve.hear(500)[0] < -45)

        host.do(f"participants/{uuids['eve']}/transfer", conference_alias=f"sip:bob@127.0.0.1:{port}")
        until(lambda: names(host) == ["bob"])  # eve has called bob herself
        until(lambda: eve.hear(700)[0] > -40)
    until(lambda: host.others() == [])
    host.close()
