import { beforeEach, describe, expect, it, vi } from "vitest";
import type { StreamEvent } from "../../src/api/types";
import { Moving } from "../../src/meeting/moving";
import type { Presenting } from "../../src/meeting/presenting";
import type { Session } from "../../src/meeting/session";
import { initialMeeting, reduceMeeting } from "../../src/state/meeting";
import { createStore } from "../../src/state/store";

const begin: StreamEvent = { name: "breakout_begin", data: { breakout_uuid: "a", participant_uuid: "me-a" } };
const end: StreamEvent = { name: "breakout_end", data: { breakout_uuid: "a", participant_uuid: "me-a" } };

function setUp() {
  const store = createStore(reduceMeeting, { ...initialMeeting, phase: { kind: "active" as const } });
  const session = { move: vi.fn(async () => undefined) };
  const presenting = {
    stop: vi.fn(async () => undefined),
    show: vi.fn(),
    follow: vi.fn(async () => undefined),
  };
  const arrived = vi.fn();
  const moving = new Moving(
    store,
    presenting as unknown as Presenting,
    () => session as unknown as Session,
    arrived,
  );
  const happens = (event: StreamEvent) => {
    store.dispatch({ type: "event", event, now: 0 });
    moving.received(event);
  };
  happens(begin);
  return { store, session, presenting, moving, arrived, happens };
}

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

describe("moving to breakout rooms", () => {
  it("ends what is presented, goes there as the own participant of the room, and watches what is presented", async () => {
    const { store, session, presenting, moving, arrived } = setUp();
    await moving.to("a");
    expect(presenting.stop).toHaveBeenCalledBefore(session.move);
    expect(session.move).toHaveBeenCalledWith({ room: "a", self: "me-a" });
    expect(store.get().place).toBe("a");
    expect(arrived).toHaveBeenCalled();
    expect(presenting.follow).toHaveBeenCalledAfter(session.move);
    await moving.to(undefined);
    expect(session.move).toHaveBeenLastCalledWith(undefined);
    expect(store.get().place).toBeUndefined();
  });

  it("does nothing for rooms that are not open, or where we are already", async () => {
    const { session, moving } = setUp();
    await moving.to("gone");
    await moving.to(undefined);
    expect(session.move).not.toHaveBeenCalled();
  });

  it("goes where another Host asks us to, and back", async () => {
    const { store, happens } = setUp();
    const asked = (room: string): StreamEvent => ({
      name: "breakout_refer",
      data: { breakout_uuid: room, breakout_name: room, requester_uuid: "other" },
    });
    happens(asked("a"));
    await vi.waitFor(() => expect(store.get().place).toBe("a"));
    happens(asked("main"));
    await vi.waitFor(() => expect(store.get().place).toBeUndefined());
  });

  it("comes back when the room is closed", async () => {
    const { store, session, moving, happens } = setUp();
    await moving.to("a");
    happens(end);
    await vi.waitFor(() => expect(session.move).toHaveBeenLastCalledWith(undefined));
    expect(store.get().notices.at(-1)?.key).toBe("notice.roomClosed");
  });

  it("comes back when the room was closed while the event stream was broken", async () => {
    const { store, moving, happens } = setUp();
    await moving.to("a");
    happens({ name: "hello", data: null });
    await vi.advanceTimersByTimeAsync(4_000);
    expect(store.get().place).toBeUndefined();
  });

  it("stays when the new stream tells of the room again", async () => {
    const { store, moving, happens } = setUp();
    await moving.to("a");
    happens({ name: "hello", data: null });
    happens(begin);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(store.get().place).toBe("a");
  });
});
