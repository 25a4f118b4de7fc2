/** Bridges from the stores to React. */

import { useEffect, useSyncExternalStore } from "react";
import type { LocalMedia, LocalState } from "../devices/local";
import type { Meeting } from "../meeting/meeting";
import type { MeetingState } from "../state/meeting";

export function useMeeting(meeting: Meeting): MeetingState {
  return useSyncExternalStore(meeting.store.subscribe, meeting.store.get);
}

export function useLocal(media: LocalMedia): LocalState {
  return useSyncExternalStore(media.subscribe, media.getState);
}

/** Single-key shortcuts; never while typing, nor together with a modifier. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      const target = event.target as HTMLElement | null;
      if (target?.closest("input, textarea, select, [contenteditable]")) return;
      keys[event.key.toLowerCase()]?.();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [keys]);
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title;
  }, [title]);
}
