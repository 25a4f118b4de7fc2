import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Attempt, itinerary, type Outcome, Rejoin } from "../../src/meeting/rejoin";

const middle = () => 0.5;

function first(count: number, ownFirst: boolean, others: string[], tried = 0): Attempt[] {
  const attempts = itinerary("own", others, ownFirst, tried, middle);
  return Array.from({ length: count }, () => attempts.next().value);
}

describe("itinerary", () => {
  it("begins with the others when the own node is silent, later with the own", () => {
    const nodes = first(6, false, ["a", "b"]).map((attempt) => attempt.node);
    expect(nodes).toEqual(["a", "b", "own", "own", "a", "b"]);
  });

  it("begins with the own node where that one answers", () => {
    expect(first(3, true, ["a"]).map((attempt) => attempt.node)).toEqual(["own", "a", "own"]);
  });

  it("waits between rounds only, ever longer up to a limit", () => {
    const waits = first(24, false, ["a"]).map((attempt) => attempt.wait);
    expect(waits.filter((_, index) => index % 2 === 1)).toEqual(Array(12).fill(0));
    const pauses = waits.filter((_, index) => index % 2 === 0);
    expect(pauses.slice(0, 7)).toEqual([100, 500, 1_000, 2_000, 4_000, 6_000, 6_000]);
  });

  it("is different for everybody", () => {
    const pause = (random: () => number) => {
      const attempts = itinerary("own", [], false, 1, random);
      return attempts.next().value.wait;
    };
    expect(pause(() => 0)).toBe(250);
    expect(pause(() => 0.999)).toBeGreaterThan(740);
  });

  it("waits at once when the last attempts did not last", () => {
    expect(first(1, false, ["a"], 3)).toEqual([{ node: "a", wait: 2_000 }]);
  });
});

describe("Rejoin", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  function rejoin(answer: (node: string) => Outcome | Promise<Outcome>, window = 300_000) {
    const tried: string[] = [];
    const signals: AbortSignal[] = [];
    const made = new Rejoin({
      attempts: itinerary("own", ["a", "b"], false, 0, middle),
      window,
      attempt: async (node, signal) => {
        tried.push(node);
        signals.push(signal);
        return answer(node);
      },
    });
    const ended = vi.fn();
    void made.run().then(ended);
    return { made, tried, signals, ended };
  }

  it("stops at the first node that takes us", async () => {
    const { tried, ended } = rejoin((node) => (node === "b" ? "done" : "next"));
    await vi.advanceTimersByTimeAsync(200);
    expect(tried).toEqual(["a", "b"]);
    expect(ended).toHaveBeenCalledWith("done");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(tried.length).toBe(2);
  });

  it("goes on until a node is back", async () => {
    let back = false;
    const { tried, ended } = rejoin((node) => (back && node === "own" ? "done" : "next"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ended).not.toHaveBeenCalled();
    back = true;
    await vi.advanceTimersByTimeAsync(7_000);
    expect(ended).toHaveBeenCalledWith("done");
    expect(tried.at(-1)).toBe("own");
  });

  it("gives up in the end", async () => {
    const { tried, ended } = rejoin(() => "next");
    await vi.advanceTimersByTimeAsync(290_000);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(11_000);
    expect(ended).toHaveBeenCalledWith("givenUp");
    expect(tried.length).toBeGreaterThan(140);
    expect(tried.length).toBeLessThan(170);
  });

  it("is cancelled while it waits", async () => {
    const { made, tried, ended } = rejoin(() => "next");
    await vi.advanceTimersByTimeAsync(300);
    made.cancel();
    await vi.advanceTimersByTimeAsync(0);
    expect(ended).toHaveBeenCalledWith("cancelled");
    const count = tried.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(tried.length).toBe(count);
  });

  it("is cancelled while it asks, and tells the one it asks", async () => {
    let answer: (outcome: Outcome) => void = () => undefined;
    const { made, signals, ended } = rejoin(() => new Promise((resolve) => (answer = resolve)));
    await vi.advanceTimersByTimeAsync(200);
    made.cancel();
    expect(signals[0]?.aborted).toBe(true);
    answer("done");
    await vi.advanceTimersByTimeAsync(0);
    expect(ended).toHaveBeenCalledWith("cancelled");
  });

  it("tries at once when the network is back", async () => {
    const { made, tried } = rejoin(() => "next");
    await vi.advanceTimersByTimeAsync(20_000);
    const before = tried.length;
    made.hurry();
    await vi.advanceTimersByTimeAsync(0);
    expect(tried.slice(before)).toEqual(["own", "a", "b"]);
  });
});
