import { createContext, useContext } from "react";
import type { ParticipantRecord } from "../api/types";

/** A dialog somebody asked for. */
export type Wanted =
  | { kind: "layout" }
  | { kind: "dial" }
  | { kind: "stream" }
  | { kind: "openRooms" }
  | { kind: "sayToRooms" }
  | { kind: "settings" }
  | { kind: "shortcuts" }
  | { kind: "keypad"; row?: ParticipantRecord }
  | { kind: "transfer"; row: ParticipantRecord }
  | { kind: "rename"; row: ParticipantRecord };

export interface Desk {
  ask(wanted: Wanted): void;
  /** Write to one participant only. */
  write(row: ParticipantRecord): void;
}

export const DeskContext = createContext<Desk>({ ask: () => undefined, write: () => undefined });

/** The way to dialogs and to the chat, from wherever. */
export const useDesk = (): Desk => useContext(DeskContext);
