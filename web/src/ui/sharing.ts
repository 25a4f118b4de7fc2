import { useCallback, useState } from "react";
import type { MessageKey } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { DocumentShare } from "../sharing/document";
import { type Emphasis, shareScreen } from "../sharing/screen";

/** What can be picked for sharing as a file. */
const ACCEPTED = "application/pdf,.pdf,image/*";

export interface Sharing {
  /** Name of the file that is being opened. */
  opening: string | undefined;
  screen(emphasis: Emphasis): void;
  file(): void;
  stop(): void;
}

/** Begin and end presenting; what goes wrong is told as a notice. */
export function useSharing(meeting: Meeting): Sharing {
  const [opening, setOpening] = useState<string>();
  const tell = useCallback((key: MessageKey) => meeting.store.dispatch({ type: "notice", key }), [meeting]);

  const screen = useCallback(
    async (emphasis: Emphasis) => {
      const source = await shareScreen(emphasis);
      if (typeof source === "string") tell(`share.${source}`);
      else await meeting.presenting.start(source);
    },
    [meeting, tell],
  );
  const open = useCallback(
    async (file: File) => {
      setOpening(file.name);
      const share = await DocumentShare.open(file);
      if (typeof share === "string") tell(`share.${share}`);
      else await meeting.presenting.start(share);
      setOpening(undefined);
    },
    [meeting, tell],
  );
  const file = useCallback(() => {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = ACCEPTED;
    input.onchange = () => {
      const chosen = input.files?.[0];
      if (chosen) void open(chosen);
    };
    input.click();
  }, [open]);
  return {
    opening,
    screen: useCallback((emphasis: Emphasis) => void screen(emphasis), [screen]),
    file,
    stop: useCallback(() => void meeting.presenting.stop(), [meeting]),
  };
}
