"""People in browsers: real Chromium, the real web app, a camera of one colour and a microphone of one tone."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.e2e.browser import ARGUMENTS, CHROMIUM

DEVICES = """
(({colour, frequency}) => {
  const canvas = document.createElement('canvas');
  canvas.width = 640; canvas.height = 360;
  const context = canvas.getContext('2d', {alpha: false});
  let turn = 0;
  const draw = () => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 640, 360);
    context.fillStyle = (turn++ % 2) ? '#ffffff' : '#000000';
    context.fillRect(4, 4, 6, 6);
  };
  draw();
  setInterval(draw, 33);
  let sound, gain, tone;
  const microphone = () => {
    if (!sound) {
      sound = new AudioContext({sampleRate: 48000});
      tone = sound.createOscillator();
      tone.frequency.value = frequency;
      gain = sound.createGain();
      gain.gain.value = window.testVolume ?? 0.3;
      tone.connect(gain);
      tone.start();
    }
    const out = sound.createMediaStreamDestination();
    gain.connect(out);
    return out.stream.getAudioTracks()[0];
  };
  window.setVolume = (value) => { window.testVolume = value; if (gain) gain.gain.value = value; };
  const devices = [
    {deviceId: 'test-camera', kind: 'videoinput', label: 'Test camera', groupId: 'test'},
    {deviceId: 'test-microphone', kind: 'audioinput', label: 'Test microphone', groupId: 'test'},
    {deviceId: 'test-speaker', kind: 'audiooutput', label: 'Test speaker', groupId: 'test'},
  ].map((device) => ({...device, toJSON: () => device}));
  Object.defineProperty(navigator, 'mediaDevices', {value: Object.assign(new EventTarget(), {
    getUserMedia: async (wanted) => {
      const tracks = [];
      if (wanted.audio) tracks.push(microphone());
      if (wanted.video) tracks.push(canvas.captureStream(30).getVideoTracks()[0]);
      return new MediaStream(tracks);
    },
    enumerateDevices: async () => devices,
    getSupportedConstraints: () => ({deviceId: true, width: true, height: true}),
  })});
  const eye = document.createElement('canvas');
  eye.width = 1280; eye.height = 720;
  const sight = eye.getContext('2d', {willReadFrequently: true});
  window.see = (points) => {
    const video = document.querySelector('[data-testid=main-video]');
    if (!video || !video.videoWidth) return null;
    sight.drawImage(video, 0, 0, 1280, 720);
    return points.map(([x, y]) => {
      const data = sight.getImageData(x - 4, y - 4, 8, 8).data;
      const sum = [0, 0, 0];
      for (let i = 0; i < data.length; i += 4) for (let c = 0; c < 3; c++) sum[c] += data[i + c];
      return sum.map((value) => Math.round(value * 4 / data.length));
    });
  };
  let ear = null;
  window.hear = (frequencies) => {
    const video = document.querySelector('[data-testid=main-video]');
    const track = video && video.srcObject && video.srcObject.getAudioTracks()[0];
    if (!track) return null;
    if (!ear || ear.track !== track) {
      const context = ear ? ear.context : new AudioContext({sampleRate: 48000});
      const analyser = context.createAnalyser();
      analyser.fftSize = 8192;
      analyser.smoothingTimeConstant = 0;
      context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      ear = {track, context, analyser};
    }
    const bins = new Float32Array(ear.analyser.frequencyBinCount);
    ear.analyser.getFloatFrequencyData(bins);
    return frequencies.map((frequency) => {
      const centre = Math.round(frequency / 48000 * 8192);
      return Math.max(...bins.slice(centre - 2, centre + 3));
    });
  };
})
"""

Colour = tuple[int, int, int]


class Person:
    """One participant in a browser page."""

    def __init__(self, page: Page, name: str, colour: Colour, frequency: int) -> None:
        self.page = page
        self.name = name
        self.colour = colour
        self.frequency = frequency

    def join(self, web: str, alias: str, *, pin: str | None = None, timeout: float = 20) -> Person:
        """Through the pages of the web app, as a person does."""
        page = self.page
        page.goto(web)
        page.get_by_test_id("home-alias").fill(alias)
        page.get_by_test_id("home-name").fill(self.name)
        page.get_by_test_id("home-continue").click()
        page.get_by_test_id("join").click(timeout=timeout * 1000)
        if pin is not None:
            page.get_by_test_id("pin-input").fill(pin)
            page.get_by_test_id("pin-submit").click()
        page.get_by_test_id("main-video").wait_for(state="attached", timeout=timeout * 1000)
        return self

    def see(self, *points: tuple[int, int]) -> list[Colour] | None:
        """Colours of the received picture at points of 1280x720; None while there is none."""
        seen = self.page.evaluate("(points) => window.see(points)", [list(point) for point in points])
        return None if seen is None else [tuple(colour) for colour in seen]

    def hear(self, *frequencies: int) -> list[float]:
        """Level in dB of each tone in the received sound; -200 while there is none."""
        heard: list[float | None] | None = self.page.evaluate("(f) => window.hear(f)", list(frequencies))
        return [max(-200.0, level if level is not None else -200.0) for level in heard or [None] * len(frequencies)]

    def speak(self, volume: float) -> None:
        self.page.evaluate("(v) => window.setVolume(v)", volume)

    def leave(self) -> None:
        self.page.get_by_test_id("leave").click()
        confirm = self.page.get_by_test_id("end-confirm")
        if confirm.is_visible():
            confirm.click()

    def sleep(self, seconds: float) -> None:
        """Let the page run."""
        self.page.wait_for_timeout(seconds * 1000)

    def until(self, condition: Any, timeout: float = 10.0, message: str = "") -> float:
        """Poll with the page running; returns the seconds it took."""
        waited = 0.0
        started = self.page.evaluate("() => performance.now()")
        while not condition():
            waited = (self.page.evaluate("() => performance.now()") - started) / 1000
            if waited > timeout:
                raise AssertionError(message or f"{self.name}: did not happen within {timeout} s")
            self.page.wait_for_timeout(40)
        return (self.page.evaluate("() => performance.now()") - started) / 1000


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)


def person(browser: Browser, name: str, colour: Colour, frequency: int, volume: float = 0.3) -> Person:
    """A person with a browser profile, camera and microphone of its own."""
    context: BrowserContext = browser.new_context(
        ignore_https_errors=True, viewport={"width": 1440, "height": 900}, permissions=["camera", "microphone"]
    )
    css = "#{:02x}{:02x}{:02x}".format(*colour)
    page = context.new_page()
    page.add_init_script(f"window.testVolume = {volume};")
    page.add_init_script(f"({DEVICES})({json.dumps({'colour': css, 'frequency': frequency})})")
    return Person(page, name, colour, frequency)


def near(seen: Colour | None, wanted: Colour, tolerance: int = 48) -> bool:
    """The same colour, allowing for what codecs and colour conversion do."""
    return seen is not None and all(abs(a - b) <= tolerance for a, b in zip(seen, wanted, strict=True))
