import { type FormEvent, useState } from "react";
import { t } from "../i18n";
import type { Meeting } from "../meeting/meeting";
import { EntryPage } from "./EntryPage";
import { Field } from "./Field";

/** A Virtual Reception asks which meeting is meant. */
export function ExtensionPage(props: { meeting: Meeting; wrong: boolean; onCancel(): void }) {
  const [extension, setExtension] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (extension.trim()) void props.meeting.submitExtension(extension.trim());
  };
  return (
    <EntryPage>
      <form className="card home" onSubmit={submit} noValidate>
        <h1>{t("extension.title")}</h1>
        <p className="soft">{t("extension.intro")}</p>
        <Field
          label={t("extension.label")}
          error={props.wrong ? t("extension.wrong") : undefined}
          testId="extension-input"
          value={extension}
          onChange={setExtension}
          autoFocus
        />
        <button className="button primary wide" type="submit" data-testid="extension-submit">
          {t("extension.submit")}
        </button>
        <button className="button plain wide" type="button" onClick={props.onCancel}>
          {t("join.cancel")}
        </button>
      </form>
    </EntryPage>
  );
}
