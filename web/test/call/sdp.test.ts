import { describe, expect, it } from "vitest";
import { askFullHd, chooseVideoCodecs, limitVideo, markContent } from "../../src/call/sdp";

const lines = (...all: string[]) => `${all.join("\r\n")}\r\n`;

const offer = lines(
  "v=0",
  "o=- 1 2 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "c=IN IP4 0.0.0.0",
  "a=mid:0",
  "m=video 9 UDP/TLS/RTP/SAVPF 102",
  "c=IN IP4 0.0.0.0",
  "a=mid:1",
  "m=video 9 UDP/TLS/RTP/SAVPF 102",
  "c=IN IP4 0.0.0.0",
  "a=mid:2",
);

const contents = (sdp: string) =>
  [...sdp.matchAll(/a=mid:(\d)\r\n(?:.*\r\n)*?a=content:(\w+)/g)].map((m) => m.slice(1));

describe("markContent", () => {
  it("marks audio and first video as main, the second video as slides", () => {
    expect(contents(markContent(offer))).toEqual([
      ["0", "main"],
      ["1", "main"],
      ["2", "slides"],
    ]);
  });

  it("changes nothing else and is safe to repeat", () => {
    const once = markContent(offer);
    expect(once.replace(/a=content:\w+\r\n/g, "")).toBe(offer);
    expect(markContent(once)).toBe(once);
  });

  it("leaves data sections alone", () => {
    const data = lines("v=0", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:0");
    expect(markContent(data)).toBe(data);
  });
});

describe("limitVideo", () => {
  it("puts the limit after the connection line of each video section only", () => {
    const limited = limitVideo(offer, 4000);
    expect(limited.match(/c=IN IP4 0\.0\.0\.0\r\nb=AS:4000\r\n/g)).toHaveLength(2);
    expect(limited.split("m=video")[0]).not.toContain("b=AS");
  });

  it("respects a limit that is there", () => {
    const limited = limitVideo(offer, 4000);
    expect(limitVideo(limited, 1000)).toBe(limited);
  });
});

describe("askFullHd", () => {
  const section = (content: string) =>
    lines(
      "m=video 9 UDP/TLS/RTP/SAVPF 102 96 98 97",
      `a=content:${content}`,
      "a=rtpmap:102 H264/90000",
      "a=fmtp:102 packetization-mode=1;profile-level-id=42e01f",
      "a=rtpmap:96 VP8/90000",
      "a=rtpmap:98 VP9/90000",
      "a=fmtp:98 profile-id=0;max-fs=3600",
      "a=rtpmap:97 rtx/90000",
      "a=fmtp:97 apt=96",
    );
  const offered = `v=0\r\n${lines("m=audio 9 UDP/TLS/RTP/SAVPF 111")}${section("main")}${section("slides")}`;
  const stated = (sdp: string) => [...sdp.matchAll(/^a=fmtp:(.*)\r$/gm)].map((found) => found[1]);

  it("states what decodes 1080p for each codec, in the sections meant only", () => {
    const before = stated(section("main"));
    expect(stated(askFullHd(offered, ["slides"]))).toEqual([
      ...before,
      "102 packetization-mode=1;profile-level-id=42e01f;max-fs=8160;max-mbps=244800",
      "96 max-fs=8160;max-fr=30",
      "98 profile-id=0;max-fs=3600",
      "97 apt=96",
    ]);
    expect(askFullHd(offered, ["main", "slides"]).match(/max-fs=8160/g)).toHaveLength(4);
  });

  it("changes nothing else and is safe to repeat", () => {
    const once = askFullHd(offered, ["main"]);
    expect(askFullHd(once, ["main"])).toBe(once);
    expect(askFullHd(offered, [])).toBe(offered);
  });
});

describe("chooseVideoCodecs", () => {
  const available = [
    { mimeType: "video/VP8" },
    { mimeType: "video/rtx" },
    { mimeType: "video/VP9", sdpFmtpLine: "profile-id=0" },
    { mimeType: "video/H264", sdpFmtpLine: "packetization-mode=0;profile-level-id=42e01f" },
    { mimeType: "video/H264", sdpFmtpLine: "packetization-mode=1;profile-level-id=42e01f" },
    { mimeType: "video/H264", sdpFmtpLine: "packetization-mode=1;profile-level-id=640c1f" },
    { mimeType: "video/AV1" },
  ];
  const names = (vp9: boolean) =>
    chooseVideoCodecs(available, vp9).map((codec) => `${codec.mimeType} ${codec.sdpFmtpLine ?? ""}`.trim());

  it("offers baseline H.264 first, then VP8, with repair formats last", () => {
    expect(names(false)).toEqual([
      "video/H264 packetization-mode=1;profile-level-id=42e01f",
      "video/H264 packetization-mode=0;profile-level-id=42e01f",
      "video/VP8",
      "video/rtx",
    ]);
  });

  it("offers VP9 only where the server allows it", () => {
    expect(names(true)).toContain("video/VP9 profile-id=0");
  });
});
