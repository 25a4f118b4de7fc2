import { t } from "../i18n";
import { EntryPage } from "./EntryPage";

export function Joining({ alias, onCancel }: { alias: string; onCancel(): void }) {
  return (
    <EntryPage>
      <div className="card centred" role="status" data-testid="joining">
        <div className="spinner" aria-hidden="true" />
        <p>{t("join.progress", { alias })}</p>
        <button className="button plain" type="button" onClick={onCancel}>
          {t("join.cancel")}
        </button>
      </div>
    </EntryPage>
  );
}
