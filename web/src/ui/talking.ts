/** Help for who is muted: being told when nobody hears, and speaking while a key is held. */

import { useEffect } from "react";
import { meter } from "../devices/level";
import { recall } from "../devices/memory";
import type { Meeting } from "../meeting/meeting";

/** Louder than a quiet room, as loud as somebody who speaks (0 to 1). */
const SPEECH = 0.55;
/** Loud samples in a row, 60 ms each: words, not a cough. */
const WORDS = 8;
/** Told once in this time, in milliseconds. */
const PAUSE = 30_000;

/** A notice when the user speaks while the own switch is off. */
export function useMutedTalk(meeting: Meeting, muted: boolean): void {
  const { microphone } = meeting.media;
  useEffect(() => {
    if (!muted || !microphone || microphone.readyState !== "live") return;
    const ear = microphone.clone(); // Stays in the page: nothing of it is sent.
    ear.enabled = true;
    let loud = 0;
    let told = 0;
    const stop = meter(ear, (level) => {
      loud = level > SPEECH ? loud + 1 : 0;
      if (loud < WORDS || Date.now() - told < PAUSE) return;
      told = Date.now();
      meeting.store.dispatch({ type: "notice", key: "notice.talkingMuted" });
    });
    return () => {
      stop();
      ear.stop();
    };
  }, [meeting, muted, microphone]);
}

const BUSY =
  "button, a, input, textarea, select, summary, [contenteditable], dialog, [role=menu], [tabindex='0']";

/** The space bar, held, opens the microphone of who is muted. */
export function useHoldToTalk(meeting: Meeting): void {
  useEffect(() => {
    let held = false;
    const down = (event: KeyboardEvent) => {
      const busy = event.target instanceof Element && event.target.closest(BUSY);
      if (event.key !== " " || event.repeat || busy || recall().keysOff) return;
      event.preventDefault();
      if (!meeting.store.get().micMuted) return;
      held = true;
      void meeting.media.setMicMuted(false);
    };
    const up = (event?: KeyboardEvent) => {
      if (!held || (event && event.key !== " ")) return;
      held = false;
      void meeting.media.setMicMuted(true);
    };
    const away = () => up();
    window.addEventListener("keydown", down);
    window.addEventListener("keyup", up);
    window.addEventListener("blur", away);
    return () => {
      window.removeEventListener("keydown", down);
      window.removeEventListener("keyup", up);
      window.removeEventListener("blur", away);
      away();
    };
  }, [meeting]);
}
