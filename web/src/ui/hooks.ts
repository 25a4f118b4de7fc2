/** Bridges from the stores to React. */

import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import type { LocalMedia, LocalState } from "../devices/local";
import { recall } from "../devices/memory";
import { language, onLanguage } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import type { MeetingState } from "../state/meeting";

export function useMeeting(meeting: Meeting): MeetingState {
  return useSyncExternalStore(meeting.store.subscribe, meeting.store.get);
}

export function useLocal(media: LocalMedia): LocalState {
  return useSyncExternalStore(media.subscribe, media.getState);
}

/** What we present and what is presented to us. */
export function usePresenting(meeting: Meeting) {
  const { presenting } = meeting;
  const received = useSyncExternalStore(presenting.subscribe, () => presenting.received);
  const own = useSyncExternalStore(presenting.subscribe, () => presenting.own);
  return { received, own };
}

/** Draws anew when another language is chosen. */
export function useLanguage(): string {
  return useSyncExternalStore(onLanguage, language);
}

/** Whether `element` fills the screen, and a way to change that. */
export function useFullScreen(element: () => HTMLElement | null): [boolean, () => void] {
  const [full, setFull] = useState(false);
  useEffect(() => {
    const changed = () => setFull(document.fullscreenElement !== null);
    document.addEventListener("fullscreenchange", changed);
    return () => document.removeEventListener("fullscreenchange", changed);
  }, []);
  const toggle = useCallback(() => {
    const done = document.fullscreenElement ? document.exitFullscreen() : element()?.requestFullscreen?.();
    done?.catch((error: unknown) => console.info("full screen not possible", error));
  }, [element]);
  return [full, toggle];
}

const online = () => navigator.onLine;

function onNetwork(listener: () => void): () => void {
  window.addEventListener("online", listener);
  window.addEventListener("offline", listener);
  return () => {
    window.removeEventListener("online", listener);
    window.removeEventListener("offline", listener);
  };
}

/** Whether the machine has a network. */
export function useOnline(): boolean {
  return useSyncExternalStore(onNetwork, online);
}

/** The screen stays lit while the component is shown, where the browser can do that. */
export function useWakeLock(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | undefined;
    let shown = true;
    const light = async () => {
      if (!("wakeLock" in navigator) || document.visibilityState !== "visible") return;
      try {
        lock = await navigator.wakeLock.request("screen");
        if (!shown) await lock.release();
      } catch (error) {
        console.info("the screen may go dark", error);
      }
    };
    void light();
    document.addEventListener("visibilitychange", light);
    return () => {
      shown = false;
      document.removeEventListener("visibilitychange", light);
      void lock?.release();
    };
  }, []);
}

/** Whether a media query holds. */
export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const list = window.matchMedia(query);
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches);
}

/** Single-key shortcuts; never while typing, nor together with a modifier, nor when switched off. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      const target = event.target as HTMLElement | null;
      if (target?.closest("input, textarea, select, [contenteditable], dialog, [role=menu]")) return;
      if (recall().keysOff) return;
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
