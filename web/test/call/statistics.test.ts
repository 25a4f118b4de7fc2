import { describe, expect, it } from "vitest";
import { type History, type Report, remembered, sample } from "../../src/call/statistics";

const report = (at: number, bytes: number, packets: number, lost: number): Report =>
  Object.entries({
    c1: { type: "codec", mimeType: "video/VP8" },
    pair: { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.02 },
    main: {
      type: "inbound-rtp",
      kind: "video",
      mid: "1",
      codecId: "c1",
      timestamp: at,
      bytesReceived: bytes,
      packetsReceived: packets,
      packetsLost: lost,
      jitter: 0.004,
      frameWidth: 1280,
      frameHeight: 720,
      framesPerSecond: 30,
    },
    slides: {
      type: "inbound-rtp",
      kind: "video",
      mid: "2",
      codecId: "c1",
      timestamp: at,
      bytesReceived: 10,
      packetsReceived: 1,
      packetsLost: 0,
    },
    sound: {
      type: "outbound-rtp",
      kind: "audio",
      mid: "0",
      remoteId: "r",
      timestamp: at,
      bytesSent: bytes,
      packetsSent: packets,
    },
    idle: { type: "outbound-rtp", kind: "video", mid: "1", timestamp: at, bytesSent: 0, packetsSent: 0 },
    r: { type: "remote-inbound-rtp", packetsLost: lost, jitter: 0.008, roundTripTime: 0.05 },
  });

describe("sample", () => {
  const first = sample(report(1_000, 0, 100, 0), "2", undefined);
  const second = sample(report(2_000, 125_000, 190, 10), "2", first);
  const of = (id: string) => second.figures.find((one) => one.id === id);

  it("gives rates since the sample before, loss in per cent, times in milliseconds", () => {
    expect(of("in:video")).toMatchObject({
      codec: "VP8",
      resolution: "1280×720",
      rate: 30,
      bitrate: 1000,
      loss: 10,
      jitter: 4,
      rtt: 20,
    });
  });

  it("takes what the far end says of what is sent", () => {
    expect(of("out:audio")).toMatchObject({ bitrate: 1000, loss: 10, jitter: 8, rtt: 50, rate: undefined });
  });

  it("tells the presentation from the picture by its section, and leaves out what never ran", () => {
    expect(second.figures.map((one) => one.id)).toEqual(["in:video", "in:slides", "out:audio"].sort(order));
    expect(of("out:video")).toBeUndefined();
  });

  it("gives no rate for the first sample, nor after a new call began to count anew", () => {
    expect(first.figures[0]?.bitrate).toBe(0);
    expect(sample(report(3_000, 10, 2, 0), "2", second).figures[0]?.bitrate).toBe(0);
  });
});

const LISTED = ["in:video", "in:audio", "in:slides", "out:video", "out:audio", "out:slides"];
const order = (a: string, b: string) => LISTED.indexOf(a) - LISTED.indexOf(b);

it("remembers so many, and forgets streams that are gone", () => {
  let history: History = new Map();
  let last: ReturnType<typeof sample> | undefined;
  for (let second = 1; second < 9; second += 1) {
    last = sample(report(second * 1000, second * 1000, second, 0), "2", last);
    history = remembered(history, last.figures, 5);
  }
  expect(history.get("in:video")).toHaveLength(5);
  expect(remembered(history, [], 5).size).toBe(0);
});
