import { afterEach, describe, expect, it, vi } from "vitest";
import { faultOf } from "../../src/devices/faults";
import { levelOf } from "../../src/devices/level";
import { LocalMedia } from "../../src/devices/local";

describe("device faults", () => {
  it.each([
    ["NotAllowedError", "denied"],
    ["NotFoundError", "missing"],
    ["OverconstrainedError", "missing"],
    ["NotReadableError", "busy"],
    ["SecurityError", "insecure"],
    ["Surprise", "unknown"],
  ])("%s is %s", (name, fault) => {
    expect(faultOf(new DOMException("x", name))).toBe(fault);
  });

  it("survives anything thrown", () => {
    expect(faultOf(undefined)).toBe("unknown");
  });
});

describe("level", () => {
  it("is 0 for silence and 1 for full scale", () => {
    expect(levelOf(new Float32Array(512))).toBe(0);
    expect(levelOf(new Float32Array(512).fill(1))).toBe(1);
  });

  it("spreads 60 dB evenly", () => {
    expect(levelOf(new Float32Array(512).fill(10 ** (-30 / 20)))).toBeCloseTo(0.5, 5);
    expect(levelOf(new Float32Array(512).fill(10 ** (-80 / 20)))).toBe(0);
  });
});

describe("devices that come and go", () => {
  class Track extends EventTarget {
    enabled = true;
    stopped = false;
    readonly kind: string;
    constructor(kind: string) {
      super();
      this.kind = kind;
    }
    stop() {
      this.stopped = true;
    }
  }
  const stream = (...tracks: Track[]) => ({
    getTracks: () => tracks,
    getAudioTracks: () => tracks.filter((track) => track.kind === "audio"),
    getVideoTracks: () => tracks.filter((track) => track.kind === "video"),
  });

  function machine() {
    const there = new Set(["audioinput", "videoinput"]);
    let cameras = 0;
    const devices = Object.assign(new EventTarget(), {
      oneCamera: false,
      async getUserMedia(wanted: { audio?: unknown; video?: unknown }) {
        if (wanted.audio && !there.has("audioinput")) throw new DOMException("", "NotFoundError");
        if (wanted.video && !there.has("videoinput")) throw new DOMException("", "NotFoundError");
        if (wanted.video && devices.oneCamera && cameras > 0) throw new DOMException("", "NotReadableError");
        const tracks: Track[] = [];
        if (wanted.audio) tracks.push(new Track("audio"));
        if (wanted.video) {
          cameras += 1;
          const camera = new Track("video");
          const stop = camera.stop.bind(camera);
          camera.stop = () => {
            if (!camera.stopped) cameras -= 1;
            stop();
          };
          tracks.push(camera);
        }
        return stream(...tracks);
      },
      enumerateDevices: async () => [...there].map((kind) => ({ kind, deviceId: kind, label: kind })),
    });
    vi.stubGlobal("navigator", { mediaDevices: devices });
    return { there, devices };
  }

  afterEach(() => vi.unstubAllGlobals());

  it("another microphone takes the place of one that was unplugged, muted as that was", async () => {
    machine();
    const media = new LocalMedia({ micMuted: true });
    await media.open();
    const first = media.microphone as unknown as Track;
    first.dispatchEvent(new Event("ended"));
    await vi.waitFor(() => expect(media.microphone).toBeDefined());
    expect(media.microphone).not.toBe(first);
    expect(media.microphone?.enabled).toBe(false);
    expect(media.state.micFault).toBeUndefined();
  });

  it("a camera that is plugged in later is used", async () => {
    const { there, devices } = machine();
    there.delete("videoinput");
    const media = new LocalMedia();
    await media.open();
    expect(media.state.cameraFault).toBe("missing");
    there.add("videoinput");
    devices.dispatchEvent(new Event("devicechange"));
    await vi.waitFor(() => expect(media.camera).toBeDefined());
    expect(media.state.cameraFault).toBeUndefined();
  });

  it("a camera switched off stays off whatever is plugged in", async () => {
    const { devices } = machine();
    const media = new LocalMedia({ cameraWanted: false });
    await media.open();
    devices.dispatchEvent(new Event("devicechange"));
    await vi.waitFor(() => expect(media.state.devices).toHaveLength(2));
    expect(media.camera).toBeUndefined();
  });

  it("the camera in use makes room where only one can be open", async () => {
    const { devices } = machine();
    const media = new LocalMedia();
    await media.open();
    devices.oneCamera = true;
    const front = media.camera;
    await media.chooseCamera("back");
    expect(media.camera).toBeDefined();
    expect(media.camera).not.toBe(front);
    expect(media.state.cameraFault).toBeUndefined();
  });
});
