import { useState } from "react";
import type { ParticipantRecord } from "../api/types";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { nameOf } from "../state/roster";
import { Choice } from "./Choice";
import { Field } from "./Field";
import { FormDialog } from "./FormDialog";

/** Send a participant on to another meeting. */
export function TransferDialog(props: { meeting: Meeting; row: ParticipantRecord; onClose(): void }) {
  const { meeting, row, onClose } = props;
  const [alias, setAlias] = useState("");
  const [pin, setPin] = useState("");
  const [role, setRole] = useState<"host" | "guest">("guest");
  const [missing, setMissing] = useState(false);
  const name = nameOf(row);
  const transfer = async () => {
    const wanted = alias.trim();
    setMissing(!wanted);
    if (!wanted) return false;
    const request = { conference_alias: wanted, role, ...(pin ? { pin } : {}) };
    const done = await meeting.act((api) => api.transfer(row.uuid, request));
    if (done) meeting.store.dispatch({ type: "notice", key: "notice.transferred", params: { name } });
    return done;
  };
  return (
    <FormDialog
      title={t("transfer.title", { name })}
      submit={t("transfer.submit")}
      onSubmit={transfer}
      onClose={onClose}
    >
      <Field
        label={t("transfer.alias")}
        error={missing ? t("home.aliasMissing") : undefined}
        testId="transfer-alias"
        value={alias}
        onChange={setAlias}
        inputMode="email"
        autoComplete="off"
        autoFocus
      />
      <div className="two-fields">
        <Choice
          label={t("dial.role")}
          testId="transfer-role"
          value={role}
          options={[
            ["guest", t("roster.guest")],
            ["host", t("roster.host")],
          ]}
          onChange={setRole}
        />
        <Field
          label={t("transfer.pin")}
          testId="transfer-pin"
          value={pin}
          onChange={setPin}
          inputMode="numeric"
          autoComplete="off"
        />
      </div>
    </FormDialog>
  );
}
