import { afterEach, describe, expect, it, vi } from "vitest";
import { noteClock, serverNow } from "../../src/api/http";

const NOON = Date.parse("2026-03-01T12:00:00Z");

describe("the server's clock", () => {
  afterEach(() => {
    noteClock(new Date(NOON).toUTCString(), NOON);
    vi.useRealTimers();
  });

  it.each([
    ["Sun, 01 Mar 2026 12:05:00 GMT", 300_000],
    ["Sun, 01 Mar 2026 11:50:00 GMT", -600_000],
    ["Sun, 01 Mar 2026 12:00:01 GMT", 0],
    [null, 0],
    ["yesterday", 0],
  ])("says %s: %i ms from ours", (date, ahead) => {
    vi.useFakeTimers({ now: NOON });
    noteClock(date, NOON);
    expect(serverNow() - NOON).toBe(ahead);
  });
});
