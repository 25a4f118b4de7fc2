import { type FormEvent, type ReactNode, useState } from "react";
import { t } from "../i18n";
import { Dialog } from "./Dialog";

interface Props {
  title: string;
  intro?: string;
  submit: string;
  /** True when it is done and the dialog may close. */
  onSubmit(): Promise<boolean>;
  onClose(): void;
  children: ReactNode;
}

/** A dialog with fields and two buttons; it stays open until what it asks for is done. */
export function FormDialog({ title, intro, submit, onSubmit, onClose, children }: Props) {
  const [busy, setBusy] = useState(false);
  const send = async () => {
    setBusy(true);
    if (await onSubmit()) onClose();
    else setBusy(false);
  };
  const submitted = (event: FormEvent) => {
    event.preventDefault();
    if (!busy) void send();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form className="dialog-form" onSubmit={submitted} noValidate>
        {intro && <p className="soft">{intro}</p>}
        {children}
        <div className="dialog-buttons">
          <button className="button" type="button" onClick={onClose}>
            {t("end.cancel")}
          </button>
          <button className="button primary" type="submit" data-testid="dialog-submit" disabled={busy}>
            {submit}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
