import { afterEach, describe, expect, it, vi } from "vitest";
import type { Admission } from "../../src/api/types";
import { settingsFor } from "../../src/meeting/settings";

afterEach(() => vi.unstubAllGlobals());

describe("main video of 1080p is asked for", () => {
  it.each([
    ["where the conference has it", true, undefined, [1920, 1080, 1], true],
    ["not where it has not", false, undefined, [1920, 1080, 1], false],
    ["not where nothing is said", undefined, undefined, [1920, 1080, 1], false],
    ["not with a limit that is not enough", true, 2464, [1920, 1080, 1], false],
    ["with a limit that is", true, 2564, [1920, 1080, 1], true],
    ["not for a small screen", true, undefined, [1366, 768, 1], false],
    ["for a telephone with a fine screen, held upright", true, undefined, [412, 915, 2.625], true],
  ] as const)("%s", (_, allowed, limit, [width, height, ratio], expected) => {
    vi.stubGlobal("screen", { width, height });
    vi.stubGlobal("devicePixelRatio", ratio);
    const admission = { allow_1080p: allowed, call_type: "video" } as Admission;
    expect(settingsFor(admission, limit).fullHd).toBe(expected);
  });
});
