/** What the chat shows: messages, and what happened meanwhile. Pure. */

import type { ConferenceState, ParticipantRecord, StreamEvent } from "../api/types";
import type { MessageKey } from "../i18n";
import { nameOf, type Roster } from "./roster";

export interface ChatLine {
  id: number;
  origin: string;
  own: boolean;
  text: string;
  /** Milliseconds since the epoch. */
  at: number;
  undelivered: boolean;
  /** Only for one: who it is from, or to whom ours goes. */
  direct?: string | undefined;
  /** Set for news of the app itself, in place of `text`. */
  news?: { key: MessageKey; params: Record<string, string> } | undefined;
}

export type NewLine = Omit<ChatLine, "id">;

/** Older lines are forgotten. */
const MOST_LINES = 500;

export function added(lines: readonly ChatLine[], line: NewLine, id: number): readonly ChatLine[] {
  return [...lines, { ...line, id }].slice(-MOST_LINES);
}

export function news(key: MessageKey, params: Record<string, string>, at: number): NewLine {
  return { origin: "", own: false, text: "", at, undelivered: false, news: { key, params } };
}

const present = (row: ParticipantRecord | undefined) =>
  row !== undefined && !["waiting_room", "connecting", "ivr"].includes(row.service_type);

/** What an event is worth a line about, given how things were before. */
export function newsOf(
  event: StreamEvent,
  before: { roster: Roster; flags: ConferenceState; self: string },
  at: number,
): NewLine | undefined {
  const { roster, flags, self } = before;
  switch (event.name) {
    case "participant_create":
    case "participant_update": {
      const row = event.data;
      if (roster.incoming || row.uuid === self || !present(row)) return undefined;
      const known = roster.byUuid.get(row.uuid);
      if (present(known)) return undefined;
      return news("news.joined", { name: nameOf(row) }, at);
    }
    case "participant_delete": {
      const row = roster.byUuid.get(event.data.uuid);
      if (!row || row.uuid === self || !present(row)) return undefined;
      return news("news.left", { name: nameOf(row) }, at);
    }
    case "conference_update":
      if (flags.locked === event.data.locked) return undefined;
      return news(event.data.locked ? "news.locked" : "news.unlocked", {}, at);
    case "presentation_start":
      return news("news.presenting", { name: event.data.presenter_name || "–" }, at);
    default:
      return undefined;
  }
}

/** Text in pieces, with addresses of the web told apart. */
export type Piece = { text: string; href?: string };

const ADDRESS = /\bhttps?:\/\/[^\s<>"']+/gi;
/** Ends a sentence rather than an address. */
const TRAILING = /[.,;:!?)\]}]+$/;

export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    let address = match[0];
    const tail = TRAILING.exec(address)?.[0] ?? "";
    // A closing bracket belongs to the address when it was opened in it.
    if (tail && !(tail === ")" && address.includes("("))) address = address.slice(0, -tail.length);
    if (match.index > end) found.push({ text: text.slice(end, match.index) });
    found.push({ text: address, href: address });
    end = match.index + address.length;
  }
  if (end < text.length) found.push({ text: text.slice(end) });
  return found;
}
