import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../../src/api/http";
import { Presenting, type Source } from "../../src/meeting/presenting";
import type { Session } from "../../src/meeting/session";
import { initialMeeting, reduceMeeting } from "../../src/state/meeting";
import { createStore } from "../../src/state/store";

function source(): Source & { ended(): void } {
  const track = new EventTarget();
  return {
    track: track as unknown as MediaStreamTrack,
    kind: "screen",
    close: vi.fn(),
    ended: () => void track.dispatchEvent(new Event("ended")),
  };
}

function setUp() {
  const store = createStore(reduceMeeting, initialMeeting);
  const session = {
    api: { takeFloor: vi.fn(async () => null), releaseFloor: vi.fn(async () => null) },
    setSlides: vi.fn(async () => undefined),
  };
  const presenting = new Presenting(store, () => session as unknown as Session);
  const presenter = { presenter_name: "Bob", presenter_uri: "", presenter_uuid: "bob" };
  const starts = () => {
    store.dispatch({ type: "event", event: { name: "presentation_start", data: presenter }, now: 0 });
    presenting.replaced();
    return presenting.follow();
  };
  return { store, session, presenting, starts };
}

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});
afterEach(() => vi.restoreAllMocks());

describe("presenting", () => {
  it("takes the floor before it sends, and releases it when it stops", async () => {
    const { store, session, presenting } = setUp();
    const screen = source();
    await presenting.start(screen);
    expect(session.api.takeFloor.mock.invocationCallOrder[0]).toBeLessThan(
      session.setSlides.mock.invocationCallOrder[0] ?? 0,
    );
    expect(session.setSlides).toHaveBeenLastCalledWith({ send: screen.track, receive: false });
    expect(store.get().presenting).toBe("screen");
    await presenting.stop();
    expect(session.api.releaseFloor).toHaveBeenCalledOnce();
    expect(screen.close).toHaveBeenCalledOnce();
    expect(session.setSlides).toHaveBeenLastCalledWith({ send: undefined, receive: false });
    expect(store.get().presenting).toBeUndefined();
  });

  it("stops when the browser's own button ends the share", async () => {
    const { session, presenting } = setUp();
    const screen = source();
    await presenting.start(screen);
    screen.ended();
    await vi.waitFor(() => expect(session.api.releaseFloor).toHaveBeenCalled());
    expect(presenting.own).toBeUndefined();
  });

  it("says why when the floor is refused, and lets go of the screen", async () => {
    const { store, session, presenting } = setUp();
    session.api.takeFloor.mockRejectedValue(new ApiError(403, "Disabled"));
    const screen = source();
    await presenting.start(screen);
    expect(screen.close).toHaveBeenCalled();
    expect(store.get().notices[0]).toMatchObject({
      key: "notice.presentingFailed",
      params: { reason: "Disabled" },
    });
    expect(store.get().presenting).toBeUndefined();
  });

  it("watches when somebody takes over, without releasing what it no longer holds", async () => {
    const { store, session, presenting, starts } = setUp();
    const screen = source();
    await presenting.start(screen);
    await starts();
    expect(screen.close).toHaveBeenCalled();
    expect(session.api.releaseFloor).not.toHaveBeenCalled();
    expect(session.setSlides).toHaveBeenLastCalledWith({ send: undefined, receive: true });
    expect(store.get().notices[0]?.key).toBe("notice.presentationTaken");
  });

  it("goes on after a new call took the place of the lost one", async () => {
    const { session, presenting } = setUp();
    const screen = source();
    await presenting.start(screen);
    await presenting.again();
    expect(session.api.takeFloor).toHaveBeenCalledTimes(2);
    expect(session.setSlides).toHaveBeenLastCalledWith({ send: screen.track, receive: false });
  });

  it("does not watch once nobody presents", async () => {
    const { store, session, presenting, starts } = setUp();
    await starts();
    store.dispatch({ type: "event", event: { name: "presentation_stop", data: {} }, now: 0 });
    await presenting.follow();
    expect(session.setSlides).toHaveBeenLastCalledWith({ send: undefined, receive: false });
  });
});
