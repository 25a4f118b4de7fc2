"""A screen shared by Chromium: readable text with the time of each frame, and what another page gets of it."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from tests.e2e.browser import Peer

SCREEN = """
({width, height, still}) => {
  const made = document.createElement('canvas');
  made.width = width; made.height = height;
  const pen = made.getContext('2d', {alpha: false});
  const paint = (time) => {
    pen.fillStyle = '#fff'; pen.fillRect(0, 0, width, height);
    pen.fillStyle = '#123'; pen.textBaseline = 'top';
    const line = 'The quick brown fox jumps over the lazy dog 0123456789 (Sphinx of black quartz)';
    for (let row = 0, y = 20, size = 12; y < height - 90; row++, y += size * 1.6, size = 12 + (row % 5) * 3) {
      pen.font = `${size}px sans-serif`;
      pen.fillText(`${row} ${line}`, 24, y);
    }
    pen.fillStyle = '#d02020'; pen.fillRect(width - 220, 20, 200, 200);
    pen.fillStyle = '#2040d0'; pen.fillRect(width - 220, 240, 200, 200);
    for (let bit = 0; bit < 20; bit++) {
      pen.fillStyle = (time >> bit) & 1 ? '#000' : '#fff';
      pen.fillRect(24 + bit * 32, height - 56, 32, 40);
    }
  };
  paint(0);
  window.screen_source = {
    paint, canvas: made,
  };
  const track = made.captureStream(15).getVideoTracks()[0];
  track.contentHint = 'detail';
  window.screen_track = track;
  window.screen_timer = setInterval(() => paint(still ? 0 : Date.now() & 0xfffff), 66);
  const raw = (from, w, h) => {
    const flat = document.createElement('canvas'); flat.width = w; flat.height = h;
    const sight = flat.getContext('2d', {willReadFrequently: true});
    sight.drawImage(from, 0, 0);
    const bytes = sight.getImageData(0, 0, w, h).data;
    let text = '';
    for (let at = 0; at < bytes.length; at += 32768) {
      text += String.fromCharCode.apply(null, bytes.subarray(at, at + 32768));
    }
    return btoa(text);
  };
  window.slides = {
    async share(on) {
      const second = pc.getTransceivers()[2];
      await second.sender.replaceTrack(on ? track : null);
      second.direction = on ? 'sendonly' : 'inactive';
    },
    async want(on) {
      const second = pc.getTransceivers()[2];
      second.direction = on ? 'recvonly' : 'inactive';
      if (on) {
        const video = window.slides_video = document.createElement('video');
        video.muted = true; video.autoplay = true; video.playsInline = true;
        video.srcObject = new MediaStream([second.receiver.track]);
        document.body.append(video); video.play();
      }
    },
    size: () => window.slides_video ? [slides_video.videoWidth, slides_video.videoHeight] : [0, 0],
    source: () => raw(made, width, height),
    received: () => slides_video.videoWidth ? raw(slides_video, slides_video.videoWidth, slides_video.videoHeight) : '',
    stop: () => { clearInterval(window.screen_timer); paint(0); },
    freeze: () => { clearInterval(window.screen_timer); window.screen_timer = setInterval(() => paint(0), 66); },
    delay() {
      const [w, h] = [slides_video.videoWidth, slides_video.videoHeight];
      if (!w) return null;
      const flat = document.createElement('canvas'); flat.width = w; flat.height = h;
      const sight = flat.getContext('2d', {willReadFrequently: true});
      sight.drawImage(slides_video, 0, 0);
      const scale = w / width;
      let time = 0;
      for (let bit = 0; bit < 20; bit++) {
        const [red] = sight.getImageData((24 + bit * 32 + 16) * scale, (height - 36) * scale, 1, 1).data;
        if (red < 128) time |= 1 << bit;
      }
      return ((Date.now() & 0xfffff) - time + 0x100000) & 0xfffff;
    },
    async codec() {
      const stats = [...(await pc.getTransceivers()[2].receiver.getStats()).values()];
      const inbound = stats.find((s) => s.type === 'inbound-rtp');
      const codec = inbound && stats.find((s) => s.id === inbound.codecId);
      return codec ? codec.mimeType : '';
    },
  };
}
"""


class Desk:
    """A page that can share its screen and watch another's, beside its camera."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    @classmethod
    async def open(cls, peer: Peer, width: int = 1280, height: int = 720) -> Desk:
        await peer.page.evaluate(SCREEN, {"width": width, "height": height, "still": False})
        return cls(peer)

    async def ask(self, expression: str) -> Any:
        return await self.peer.page.evaluate(expression)

    async def offer(self) -> str:
        """The offer with its third section marked as the SDK marks it."""
        head, *sections = (await self.peer.offer()).split("\r\nm=")
        if len(sections) > 2:
            sections[2] = sections[2].rstrip("\r\n") + "\r\na=content:slides"
        return "\r\nm=".join([head, *(section.rstrip("\r\n") for section in sections)]) + "\r\n"

    async def pixels(self, which: str) -> np.ndarray | None:
        """Grey values of `source` or of what is `received`; None while nothing is."""
        width, height = (1280, 720) if which == "source" else await self.ask("slides.size()")
        if which == "source":
            width, height = await self.ask("[screen_source.canvas.width, screen_source.canvas.height]")
        text = await self.ask(f"slides.{which}()")
        if not text:
            return None
        rgba = np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4).astype(float)
        return rgba[..., 0] * 0.299 + rgba[..., 1] * 0.587 + rgba[..., 2] * 0.114


def ssim(one: np.ndarray, other: np.ndarray, window: int = 8) -> float:
    """Structural similarity of two grey pictures of one size: mean over windows (Wang et al. 2004)."""
    height, width = (side - side % window for side in one.shape)
    blocks = [
        picture[:height, :width].reshape(height // window, window, width // window, window).swapaxes(1, 2)
        for picture in (one, other)
    ]
    x, y = (block.reshape(*block.shape[:2], -1) for block in blocks)
    mean_x, mean_y = x.mean(-1), y.mean(-1)
    var_x, var_y = x.var(-1), y.var(-1)
    covariance = ((x - mean_x[..., None]) * (y - mean_y[..., None])).mean(-1)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    found = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))
    return float(found.mean())
