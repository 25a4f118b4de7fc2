"""What a worker sends to RTMP servers: ffmpeg records it, and the pictures are looked at."""

from __future__ import annotations

import asyncio
import contextlib
import io
import ssl
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from rostra.domain.presenting import slides_of
from rostra.domain.scene import Scene, Tile
from rostra.media import messages as m
from rostra.media.client import MediaFailure
from rostra.media.engine import stream_leg
from rostra.media.pool import WorkerPool
from tests.certificates import made
from tests.e2e.recorder import Recorder
from tests.ports import free_port

from .conftest import Driven


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < end, "did not happen"
        await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def over_tls(port: int, tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    """The address of a server over TLS before the one at `port`, and who vouches for it."""
    root = made("Authority", authority=True)
    shown = made("localhost", by=root)
    (tmp_path / "server.pem").write_text(shown.pem + shown.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, outer), pump(inner, writer))

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield f"rtmps://localhost:{server.sockets[0].getsockname()[1]}/live/stream", root.pem


@pytest.mark.spec("CONF-123", "CONF-125")
async def test_two_streams(pool: WorkerPool, tmp_path: Path) -> None:
    """The presentation goes its own way, over TLS; before and after there is an icon."""
    driven = Driven()
    worker = await pool.acquire("conference", "Test", driven.hear, driven.lost.append)
    blue = Tile(x=0, y=0, width=1280, height=720, colour=0x2040C0)
    views, watching = {"v": Scene(tiles=(blue,))}, {"tape": "v"}
    await worker.compose(m.Compose(views=views, watching=watching))
    with Recorder(tmp_path / "main.mkv", free_port()) as main, Recorder(tmp_path / "slides.mkv", free_port()) as slides:
        async with over_tls(slides.port, tmp_path) as (url, authorities):
            with pytest.raises(MediaFailure):  # nobody vouches for that server
                await worker.open_stream(m.OpenStream(leg="tape", url=url))
            opening = m.OpenStream(
                leg="tape", url=main.url, presentation_url=url, background=0x303030, authorities=authorities
            )  # fmt: skip
            await worker.open_stream(opening)
            await worker.open_stream(opening)  # may be repeated
            await until(lambda: slides.file.exists() and slides.seconds > 1)
            picture = io.BytesIO()
            Image.new("RGB", (1280, 720), (200, 180, 20)).save(picture, "JPEG")
            await worker.show_still("desk", picture.getvalue())
            await worker.compose(m.Compose(views=views, watching=watching, slides={"tape": slides_of("desk")}))
            shown = slides.seconds
            await until(lambda: slides.seconds > shown + 1.5)
            await worker.close_leg("tape")
            await asyncio.to_thread(main.wait)
            await asyncio.to_thread(slides.wait)
        frames = slides.frames()
        corners = frames[:, 5:15, 5:15].reshape(len(frames), -1, 3).mean(axis=1)
        assert abs(corners[10] - (0x30, 0x30, 0x30)).max() < 30
        assert abs(corners[-1] - (200, 180, 20)).max() < 30
        whole = main.frames()[15:]
        assert abs(whole[:, 5:15, 5:15].reshape(len(whole), -1, 3).mean(axis=1) - (0x20, 0x40, 0xC0)).max() < 30


@pytest.mark.spec("CONF-122")
async def test_a_server_that_is_not_there(pool: WorkerPool) -> None:
    driven = Driven()
    worker = await pool.acquire("conference", "Test", driven.hear, driven.lost.append)
    with pytest.raises(MediaFailure) as refused:
        await worker.open_stream(m.OpenStream(leg="tape", url=f"rtmp://127.0.0.1:{free_port()}/live/x"))
    assert refused.value.kind is m.Failure.Kind.UNREACHABLE
    assert "tape" not in (await worker.statistics()).debug["legs"]  # type: ignore[operator]


async def test_a_server_that_takes_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its machine may have gone without a word: nothing says so but that no more is taken."""
    monkeypatch.setattr(stream_leg, "WATCH", 0.005)
    monkeypatch.setattr(stream_leg, "STALLED", 0.02)
    line = stream_leg._Line(SimpleNamespace(bandwidth=None, id="tape"), "rtmp://host/x", "v", sound=False)  # type: ignore[arg-type]
    taken = iter([1, 2, 3])
    line._bytes = lambda: next(taken, 3)  # type: ignore[method-assign]
    broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    assert await asyncio.wait_for(line._lost(broken), 5) == "takes nothing"
    assert next(taken, None) is None
    broken.set_result("reset")
    assert await line._lost(broken) == "reset"
