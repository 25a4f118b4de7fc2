import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Patient, Recovery } from "../../src/call/recovery";

/** A connection whose media flows or not, as the test says. */
class FakePatient implements Patient {
  log: string[] = [];
  flowing = true;
  decoding = true;
  ice = true;
  count = 0;
  onRestart: () => Promise<void> = async () => {
    this.flowing = true;
  };
  onRebuild: () => Promise<void> = async () => {
    this.flowing = true;
    this.ice = true;
    this.count = 0;
  };

  async restart(): Promise<void> {
    this.log.push(`restart@${Date.now()}`);
    await this.onRestart();
  }

  async rebuild(): Promise<void> {
    this.log.push(`rebuild@${Date.now()}`);
    await this.onRebuild();
  }

  async received() {
    if (this.flowing) this.count += 1;
    return { packets: this.count, frames: this.decoding ? this.count : 0 };
  }

  connected(): boolean {
    return this.ice;
  }

  get kinds(): string[] {
    return this.log.map((entry) => entry.split("@")[0] ?? "");
  }
}

let patient: FakePatient;
let states: boolean[];
let recovery: Recovery;

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  vi.spyOn(console, "info").mockReturnValue();
  vi.spyOn(console, "warn").mockReturnValue();
  patient = new FakePatient();
  states = [];
  recovery = new Recovery(patient, (recovering) => states.push(recovering));
  recovery.watch();
});

afterEach(() => {
  recovery.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("noticing", () => {
  it("leaves a healthy call alone", async () => {
    await pass(300_000);
    expect(patient.log).toEqual([]);
  });

  it("restarts when packets stopped for two checks in a row", async () => {
    await pass(5_500);
    patient.flowing = false;
    await pass(1_000);
    expect(patient.log).toEqual([]);
    await pass(1_600);
    expect(patient.kinds).toEqual(["restart"]);
    expect(states).toEqual([true, false]);
  });

  it("forgives a single stagnant check", async () => {
    await pass(3_500);
    patient.flowing = false;
    await pass(1_000);
    patient.flowing = true;
    await pass(10_000);
    expect(patient.log).toEqual([]);
  });

  it("restarts at once on ICE failure and on the server's word", async () => {
    recovery.iceState("failed");
    await pass(0);
    expect(patient.kinds).toEqual(["restart"]);
    await pass(1_000);
    recovery.mediaLost();
    await pass(0);
    expect(patient.kinds).toEqual(["restart", "restart"]);
  });

  it("gives a disconnected ICE two seconds to come back", async () => {
    recovery.iceState("disconnected");
    await pass(1_900);
    recovery.iceState("connected");
    await pass(5_000);
    expect(patient.log).toEqual([]);
    recovery.iceState("disconnected");
    await pass(2_000);
    expect(patient.kinds).toEqual(["restart"]);
  });
});

describe("recovering", () => {
  const refuse = async () => {
    throw new Error("503");
  };

  it("repeats a failed restart every second, then builds anew after three", async () => {
    patient.flowing = false;
    patient.onRestart = refuse;
    recovery.mediaLost();
    await pass(3_200);
    expect(patient.log).toEqual(["restart@0", "restart@1000", "restart@2000", "rebuild@3000"]);
    expect(states).toEqual([true, false]);
  });

  it("is back within five seconds when the restart is answered but brings nothing", async () => {
    patient.flowing = false;
    patient.onRestart = async () => undefined;
    recovery.mediaLost();
    await pass(5_000);
    expect(patient.kinds).toEqual(["restart", "rebuild"]);
    expect(states).toEqual([true, false]);
  });

  it("asks for a picture, not just for packets", async () => {
    patient.decoding = false;
    patient.onRebuild = async () => {
      patient.decoding = true;
    };
    recovery.mediaLost();
    await pass(5_000);
    expect(patient.kinds).toEqual(["restart", "rebuild"]);
  });

  it("does not wait for a restart that is never answered", async () => {
    patient.flowing = false;
    patient.onRestart = () => new Promise(() => undefined);
    recovery.mediaLost();
    await pass(3_500);
    expect(patient.kinds).toEqual(["restart", "rebuild"]);
  });

  it("keeps placing calls, one a second, until one succeeds", async () => {
    patient.flowing = false;
    const succeed = patient.onRebuild;
    patient.onRebuild = refuse;
    recovery.callGone();
    await pass(4_500);
    expect(patient.log).toEqual([
      "rebuild@0",
      "rebuild@1000",
      "rebuild@2000",
      "rebuild@3000",
      "rebuild@4000",
    ]);
    patient.onRebuild = succeed;
    await pass(1_000);
    expect(states).toEqual([true, false]);
  });

  it("starts over when media is lost again meanwhile", async () => {
    recovery.mediaLost();
    recovery.mediaLost();
    await pass(1_000);
    expect(patient.kinds).toEqual(["restart", "restart"]);
    expect(states).toEqual([true, false]);
  });

  it("ends with the call", async () => {
    patient.flowing = false;
    patient.onRestart = refuse;
    patient.onRebuild = refuse;
    recovery.mediaLost();
    await pass(1_500);
    recovery.stop();
    const attempts = patient.log.length;
    await pass(60_000);
    expect(patient.log.length).toBe(attempts);
    expect(states).toEqual([true]);
  });
});
