import { useCallback, useMemo } from "react";
import type { Meeting } from "../meeting/meeting";
import { handRaised, isWaiting, mayChat, mayPresent, seen } from "../state/meeting";
import type { Deeds, PanelName } from "./Controls";
import { useKeys } from "./hooks";
import type { Sharing } from "./sharing";
import type { Desk } from "./wanted";

interface Needs {
  meeting: Meeting;
  desk: Desk;
  sharing: Sharing;
  togglePanel(name: PanelName): void;
  toggleFull(): void;
  toggleSelf(): void;
}

/** What buttons and keys do in a meeting; the keys are heard from now on. */
export function useDeeds({ meeting, desk, sharing, togglePanel, toggleFull, toggleSelf }: Needs): Deeds {
  const mic = useCallback(() => {
    void meeting.media.setMicMuted(!meeting.store.get().micMuted);
  }, [meeting]);
  const camera = useCallback(() => {
    void meeting.media.setCameraWanted(meeting.store.get().cameraOff);
  }, [meeting]);
  const hand = useCallback(() => {
    const state = seen(meeting.store.get());
    if (!isWaiting(state)) void meeting.act((api) => api.raiseHand(!handRaised(state)));
  }, [meeting]);
  const { screen, stop } = sharing;
  const share = useCallback(() => {
    const state = seen(meeting.store.get());
    if (state.presenting) stop();
    else if (mayPresent(state)) screen("detail");
  }, [meeting, screen, stop]);
  const deeds = useMemo(
    () => ({
      mic,
      camera,
      hand,
      panel: togglePanel,
      full: toggleFull,
      self: toggleSelf,
      pip: pictureInPicture,
    }),
    [mic, camera, hand, togglePanel, toggleFull, toggleSelf],
  );
  useKeys(
    useMemo(
      () => ({
        m: mic,
        v: camera,
        h: hand,
        s: share,
        p: () => togglePanel("people"),
        c: () => mayChat(seen(meeting.store.get())) && togglePanel("chat"),
        i: () => togglePanel("statistics"),
        f: toggleFull,
        k: () => desk.ask({ kind: "keypad" }),
        "?": () => desk.ask({ kind: "shortcuts" }),
      }),
      [meeting, mic, camera, hand, share, togglePanel, toggleFull, desk],
    ),
  );
  return deeds;
}

/** The presentation, else the conference picture, in a small window above all others; or back. */
function pictureInPicture(): void {
  const find = (testId: string) => document.querySelector<HTMLVideoElement>(`[data-testid=${testId}]`);
  const video = find("slides-video") ?? find("main-video");
  const done = document.pictureInPictureElement
    ? document.exitPictureInPicture()
    : video?.requestPictureInPicture();
  done?.catch((error: unknown) => console.info("picture in picture not possible", error));
}
