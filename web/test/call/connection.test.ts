import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MediaConnection } from "../../src/call/connection";
import type { Signalling } from "../../src/call/signalling";

class FakeTransceiver {
  sender = { replaceTrack: async () => {} };
  currentDirection = null;
  direction: string;
  constructor(direction: string) {
    this.direction = direction;
  }
}

/** Offers are the directions of its sections. */
class FakePeerConnection {
  sections: FakeTransceiver[] = [];
  signalingState = "stable";
  localDescription: { sdp: string } | null = null;
  addTransceiver(_what: unknown, { direction }: { direction: string }): FakeTransceiver {
    const made = new FakeTransceiver(direction);
    this.sections.push(made);
    return made;
  }
  async createOffer() {
    return { type: "offer", sdp: this.sections.map((one) => one.direction).join(" ") };
  }
  async setLocalDescription(offer: { sdp: string }) {
    this.localDescription = offer;
  }
  async setRemoteDescription() {}
  close() {}
}

beforeEach(() => {
  vi.stubGlobal("RTCPeerConnection", FakePeerConnection);
  vi.stubGlobal("RTCRtpReceiver", { getCapabilities: () => null });
});
afterEach(() => vi.unstubAllGlobals());

describe("a presentation that begins", () => {
  /** The server, which answers the call when `answer` is called. */
  function server() {
    const said: string[] = [];
    let answer = (_error?: Error) => {};
    const signalling: Signalling = {
      place: (sdp) => {
        said.push(`place ${sdp}`);
        return new Promise((resolve, reject) => {
          answer = (error) => (error ? reject(error) : resolve({ call: "c", sdp: "" }));
        });
      },
      update: async (_call, sdp) => {
        said.push(`update ${sdp}`);
        return "";
      },
      ack: async () => {},
      candidate: async () => {},
      disconnect: async () => {},
    };
    return { said, signalling, answer: (error?: Error) => answer(error) };
  }

  function connection(signalling: Signalling) {
    const nothing = () => {};
    return new MediaConnection(
      { mediaType: "video", iceServers: [], relayOnly: false, trickle: true, vp9: false, fullHd: false },
      signalling,
      { microphone: undefined, camera: undefined },
      false,
      { onTrack: nothing, onSlides: nothing, onIceState: nothing },
    );
  }

  it("while the call is being placed is asked for as soon as it is answered", async () => {
    const { said, signalling, answer } = server();
    const one = connection(signalling);
    const placed = one.negotiate();
    await vi.waitFor(() => expect(said).toHaveLength(1));
    const watched = one.setSlides({ send: undefined, receive: true });
    answer();
    await Promise.all([placed, watched]);
    expect(said).toEqual(["place recvonly recvonly inactive", "update recvonly recvonly recvonly"]);
  });

  it("before the call is in the first offer, and places none of its own", async () => {
    const { said, signalling, answer } = server();
    const one = connection(signalling);
    await one.setSlides({ send: undefined, receive: true });
    expect(said).toEqual([]);
    const placed = one.negotiate();
    await vi.waitFor(() => expect(said).toHaveLength(1));
    answer();
    await placed;
    expect(said).toEqual(["place recvonly recvonly recvonly"]);
  });

  it("while a call fails does not place another", async () => {
    const { said, signalling, answer } = server();
    const one = connection(signalling);
    const placed = one.negotiate();
    await vi.waitFor(() => expect(said).toHaveLength(1));
    const watched = one.setSlides({ send: undefined, receive: true });
    answer(new Error("refused"));
    await expect(placed).rejects.toThrow("refused");
    await watched;
    expect(said).toHaveLength(1);
  });
});
