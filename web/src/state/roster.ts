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
  present: ParticipantRecord[];
}

/** For display: self first, then Hosts, then by time of joining; the waiting apart. */
export function viewRoster(roster: Roster, self: string): RosterView {
  const rows = [...roster.byUuid.values()].sort(
    (a, b) =>
      Number(b.uuid === self) - Number(a.uuid === self) ||
      Number(b.role === "chair") - Number(a.role === "chair") ||
      a.start_time - b.start_time ||
      a.display_name.localeCompare(b.display_name),
  );
  const isWaiting = (row: ParticipantRecord) => row.service_type === "waiting_room" && row.uuid !== self;
  return { waiting: rows.filter(isWaiting), present: rows.filter((row) => !isWaiting(row)) };
}

/** Name to show: what the participant calls itself, else its address without scheme. */
export function nameOf(row: ParticipantRecord): string {
  return row.display_name || (row.uri ?? "").replace(/^sips?:/, "") || "–";
}
