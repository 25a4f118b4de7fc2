import { t } from "../i18n";
import { EntryPage } from "./EntryPage";

/** `to`: the breakout room that somebody sent us to. */
export function Joining(props: { alias: string; to?: string | undefined; onCancel(): void }) {
  const { alias, to, onCancel } = props;
  return (
    <EntryPage>
      <div className="card centred" role="status" data-testid="joining">
        <div className="spinner" aria-hidden="true" />
        <p>{to === undefined ? t("join.progress", { alias }) : t("join.moving", { name: to })}</p>
        <button className="button plain" type="button" onClick={onCancel}>
          {t("join.cancel")}
        </button>
      </div>
    </EntryPage>
  );
}
