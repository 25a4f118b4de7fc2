import { useEffect, useState } from "react";
import type { ParticipantRecord } from "../api/types";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { nameOf } from "../state/roster";
import { Dialog } from "./Dialog";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

/** Tones, to the far end of the own call or to one participant's endpoint; typed or clicked. */
export function KeypadDialog(props: {
  meeting: Meeting;
  row: ParticipantRecord | undefined;
  onClose(): void;
}) {
  const { meeting, row, onClose } = props;
  const [sent, setSent] = useState("");
  const press = (key: string) => {
    setSent((before) => (before + key).slice(-24));
    void (row ? meeting.act((api) => api.digits(row.uuid, key)) : meeting.press(key));
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: `press` only depends on the two
  useEffect(() => {
    const typed = (event: KeyboardEvent) => {
      if (KEYS.includes(event.key) && !event.ctrlKey && !event.metaKey) press(event.key);
    };
    window.addEventListener("keydown", typed);
    return () => window.removeEventListener("keydown", typed);
  }, [meeting, row]);
  return (
    <Dialog title={row ? `${t("keypad.title")} – ${nameOf(row)}` : t("keypad.title")} onClose={onClose}>
      <p className="soft small">{t("keypad.intro")}</p>
      <output className="keypad-sent" aria-label={t("keypad.sent")} data-testid="keypad-sent">
        {sent}
      </output>
      <div className="keypad">
        {KEYS.map((key) => (
          <button
            key={key}
            type="button"
            className="keypad-key"
            aria-label={t("keypad.key", { key })}
            data-testid={`key-${key}`}
            onClick={() => press(key)}
          >
            {key}
          </button>
        ))}
      </div>
    </Dialog>
  );
}
