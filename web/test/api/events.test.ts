import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EventStream, type Source } from "../../src/api/events";
import type { StreamEvent } from "../../src/api/types";

class FakeSource implements Source {
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  closed = false;
  readonly url: string;
  private readonly listeners = new Map<string, (event: MessageEvent<string>) => void>();

  constructor(url: string) {
    this.url = url;
  }

  addEventListener(name: string, listener: (event: MessageEvent<string>) => void): void {
    this.listeners.set(name, listener);
  }

  close(): void {
    this.closed = true;
  }

  say(name: string, data: string): void {
    this.listeners.get(name)?.({ data } as MessageEvent<string>);
  }
}

let sources: FakeSource[];
let token: string;
let events: StreamEvent[];
let states: boolean[];
let quiet: number;

function stream(): EventStream {
  const made = new EventStream({
    url: () => `/events?token=${token}`,
    onEvent: (event) => events.push(event),
    onState: (open) => states.push(open),
    onQuiet: () => {
      quiet += 1;
    },
    open: (url) => {
      const source = new FakeSource(url);
      sources.push(source);
      return source;
    },
  });
  made.open();
  return made;
}

const latest = () => {
  const source = sources.at(-1);
  if (!source) throw new Error("no stream was opened");
  return source;
};

beforeEach(() => {
  vi.useFakeTimers();
  sources = [];
  events = [];
  states = [];
  quiet = 0;
  token = "first";
});
afterEach(() => vi.useRealTimers());

describe("EventStream", () => {
  it("hands on events by name and ignores data that is no JSON", () => {
    stream();
    latest().say("participant_delete", '{"uuid":"x"}');
    latest().say("stage", "");
    expect(events).toEqual([{ name: "participant_delete", data: { uuid: "x" } }]);
  });

  it("opens again with the token of the moment after an error", async () => {
    stream();
    latest().onopen?.(new Event("open"));
    token = "second";
    latest().onerror?.(new Event("error"));
    expect(sources[0]?.closed).toBe(true);
    await vi.advanceTimersByTimeAsync(130);
    expect(latest().url).toBe("/events?token=second");
    latest().onopen?.(new Event("open"));
    expect(states).toEqual([true, false, true]);
  });

  it("waits longer after each failure, up to a limit", async () => {
    stream();
    for (let round = 0; round < 12; round += 1) {
      latest().onerror?.(new Event("error"));
      await vi.advanceTimersByTimeAsync(6_000);
    }
    expect(sources.length).toBe(13);
    latest().onerror?.(new Event("error"));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(sources.length).toBe(13);
  });

  it("does not hurry back to a server whose streams open and break at once", async () => {
    stream();
    for (let round = 0; round < 8; round += 1) {
      latest().onopen?.(new Event("open"));
      latest().onerror?.(new Event("error"));
      await vi.advanceTimersByTimeAsync(7_000);
    }
    latest().onopen?.(new Event("open"));
    latest().say("hello", "null");
    latest().onerror?.(new Event("error"));
    const opened = sources.length;
    await vi.advanceTimersByTimeAsync(130);
    expect(sources.length).toBe(opened + 1);
    latest().onopen?.(new Event("open"));
    latest().onerror?.(new Event("error"));
    await vi.advanceTimersByTimeAsync(130);
    expect(sources.length).toBe(opened + 1);
  });

  it("takes silence for a lost connection", async () => {
    stream();
    latest().onopen?.(new Event("open"));
    for (let pings = 0; pings < 6; pings += 1) {
      await vi.advanceTimersByTimeAsync(10_000);
      latest().say("ping", "null");
    }
    expect(sources.length).toBe(1);
    await vi.advanceTimersByTimeAsync(33_000);
    expect(sources.length).toBe(2);
  });

  it("asks whether the server is there before it takes silence for a lost connection", async () => {
    stream();
    latest().onopen?.(new Event("open"));
    await vi.advanceTimersByTimeAsync(10_000);
    latest().say("ping", "null");
    await vi.advanceTimersByTimeAsync(11_900);
    expect(quiet).toBe(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(quiet).toBe(1);
    expect(states).toEqual([true]);
  });

  it("stays closed", async () => {
    const made = stream();
    made.close();
    latest().say("ping", "null");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sources.length).toBe(1);
    expect(events).toEqual([]);
    expect(quiet).toBe(0);
  });
});
