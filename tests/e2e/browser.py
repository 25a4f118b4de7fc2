"""A bare WebRTC peer in Chromium: a page with one RTCPeerConnection, a colour to show and a tone to sound.

For tests of media alone, below the client API. `people.py` drives the whole web app.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
    "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
]  # fmt: skip

PEER = """
({colour, frequency}) => {
  const canvas = document.createElement('canvas');
  canvas.width = 640; canvas.height = 360;
  const context = canvas.getContext('2d', {alpha: false});
  let turn = 0;
  setInterval(() => {
    context.fillStyle = colour; context.fillRect(0, 0, 640, 360);
    context.fillStyle = (turn++ % 2) ? '#fff' : '#000'; context.fillRect(4, 4, 6, 6);
  }, 33);
  const sound = new AudioContext({sampleRate: 48000});
  const tone = sound.createOscillator(), gain = sound.createGain(), out = sound.createMediaStreamDestination();
  tone.frequency.value = frequency; gain.gain.value = 0.3;
  tone.connect(gain).connect(out); tone.start();
  const tracks = {audio: out.stream.getAudioTracks()[0], video: canvas.captureStream(30).getVideoTracks()[0]};
  const video = document.createElement('video');
  video.muted = true; video.autoplay = true; document.body.append(video);
  let pc, analyser;
  const eye = document.createElement('canvas'); eye.width = 1280; eye.height = 720;
  const sight = eye.getContext('2d', {willReadFrequently: true});
  window.peer = {
    create({slides = true, codec = '', sendVideo = true} = {}) {
      pc = window.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
      pc.ontrack = (event) => {
        if (event.track.kind === 'video' && event.transceiver.mid === '1') {
          video.srcObject = new MediaStream([event.track]);
        } else if (event.track.kind === 'audio') {
          analyser = sound.createAnalyser(); analyser.fftSize = 8192; analyser.smoothingTimeConstant = 0;
          const silent = new Audio(); silent.muted = true; silent.srcObject = new MediaStream([event.track]);
          silent.play(); window.silent = silent;
          sound.createMediaStreamSource(new MediaStream([event.track])).connect(analyser);
        }
      };
      pc.addTransceiver(tracks.audio);
      const main = sendVideo ? pc.addTransceiver(tracks.video) : pc.addTransceiver('video', {direction: 'recvonly'});
      if (codec) {
        const all = RTCRtpReceiver.getCapabilities('video').codecs;
        const [first, rest] = [all.filter((c) => c.mimeType === codec), all.filter((c) => c.mimeType !== codec)];
        main.setCodecPreferences([...first, ...rest]);
      }
      if (slides) pc.addTransceiver('video', {direction: 'inactive'});
    },
    async offer(iceRestart = false) {
      await pc.setLocalDescription(await pc.createOffer({iceRestart}));
      return pc.localDescription.sdp.split('\\r\\n').map((l) => l).join('\\r\\n');
    },
    async accept(sdp) {
      await pc.setRemoteDescription({type: 'offer', sdp});
      await pc.setLocalDescription(await pc.createAnswer());
      return pc.localDescription.sdp;
    },
    async answer(sdp) { await pc.setRemoteDescription({type: 'answer', sdp}); },
    async direct(direction, send) {
      const main = pc.getTransceivers()[1];
      if (send) await main.sender.replaceTrack(tracks.video);
      main.direction = direction;
    },
    state: () => pc.connectionState,
    frames: () => video.getVideoPlaybackQuality().totalVideoFrames,
    see(points) {
      if (!video.videoWidth) return null;
      sight.drawImage(video, 0, 0, 1280, 720);
      return points.map(([x, y]) => [...sight.getImageData(x, y, 1, 1).data].slice(0, 3));
    },
    hear(frequencies) {
      if (!analyser) return frequencies.map(() => -200);
      const bins = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(bins);
      return frequencies.map((f) => {
        const centre = Math.round(f / 48000 * 8192);
        return Math.max(-200, ...bins.slice(centre - 2, centre + 3));
      });
    },
    async codec() {
      const stats = [...(await pc.getStats()).values()];
      const inbound = stats.find((s) => s.type === 'inbound-rtp' && s.kind === 'video');
      return inbound ? stats.find((s) => s.id === inbound.codecId).mimeType : '';
    },
    close() { pc.close(); },
  };
}
"""

Colour = tuple[int, int, int]


class Peer:
    """One page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    async def open(cls, browser: Browser, colour: str, frequency: int, **options: object) -> Peer:
        """A page that shows `colour` (CSS) and sounds `frequency` (Hz); options are those of `create`."""
        page = await browser.new_page()
        await page.evaluate(PEER, {"colour": colour, "frequency": frequency})
        await page.evaluate("(o) => peer.create(o)", options)
        return cls(page)

    async def offer(self, *, restart: bool = False) -> str:
        return await self.page.evaluate("(r) => peer.offer(r)", restart)

    async def answer(self, sdp: str) -> None:
        await self.page.evaluate("(s) => peer.answer(s)", sdp)

    async def accept(self, offer: str) -> str:
        """Take an offer; the answer."""
        return await self.page.evaluate("(s) => peer.accept(s)", offer)

    async def direct(self, direction: str, *, send: bool = False) -> None:
        """Change the main video's direction before the next offer."""
        await self.page.evaluate("([d, s]) => peer.direct(d, s)", [direction, send])

    async def see(self, *points: tuple[int, int]) -> list[Colour] | None:
        """Colours of the received picture at points of 1280x720; None while there is none."""
        seen = await self.page.evaluate("(p) => peer.see(p)", [list(point) for point in points])
        return None if seen is None else [tuple(colour) for colour in seen]

    async def hear(self, *frequencies: int) -> list[float]:
        """Level in dB of each tone in the received sound."""
        return await self.page.evaluate("(f) => peer.hear(f)", list(frequencies))

    async def frames(self) -> int:
        return await self.page.evaluate("peer.frames()")

    async def codec(self) -> str:
        """MIME type of the video received."""
        return await self.page.evaluate("peer.codec()")

    async def state(self) -> str:
        return await self.page.evaluate("peer.state()")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless browser of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()
