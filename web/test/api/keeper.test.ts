import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../../src/api/http";
import { PATIENCE, TokenKeeper } from "../../src/api/keeper";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const offline = () => Promise.reject(new TypeError("offline"));

function keeper(refresh: (timeout: number) => Promise<void>) {
  const onLost = vi.fn();
  const onDoubt = vi.fn();
  const kept = new TokenKeeper({ expires: 120, refresh, onDoubt, onLost });
  kept.start();
  return { kept, onDoubt, onLost };
}

describe("TokenKeeper", () => {
  it("refreshes at a third of the token's life, again and again", async () => {
    const refresh = vi.fn(async () => undefined);
    keeper(refresh);
    await vi.advanceTimersByTimeAsync(39_999);
    expect(refresh).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(refresh).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(80_000);
    expect(refresh).toHaveBeenCalledTimes(3);
  });

  it("says at once that the node does not answer, tries again soon, and goes on when it is back", async () => {
    const refresh = vi.fn(async (_: number) => undefined);
    refresh.mockImplementationOnce(offline).mockImplementationOnce(offline);
    const { kept, onDoubt, onLost } = keeper(refresh);
    void kept.check();
    await vi.advanceTimersByTimeAsync(1);
    expect(onDoubt.mock.calls).toEqual([[true]]);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(refresh).toHaveBeenCalledTimes(3);
    expect(onDoubt.mock.calls).toEqual([[true], [false]]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(refresh).toHaveBeenCalledTimes(4);
    expect(onLost).not.toHaveBeenCalled();
  });

  it("gives a node up that refuses connections for two to three seconds", async () => {
    const refresh = vi.fn(offline);
    const { kept, onLost } = keeper(refresh);
    await vi.advanceTimersByTimeAsync(20_000);
    void kept.check();
    await vi.advanceTimersByTimeAsync(2_400);
    expect(onLost).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(600);
    expect(onLost).toHaveBeenCalledTimes(1);
    const [loss, silence] = onLost.mock.calls[0] ?? [];
    expect(loss).toEqual({ kind: "silent" });
    expect(silence).toBeGreaterThanOrEqual(22_500);
    expect(silence).toBeLessThan(23_000);
    const calls = refresh.mock.calls.length;
    await vi.advanceTimersByTimeAsync(100_000);
    expect(refresh).toHaveBeenCalledTimes(calls);
  });

  it("gives a node up as quickly when nothing comes back at all", async () => {
    const { kept, onLost } = keeper(
      (timeout) => new Promise((_, reject) => setTimeout(() => reject(new Error("timeout")), timeout)),
    );
    void kept.check();
    await vi.advanceTimersByTimeAsync(PATIENCE - 1);
    expect(onLost).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(onLost).toHaveBeenCalledTimes(1);
  });

  it("does not ask twice at the same time", async () => {
    const refresh = vi.fn(() => new Promise<void>((resolve) => setTimeout(resolve, 1_000)));
    const { kept } = keeper(refresh);
    void kept.check();
    void kept.check();
    await vi.advanceTimersByTimeAsync(1_500);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it("gives up at once when the server does not know the token, and says why", async () => {
    const { onLost } = keeper(() => Promise.reject(new ApiError(403, "Disconnected by another participant")));
    await vi.advanceTimersByTimeAsync(40_000);
    expect(onLost).toHaveBeenCalledTimes(1);
    expect(onLost.mock.calls[0]?.[0]).toEqual({
      kind: "refused",
      reason: "Disconnected by another participant",
    });
  });

  it("keeps asking a server that has trouble of its own, but not for long", async () => {
    const refresh = vi.fn(() => Promise.reject(new ApiError(500, "500 Internal Server Error")));
    const { kept, onLost } = keeper(refresh);
    void kept.check();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(refresh.mock.calls.length).toBeGreaterThan(3);
    expect(onLost.mock.calls[0]?.[0]).toEqual({ kind: "silent" });
  });

  it("can be started again after a loss", async () => {
    const refresh = vi.fn(async (_: number) => undefined);
    refresh.mockRejectedValueOnce(new ApiError(403, "Invalid token"));
    const { kept, onDoubt, onLost } = keeper(refresh);
    await kept.check();
    kept.start();
    await vi.advanceTimersByTimeAsync(40_000);
    expect(refresh).toHaveBeenCalledTimes(2);
    expect(onLost).toHaveBeenCalledTimes(1);
    expect(onDoubt.mock.calls).toEqual([[true], [false]]);
  });

  it("does nothing after stop, not even with an answer under way", async () => {
    const refresh = vi.fn(offline);
    const { kept, onLost, onDoubt } = keeper(refresh);
    void kept.check();
    kept.stop();
    await vi.advanceTimersByTimeAsync(200_000);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(onLost).not.toHaveBeenCalled();
    expect(onDoubt).not.toHaveBeenCalled();
  });
});
