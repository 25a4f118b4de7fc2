import { type FormEvent, useState } from "react";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import type { Phase } from "../state/meeting";
import { EntryPage } from "./EntryPage";
import { Field } from "./Field";

interface Props {
  meeting: Meeting;
  phase: Extract<Phase, { kind: "pin" }>;
  onCancel(): void;
}

/** Asks for the PIN; where Guests have none, leaving it empty joins as a Guest. */
export function PinPage({ meeting, phase, onCancel }: Props) {
  const [pin, setPin] = useState("");
  const [shown, setShown] = useState(false);
  const [touched, setTouched] = useState(false);
  const asGuest = !phase.guestPinRequired && pin === "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (pin === "" && phase.guestPinRequired) return;
    setTouched(false);
    void meeting.submitPin(pin);
  };
  return (
    <EntryPage>
      <form className="card home" onSubmit={submit} noValidate data-testid="pin-form">
        <h1>{t("pin.title")}</h1>
        <p className="soft">{t(phase.guestPinRequired ? "pin.everyone" : "pin.hostOnly")}</p>
        <Field
          label={t("pin.label")}
          error={phase.wrong && !touched ? t("pin.wrong") : undefined}
          testId="pin-input"
          type={shown ? "text" : "password"}
          inputMode="numeric"
          autoComplete="off"
          autoFocus
          value={pin}
          onChange={(value) => {
            setTouched(true);
            setPin(value);
          }}
        />
        <button className="link" type="button" onClick={() => setShown(!shown)}>
          {t(shown ? "pin.hide" : "pin.show")}
        </button>
        <button
          className="button primary wide"
          type="submit"
          data-testid="pin-submit"
          disabled={pin === "" && phase.guestPinRequired}
        >
          {t(asGuest ? "pin.guest" : "pin.submit")}
        </button>
        <button className="button plain wide" type="button" onClick={onCancel}>
          {t("join.cancel")}
        </button>
      </form>
    </EntryPage>
  );
}
