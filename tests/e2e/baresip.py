"""baresip (Debian's package) as a real SIP endpoint under the test's control.

    async with Baresip(tmp_path / "alice", audio_codecs=["opus"], video_codecs=["H264"], video=clip) as phone:
        await phone.dial(f"sip:meet.demo@127.0.0.1:{port}")
        await phone.wait_for("CALL_ESTABLISHED")

Each instance has its own configuration directory and control port. It plays a tone or a WAV file and a video
clip; what it hears is in `recording` (WAV) and what it sees comes as PNG from
`snapshot`.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.ports import free_port

MODULES = Path("/usr/lib/baresip/modules")

_CONFIGURATION = """\
poll_method epoll
sip_listen {address}:{port}
call_local_timeout 120
call_max_calls 4
audio_player aubridge,nowhere
snd_path {directory}
audio_source {audio}
audio_alert aubridge,nowhere
ausrc_srate 48000
auplay_srate 48000
ausrc_channels 2
auplay_channels 2
ausrc_format s16
auplay_format s16
audio_buffer 20-160
video_source {video}
video_display fakevideo,nil
video_size {size}
video_bitrate 800000
video_fps 25
rtp_stats no
rtcp_mux no
ctrl_tcp_listen 127.0.0.1:{control}
snapshot_path {directory}
module_path {modules}
{module_lines}
"""

_ALWAYS = ["g711", "g722", "opus", "ausine", "aufile", "aubridge", "sndfile", "srtp"]
_VIDEO = ["avcodec", "vp8", "avformat", "fakevideo", "swscale", "snapshot"]
_APPLICATIONS = ["account", "menu", "ctrl_tcp"]


class BaresipProblem(Exception):
    """baresip did not do what was asked in time; the text has the end of its log."""


@dataclasses.dataclass(slots=True)
class Baresip:
    """One running baresip. `tone` in Hz (or `wav`) is what it says, `video` the clip it shows (None: audio only)."""

    directory: Path
    name: str = "alice"
    audio_codecs: Sequence[str] = ("PCMU",)
    """Of `PCMU`, `PCMA`, `G722`, `opus`."""
    video_codecs: Sequence[str] = ()
    """Of `H264`, `VP8`."""
    encrypted: bool = False
    """Offer SDES-SRTP, in RTP/SAVP."""
    keys: str = "srtp-mand"
    """How, where it encrypts: `dtls_srtp` in UDP/TLS/RTP/SAVPF is the other way."""
    ice: bool = False
    """Offers ICE, without bundling."""
    transport: str = "udp"
    """`udp`, `tcp` or `tls`; `dial` adds it to the address."""
    tone: int = 440
    wav: Path | None = None
    video: Path | None = None
    size: str = "640x360"
    address: str = "127.0.0.1"
    port: int = 0
    """Where it can be called; 0: nobody needs to know."""
    answers: bool = False
    """Takes every call at once."""
    registrar: str = ""
    """Where it registers, as `host:port`; its own name is the alias."""
    password: str = ""
    """Answers challenges, with its name."""
    events: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    _process: asyncio.subprocess.Process | None = None
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None
    _listening: asyncio.Task[None] | None = None
    _serial: Iterator[int] = dataclasses.field(default_factory=itertools.count)
    _changed: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    @property
    def _host(self) -> str:
        return f"[{self.address}]" if ":" in self.address else self.address

    @property
    def recording(self) -> Path:
        """What it heard in the last call; grows while the call lasts."""
        return max(self.directory.glob("dump-*-dec.wav"), default=self.directory / "heard.wav")

    @property
    def log(self) -> str:
        file = self.directory / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    async def __aenter__(self) -> Baresip:
        control = free_port()
        self._configure(control)
        with (self.directory / "log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                "baresip",
                "-f",
                str(self.directory),
                *(["-6"] if ":" in self.address else []),
                cwd=self.directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            await self._connect(control)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(BaresipProblem, OSError):
                await self.command("quit", seconds=2)
            try:
                await asyncio.wait_for(self._process.wait(), 5)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening
        if self._writer is not None:
            self._writer.close()

    # ---- actions --------------------------------------------------------------------------------------------

    async def dial(self, uri: str) -> None:
        """Call; returns at once. A transport is added unless the address names one."""
        if self.transport != "udp" and "transport=" not in uri:
            uri = f"{uri};transport={self.transport}"
        await self.command("dial", uri)

    async def hang_up(self) -> None:
        await self.command("hangup")

    async def hold(self) -> None:
        """Re-INVITE with a=sendonly or inactive."""
        await self.command("hold")

    async def resume(self) -> None:
        await self.command("resume")

    async def press(self, digits: str) -> None:
        """Telephone events."""
        for digit in digits:
            await self.command("sndcode", digit)

    async def snapshot(self, name: str = "seen", seconds: float = 10) -> Path:
        """A picture (PNG) of the video received now."""
        file = self.directory / f"{name}{next(self._serial)}.png"
        await self.command("snapshot_recv", str(file))
        async with asyncio.timeout(seconds):
            while True:
                if file.exists() and file.read_bytes().endswith(b"IEND\xaeB`\x82"):
                    return file
                await asyncio.sleep(0.05)

    async def wait_for(self, kind: str, seconds: float = 10) -> dict[str, Any]:
        """The first event of that kind (`CALL_ESTABLISHED`, `CALL_CLOSED`, …). Raises BaresipProblem."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    for event in self.events:
                        if event.get("type") == kind:
                            return event
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise BaresipProblem(f"no {kind} in {seconds} s; events {self.events}; log:\n{self.log[-3000:]}") from None

    async def command(self, command: str, parameters: str = "", seconds: float = 5) -> None:
        """Any command of its menu."""
        if self._writer is None:
            raise BaresipProblem("not running")
        body = json.dumps({"command": command, "params": parameters, "token": command}).encode()
        self._writer.write(b"%d:%s," % (len(body), body))
        async with asyncio.timeout(seconds):
            await self._writer.drain()

    # ---- inside -----------------------------------------------------------------------------------------------

    def _configure(self, control: int) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        audio = f"aufile,{self.wav}" if self.wav else f"ausine,{self.tone}"
        modules = [*_ALWAYS, *(_VIDEO if self.video_codecs else []), "dtls_srtp", *(["ice"] if self.ice else [])]
        lines = [f"module {name}.so" for name in modules]
        lines += [f"module_app {name}.so" for name in _APPLICATIONS]
        (self.directory / "config").write_text(
            _CONFIGURATION.format(
                address=self._host,
                port=self.port,
                audio=audio,
                video=f"avformat,{self.video}" if self.video else "fakevideo,nil",
                size=self.size,
                control=control,
                directory=self.directory,
                modules=MODULES,
                module_lines="\n".join(lines),
            )
        )
        codecs = ",".join(_audio_name(codec) for codec in self.audio_codecs)
        parameters = [f"regint={60 if self.registrar else 0}", f"audio_codecs={codecs}"]
        if self.video_codecs:
            parameters.append("video_codecs=" + ",".join(self.video_codecs))
        if self.encrypted:
            parameters.append(f"mediaenc={self.keys}")
        if self.ice:
            parameters.append("medianat=ice")
        if self.answers:
            parameters.append("answermode=auto")
        transport = f";transport={self.transport}" if self.transport != "udp" else ""
        if self.password:
            parameters += [f"auth_user={self.name}", f"auth_pass={self.password}"]
        account = f"<sip:{self.name}@{self.registrar or self._host}{transport}>;{';'.join(parameters)}\n"
        (self.directory / "accounts").write_text(account)

    async def _connect(self, port: int) -> None:
        async with asyncio.timeout(10):
            while True:
                if self._process is not None and self._process.returncode is not None:
                    raise BaresipProblem(f"baresip ended at once:\n{self.log[-2000:]}")
                try:
                    self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                    continue
                break
        self._listening = asyncio.get_running_loop().create_task(self._listen(self._reader))

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Netstrings with JSON: events, and replies to commands."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = await reader.readuntil(b":")
                body = await reader.readexactly(int(length[:-1]) + 1)
                message = json.loads(body[:-1])
                if message.get("event"):
                    self.events.append(message)
                self._changed.set()


def colour_clip(file: Path, colour: str, *, size: str = "640x360", seconds: int = 300) -> Path:
    """A video of one colour (any name ffmpeg knows), longer than any call.

    At the end of a clip baresip 1.0 shows nothing for as long as the clip is, before it begins anew.
    """
    start = file.with_name(f"start-{file.name}")
    source = ["-f", "lavfi", "-i", f"color=c={colour}:s={size}:r=25", "-t", "1"]
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25"]
    again = ["-stream_loop", str(seconds - 1), "-i", str(start), "-c", "copy"]
    for made, how in ((start, [*source, *coding]), (file, again)):
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", *how, str(made)], check=True, timeout=60, stdin=subprocess.DEVNULL
        )
    return file


def available() -> bool:
    """baresip is installed."""
    return shutil.which("baresip") is not None


def _audio_name(codec: str) -> str:
    return {"G722": "G722/16000", "opus": "opus/48000/2"}.get(codec, codec)
