import { describe, expect, it } from "vitest";
import type { ConferenceState, StreamEvent } from "../../src/api/types";
import { initialMeeting, type MeetingState, reduceMeeting, seen } from "../../src/state/meeting";
import {
  askingForHelp,
  headCount,
  inOrder,
  noRooms,
  type Rooms,
  reduceRooms,
  roomName,
  secondsLeft,
  spread,
} from "../../src/state/rooms";
import { row } from "./rows";

const begin = (uuid: string): StreamEvent => ({
  name: "breakout_begin",
  data: { breakout_uuid: uuid, participant_uuid: `me-in-${uuid}` },
});
const inside = (uuid: string, event: string, data: unknown): StreamEvent => ({
  name: "breakout_event",
  data: { breakout_uuid: uuid, event, data },
});
const state = (name: string, more: Partial<ConferenceState> = {}): ConferenceState => ({
  locked: false,
  guests_muted: false,
  started: true,
  breakout: true,
  breakout_name: name,
  ...more,
});
const named = (uuid: string, name: string, more: Partial<ConferenceState> = {}) => [
  begin(uuid),
  inside(uuid, "conference_update", state(name, more)),
];
const folded = (events: StreamEvent[], start: Rooms = noRooms) => events.reduce(reduceRooms, start);

describe("breakout rooms", () => {
  it("are known with who is in them, from begin to end", () => {
    const rooms = folded([
      ...named("a", "Room 1"),
      inside("a", "participant_sync_begin", null),
      inside("a", "participant_create", row("me-in-a", { role: "chair", has_media: false })),
      inside("a", "participant_create", row("gus")),
      inside("a", "participant_sync_end", null),
    ]);
    const [room] = inOrder(rooms);
    expect(room && headCount(room)).toBe(1);
    expect(room).toMatchObject({ self: "me-in-a" });
    const left = folded([inside("a", "participant_delete", { uuid: "gus" })], rooms);
    expect(headCount(inOrder(left)[0] as never)).toBe(0);
    expect(
      folded([{ name: "breakout_end", data: { breakout_uuid: "a", participant_uuid: "me-in-a" } }], left)
        .size,
    ).toBe(0);
  });

  it("are told anew on a new stream", () => {
    const rooms = folded([...named("a", "Room 1"), { name: "hello", data: null }, ...named("b", "Room 2")]);
    expect([...rooms.keys()]).toEqual(["b"]);
  });

  it("events of rooms never heard of change nothing", () => {
    expect(folded([inside("x", "participant_create", row("gus"))]).size).toBe(0);
  });

  it("come in the order of their numbers", () => {
    const rooms = folded([...named("a", "Room 10"), ...named("b", "Room 9"), ...named("c", "Room 1")]);
    expect(inOrder(rooms).map(roomName)).toEqual(["Room 1", "Room 9", "Room 10"]);
  });

  it("that ask for help are found, the longest waiting first", () => {
    const rooms = folded([
      ...named("a", "A", { breakoutbuzz: { value: true, time: 7 } }),
      ...named("b", "B"),
      ...named("c", "C", { breakoutbuzz: { value: true, time: 3 } }),
    ]);
    expect(askingForHelp(rooms).map(roomName)).toEqual(["C", "A"]);
  });

  it.each([
    [{}, undefined],
    [{ end_time: 0 }, undefined],
    [{ end_time: 100 }, 40],
    [{ end_time: 10 }, 0],
  ])("%j leaves %s seconds", (more, left) => {
    expect(secondsLeft(state("A", more), 60_000)).toBe(left);
  });

  it.each([
    [7, 3],
    [2, 5],
    [0, 2],
    [9, 1],
  ])("%i people are spread over %i rooms evenly, nobody twice", (people, count) => {
    const all = Array.from({ length: people }, (_, index) => index);
    const rooms = spread(all, count, Math.random);
    expect(rooms).toHaveLength(count);
    expect(rooms.flat().sort((a, b) => a - b)).toEqual(all);
    const sizes = rooms.map((room) => room.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });
});

describe("a Host whose picture and sound are in a room", () => {
  const run = (events: StreamEvent[], start: MeetingState) =>
    events.reduce((before, event) => reduceMeeting(before, { type: "event", event, now: 1 }), start);
  const host: MeetingState = { ...initialMeeting, role: "HOST", self: "me", synced: true };
  const rooms = run([...named("a", "Room 1"), ...named("b", "Room 2")], host);
  const there = reduceMeeting(rooms, { type: "place", room: "a" });

  it("sees that room, and the conference again when it is closed", () => {
    const full = run([inside("a", "participant_create", row("gus"))], there);
    expect(seen(full)).toMatchObject({ self: "me-in-a", flags: { breakout_name: "Room 1" } });
    expect(seen(full).roster.byUuid.has("gus")).toBe(true);
    const closed = run(
      [{ name: "breakout_end", data: { breakout_uuid: "a", participant_uuid: "me-in-a" } }],
      full,
    );
    expect(seen(closed).self).toBe("me");
  });

  const message = { origin: "Gus", uuid: "gus", type: "text/plain", payload: "hello" };

  it("reads what is said there, and nothing of elsewhere", () => {
    const heard = run(
      [
        inside("a", "message_received", message),
        inside("b", "message_received", { ...message, payload: "elsewhere" }),
        { name: "message_received", data: { ...message, payload: "in the meeting" } },
      ],
      there,
    );
    expect(heard.chat.map((line) => line.text)).toEqual(["hello"]);
    const outside = run([inside("a", "message_received", message)], rooms);
    expect(outside.chat).toEqual([]);
  });

  it("hears of hands raised there", () => {
    const raised = run(
      [
        inside("a", "participant_create", row("gus")),
        inside("a", "participant_update", row("gus", { buzz_time: 3 })),
      ],
      there,
    );
    expect(raised.notices.map((notice) => notice.key)).toEqual(["notice.hand"]);
  });

  it("is back in the conference after joining anew", () => {
    const admission = { token: "t", participant_uuid: "again", role: "HOST" } as never;
    expect(reduceMeeting(there, { type: "admitted", admission }).place).toBeUndefined();
  });
});
