/** The roster: who is here, as the event stream tells it. Pure. */

import type { ParticipantRecord, StageEntry, StreamEvent } from "../api/types";

export interface Roster {
  readonly byUuid: ReadonlyMap<string, ParticipantRecord>;
  /** Rows of a snapshot under way; they replace the roster at its end, so that nothing flickers. */
  readonly incoming: ReadonlyMap<string, ParticipantRecord> | undefined;
  /** Voice activity by participant, 0 to 100. */
  readonly voice: ReadonlyMap<string, number>;
}

export const emptyRoster: Roster = { byUuid: new Map(), incoming: undefined, voice: new Map() };

/** The roster without one participant. */
export function without(roster: Roster, uuid: string): Roster {
  if (!roster.byUuid.has(uuid)) return roster;
  const byUuid = new Map(roster.byUuid);
  byUuid.delete(uuid);
  return { ...roster, byUuid };
}

function put(map: ReadonlyMap<string, ParticipantRecord>, row: ParticipantRecord) {
  return new Map(map).set(row.uuid, row);
}

export function reduceRoster(roster: Roster, event: StreamEvent): Roster {
  switch (event.name) {
    case "participant_sync_begin":
      return { ...roster, incoming: new Map() };
    case "participant_sync_end":
      return roster.incoming ? { ...roster, byUuid: roster.incoming, incoming: undefined } : roster;
    case "participant_create":
      if (roster.incoming) return { ...roster, incoming: put(roster.incoming, event.data) };
      return { ...roster, byUuid: put(roster.byUuid, event.data) };
    case "participant_update":
      if (!roster.byUuid.has(event.data.uuid)) return roster;
      return { ...roster, byUuid: put(roster.byUuid, event.data) };
    case "participant_delete":
      return without(roster, event.data.uuid);
    case "stage":
      return { ...roster, voice: voiceOf(event.data) };
    default:
      return roster;
  }
}

function voiceOf(stage: readonly StageEntry[]): ReadonlyMap<string, number> {
  return new Map(stage.filter((entry) => entry.vad > 0).map((entry) => [entry.participant_uuid, entry.vad]));
}

export interface RosterView {
  waiting: ParticipantRecord[];
  /** Being dialled. */
  calling: ParticipantRecord[];
  hosts: ParticipantRecord[];
  guests: ParticipantRecord[];
}

/**
 * For display, by group: oneself first, then raised hands in their order, then by time of joining. `search`: only names
 * and addresses that hold all of its words.
 */
export function viewRoster(roster: Roster, self: string, search = ""): RosterView {
  const words = folded(search).split(/\s+/).filter(Boolean);
  const rows = [...roster.byUuid.values()]
    .filter((row) => {
      const text = folded(`${nameOf(row)} ${row.uri ?? ""}`);
      return words.every((word) => text.includes(word));
    })
    .sort(
      (a, b) =>
        Number(b.uuid === self) - Number(a.uuid === self) ||
        (handOf(a) === handOf(b) ? 0 : handOf(a) - handOf(b)) ||
        a.start_time - b.start_time ||
        nameOf(a).localeCompare(nameOf(b)),
    );
  const group = (row: ParticipantRecord): keyof RosterView => {
    if (row.service_type === "waiting_room" && row.uuid !== self) return "waiting";
    if (row.service_type === "connecting") return "calling";
    return row.role === "chair" ? "hosts" : "guests";
  };
  const view: RosterView = { waiting: [], calling: [], hosts: [], guests: [] };
  for (const row of rows) view[group(row)].push(row);
  return view;
}

/** How many are in the meeting, whoever waits or is being called not counted. */
export function countOf(roster: Roster, self: string): number {
  const { hosts, guests } = viewRoster(roster, self);
  return hosts.length + guests.length;
}

/** In a call through the gateway: the other end is being called, and nobody is there yet. */
export function isRinging(roster: Roster, self: string): boolean {
  const others = [...roster.byUuid.values()].filter((row) => row.uuid !== self);
  return others.length > 0 && others.every((row) => row.service_type === "connecting");
}

export function raisedHands(roster: Roster): number {
  return [...roster.byUuid.values()].filter((row) => (row.buzz_time ?? 0) > 0).length;
}

/** Places on stage by participant, from 1: the order in which they were put in the spotlight. */
export function stageOrder(roster: Roster): ReadonlyMap<string, number> {
  const lit = [...roster.byUuid.values()].filter((row) => (row.spotlight ?? 0) > 0);
  lit.sort((a, b) => (a.spotlight ?? 0) - (b.spotlight ?? 0));
  return new Map(lit.map((row, index) => [row.uuid, index + 1]));
}

const handOf = (row: ParticipantRecord): number => row.buzz_time || Number.POSITIVE_INFINITY;

/** Without case and accents, so that `jose` finds José. */
const folded = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase();

/** Marks that turn the direction of what stands around them, control characters, line ends. */
const TRICKS = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/gu;

/** A name that cannot make the text around it read otherwise. */
export const plain = (name: string | undefined): string => (name ?? "").replace(TRICKS, "").trim();

/** Name to show: what the participant calls itself, else its address without scheme. */
export function nameOf(row: ParticipantRecord): string {
  return plain(row.overlay_text) || plain(row.display_name) || plain(row.uri?.replace(/^sips?:/, "")) || "–";
}
