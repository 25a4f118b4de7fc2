import { useState } from "react";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { Field } from "./Field";
import { FormDialog } from "./FormDialog";

/** A message to everybody in all breakout rooms. */
export function SayToRoomsDialog({ meeting, onClose }: { meeting: Meeting; onClose(): void }) {
  const [text, setText] = useState("");
  const send = async () => {
    const message = text.trim();
    if (!message) return false;
    const done = await meeting.act((api) => api.sayToRooms(message));
    if (done) meeting.store.dispatch({ type: "notice", key: "notice.saidToRooms" });
    return done;
  };
  return (
    <FormDialog title={t("rooms.messageTitle")} submit={t("chat.send")} onSubmit={send} onClose={onClose}>
      <Field
        label={t("rooms.messageLabel")}
        testId="rooms-text"
        value={text}
        onChange={setText}
        autoComplete="off"
        autoFocus
      />
    </FormDialog>
  );
}
