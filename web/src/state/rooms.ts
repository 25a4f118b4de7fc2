/** Breakout rooms as a Host of the main conference sees them. Pure. */

import type { ConferenceState, PresenterRecord, StreamEvent } from "../api/types";
import { countOf, emptyRoster, type Roster, reduceRoster } from "./roster";

export interface Room {
  uuid: string;
  /** The Host's own participant in it. */
  self: string;
  flags: ConferenceState;
  roster: Roster;
  presenter: PresenterRecord | undefined;
}

export type Rooms = ReadonlyMap<string, Room>;

export const noRooms: Rooms = new Map();

const UNKNOWN: ConferenceState = { locked: false, guests_muted: false, started: true };

export function reduceRooms(rooms: Rooms, event: StreamEvent): Rooms {
  switch (event.name) {
    case "hello":
      // What is open now is told anew on every stream.
      return rooms.size > 0 ? noRooms : rooms;
    case "breakout_begin": {
      const { breakout_uuid: uuid, participant_uuid: self } = event.data;
      const flags = rooms.get(uuid)?.flags ?? UNKNOWN;
      return new Map(rooms).set(uuid, { uuid, self, flags, roster: emptyRoster, presenter: undefined });
    }
    case "breakout_end": {
      const left = new Map(rooms);
      left.delete(event.data.breakout_uuid);
      return left;
    }
    case "breakout_event": {
      const room = rooms.get(event.data.breakout_uuid);
      return room ? new Map(rooms).set(room.uuid, within(room, insideOf(event.data))) : rooms;
    }
    default:
      return rooms;
  }
}

/** The event as it would have come in the room itself. */
export function insideOf(wrapped: { event: string; data: unknown }): StreamEvent {
  return { name: wrapped.event, data: wrapped.data } as StreamEvent;
}

function within(room: Room, event: StreamEvent): Room {
  switch (event.name) {
    case "conference_update":
      return { ...room, flags: event.data };
    case "presentation_start":
      return { ...room, presenter: event.data };
    case "presentation_stop":
      return { ...room, presenter: undefined };
    default:
      return { ...room, roster: reduceRoster(room.roster, event) };
  }
}

export function roomName(room: Room): string {
  return room.flags.breakout_name || "–";
}

/** In the order of their names: `Room 10` comes after `Room 9`. */
export function inOrder(rooms: Rooms): Room[] {
  const order = new Intl.Collator(undefined, { numeric: true });
  return [...rooms.values()].sort((a, b) => order.compare(roomName(a), roomName(b)));
}

/** How many are in it, a Host who only follows it not counted. */
export function headCount(room: Room): number {
  const me = room.roster.byUuid.get(room.self);
  return countOf(room.roster, room.self) - (me && !me.has_media ? 1 : 0);
}

export const wantsHelp = (flags: ConferenceState): boolean => flags.breakoutbuzz?.value ?? false;

/** Rooms that ask for a Host, longest first. */
export function askingForHelp(rooms: Rooms): Room[] {
  const since = (room: Room) => room.flags.breakoutbuzz?.time ?? 0;
  return [...rooms.values()].filter((room) => wantsHelp(room.flags)).sort((a, b) => since(a) - since(b));
}

/** Seconds until it closes by itself; undefined: open end. `now`: milliseconds by the server's clock. */
export function secondsLeft(flags: ConferenceState, now: number): number | undefined {
  return flags.end_time ? Math.max(0, Math.round(flags.end_time - now / 1000)) : undefined;
}

/** `people` spread over `count` rooms, by chance and as evenly as can be. */
export function spread<T>(people: readonly T[], count: number, random: () => number): T[][] {
  const shuffled = [...people];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
  }
  const rooms: T[][] = Array.from({ length: count }, () => []);
  for (const [index, one] of shuffled.entries()) rooms[index % count]?.push(one);
  return rooms;
}
