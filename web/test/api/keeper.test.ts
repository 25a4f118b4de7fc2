import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../../src/api/http";
import { TokenKeeper } from "../../src/api/keeper";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function keeper(refresh: () => Promise<void>) {
  const onLost = vi.fn();
  const kept = new TokenKeeper({ expires: 120, refresh, onLost });
  kept.start();
  return { kept, onLost };
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

  it("tries again soon while the server is unreachable, and goes on when it is back", async () => {
    const refresh = vi.fn(async () => undefined);
    refresh.mockRejectedValueOnce(new TypeError("offline")).mockRejectedValueOnce(new TypeError("offline"));
    const { onLost } = keeper(refresh);
    await vi.advanceTimersByTimeAsync(44_000);
    expect(refresh).toHaveBeenCalledTimes(3);
    expect(onLost).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(40_000);
    expect(refresh).toHaveBeenCalledTimes(4);
  });

  it("gives up at once when the server does not know the token", async () => {
    const { onLost } = keeper(async () => {
      throw new ApiError(403, "Invalid token");
    });
    await vi.advanceTimersByTimeAsync(40_000);
    expect(onLost).toHaveBeenCalledTimes(1);
  });

  it("gives up when the token's life is over", async () => {
    const refresh = vi.fn(async () => {
      throw new TypeError("offline");
    });
    const { onLost } = keeper(refresh);
    await vi.advanceTimersByTimeAsync(119_000);
    expect(onLost).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(onLost).toHaveBeenCalledTimes(1);
    const calls = refresh.mock.calls.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(refresh).toHaveBeenCalledTimes(calls);
  });

  it("does nothing after stop", async () => {
    const refresh = vi.fn(async () => undefined);
    const { kept } = keeper(refresh);
    kept.stop();
    await vi.advanceTimersByTimeAsync(200_000);
    expect(refresh).not.toHaveBeenCalled();
  });
});
