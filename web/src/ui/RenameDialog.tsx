import { useState } from "react";
import type { ParticipantRecord } from "../api/types";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { nameOf } from "../state/roster";
import { Field } from "./Field";
import { FormDialog } from "./FormDialog";

/** Change the name that the picture shows for somebody. */
export function RenameDialog(props: { meeting: Meeting; row: ParticipantRecord; onClose(): void }) {
  const { meeting, row, onClose } = props;
  const [text, setText] = useState(nameOf(row));
  return (
    <FormDialog
      title={t("rename.title")}
      submit={t("rename.submit")}
      onSubmit={() => meeting.act((api) => api.rename(row.uuid, text.trim()))}
      onClose={onClose}
    >
      <Field
        label={t("home.name")}
        hint={t("rename.hint")}
        testId="rename-text"
        value={text}
        onChange={setText}
        autoComplete="off"
        autoFocus
      />
    </FormDialog>
  );
}
