import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { authorization, type Incoming, Registration, reduce } from "../../src/registration/registration";

const call = (token: string): Incoming => ({
  token,
  conference_alias: "meet.demo",
  remote_display_name: "Eve",
  remote_alias: "eve@example.com",
  local_alias: "ann@example.com",
  service_type: "conference",
});

class FakeSource {
  onopen = null;
  onerror: ((event: Event) => void) | null = null;
  closed = false;
  readonly listeners = new Map<string, (event: MessageEvent<string>) => void>();
  constructor(readonly url: string) {}
  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void {
    this.listeners.set(name, listener);
  }
  tell(name: string, data: unknown): void {
    this.listeners.get(name)?.({ data: JSON.stringify(data) } as MessageEvent<string>);
  }
  close(): void {
    this.closed = true;
  }
}

const ANN = { alias: "ann@example.com", username: "ann", password: "pä:ss" };

describe("a registration", () => {
  let sources: FakeSource[];
  let answers: (() => Promise<Response>)[];
  let asked: { url: string; headers: Record<string, string> }[];
  let made: Registration;

  const answer = (status: number, result: unknown) => async () =>
    new Response(JSON.stringify({ status: status === 200 ? "success" : "failed", result }), { status });
  const granted = (token: string) => answer(200, { token, expires: "120" });

  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    vi.spyOn(console, "info").mockImplementation(() => undefined);
    sources = [];
    answers = [];
    asked = [];
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
      asked.push({ url, headers: init.headers as Record<string, string> });
      return (answers.shift() ?? answer(500, "nothing more"))();
    });
    made = new Registration({
      node: "https://node",
      open: (url) => {
        const source = new FakeSource(url);
        sources.push(source);
        return source;
      },
    });
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  const phase = () => made.store.get().phase;
  const ringing = () => made.store.get().calls.map((one) => one.token);

  it("says who it is, watches, and rings", async () => {
    answers.push(granted("t1"));
    expect(await made.start(ANN)).toBe("registered");
    expect(asked[0]?.url).toBe("https://node/api/client/v2/registrations/ann%40example.com/request_token");
    expect(asked[0]?.headers["X-Pexip-Authorization"]).toBe(authorization("ann", "pä:ss"));
    expect(sources[0]?.url).toContain("events?token=t1");
    sources[0]?.tell("incoming", call("a"));
    sources[0]?.tell("incoming", call("b"));
    sources[0]?.tell("incoming_cancelled", { token: "a" });
    expect(ringing()).toEqual(["b"]);
    answers.push(answer(200, true));
    await made.reject(call("b"));
    expect(asked[1]?.url).toBe("https://node/api/client/v2/conferences/meet.demo/release_token?token=b");
    expect(ringing()).toEqual([]);
  });

  it("keeps itself alive", async () => {
    answers.push(granted("t1"), granted("t2"));
    await made.start(ANN);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(made.current).toBe("t2");
    expect(sources).toHaveLength(1);
  });

  it("registers anew when the node knows it no more", async () => {
    answers.push(granted("t1"), answer(403, "Invalid token"), granted("t3"));
    await made.start(ANN);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(phase()).toBe("lost");
    await vi.advanceTimersByTimeAsync(1_000);
    expect([phase(), made.current, sources.length]).toEqual(["registered", "t3", 2]);
  });

  it("goes on with its token when the network was away, later and later", async () => {
    const broken = () => Promise.reject(new TypeError("network"));
    answers.push(granted("t1"), broken, broken, granted("t2"));
    await made.start(ANN);
    sources[0]?.tell("incoming", call("a"));
    sources[0]?.onerror?.(new Event("error"));
    await vi.advanceTimersByTimeAsync(1_000);
    expect([phase(), ringing()]).toEqual(["lost", []]);
    await vi.advanceTimersByTimeAsync(1_000);
    await vi.advanceTimersByTimeAsync(1_900);
    expect(phase()).toBe("lost");
    await vi.advanceTimersByTimeAsync(200);
    expect([phase(), made.current]).toEqual(["registered", "t2"]);
    expect(asked.filter(({ url }) => url.endsWith("request_token"))).toHaveLength(1);
  });

  it.each([
    [401, "refused"],
    [403, "disabled"],
  ])("gives up at %s", async (status, expected) => {
    answers.push(answer(status, "no"));
    expect(await made.start(ANN)).toBe(expected);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked).toHaveLength(1);
  });

  it("ends when it is told to", async () => {
    answers.push(granted("t1"), answer(200, true));
    await made.start(ANN);
    await made.stop();
    expect(asked[1]?.url).toContain("release_token");
    expect([phase(), sources[0]?.closed]).toEqual(["off", true]);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked).toHaveLength(2);
  });

  it("forgets what a new stream does not tell anew", () => {
    const state = { phase: "registered" as const, alias: "a", calls: [call("a")] };
    expect(reduce(state, { type: "silence" }).calls).toEqual([]);
    expect(reduce(state, { type: "incoming", call: call("a") }).calls).toHaveLength(1);
  });
});
