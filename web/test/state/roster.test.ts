import { describe, expect, it } from "vitest";
import type { StreamEvent } from "../../src/api/types";
import {
  countOf,
  emptyRoster,
  isRinging,
  nameOf,
  type Roster,
  type RosterView,
  raisedHands,
  reduceRoster,
  stageOrder,
  viewRoster,
} from "../../src/state/roster";
import { row } from "./rows";

const replay = (events: StreamEvent[], start: Roster = emptyRoster) => events.reduce(reduceRoster, start);
const begin: StreamEvent = { name: "participant_sync_begin", data: null };
const end: StreamEvent = { name: "participant_sync_end", data: null };
const create = (...args: Parameters<typeof row>): StreamEvent => ({
  name: "participant_create",
  data: row(...args),
});
const uuids = (roster: Roster) => [...roster.byUuid.keys()];

describe("roster", () => {
  it("shows a snapshot only once it is complete", () => {
    const half = replay([begin, create("a"), create("b")]);
    expect(uuids(half)).toEqual([]);
    expect(uuids(replay([end], half))).toEqual(["a", "b"]);
  });

  it("keeps the old roster on screen while a new snapshot arrives, then forgets who left meanwhile", () => {
    const known = replay([begin, create("a"), create("b"), end]);
    const half = replay([begin, create("b")], known);
    expect(uuids(half)).toEqual(["a", "b"]);
    expect(uuids(replay([end], half))).toEqual(["b"]);
  });

  it("ignores updates and deletes of unknown participants", () => {
    const known = replay([create("a")]);
    expect(replay([{ name: "participant_update", data: row("x") }], known)).toBe(known);
    expect(replay([{ name: "participant_delete", data: { uuid: "x" } }], known)).toBe(known);
  });

  it("replaces the whole record on update and removes on delete", () => {
    const known = replay([create("a", { is_muted: "YES" })]);
    const updated = replay([{ name: "participant_update", data: row("a") }], known);
    expect(updated.byUuid.get("a")?.is_muted).toBe("NO");
    expect(uuids(replay([{ name: "participant_delete", data: { uuid: "a" } }], updated))).toEqual([]);
  });

  it("takes who is talking from the stage", () => {
    const stage: StreamEvent = {
      name: "stage",
      data: [
        { participant_uuid: "a", stage_index: 0, vad: 100 },
        { participant_uuid: "b", stage_index: 1, vad: 0 },
      ],
    };
    expect([...replay([stage]).voice]).toEqual([["a", 100]]);
  });
});

describe("ringing", () => {
  it("lasts until somebody is there", () => {
    const self = create("me", { service_type: "gateway" });
    const called = (service_type: "connecting" | "gateway") => create("far", { service_type });
    expect(isRinging(replay([self]), "me")).toBe(false);
    expect(isRinging(replay([self, called("connecting")]), "me")).toBe(true);
    expect(isRinging(replay([self, called("gateway")]), "me")).toBe(false);
    expect(
      isRinging(replay([self, called("gateway"), create("two", { service_type: "connecting" })]), "me"),
    ).toBe(false);
  });
});

describe("view", () => {
  it("puts self first, then Hosts, then by arrival; the waiting apart", () => {
    const roster = replay([
      create("late", { start_time: 9 }),
      create("early", { start_time: 1 }),
      create("host", { start_time: 5, role: "chair" }),
      create("self", { start_time: 7 }),
      create("outside", { service_type: "waiting_room" }),
    ]);
    const view = viewRoster(roster, "self");
    const uuids = (group: keyof RosterView) => view[group].map((one) => one.uuid);
    expect(uuids("hosts")).toEqual(["host"]);
    expect(uuids("guests")).toEqual(["self", "early", "late"]);
    expect(uuids("waiting")).toEqual(["outside"]);
    expect(countOf(roster, "self")).toBe(4);
  });

  it("puts raised hands first, in their order", () => {
    const roster = replay([
      create("quiet", { start_time: 1 }),
      create("second", { start_time: 2, buzz_time: 20 }),
      create("first", { start_time: 3, buzz_time: 10 }),
    ]);
    expect(viewRoster(roster, "").guests.map((one) => one.uuid)).toEqual(["first", "second", "quiet"]);
    expect(raisedHands(roster)).toBe(2);
  });

  it("finds people by any of their words, without case and accents", () => {
    const roster = replay([
      create("1", { display_name: "José Álvarez" }),
      create("2", { display_name: "Room", uri: "sip:north@example.com" }),
    ]);
    const found = (search: string) => viewRoster(roster, "", search).guests.map((one) => one.uuid);
    expect(found("alvarez jose")).toEqual(["1"]);
    expect(found("north")).toEqual(["2"]);
    expect(found("nobody")).toEqual([]);
    expect(found(" ")).toEqual(["1", "2"]);
  });

  it("keeps those being called apart and does not count them", () => {
    const roster = replay([create("dialled", { service_type: "connecting" })]);
    expect(viewRoster(roster, "").calling).toHaveLength(1);
    expect(countOf(roster, "")).toBe(0);
  });

  it("numbers the stage by when people got there", () => {
    const roster = replay([
      create("later", { spotlight: 9 }),
      create("sooner", { spotlight: 5 }),
      create("not", { spotlight: 0 }),
    ]);
    expect([...stageOrder(roster)]).toEqual([
      ["sooner", 1],
      ["later", 2],
    ]);
  });

  it("falls back to the address without scheme when there is no name", () => {
    expect(nameOf(row("a", { display_name: "", uri: "sip:room@example.com" }))).toBe("room@example.com");
  });
});

describe("names", () => {
  it.each([
    ["Ada", "Ada"],
    ["  Ada\n(Host)\u0007 ", "Ada(Host)"],
    ["\u202eadA", "adA"],
    ["\u2066x\u2069\u200f", "x"],
    ["👩\u200d🚀 Valentina", "👩\u200d🚀 Valentina"],
    ["محمد", "محمد"],
  ])("%j is shown as %j", (given, shown) => {
    expect(nameOf(row("x", { display_name: given }))).toBe(shown);
  });

  it("of nothing but tricks gives way to the address", () => {
    expect(nameOf(row("x", { display_name: "\u202e", uri: "sip:ada@example.com" }))).toBe("ada@example.com");
  });
});
