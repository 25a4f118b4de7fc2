"""A browser as far end for `bench.loss`: what it sends says which frame it is, what it gets it counts itself."""

from __future__ import annotations

import re

from playwright.async_api import Browser, Page
from tests.media.impaired import Relay

from rostra.media.client import Worker

PAGE = """
({shows, tone, cell, bits}) => {
  const pc = window.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  const sound = new AudioContext({sampleRate: 48000});
  const source = sound.createOscillator(), gain = sound.createGain(), out = sound.createMediaStreamDestination();
  source.type = 'sawtooth'; source.frequency.value = tone; gain.gain.value = 0.3;
  source.connect(gain).connect(out); source.start();
  pc.addTransceiver(out.stream.getAudioTracks()[0]);
  if (shows) {
    const canvas = document.createElement('canvas');
    canvas.width = 1280; canvas.height = 720;
    const context = canvas.getContext('2d', {alpha: false});
    let number = 0;
    setInterval(() => {
      number = (number + 1) % (1 << bits);
      context.fillStyle = '#777'; context.fillRect(0, 0, 1280, 720);
      context.fillStyle = '#a55'; context.fillRect(number * 4 % 1280, 300, 200, 200);
      for (let bit = 0; bit < 16; bit++) {
        context.fillStyle = bit < bits && number >> bit & 1 ? '#ececec' : '#101010';
        context.fillRect(bit * cell, 0, cell, cell);
      }
    }, 1000 / 30);
    pc.addTransceiver(canvas.captureStream(30).getVideoTracks()[0]);
  } else {
    pc.addTransceiver('video', {direction: 'recvonly'});
  }
  const video = document.createElement('video');
  video.muted = true; video.autoplay = true; document.body.append(video);
  pc.ontrack = (event) => {
    if (event.track.kind === 'video') { video.srcObject = new MediaStream([event.track]); return; }
    const silent = new Audio(); silent.muted = true; silent.srcObject = new MediaStream([event.track]);
    silent.play(); window.silent = silent;
    sound.createMediaStreamSource(new MediaStream([event.track])).connect(sound.createAnalyser());
  };
}
"""
OFFER = """async () => { await pc.setLocalDescription(await pc.createOffer()); return pc.localDescription.sdp; }"""
STATS = """
async () => {
  const found = {};
  for (const one of (await pc.getStats()).values()) {
    if (one.type === 'inbound-rtp') found['in ' + one.kind] = one;
    if (one.type === 'outbound-rtp') found['out ' + one.kind] = one;
  }
  return found;
}
"""
_CANDIDATE = re.compile(r"^a=candidate:\S+ 1 udp \d+ ([\d.]+) (\d+) typ host.*\r\n", re.MULTILINE | re.IGNORECASE)
_ALL = re.compile(r"^a=(candidate:.*|end-of-candidates)\r\n", re.MULTILINE)


def rerouted(description: str, address: str, port: int) -> str:
    """With one candidate alone, in the first section: that of a relay."""
    bare = _ALL.sub("", description)
    at = bare.index("\r\n", bare.index("\r\nm=") + 2) + 2
    at = bare.index("\r\n", bare.index("c=IN", at)) + 2
    return f"{bare[:at]}a=candidate:1 1 udp 2130706431 {address} {port} typ host\r\n{bare[at:]}"


async def join(worker: Worker, leg: str, browser: Browser, relay: Relay, *, shows: bool) -> Page:
    """A page in a call behind the relay."""
    page = await browser.new_page()
    await page.evaluate(PAGE, {"shows": shows, "tone": 130, "cell": 80, "bits": 14})
    pipe = relay.pipe()
    offer = rerouted(await page.evaluate(OFFER), "127.0.0.1", pipe.node_port)
    answer = await worker.open_webrtc(leg, offer, start=True)
    places = _CANDIDATE.findall(answer)
    address, port = next(((host, port) for host, port in places if not host.startswith("127.")), places[0])
    pipe.settle((address, int(port)))
    answer = rerouted(answer, address, pipe.far_port)
    await page.evaluate("(sdp) => pc.setRemoteDescription({type: 'answer', sdp})", answer)
    return page
