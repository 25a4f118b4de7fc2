"""How long joining takes: from request to first decoded picture in a browser, and from INVITE to 200 for SIP.

References in the same run: two RTCPeerConnections of one page joined directly, and an OPTIONS of the same node.
"""

from __future__ import annotations

import socket
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright
from tests.e2e.people import launch, person
from tests.e2e.platform import Platform, fresh_environment

BROWSER_ROUNDS = 7
SIP_ROUNDS = 30

WATCH = """
(() => {
  const look = () => {
    const video = document.querySelector('[data-testid=main-video]');
    if (!video) return requestAnimationFrame(look);
    video.requestVideoFrameCallback((now) => { window.firstPicture = now; });
  };
  look();
})();
"""
ASKED = """
() => performance.getEntriesByType('resource').filter((entry) => entry.name.includes('request_token'))
  .map((entry) => entry.startTime).pop()
"""
DIRECT = """
async () => {
  const media = await navigator.mediaDevices.getUserMedia({audio: true, video: true});
  const [one, two] = [new RTCPeerConnection(), new RTCPeerConnection()];
  one.onicecandidate = (event) => event.candidate && two.addIceCandidate(event.candidate);
  two.onicecandidate = (event) => event.candidate && one.addIceCandidate(event.candidate);
  const video = document.createElement('video');
  video.muted = true;
  const started = performance.now();
  const first = new Promise((done) => {
    two.ontrack = (event) => {
      video.srcObject = event.streams[0];
      video.play();
      video.requestVideoFrameCallback(() => done(performance.now() - started));
    };
  });
  media.getTracks().forEach((track) => one.addTrack(track, media));
  await one.setLocalDescription();
  await two.setRemoteDescription(one.localDescription);
  await two.setLocalDescription();
  await one.setRemoteDescription(two.localDescription);
  const took = await first;
  one.close(); two.close();
  return took;
}
"""
SDP = """\
v=0
o=bench 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 6000 RTP/AVP 0 101
a=rtpmap:101 telephone-event/8000
m=video 6002 RTP/AVP 97
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42e01f;packetization-mode=1
""".replace("\n", "\r\n")


def browsers(platform: Platform) -> tuple[list[float], list[float]]:
    """Milliseconds of each join by browser, and of each direct connection."""
    joins: list[float] = []
    direct: list[float] = []
    with sync_playwright() as playwright:
        browser = launch(playwright)
        resident = person(browser, "Resident", (32, 48, 208), 900).join(platform.web, "meet.demo")
        for _ in range(BROWSER_ROUNDS):
            someone = person(browser, "Someone", (208, 32, 32), 500)
            someone.page.add_init_script(WATCH)
            someone.join(platform.web, "meet.demo")
            someone.until(lambda who=someone: who.page.evaluate("() => window.firstPicture !== undefined"), 20)
            joins.append(someone.page.evaluate("() => window.firstPicture") - someone.page.evaluate(ASKED))
            someone.leave()
            direct.append(someone.page.evaluate(DIRECT))
            someone.page.context.close()
        resident.leave()
        browser.close()
    return joins, direct


class Caller:
    """The least SIP client that can call and hang up."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(5)
        self._socket.connect(("127.0.0.1", port))
        self._own = self._socket.getsockname()[1]
        self._serial = 0

    def ask(self, method: str, *, call: str, number: int, to: str = "", body: str = "") -> str:
        """Send a request, return the final response."""
        self._send(method, call, number, to, body)
        while True:
            answer = self._socket.recv(65536).decode()
            if f"{number} {method}" in answer and not answer.startswith("SIP/2.0 1"):
                return answer

    def _send(self, method: str, call: str, number: int, to: str, body: str) -> None:
        self._serial += 1
        lines = [
            f"{method} sip:meet.demo@127.0.0.1 SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._own};branch=z9hG4bK{call}{self._serial};rport",
            "Max-Forwards: 70",
            f"From: <sip:bench@127.0.0.1:{self._own}>;tag={call}",
            to or "To: <sip:meet.demo@127.0.0.1>",
            f"Call-ID: {call}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:bench@127.0.0.1:{self._own}>",
            "Content-Type: application/sdp",
            f"Content-Length: {len(body)}",
        ]
        if not body:
            lines.remove("Content-Type: application/sdp")
        self._socket.send(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def invite(self, call: str) -> str:
        """Call and confirm; returns the To header of the dialog."""
        answer = self.ask("INVITE", call=call, number=1, body=SDP)
        if not answer.startswith("SIP/2.0 200"):
            raise RuntimeError(answer)
        to = next(line for line in answer.split("\r\n") if line.lower().startswith("to:"))
        self._send("ACK", call, 1, to, "")
        return to

    def hang_up(self, call: str, to: str) -> None:
        self.ask("BYE", call=call, number=2, to=to)

    def call(self, call: str) -> float:
        """Milliseconds from INVITE to the ACK of its 200; then hangs up."""
        started = time.perf_counter()
        to = self.invite(call)
        took = (time.perf_counter() - started) * 1000
        self.hang_up(call, to)
        return took

    def options(self, call: str) -> float:
        started = time.perf_counter()
        self.ask("OPTIONS", call=call, number=1)
        return (time.perf_counter() - started) * 1000


def report(what: str, taken: list[float], reference: str, against: list[float]) -> None:
    median, other = statistics.median(taken), statistics.median(against)
    print(f"{what}: median {median:.0f} ms, worst {max(taken):.0f} ms of {len(taken)}")
    print(f"{reference}: median {other:.1f} ms; ratio {median / other:.1f}")


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        platform = Platform(fresh_environment(Path(home))).start()
        try:
            joins, direct = browsers(platform)
            caller = Caller(platform.environment.sip_port)
            calls = [caller.call(f"call{index}") for index in range(SIP_ROUNDS)]
            options = [caller.options(f"options{index}") for index in range(SIP_ROUNDS)]
        finally:
            platform.stop()
    report("browser, request_token to first picture", joins, "two peers in one page, directly", direct)
    report("SIP, INVITE to 200", calls, "OPTIONS to 200", options)


if __name__ == "__main__":
    main()
