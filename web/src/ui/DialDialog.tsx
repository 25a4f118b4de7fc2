import { useState } from "react";
import type { DialProtocol, Role } from "../api/types";
import { branding } from "../branding/branding";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { Choice } from "./Choice";
import { Field } from "./Field";
import { FormDialog } from "./FormDialog";

const PROTOCOLS: readonly DialProtocol[] = ["auto", "sip", "h323", "mssip"];
const NAMES: Readonly<Record<string, string>> = { sip: "SIP", h323: "H.323", mssip: "Skype for Business" };

/** Call somebody into the meeting. */
export function DialDialog({ meeting, onClose }: { meeting: Meeting; onClose(): void }) {
  const [destination, setDestination] = useState("");
  const [protocol, setProtocol] = useState<DialProtocol>(branding().dialOutProtocol ?? "sip");
  const [role, setRole] = useState<Role>("GUEST");
  const [name, setName] = useState("");
  const [digits, setDigits] = useState("");
  const [missing, setMissing] = useState(false);
  const call = async () => {
    const wanted = destination.trim();
    setMissing(!wanted);
    if (!wanted) return false;
    const done = await meeting.act((api) =>
      api.dial({
        destination: wanted,
        protocol,
        role,
        ...(name.trim() ? { remote_display_name: name.trim() } : {}),
        ...(digits ? { dtmf_sequence: digits } : {}),
      }),
    );
    if (done) meeting.store.dispatch({ type: "notice", key: "notice.calling", params: { name: wanted } });
    return done;
  };
  return (
    <FormDialog title={t("dial.title")} submit={t("dial.submit")} onSubmit={call} onClose={onClose}>
      <Field
        label={t("dial.destination")}
        hint={t("dial.destinationHint")}
        error={missing ? t("dial.missing") : undefined}
        testId="dial-destination"
        value={destination}
        onChange={setDestination}
        inputMode="email"
        autoComplete="off"
        autoFocus
      />
      <div className="two-fields">
        <Choice
          label={t("dial.protocol")}
          testId="dial-protocol"
          value={protocol}
          options={PROTOCOLS.map((one) => [one, NAMES[one] ?? t("dial.auto")] as const)}
          onChange={setProtocol}
        />
        <Choice
          label={t("dial.role")}
          testId="dial-role"
          value={role}
          options={[
            ["GUEST", t("roster.guest")],
            ["HOST", t("roster.host")],
          ]}
          onChange={setRole}
        />
      </div>
      <Field label={t("dial.name")} testId="dial-name" value={name} onChange={setName} autoComplete="off" />
      <Field
        label={t("dial.dtmf")}
        hint={t("dial.dtmfHint")}
        testId="dial-dtmf"
        value={digits}
        onChange={(value) => setDigits(value.replace(/[^0-9A-D*#,]/gi, "").toUpperCase())}
        inputMode="tel"
        autoComplete="off"
      />
    </FormDialog>
  );
}
