import { describe, expect, it } from "vitest";
import { faultOf } from "../../src/devices/faults";
import { levelOf } from "../../src/devices/level";

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
