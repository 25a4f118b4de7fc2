"""A real endpoint (baresip) against the service."""

from __future__ import annotations

from pathlib import Path

import pytest

from rostra.domain.media import MediaKind
from tests.e2e.baresip import Baresip, available, colour_clip
from tests.ports import free_port
from tests.sip.conftest import Running

pytestmark = pytest.mark.skipif(not available(), reason="baresip is not installed")


@pytest.mark.parametrize(
    ("transport", "codec", "encrypted", "agreed"),
    [
        ("udp", "PCMU", False, "PCMU"),
        ("tcp", "PCMA", True, "PCMA"),
        ("tls", "G722", True, "G722"),
        ("udp", "opus", False, "OPUS"),
    ],
)
async def test_an_audio_call(
    running: Running, tmp_path: Path, transport: str, codec: str, encrypted: bool, agreed: str
) -> None:
    port = running.tls_port if transport == "tls" else running.port
    async with Baresip(tmp_path, transport=transport, audio_codecs=[codec], encrypted=encrypted) as phone:
        await phone.dial(f"sip:meet.demo@127.0.0.1:{port}")
        await phone.wait_for("CALL_ESTABLISHED")
        [session] = running.switchboard.sessions
        await running.until(lambda: session.did("confirm"))
        assert session.request.encrypted == (transport == "tls")
        assert session.request.vendor.startswith("baresip")
        assert session.local is not None
        assert [c.name for c in session.local.streams[0].codecs] == [agreed, "TELEPHONE-EVENT"]
        assert len(session.local.streams[0].crypto) == encrypted
        await phone.hang_up()
        await running.until(lambda: session.left)


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_a_video_call_held_and_resumed(running: Running, tmp_path: Path, codec: str) -> None:
    clip = colour_clip(tmp_path / "red.mp4", "red")
    async with Baresip(tmp_path / "phone", video_codecs=[codec], video=clip) as phone:
        await phone.dial(f"sip:meet.demo@127.0.0.1:{running.port}")
        await phone.wait_for("CALL_ESTABLISHED")
        [session] = running.switchboard.sessions
        assert session.local is not None
        assert [stream.kind for stream in session.local.streams] == [MediaKind.AUDIO, MediaKind.VIDEO]
        assert [c.name for c in session.local.streams[1].codecs] == [codec]
        await running.until(lambda: session.did("confirm"))
        await phone.hold()
        await running.until(lambda: ("hold", True) in session.log)
        await phone.resume()
        await running.until(lambda: ("hold", False) in session.log)
        await phone.hang_up()
        await running.until(lambda: session.left)


async def test_the_worker_dies_and_the_call_is_negotiated_anew(running: Running, tmp_path: Path) -> None:
    async with Baresip(tmp_path) as phone:
        await phone.dial(f"sip:meet.demo@127.0.0.1:{running.port}")
        await phone.wait_for("CALL_ESTABLISHED")
        [session] = running.switchboard.sessions
        await running.until(lambda: session.did("confirm"))
        before = session.local
        session.listener.media_lost("sip")
        await running.until(lambda: session.count("connect") == 2)
        assert before is not None
        assert session.local is not None
        assert session.local.streams[0].port != before.streams[0].port
        session.listener.disconnected("Conference terminated")
        await phone.wait_for("CALL_CLOSED")


async def test_an_unknown_alias_is_404(running: Running, tmp_path: Path) -> None:
    async with Baresip(tmp_path) as phone:
        await phone.dial(f"sip:nobody@127.0.0.1:{running.port}")
        closed = await phone.wait_for("CALL_CLOSED")
        assert "404" in closed["param"]


async def test_transfers_both_ways(running: Running, tmp_path: Path) -> None:
    """It has us call somebody, and calls somebody itself when we say so; either way it leaves."""
    port = free_port()
    ada, eve = Baresip(tmp_path / "ada", name="ada"), Baresip(tmp_path / "eve", name="eve")
    async with ada, eve, Baresip(tmp_path / "bob", name="bob", port=port, answers=True) as bob:
        for phone in (ada, eve):
            await phone.dial(f"sip:meet.demo@127.0.0.1:{running.port}")
            await phone.wait_for("CALL_ESTABLISHED")
        first, second = running.switchboard.sessions
        await running.until(lambda: first.did("confirm") and second.did("confirm"))
        await ada.command("transfer", f"sip:bob@127.0.0.1:{port}")
        await ada.wait_for("CALL_CLOSED")
        await running.until(lambda: first.left)
        assert [wanted.destination for wanted in running.switchboard.dialled] == [f"sip:bob@127.0.0.1:{port}"]
        assert second.listener.refer(f"sip:bob@127.0.0.1:{port}", None)
        await bob.wait_for("CALL_ESTABLISHED")
        await running.until(lambda: second.left)
        assert second.reason == "Call transferred"
